"""Writes the report of a run, or of two, with the hashes of the files that they were computed from."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from editview.domain.errors import EditViewError
from editview.domain.events import Event, ReportSaved, ReportUnderWay
from editview.domain.files import try_place
from editview.domain.hashed_file import HashedFile
from editview.domain.operations import FineTune
from editview.domain.plan import Checkpoint, Plan
from editview.domain.progress import Progress
from editview.domain.requests import SaveReport, SaveSideBySide
from editview.domain.two_checkpoints import name_of
from editview.formats.texts import place_of
from editview.formats.training_data import packaged
from editview.lm.file_hashes import checkpoint_files, hashed_files
from editview.runs.pace import Paced

Emit = Callable[[Event], None]


def save_report(asked: SaveReport | SaveSideBySide, emit: Emit, stop: threading.Event) -> None:
    """Raises EditViewError where there is nothing to tell or the place can't be written, OSError for files that can't
    be read, and Cancelled."""
    from editview.formats.report import write_report, write_side_by_side  # not before the window needs it

    def tell(done: int, total: int, what: str, left: float | None) -> None:
        emit(ReportUnderWay(asked.path, what, done / total if total else 0.0, left))

    progress, path = Paced(tell, stop), Path(asked.path)
    try_place(path)
    if isinstance(asked, SaveReport):
        plans = [run.plan for run in (asked.run, asked.other) if run is not None]
        write_report(asked.run, path, asked.other, files_of(plans, progress))
    else:
        files = files_of([asked.first.run.plan, asked.second.run.plan], progress)
        write_side_by_side(asked.first, asked.second, path, files)
    emit(ReportSaved(asked.path))


def files_of(plans: Iterable[Plan], progress: Progress) -> tuple[HashedFile, ...]:
    """The files of the plans' checkpoints and of what they train on, each once, as they are now.

    Raises OSError and what `progress` raises.
    """
    named = dict.fromkeys(each for plan in plans for each in _named(plan))
    there = [(what, path) for what, path in named if path is not None]
    (found,) = hashed_files([there], progress)
    gone = [HashedFile(what, 0, "") for what, path in named if path is None]
    return (*found, *gone)


def _named(plan: Plan) -> Iterator[tuple[str, Path | None]]:
    """What each file is, and where; None: it isn't there any more."""
    yield from _of(plan.checkpoint)
    for operation in plan.active:
        if isinstance(operation, FineTune):
            path = packaged(operation.data) or place_of(operation.data)
            yield f"Training data, {path.name}", path if path.is_file() else None


def _of(checkpoint: Checkpoint) -> Iterator[tuple[str, Path | None]]:
    name, files = name_of(checkpoint), list[tuple[str, Path]]()
    with suppress(EditViewError, OSError):
        files = list(checkpoint_files(checkpoint))
    for file, path in files:
        yield f"Checkpoint {name}, {file}", path
    if not files:
        yield f"Checkpoint {name}", None
