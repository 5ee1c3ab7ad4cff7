"""What the window asks of two checkpoints: their weights compared, a fact sheet asked of both, a report of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from editview.domain.events import BothAsked, CheckpointsCompared, Comparing, Event, ReportSaved
from editview.domain.files import try_place
from editview.domain.plan import Plan
from editview.domain.requests import AskBoth, CompareCheckpoints, SaveComparison
from editview.domain.run_events import RunEvent, RunFailed, RunFinished, RunStarted, RunStopped, StageInfo
from editview.domain.two_checkpoints import TITLES, name_of, plan_of_two, told_about
from editview.lm.change_spectra import with_spectra
from editview.lm.comparing import compare
from editview.lm.file_hashes import hashed
from editview.lm.stored import StoredCheckpoint
from editview.runs.pace import Paced
from editview.runs.runner import Runner

Emit = Callable[[Event], None]


def compare_checkpoints(asked: CompareCheckpoints, emit: Emit, stop: threading.Event) -> None:
    """Tell what differs as soon as it is known, then once more with the spectra of what changed.

    Raises what opening, `compare` and `with_spectra` raise, and Cancelled.
    """
    progress = _telling(asked, emit, stop)
    progress(0, 1, "Reading what they are")
    first = StoredCheckpoint(asked.first)
    progress(0, 1, "Reading what they are")
    second = StoredCheckpoint(asked.second)
    found = compare(first, second, progress)
    emit(CheckpointsCompared(asked, found, whole=False))
    emit(CheckpointsCompared(asked, with_spectra(first, second, found, progress), whole=True))


def save_comparison(asked: SaveComparison, emit: Emit, stop: threading.Event) -> None:
    """Raises EditViewError where the place can't be written, OSError for files that can't be read, and Cancelled."""
    from editview.formats.report import write_comparison  # not before the window needs it

    path = Path(asked.path)
    try_place(path)
    files = hashed(told_about(asked.found, asked.inspection), _telling(asked, emit, stop))
    write_comparison(asked.found, files, path, asked.asked, asked.inspection, asked.then, asked.whole)
    emit(ReportSaved(asked.path))


def _telling(asked: CompareCheckpoints | SaveComparison, emit: Emit, stop: threading.Event) -> Paced:
    def tell(done: int, total: int, what: str, left: float | None) -> None:
        emit(Comparing(asked, what, done / total if total else 0.0, left))

    return Paced(tell, stop)


def ask_both(runner: Runner, asked: AskBoth, emit: Emit, stop: threading.Event) -> None:
    """Ask the sheet of one, then of the other, each as a plan without a step: what was asked before is known.

    All is told as one run of two stages. What goes wrong is told as its `RunFailed`; Cancelled is raised.
    """
    run = uuid4().hex[:12]
    told = _Told(asked, run, emit)
    for stage, checkpoint in enumerate((asked.first, asked.second)):
        told.stage = stage
        runner.run(Plan(name=name_of(checkpoint), checkpoint=checkpoint), asked.sheet, told, stop)
        if told.ended:
            return
    told.tell(RunFinished(run, told.seconds))


class _Told:
    """Hands the events of both runs on as those of one."""

    def __init__(self, asked: AskBoth, run: str, emit: Emit) -> None:
        self._asked, self._run, self._emit = asked, run, emit
        self.stage = 0
        self.ended = False  # stopped, or failed
        self.seconds = 0.0

    def tell(self, event: RunEvent) -> None:
        self._emit(BothAsked(self._asked, event))

    def __call__(self, event: Event) -> None:
        match event:
            case RunStarted(stages=(root,), tensors=tensors):
                if self.stage == 0:
                    stages = (replace(root, title=TITLES[0]), StageInfo(1, "update", TITLES[1], ""))
                    plan = plan_of_two(self._asked.first, self._asked.source, self._asked.columns)
                    self.tell(RunStarted(self._run, plan, self._asked.sheet, stages, tensors))
            case RunFinished(seconds=seconds):
                self.seconds += seconds
            case RunFailed() | RunStopped():
                self.ended = True
                self.tell(replace(event, run=self._run))
            case RunStarted():
                raise ValueError("a plan without steps has one stage")
            case _ if isinstance(event, RunEvent):
                self.tell(replace(event, run=self._run, stage=self.stage))
            case _:
                self._emit(event)
