"""Keeps what is found of checkpoints in the list of runs, comparisons and inspections, and gives it back."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from uuid import uuid4

from pydantic import TypeAdapter

from editview.domain.difference import Difference, TensorDifference, headline
from editview.domain.errors import EditViewError
from editview.domain.events import CheckpointsCompared, Event, Inspected, Noted
from editview.domain.facts import FactSheet
from editview.domain.history import EntryKind, Findings
from editview.domain.inspection import Inspection
from editview.domain.inspection import headline as inspected
from editview.domain.plan import Checkpoint
from editview.domain.two_checkpoints import name_of, places_of, told_about
from editview.domain.update_kind import judged
from editview.runs.history import History, NewRun
from editview.runs.named import checkpoints_said, what_changed_of
from editview.runs.told import Unreadable, lines, packed, sheet_packed

_NO_FACTS = FactSheet("", ())
_DIFFERENCE, _TENSOR, _INSPECTION = TypeAdapter(Difference), TypeAdapter(TensorDifference), TypeAdapter(Inspection)


class Keeper:
    """An `emit` that keeps what one comparison or inspection finds before it passes it on.

    A list that can't be written is told of, and takes nothing away from what was found.
    """

    def __init__(self, history: History, emit: Callable[[Event], None], door: str) -> None:
        self._history, self._emit, self._door = history, emit, door
        self._id = uuid4().hex[:12]

    def __call__(self, event: Event) -> None:
        if isinstance(event, CheckpointsCompared | Inspected):
            try:
                self._history.keep(*_new(event, self._id, self._door))
            except (EditViewError, OSError, ValueError) as error:
                self._emit(Noted(f"This can't be kept in the list of runs for now. {error}"))
            if self._history.remark:
                self._emit(Noted(self._history.remark))
                self._history.remark = ""
        self._emit(event)


def _new(event: CheckpointsCompared | Inspected, id_: str, door: str) -> tuple[NewRun, str]:
    """The row to keep, and the sentence of what was found."""
    found, whole = (event.inspection, True) if isinstance(event, Inspected) else (event.found, event.whole)
    checkpoints = _checkpoints(found)
    if isinstance(found, Inspection):
        kind, name, sentence = EntryKind.INSPECTION, name_of(found.edited), inspected(found)
        steps = f"against {name_of(found.original)}" if found.original else "without the one before"
    else:
        kind, name, sentence = EntryKind.COMPARISON, " → ".join(map(name_of, checkpoints)), _sentence(found, whole)
        steps = ""
    where, files = " → ".join(map(places_of, checkpoints)), checkpoints_said(checkpoints)
    nothing = _NO_FACTS.content_hash, sheet_packed(_NO_FACTS)
    return NewRun(id_, name, where, steps, door, "", files, *nothing, _packed(found, whole), kind), sentence


def _sentence(found: Difference, whole: bool) -> str:
    """What kind of update it was, as soon as that is known, and how much changed."""
    kind = judged(found).sentence if whole else ""
    return f"{kind} {headline(found)}".strip() if found.changed or not kind else kind


def _checkpoints(found: Difference | Inspection) -> tuple[Checkpoint, ...]:
    return told_about(None, found) if isinstance(found, Inspection) else told_about(found, None)


def findings(history: History, entry: str) -> Findings:
    """What was found, from the list. Raises EditViewError where it is gone or can't be read."""
    kept = history.kept(entry)
    try:
        found, whole = _unpacked(kept.entry.kind, kept.pieces[0])
    except (zlib.error, ValueError, LookupError, TypeError) as error:
        raise Unreadable(str(error)) from error
    remarks = tuple(what_changed_of(_checkpoints(found), kept.files))
    shown = ("What was found is shown as it was.",) if remarks else ()
    return Findings(kept.entry, found, whole, (*remarks, *shown))


def _packed(found: Difference | Inspection, whole: bool) -> bytes:
    """An inspection on one line; a difference without its tensors, then a line for each of them."""
    if isinstance(found, Inspection):
        return packed([_INSPECTION.dump_python(found)])
    head = _DIFFERENCE.dump_python(found, exclude={"tensors"})
    return packed([{**head, "whole": whole}, *map(_TENSOR.dump_python, found.tensors)])


def _unpacked(kind: EntryKind, content: bytes) -> tuple[Difference | Inspection, bool]:
    head, *rest = lines(content)
    if kind is EntryKind.INSPECTION:
        return _INSPECTION.validate_python(head), True
    whole = head.pop("whole")
    tensors = tuple(map(_TENSOR.validate_python, rest))  # one by one, so that no other thread is held up
    return _DIFFERENCE.validate_python({**head, "tensors": tensors}), whole
