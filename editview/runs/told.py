"""What a run tells, as it is kept: plans, sheets and events as compressed JSON, and back.

Fields that a later version has added are passed over; what is missing must have a default, else the run is refused.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pydantic import TypeAdapter

from editview.domain.errors import EditViewError
from editview.domain.facts import Fact, FactSheet
from editview.domain.plan import Plan
from editview.domain.run_events import (
    BestKept,
    Checked,
    LiveChecked,
    RunEvent,
    RunFailed,
    RunFinished,
    RunStarted,
    RunStopped,
    StageFinished,
    StageInfo,
    StageStarted,
    Trained,
    Validated,
)
from editview.domain.weights import TensorInfo

_KEPT = (
    StageStarted, Checked, LiveChecked, Trained, Validated, BestKept, StageFinished, RunFinished, RunStopped, RunFailed
)  # fmt: skip
_FORMS: dict[str, TypeAdapter[Any]] = {kind.__name__: TypeAdapter(kind) for kind in _KEPT}
_FACT = TypeAdapter(Fact)
_STAGES, _TENSORS = TypeAdapter(tuple[StageInfo, ...]), TypeAdapter(tuple[TensorInfo, ...])


class Unreadable(EditViewError):
    """What was kept of a run, or of findings, is damaged, or another version's."""

    def __init__(self, details: str) -> None:
        super().__init__(
            "What was kept of this can't be read: it is damaged, or was written by another version of EditView. "
            "Everything else in the list is untouched.",
            details,
        )


def is_kept(event: RunEvent) -> bool:
    """How far a step is, is told and forgotten."""
    return isinstance(event, _KEPT)


def plan_said(plan: Plan) -> str:
    """A plan with the names of its steps, by which its stages and the steps that take edits back know them."""
    steps = [{**operation.model_dump(mode="json"), "id": operation.id} for operation in plan.operations]
    return json.dumps({**plan.model_dump(mode="json"), "operations": steps})


def packed(items: Iterable[Any]) -> bytes:
    """Line by line, since one JSON text of megabytes would hold up every other thread."""
    return zlib.compress(b"\n".join(json.dumps(item).encode() for item in items))


def sheet_packed(sheet: FactSheet) -> bytes:
    return packed([{"name": sheet.name, "read_as": sheet.read_as}, *map(_FACT.dump_python, sheet)])


def start_packed(event: RunStarted) -> bytes:
    """Without plan and sheet, which are kept apart."""
    return packed([_STAGES.dump_python(event.stages), _TENSORS.dump_python(event.tensors)])


def events_packed(events: Iterable[RunEvent]) -> bytes:
    named = ((type(event).__name__, event) for event in events)
    words = {"check": {"said"}}  # of live checks: they are for the one who looks on
    return packed([name, _FORMS[name].dump_python(event, exclude=words)] for name, event in named)


def unpacked(run: str, plan: str, sheet: bytes, pieces: Sequence[bytes]) -> Iterator[RunEvent]:
    """The events of a run as they were told. Raises `Unreadable`."""
    try:
        stages, tensors = lines(pieces[0])
        head, *facts = lines(sheet)
        yield RunStarted(
            run,
            Plan.model_validate_json(plan),
            FactSheet(facts=tuple(map(_FACT.validate_python, facts)), **head),
            _STAGES.validate_python(stages),
            _TENSORS.validate_python(tensors),
        )
        for piece in pieces[1:]:
            for name, said in lines(piece):
                event: RunEvent = _FORMS[name].validate_python(said)
                yield event
    except (zlib.error, ValueError, LookupError, TypeError) as error:
        raise Unreadable(str(error)) from error


def lines(content: bytes) -> Iterator[Any]:
    """What `packed` was given."""
    return map(json.loads, zlib.decompress(content).split(b"\n"))
