"""A lane: one thread that does its requests one after the other."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from editview.domain.requests import Request


class Lane:
    """Starts its thread at once; `prepare` runs in it before the first request, then `work` for each.

    `work` gets the request, its number and the stop signal of that request alone.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[Request, int, threading.Event], None],
        prepare: Callable[[], None] = lambda: None,
        latest_only: tuple[type[Request], ...] = (),
    ) -> None:
        self._work, self._prepare, self._latest_only = work, prepare, latest_only
        self._waiting: deque[tuple[int, Request]] = deque()
        self._changed = threading.Condition()
        self._current: tuple[int, threading.Event] | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._run, name=f"editview-{name}", daemon=True)
        self._thread.start()

    def put(self, number: int, request: Request) -> None:
        """Queue a request. One of a `latest_only` type takes the place of those of its type that still wait."""
        with self._changed:
            if isinstance(request, self._latest_only):
                kept = [waiting for waiting in self._waiting if type(waiting[1]) is not type(request)]
                self._waiting = deque(kept)
            self._waiting.append((number, request))
            self._changed.notify()

    def stop(self, number: int | None = None) -> None:
        """Forget a request that waits, or stop it when it is under way; without a number, all of them."""
        with self._changed:
            self._waiting = deque(waiting for waiting in self._waiting if number not in (None, waiting[0]))
            if self._current is not None and number in (None, self._current[0]):
                self._current[1].set()

    def close(self, timeout: float) -> bool:
        """Finish what waits, then end the thread; whether it ended in time (seconds)."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        self._prepare()
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closing)
                if not self._waiting:
                    return
                number, request = self._waiting.popleft()
                stop = threading.Event()
                self._current = number, stop
            try:
                self._work(request, number, stop)
            finally:
                with self._changed:
                    self._current = None
