"""What concerns files alone: fact sheets, plans, reports. Quick, and without torch, so it never waits for a run."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext, suppress
from pathlib import Path

from editview.domain.errors import EditViewError
from editview.domain.events import Event, FactsOpened, PlanOpened, PlanSaved, ReportSaved
from editview.domain.requests import OpenFacts, OpenPlan, PreviewFacts, SavePlan, SaveReport
from editview.formats.fact_sheets import preview, read_facts
from editview.formats.plans import read_plan, write_plan

FileRequest = OpenFacts | PreviewFacts | OpenPlan | SavePlan | SaveReport


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
        case SaveReport(run=run, path=path, other=other):
            from editview.formats.report import write_report  # not before the window needs it

            write_report(run, Path(path), other)
            emit(ReportSaved(path))
