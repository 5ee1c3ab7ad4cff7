"""Any two runs side by side: the facts they share, as far as each came, with what both edited and both knew."""

from __future__ import annotations

from dataclasses import replace

from editview.domain.facts import FactSheet, Group
from editview.domain.history import Recalled, RunEntry
from editview.domain.operations import Memit
from editview.domain.orders import compared, kept, order_name, pair_up
from editview.domain.plan import Plan
from editview.domain.run_events import RunEvent, RunStopped, StageStarted
from editview.domain.session import Run, Session
from editview.domain.side_by_side import side_by_side
from tests import sample

NOW = 2e9


def recalled(plan: Plan, sheet: FactSheet, run: str, upto: int | None = None) -> Recalled:
    """A made-up run; `upto`: stopped when its so-manieth stage began."""
    events: list[RunEvent] = list(sample.events(plan, sheet, run=run, seed=7))
    if upto is not None:
        begins = [at for at, event in enumerate(events) if isinstance(event, StageStarted)]
        events = [*events[: begins[upto] + 1], RunStopped(run)]
    session = Session()
    for event in events:
        session.apply(event)
    found: Run = session.runs[run]
    return Recalled(RunEntry(run, NOW, NOW, found.state, plan.name, "demo", order_name(plan), "", ""), found)


def test_orders_of_the_same_are_compared_as_ever() -> None:
    sheet = sample.sheet(40, 40, 100)
    first, second = recalled(sample.plan(), sheet, "a"), recalled(sample.plan(False), sheet, "b")
    found = side_by_side(first, second, NOW)
    pairs = pair_up(first.run, second.run)
    edits = kept(first.run, pairs, Group.EDITED)
    assert found.pairs == tuple(pairs)
    assert found.edits == edits
    assert found.sentence == compared(("Edit → Fine-tune", "Fine-tune → Edit"), edits)
    assert len(found.remarks) == 1  # which runs they are


def test_only_facts_that_are_the_same_on_both_sheets_count() -> None:
    sheet = sample.sheet(10, 10, 20)
    other = sample.sheet(12, 10, 20)  # neighbours belong to other edits there, which changes nothing about them
    facts = tuple(replace(fact, new_answer="Else") if fact.id == "e3" else fact for fact in other)
    first, second = recalled(sample.plan(), sheet, "a"), recalled(sample.plan(), FactSheet("other", facts), "b")
    found = side_by_side(first, second, NOW)
    assert {pair.fact.id for pair in found.pairs} == {fact.id for fact in sheet} - {"e3"}
    assert found.edits is not None
    assert found.edits.count == 9
    assert "Compared on the 39 facts that both asked, of 40 and 42." in found.remarks


def test_a_run_counts_as_far_as_it_came() -> None:
    sheet = sample.sheet()
    whole, cut = recalled(sample.plan(), sheet, "a"), recalled(sample.plan(), sheet, "b", upto=2)
    found = side_by_side(whole, cut, NOW)
    ends = {pair.fact.id: pair.second for pair in found.pairs}
    assert ends == {fact.id: cut.run.verdict(fact.id, 1) for fact in sheet}
    assert any("came no further than *Edit 10 facts*" in remark for remark in found.remarks)


def test_edits_that_only_one_run_made_are_no_comparison() -> None:
    sheet = sample.sheet()
    half = sample.plan().replaced(Memit(id="edit", layers=(0, 1), only=("e0", "e1", "e2")))
    found = side_by_side(recalled(sample.plan(), sheet, "a"), recalled(half, sheet, "b"), NOW)
    assert found.edits is not None
    assert found.edits.count == 3
    none = side_by_side(recalled(sample.plan(), sheet, "a"), recalled(sample.plan().removed("edit"), sheet, "b"), NOW)
    assert none.edits is None
    assert none.sentence == "No fact was edited by both runs."
    assert none.others


def test_what_cannot_be_compared_says_why() -> None:
    sheet = sample.sheet()
    fresh = recalled(sample.plan(), sheet, "b", upto=0)
    assert "ended before every fact was asked" in side_by_side(recalled(sample.plan(), sheet, "a"), fresh, NOW).sentence
    others = FactSheet("others", tuple(replace(fact, id=f"x{fact.id}") for fact in sheet))
    found = side_by_side(recalled(sample.plan(), sheet, "a"), recalled(sample.plan(), others, "b"), NOW)
    assert "no fact in common" in found.sentence
    assert not found.pairs
