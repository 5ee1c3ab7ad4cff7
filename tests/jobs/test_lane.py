"""Lanes: one after the other, the latest forecast only, stopped and closed cleanly."""

from __future__ import annotations

import threading
import time

import pytest

from editview.domain.facts import FactSheet
from editview.domain.plan import Checkpoint, Plan
from editview.domain.requests import ChooseDevice, DescribeCheckpoint, ForecastPlan, Request
from editview.jobs.lane import Lane

SHEET = FactSheet("empty", ())


def asked(name: str) -> ForecastPlan:
    return ForecastPlan(Plan(name=name), SHEET)


class Blocked:
    """Work that waits until it is let go, or stopped."""

    def __init__(self) -> None:
        self.done: list[Request] = []
        self.stopped: list[Request] = []
        self.began = threading.Event()
        self.go = threading.Event()

    def __call__(self, request: Request, number: int, stop: threading.Event) -> None:
        self.began.set()
        while not self.go.wait(0.005):
            if stop.is_set():
                self.stopped.append(request)
                return
        self.done.append(request)


def test_a_newer_forecast_takes_the_place_of_those_that_wait() -> None:
    work = Blocked()
    lane = Lane("test", work, latest_only=(ForecastPlan,))
    first, describe = asked("under way"), DescribeCheckpoint(Checkpoint())
    lane.put(1, first)
    assert work.began.wait(5)
    for number in range(2, 10):
        lane.put(number, asked(f"old {number}"))
    lane.put(10, describe)
    lane.put(11, latest := asked("latest"))
    work.go.set()
    assert lane.close(5)
    assert work.done == [first, describe, latest]


def test_stop_ends_what_is_under_way_and_forgets_what_waits() -> None:
    work = Blocked()
    lane = Lane("test", work)
    lane.put(1, first := asked("under way"))
    assert work.began.wait(5)
    lane.put(2, asked("waiting"))
    lane.stop()
    work.go.set()
    assert lane.close(5)
    assert [*work.stopped, *work.done] == [first]


@pytest.mark.parametrize("number", [1, 2, 9])
def test_stop_reaches_the_request_of_that_number_alone(number: int) -> None:
    work = Blocked()
    lane = Lane("test", work)
    requests = {1: asked("under way"), 2: asked("waiting"), 3: ChooseDevice("cpu")}
    for mine, request in requests.items():
        lane.put(mine, request)
    assert work.began.wait(5)
    lane.stop(number)
    if number != 1:
        work.go.set()
    while number == 1 and not work.stopped:
        time.sleep(0.005)
    work.go.set()
    assert lane.close(5)
    assert work.stopped == [requests[mine] for mine in (1,) if mine == number]
    assert work.done == [request for mine, request in requests.items() if mine != number]


def test_stop_does_not_reach_the_next_request() -> None:
    work = Blocked()
    lane = Lane("test", work)
    lane.put(1, asked("stopped"))
    assert work.began.wait(5)
    lane.stop()
    lane.put(2, after := asked("after"))
    work.go.set()
    assert lane.close(5)
    assert after in work.done


def test_closing_finishes_what_waits() -> None:
    work = Blocked()
    work.go.set()
    lane = Lane("test", work)
    requests = [asked(str(number)) for number in range(20)]
    for number, request in enumerate(requests):
        lane.put(number, request)
    assert lane.close(5)
    assert work.done == requests


def test_requests_wait_for_the_preparation() -> None:
    ready, work = threading.Event(), Blocked()
    work.go.set()
    lane = Lane("test", work, prepare=lambda: ready.wait(5) and None)
    lane.put(1, request := asked("early"))
    assert not work.began.wait(0.05)
    ready.set()
    assert lane.close(5)
    assert work.done == [request]
