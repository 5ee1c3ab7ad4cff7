"""Orders of the same operations, and what two of them keep."""

from __future__ import annotations

from editview.domain.facts import Group
from editview.domain.operations import FullFineTune, Memit, Scrub, UndoEdit
from editview.domain.orders import (
    comparable,
    edits_last,
    kept,
    order_key,
    order_name,
    orders,
    pair_up,
    told,
    why_edits_stay,
)
from editview.domain.plan import Plan
from editview.domain.run_events import RunFinished
from editview.domain.session import Run, Session
from editview.domain.verdicts import Verdict
from tests import sample

SHEET = sample.sheet(40, 40, 100)


def run_both() -> tuple[Session, Run, Run]:
    session = Session()
    for name, first in (("one", True), ("two", False)):
        for event in sample.events(sample.plan(first), SHEET, run=name, seed=7):
            session.apply(event)
    return session, session.runs["one"], session.runs["two"]


def test_two_operations_have_two_orders() -> None:
    assert [order_name(plan) for plan in orders(sample.plan())] == ["Edit → Fine-tune", "Fine-tune → Edit"]


def test_more_operations_have_at_most_six_orders_each_different() -> None:
    plan = Plan(operations=tuple(FullFineTune(steps=n) for n in (1, 2, 3)))
    assert len({order_key(other) for other in orders(plan)}) == 6
    many = Plan(operations=tuple(FullFineTune(steps=n) for n in range(1, 9)))
    found = orders(many)
    assert found[0] is many
    assert len({order_key(other) for other in found}) == 6
    assert [o.steps for o in found[1].active if isinstance(o, FullFineTune)] == [2, 1, 3, 4, 5, 6, 7, 8]


def test_operations_that_do_the_same_make_no_other_order() -> None:
    assert len(orders(Plan(operations=(FullFineTune(steps=9), FullFineTune(steps=9))))) == 1
    assert len(orders(Plan(operations=(Memit(),)))) == 1
    assert len(orders(Plan())) == 1


def test_an_edit_is_taken_back_only_after_it_was_made() -> None:
    first, second = Memit(id="first"), Memit(id="second", only=("e1",))
    plan = Plan(operations=(first, second, UndoEdit(edit="second")))
    assert [[o.id for o in other.active][:2] for other in orders(plan)] == [
        ["first", "second"], ["second", "first"], ["second", plan.active[2].id]
    ]  # fmt: skip
    other = Plan(operations=(first, second, UndoEdit(edit="first")))
    assert order_key(plan) != order_key(other)


def test_cards_that_are_switched_off_stay_out_of_it() -> None:
    plan = sample.plan().duplicated("edit")
    plan = plan.switched(plan.operations[1].id)
    assert len(orders(plan)) == 2
    assert all(len(other.operations) == 3 for other in orders(plan))


def test_different_data_is_named_where_the_verb_would_not_tell_apart() -> None:
    plan = Plan(operations=(FullFineTune(data="a.jsonl"), FullFineTune(data="b.jsonl")))
    assert order_name(plan) == "Fine-tune on a → Fine-tune on b"


def test_only_finished_runs_of_the_same_operations_and_sheet_are_compared() -> None:
    session, one, two = run_both()
    other_seed = sample.plan().model_copy(update={"seed": 5})
    for event in sample.events(other_seed, SHEET, run="seed"):
        session.apply(event)
    for event in sample.events(sample.plan(), sample.sheet(3), run="sheet"):
        session.apply(event)
    for event in sample.events(sample.plan(), SHEET, run="unfinished"):
        if not isinstance(event, RunFinished):
            session.apply(event)
    assert comparable(session.runs.values(), sample.plan(), SHEET) == [one, two]


def test_a_fact_pair_is_kept_by_both_one_or_neither() -> None:
    _, one, two = run_both()
    pairs = pair_up(one, two)
    edits = kept(one, pairs, Group.EDITED)
    assert edits is not None
    stands = [v is not Verdict.FAILS for f in SHEET.group(Group.EDITED) if (v := one.verdict(f.id, 2))]
    assert edits.first == sum(stands)
    assert edits.both + edits.only_first + edits.only_second + edits.neither == edits.count == 40
    assert edits.difference.estimate == (edits.second - edits.first) / 40
    assert edits.clear
    controls = kept(one, pairs, Group.CONTROL)
    assert controls is not None
    assert told(controls).startswith(f"Controls: {controls.first} and {controls.second} of 100 kept, no clear")


def test_what_one_order_alone_keeps_comes_first() -> None:
    _, one, two = run_both()
    pairs = pair_up(one, two)
    ranks = [0 if p.kept[0] != p.kept[1] else 1 if p.differs else 2 for p in pairs]
    assert ranks == sorted(ranks)
    assert set(ranks) == {0, 1, 2}
    assert len(pairs) == len(SHEET)


def test_a_sheet_without_controls_says_nothing_of_them() -> None:
    session = Session()
    for event in sample.events(sample.plan(), sample.sheet(4, 0, 0)):
        run = session.apply(event)
    assert kept(run, pair_up(run, run), Group.CONTROL) is None


def test_edits_go_last_in_the_order_they_had() -> None:
    first, second = Memit(id="first"), Memit(id="second", only=("e1",))
    undo, tune, other = UndoEdit(edit="first"), FullFineTune(id="tune"), FullFineTune(id="other", steps=9)
    plan = Plan(operations=(first, tune, undo, second, other))
    assert [operation.id for operation in edits_last(plan).operations] == ["tune", "other", "first", undo.id, "second"]
    assert why_edits_stay(plan) == ""
    assert edits_last(edits_last(plan)) == edits_last(plan)


def test_why_edits_can_not_go_last_is_said() -> None:
    edit, tune = sample.plan().operations
    assert why_edits_stay(Plan(operations=(tune,))) == "The plan has no edit."
    assert why_edits_stay(Plan(operations=(edit,))) == "The plan has no fine-tune that edits could come after."
    assert why_edits_stay(Plan(operations=(edit, Scrub()))) == "The plan has no fine-tune that edits could come after."
    assert why_edits_stay(Plan(operations=(tune, edit))) == "The edits come last already."
