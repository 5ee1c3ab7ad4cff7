"""The time left counts down with the clock, follows what stays, and doesn't leap."""

from __future__ import annotations

import pytest

from editview.domain.countdown import Countdown
from editview.domain.sentences import time_left


def test_what_was_estimated_right_is_told_as_it_is() -> None:
    countdown = Countdown()
    assert countdown.told(None, 0) is None
    assert [countdown.told(100 - second, second) for second in range(101)] == [100 - second for second in range(101)]


def test_a_moment_of_doubt_is_hardly_seen_and_what_stays_is_followed() -> None:
    countdown = Countdown()
    countdown.told(100, 0)
    doubted = countdown.told(1000, 0.05)
    assert doubted is not None
    assert doubted < 105
    for tenth in range(1, 1000):
        told = countdown.told(1000, tenth / 10)
    assert told == pytest.approx(1000, rel=0.3)


def test_a_little_more_work_holds_the_count_instead_of_raising_it() -> None:
    countdown = Countdown()
    told = [countdown.told(110, second / 10) for second in range(3)]
    told += [countdown.told(120, second / 10) for second in range(3, 50)]
    assert told == sorted(told, reverse=True)


def test_the_longer_it_takes_the_coarser_it_is_told() -> None:
    said = ["1 s", "7 s", "25 s", "1 min", "3 min 30 s", "25 min", "40 min", "2 h 5 min"]
    assert [time_left(seconds) for seconds in (0, 7.4, 23, 58, 200, 1503, 2500, 7400)] == said
