"""What concerns files alone: fact sheets, plans, the runs so far and what all that takes on the disk.

Quick, and without torch, so it never waits for a run.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext, suppress
from pathlib import Path

from editview.domain.errors import EditViewError
from editview.domain.events import (
    DiskUsed,
    Event,
    FactsOpened,
    FindingsRecalled,
    OrdersRecalled,
    PlanOpened,
    PlanSaved,
    RunsRecalled,
)
from editview.domain.requests import (
    ClearDisk,
    DeleteRuns,
    DiskRequest,
    HistoryRequest,
    ListRuns,
    MeasureDisk,
    NoteRun,
    OpenFacts,
    OpenPlan,
    PreviewFacts,
    RecallFindings,
    RecallOrders,
    RecallRuns,
    RestoreRuns,
    SavePlan,
)
from editview.formats.fact_sheets import preview, read_facts
from editview.formats.plans import read_plan, write_plan
from editview.runs import disk
from editview.runs.history import History

FileRequest = OpenFacts | PreviewFacts | OpenPlan | SavePlan | HistoryRequest | DiskRequest


def do(request: FileRequest, emit: Callable[[Event], None]) -> None:
    """Answer a request about files. Raises EditViewError for what can't be read or written."""
    match request:
        case OpenFacts(source=source, columns=columns):
            emit(FactsOpened(source, *read_facts(source, dict(columns))))
        case PreviewFacts(source=source, in_doubt=in_doubt):
            with suppress(EditViewError) if in_doubt else nullcontext():
                emit(preview(source))
        case OpenPlan(path=path):
            emit(PlanOpened(path, read_plan(Path(path))))
        case SavePlan(plan=plan, path=path):
            write_plan(plan, Path(path))
            emit(PlanSaved(path, plan))
        case MeasureDisk():
            emit(DiskUsed(disk.uses()))
        case ClearDisk(kind=kind):
            disk.clear(kind)
            emit(DiskUsed(disk.uses(), kind))
        case RecallRuns(ids=ids):
            from editview.runs.recall import recalled  # not before the window needs it

            emit(RunsRecalled(tuple(recalled(History(), one) for one in ids)))
        case RecallOrders(run=run):
            from editview.runs.recall import other_orders

            with suppress(EditViewError):  # nobody waits for it
                if orders := other_orders(History(), run):
                    emit(OrdersRecalled(orders))
        case RecallFindings(entry=entry):
            from editview.runs.findings import findings

            emit(FindingsRecalled(findings(History(), entry)))
        case _:
            _with_the_list(request, History(), emit)


def _with_the_list(
    request: ListRuns | NoteRun | DeleteRuns | RestoreRuns, history: History, emit: Callable[[Event], None]
) -> None:
    match request:
        case NoteRun(run=run, note=note):
            history.note(run, note)
        case DeleteRuns(ids=ids):
            history.delete(ids)
        case RestoreRuns():
            history.restore()
    emit(history.listed())
