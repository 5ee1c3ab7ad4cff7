"""How far work is: progress reports become events, not too many, with the time that is left. Stop acts here too."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from editview.domain.countdown import Countdown
from editview.domain.errors import Cancelled
from editview.domain.events import EngineLoading, Event
from editview.domain.progress import Progress
from editview.domain.run_events import Progressed

_SECONDS_BETWEEN = 0.05
_FIRST = 1.0  # seconds of a phase in which nothing is told: it may be over by then
_MEMORY = 10.0  # seconds that count for a phase's pace at least; half of a longer one


class Clock:
    """The time that is left of the phase under way, at its own pace: the latest part of it counts most.

    What is long past is forgotten, so that a machine that has become slower, or a slow first step, is seen through.
    """

    def __init__(self) -> None:
        self._what: str | None = None

    def begin(self, done: int, what: str) -> bool:
        """Whether another phase begins with this report."""
        if what == self._what:
            return False
        self._what, self._began, self._countdown = what, time.perf_counter(), Countdown()
        self._last = (self._began, done)
        self._seconds = self._steps = 0.0  # the newer, the more they count
        return True

    def seconds_left(self, done: int, total: int) -> float | None:
        """None before anything is done, and in the first second."""
        now, (then, done_then) = time.perf_counter(), self._last
        passed = now - self._began
        kept = math.exp((then - now) / max(passed / 2, _MEMORY))
        self._seconds = kept * self._seconds + now - then
        self._steps = kept * self._steps + done - done_then
        self._last = (now, done)
        if self._steps <= 0 or passed < _FIRST:
            return None
        return self._countdown.told(self._seconds / self._steps * (total - done), now)


class Paced:
    """A `Progress` that hands reports on, not too often: done, total, what, and the seconds that are left of it."""

    def __init__(self, tell: Callable[[int, int, str, float | None], None], stop: threading.Event) -> None:
        self._tell, self._stop = tell, stop
        self._clock = Clock()
        self._told = 0.0

    def __call__(self, done: int, total: int, what: str) -> None:
        if self._stop.is_set():
            raise Cancelled
        now = time.perf_counter()
        new_phase = self._clock.begin(done, what)
        if new_phase or done == total or now - self._told >= _SECONDS_BETWEEN:
            self._told = now
            self._tell(done, total, what, self._clock.seconds_left(done, total))


class Pace(Paced):
    """A `Progress` for one stage of a run."""

    def __init__(self, run: str, stage: int, emit: Callable[[Event], None], stop: threading.Event) -> None:
        super().__init__(lambda *report: emit(Progressed(run, stage, *report)), stop)


@contextmanager
def telling(emit: Callable[[Event], None], stop: threading.Event) -> Iterator[Progress]:
    """A `Progress` for what belongs to no run: shown as the engine's, as long as it lasts."""
    shown = ""
    clock = Clock()

    def progress(done: int, total: int, what: str) -> None:
        nonlocal shown
        if stop.is_set():
            raise Cancelled
        told = f"{what}: {100 * done // total} %" if total else what
        clock.begin(done, what)
        if told != shown:
            shown = told
            emit(EngineLoading(told, done / total if total else None, clock.seconds_left(done, total)))

    try:
        yield progress
    finally:
        if shown:
            emit(EngineLoading(""))
