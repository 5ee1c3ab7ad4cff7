"""The time that is left, on a clock that a busy machine makes uneven."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest

from editview.runs import pace

STEPS = 600


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr(pace.time, "perf_counter", lambda: now[0])
    return now


def told(clock: list[float], seconds: Callable[[int], float]) -> Iterator[tuple[float, float, float]]:
    """For each step: when, what is told, and what the plain average of the time so far would tell."""
    left = pace.Clock()
    left.begin(0, "Training")
    for step in range(1, STEPS + 1):
        clock[0] += seconds(step)
        said = left.seconds_left(step, STEPS)
        if said is not None:
            yield clock[0], said, clock[0] / step * (STEPS - step)


def raised(figures: list[float]) -> float:
    """By how much they count up, all in all."""
    return sum(max(0.0, after - before) for before, after in pairwise(figures))


@pytest.mark.parametrize("seed", range(5))
def test_an_uneven_machine_makes_it_neither_leap_nor_count_up(clock: list[float], seed: int) -> None:
    rng = random.Random(seed)

    def seconds(step: int) -> float:
        busy = 4 if step % 40 < 8 else 1  # others want the cores now and then
        return 0.1 * busy * rng.lognormvariate(0, 0.8) + (3 if step % 60 == 0 else 0)  # and facts are asked

    seen = list(told(clock, seconds))
    figures, plain = [said for _, said, _ in seen], [average for _, _, average in seen]
    assert raised(figures) < raised(plain) / 4
    assert all(after <= 1.2 * before + 1 for before, after in pairwise(figures))
    when, half, _ = seen[len(seen) // 2]
    assert half == pytest.approx(clock[0] - when, rel=0.5)
    assert figures[-1] == pytest.approx(0, abs=1)


def test_a_slow_first_step_is_soon_forgotten(clock: list[float]) -> None:
    seen = list(told(clock, lambda step: 30.0 if step == 1 else 0.1))
    when, said, plain = seen[450]
    truth = clock[0] - when
    assert abs(said - truth) < 0.6 * abs(plain - truth)


def test_a_machine_that_becomes_slower_is_noticed(clock: list[float]) -> None:
    seen = list(told(clock, lambda step: 0.1 if step <= 200 else 0.5))
    when, said, plain = seen[-150]
    truth = clock[0] - when
    assert said == pytest.approx(truth, rel=0.15)
    assert abs(said - truth) < abs(plain - truth)
