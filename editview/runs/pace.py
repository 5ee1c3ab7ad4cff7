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


class Pace:
    """A `Progress` for one stage of a run."""

    def __init__(self, run: str, stage: int, emit: Callable[[Event], None], stop: threading.Event) -> None:
        self._run, self._stage, self._emit, self._stop = run, stage, emit, stop
        self._what = ""
        self._began = (0.0, 0)  # when this phase began, and with how much done
        self._told = 0.0

    def __call__(self, done: int, total: int, what: str) -> None:
        if self._stop.is_set():
            raise Cancelled
        now = time.perf_counter()
        new_phase = what != self._what
        if new_phase:
            self._what, self._began = what, (now, done)
        if new_phase or done == total or now - self._told >= _SECONDS_BETWEEN:
            self._told = now
            self._emit(Progressed(self._run, self._stage, done, total, what, self._seconds_left(now, done, total)))

    def _seconds_left(self, now: float, done: int, total: int) -> float | None:
        """At the pace of this phase so far; None before anything is done."""
        began, done_then = self._began
        return (now - began) / (done - done_then) * (total - done) if done > done_then else None


@contextmanager
def telling(emit: Callable[[Event], None], stop: threading.Event) -> Iterator[Progress]:
    """A `Progress` for what belongs to no run: shown as the engine's, as long as it lasts."""
    shown = ""

    def progress(done: int, total: int, what: str) -> None:
        nonlocal shown
        if stop.is_set():
            raise Cancelled
        told = f"{what}: {100 * done // total} %" if total else what
        if told != shown:
            shown = told
            emit(EngineLoading(told))

    try:
        yield progress
    finally:
        if shown:
            emit(EngineLoading(""))
