"""The built-in demo, carried out as the window does it: both orders, and back."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from editview.domain.events import Event
from editview.domain.facts import Group
from editview.domain.run_events import RunEvent
from editview.domain.session import Run, Session, StageState
from editview.domain.verdicts import Verdict
from editview.formats.fact_sheets import read_facts
from editview.formats.plans import demo_plan
from editview.runs.fingerprints import Fingerprints
from editview.runs.machine import device, settle
from editview.runs.runner import Runner
from editview.runs.store import StageStore
from editview.runs.timings import Timings


@pytest.mark.slow
def test_the_demo_loses_edits_to_the_fine_tune_and_keeps_them_in_the_other_order(home: Path) -> None:
    settle()
    runner = Runner(StageStore(home / "stages"), Fingerprints(), Timings(), device("cpu"))
    plan = demo_plan()
    edit, tune = plan.active
    sheet, _ = read_facts(plan.facts)

    def run(order: object) -> Run:
        session = Session()

        def take(event: Event) -> None:
            if isinstance(event, RunEvent):
                session.apply(event)

        runner.run(plan.model_copy(update={"operations": order}), sheet, take, threading.Event())
        assert session.latest is not None
        assert session.latest.failure is None
        return session.latest

    def standing(run: Run, stage: int) -> int:
        counts = run.counts(stage, Group.EDITED)
        return counts[Verdict.HOLDS] + counts[Verdict.WEAK]

    first, other, again = run((edit, tune)), run((tune, edit)), run((edit, tune))
    edits = len(sheet.group(Group.EDITED))
    assert standing(first, 1) >= 0.9 * edits
    assert standing(first, 2) < standing(first, 1)
    assert standing(other, 2) > standing(first, 2)
    assert [stage.state for stage in other.stages] == [StageState.REUSED, StageState.DONE, StageState.DONE]
    assert [stage.state for stage in again.stages] == [StageState.REUSED] * 3
    assert [stage.checks for stage in again.stages] == [stage.checks for stage in first.stages]
    lost = [fact.id for fact in sheet.group(Group.EDITED) if first.verdict(fact.id, 2) is Verdict.FAILS]
    assert all(
        first.stages[2].lost_between(fact_id) is not None
        for fact_id in lost
        if first.verdict(fact_id, 1) is not Verdict.FAILS
    )
