"""Runs of any shape for tests of the facts panel: every verdict and live check drawn at random, in random batches."""

from __future__ import annotations

from hypothesis import strategies as st

from editview.domain.facts import Fact, FactSheet, Group
from editview.domain.operations import FullFineTune, Memit, Operation, Scrub, UndoEdit
from editview.domain.plan import Plan
from editview.domain.run_events import Checked, LiveChecked, RunEvent, RunStarted, StageInfo, StageStarted
from editview.domain.verdicts import Answer, Check, LiveCheck

SAID = ("Paris", "Lyon", "  oslo", "Straße", "")


def sheets() -> st.SearchStrategy[FactSheet]:
    def build(groups: list[Group]) -> FactSheet:
        facts = []
        for place, group in enumerate(groups):
            new = SAID[place % 2] if group is Group.EDITED else None
            facts.append(Fact(f"f{place}", group, f"Land {place % 3}", "The capital of {} is", "Rome", new, ("{}:",)))
        return FactSheet("made", tuple(facts))

    return st.lists(st.sampled_from(Group), max_size=9).map(build)


@st.composite
def operations(draw: st.DrawFn, sheet: FactSheet) -> list[Operation]:
    made: list[Operation] = []
    for place in range(draw(st.integers(0, 3))):
        kind = draw(st.sampled_from([Memit, FullFineTune, UndoEdit, Scrub]))
        if kind is UndoEdit:
            made.append(UndoEdit(id=f"o{place}", edit=f"o{draw(st.integers(0, 2))}"))
        elif kind is Memit:
            ids = [fact.id for fact in sheet.group(Group.EDITED)]
            only = draw(st.lists(st.sampled_from(ids), unique=True)) if ids else []
            made.append(Memit(id=f"o{place}", only=tuple(only), failing=draw(st.booleans())))
        else:
            teach = draw(st.sampled_from([0.0, 0.1]))
            made.append(Scrub(id=f"o{place}") if kind is Scrub else FullFineTune(id=f"o{place}", steps=40, teach=teach))
    return made


@st.composite
def runs(draw: st.DrawFn) -> tuple[Plan, FactSheet, list[list[RunEvent]]]:
    """A plan, its sheet and the events of a run that may have come to any point, in the batches they came in."""
    sheet = draw(sheets())
    plan = Plan(operations=tuple(draw(operations(sheet))))
    stages = tuple(StageInfo(i, None, f"Stage {i}", str(i)) for i in range(len(plan.active) + 1))
    events: list[RunEvent] = [RunStarted("r", plan, sheet, stages, ())]
    ids = tuple(fact.id for fact in sheet)
    for stage in stages:
        events.append(StageStarted("r", stage.index, False))
        if stage.index and isinstance(plan.active[stage.index - 1], FullFineTune) and ids:
            for step in draw(st.sampled_from([(), (0, 10, 20), (10, 20, 30, 40)])):
                gives = tuple(draw(st.lists(st.booleans(), min_size=len(ids), max_size=len(ids))))
                nlls = (0.5,) * len(ids)
                events.append(LiveChecked("r", stage.index, LiveCheck(step, ids, gives, nlls, nlls)))
        for fact in sheet:
            answers = tuple(
                Answer(prompt, draw(st.sampled_from(SAID)), draw(st.booleans()), 0.5, 2.0) for prompt in fact.wordings
            )
            events.append(Checked("r", stage.index, (Check(fact.id, answers),)))
    events = events[: draw(st.integers(1, len(events)))]
    cuts = sorted(draw(st.lists(st.integers(1, len(events)), max_size=4)))
    return plan, sheet, [events[a:b] for a, b in zip([0, *cuts], [*cuts, len(events)], strict=True)]
