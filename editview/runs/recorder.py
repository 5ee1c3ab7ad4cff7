"""Keeps a run in the list of runs while it goes on: passes its events on, and writes them down every few seconds."""

from __future__ import annotations

import time
from collections.abc import Callable

from editview.domain.errors import EditViewError
from editview.domain.events import Event, Noted
from editview.domain.orders import order_name
from editview.domain.run_events import RunEvent, RunStarted, StageStarted
from editview.domain.sentences import stage_titles, summary
from editview.domain.session import Run, RunState, Session
from editview.runs import told
from editview.runs.history import History, NewRun
from editview.runs.named import files_said

_EVERY = 5.0
"""Seconds of a run that a kill may cost; what was computed is kept elsewhere."""


class Recorder:
    """An `emit` that records one run. A list that can't be written is told of once, and never makes the run fail."""

    def __init__(self, history: History, emit: Callable[[Event], None], door: str) -> None:
        self._history, self._emit, self._door = history, emit, door
        self._session = Session()
        self._start: RunStarted | None = None  # until it is written
        self._fresh: list[RunEvent] = []  # what is still to be written besides
        self._stage = self._sentence = ""
        self._written = 0.0
        self._silent = False

    def __call__(self, event: Event) -> None:
        """What a run begins and ends with is written before it is passed on: whoever hears of it finds it listed."""
        if isinstance(event, RunEvent) and (isinstance(event, RunStarted) or told.is_kept(event)):
            run = self._session.apply(event)
            if isinstance(event, RunStarted):
                self._start = event
            else:
                self._fresh.append(event)
            if isinstance(event, StageStarted):
                self._stage = stage_titles(run)[event.stage]
            ended = run.state is not RunState.RUNNING
            if ended or isinstance(event, RunStarted | StageStarted):
                self._sentence = summary(run, run.last_checked) if run.last_checked is not None else ""
                self._write(run)
            elif time.monotonic() - self._written > _EVERY:
                self._write(run)
        self._emit(event)

    def _write(self, run: Run) -> None:
        self._written = time.monotonic()
        try:
            if self._start is not None:
                self._history.begin(_new(self._start, self._door))
                self._start = None
            if self._fresh:
                failure = run.failure[0] if run.failure else ""
                piece = told.events_packed(self._fresh)
                self._history.go_on(run.id, piece, run.state, self._stage, self._sentence, failure)
                self._fresh.clear()
        except (EditViewError, OSError, ValueError) as error:
            if not self._silent:
                self._silent = True
                self._emit(Noted(f"This run can't be kept in the list of runs for now. {error}"))
        if self._history.remark:
            self._emit(Noted(self._history.remark))
            self._history.remark = ""


def _new(event: RunStarted, door: str) -> NewRun:
    plan, sheet = event.plan, event.sheet
    return NewRun(
        event.run, plan.name, plan.checkpoint.source, order_name(plan), door, told.plan_said(plan), files_said(plan),
        sheet.content_hash, told.sheet_packed(sheet), told.start_packed(event),
    )  # fmt: skip
