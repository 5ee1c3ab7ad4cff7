"""How far work is: progress reports become events, not too many, with the time that is left. Stop acts here too."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from editview.domain.errors import Cancelled
from editview.domain.events import EngineLoading, Event, Progressed
from editview.domain.progress import Progress

_SECONDS_BETWEEN = 0.05


class _Clock:
    """The time that is left of the phase under way, at its own pace."""

    def __init__(self) -> None:
        self._what = ""
        self._began = (0.0, 0)  # when this phase began, and with how much done

    def begin(self, done: int, what: str) -> bool:
        """Whether another phase begins with this report."""
        if what == self._what:
            return False
        self._what, self._began = what, (time.perf_counter(), done)
        return True

    def seconds_left(self, done: int, total: int) -> float | None:
        """None before anything is done."""
        began, done_then = self._began
        return (time.perf_counter() - began) / (done - done_then) * (total - done) if done > done_then else None


class Paced:
    """A `Progress` that hands reports on, not too often: done, total, what, and the seconds that are left of it."""

    def __init__(self, tell: Callable[[int, int, str, float | None], None], stop: threading.Event) -> None:
        self._tell, self._stop = tell, stop
        self._clock = _Clock()
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
    clock = _Clock()

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
