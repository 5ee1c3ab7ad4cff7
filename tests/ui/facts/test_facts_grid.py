"""The columns of numbers say what the domain says, however the events came."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from editview.domain.answers_of_both import mark, pairs, told
from editview.domain.facts import FactSheet
from editview.domain.plan import Plan, writing_of
from editview.domain.run_events import BestKept, Checked, LiveChecked, RunEvent, RunStopped
from editview.domain.sentences import tally
from editview.domain.session import Session
from editview.domain.survival import Survival
from editview.domain.two_checkpoints import plan_of_two
from editview.domain.verdicts import Change
from editview.ui.facts.grid import CHANGES, MARKS, Chip, FactsGrid
from editview.ui.facts.query import categories, in_category
from editview.ui.facts.words import became, chip_mark, fate, says_now
from tests import sample, two
from tests.ui.made_runs import runs

Made = tuple[Plan, FactSheet, list[list[RunEvent]]]


def grown(made: Made) -> FactsGrid:
    """A grid that read after each batch."""
    plan, sheet, batches = made
    session, grid = Session(), None
    for batch in batches:
        for event in batch:
            session.apply(event)
        if grid is None and session.latest:
            grid = FactsGrid(sheet, plan, session.latest)
        if grid is not None:
            grid.read()
    assert grid is not None
    return grid


@given(runs())
@settings(max_examples=80, deadline=None)
def test_grown_by_events_it_equals_one_built_at_the_end(made: Made) -> None:
    grid = grown(made)
    again = FactsGrid(grid.sheet, grid.plan, grid.run)
    for name, value in vars(again).items():
        if isinstance(value, np.ndarray):
            assert np.array_equal(value, getattr(grid, name)), name
    assert grid.said == again.said


@given(runs())
@settings(max_examples=80, deadline=None)
def test_it_follows_the_rules_of_the_domain(made: Made) -> None:
    grid = grown(made)
    run = grid.run
    assert run is not None
    for row, fact in enumerate(grid.sheet):
        writing = writing_of(grid.plan, fact.id, len(run.stages) - 1)
        assert (writing.edited_at if writing else 10**6) == grid.edited_at[row]
        for stage in range(len(run.stages)):
            if grid.provisional[row, : stage + 1].any():
                continue  # the domain speaks of checked stages alone
            assert CHANGES[grid.changes[row, stage]] is run.change(fact, stage)
            lost = (grid.held_step[row, stage], grid.lost_step[row, stage])
            assert (lost if lost[1] else None) == run.stages[stage].lost_between(fact.id)
    for stage in range(len(run.stages)):
        if len(run.stages[stage].checks) == len(grid.sheet) > 0:
            assert grid.tally(stage) == tally(run, stage)


@given(made=runs(), data=st.data())
@settings(max_examples=40, deadline=None)
def test_two_checkpoints_follow_the_rules_of_the_domain_too(made: Made, data: st.DataObject) -> None:
    _, sheet, _ = made
    ids = [fact.id for fact in sheet]
    given_by = [set(data.draw(st.lists(st.sampled_from(ids), unique=True))) if ids else set() for _ in range(2)]
    events = list(two.events(sheet, *given_by))
    cut = data.draw(st.integers(1, len(events)))
    grid = grown((plan_of_two(two.BEFORE), sheet, [events[:cut], events[cut:]]))
    run = grid.run
    assert run is not None
    both = pairs(run)
    for row, fact in enumerate(sheet):
        assert [CHANGES[code] for code in grid.changes[row]] == [run.change(fact, stage) for stage in range(2)]
        if fact.id in both:
            before, after = both[fact.id]
            assert became(grid, row) == told(fact.group, before, after)
            marks = mark(fact.group, before, after, after=False), mark(fact.group, after, before, after=True)
            for stage, expected in enumerate(marks):
                assert chip_mark(grid, row, stage) == expected
                chip = MARKS[Chip(grid.chips[row, stage])]
                assert (chip.glyph, chip.role) == (expected.glyph, expected.role)
        else:
            assert became(grid, row) == ""
    for category, count in categories(grid, None):
        assert in_category(grid, category).sum() == count


def test_before_its_edit_a_fact_is_not_called_failed() -> None:
    run = sample.session(edit_first=False).latest
    assert run is not None
    grid = FactsGrid(run.sheet, run.plan, run)
    edited = [row for row, fact in enumerate(run.sheet) if fact.new_answer]
    assert set(grid.chips[edited, :2].ravel()) == {Chip.NOT_EDITED}
    assert Chip.NOT_EDITED not in grid.chips[edited, 2]


def test_while_training_goes_on_what_was_said_before_it_is_not_told_as_said_now() -> None:
    session = Session()
    for event in sample.events(sample.plan(), sample.sheet()):
        run = session.apply(event)
        if isinstance(event, LiveChecked) and event.check.step == 40:
            break
    grid = FactsGrid(run.sheet, run.plan, run)
    rows = {grid.change_now[row]: row for row in range(len(grid))}
    lost, kept = rows[CHANGES.index(Change.LOST)], rows[CHANGES.index(Change.SURVIVED)]
    assert grid.said[lost] == run.sheet.facts[lost].wanted
    for _ in range(2):
        assert says_now(grid, lost) == f"no longer {run.sheet.facts[lost].wanted}"
        assert says_now(grid, kept) == run.sheet.facts[kept].wanted
        assert fate(grid, kept) == f"Survived every step so far: it says “{run.sheet.facts[kept].wanted}”."
        run.apply(RunStopped("run-1"))
    run.apply(LiveChecked("run-1", 2, replace(run.stages[2].live[-1], step=50, said=("Pa",) * len(grid))))
    grid.read()
    assert says_now(grid, lost) == "Pa…"
    assert fate(grid, lost).endswith("as far as training has come: it now says “Pa…”.")
    backwards = Session()
    for event in sample.events(sample.plan(edit_first=False), sample.sheet()):
        run = backwards.apply(event)
        if isinstance(event, LiveChecked):
            break
    grid = FactsGrid(run.sheet, run.plan, run)
    assert says_now(grid, 0) == ""
    assert fate(grid, 0) == f"Not yet edited: it said “{grid.said[0]}” before this training."


def test_a_lost_fact_says_when_in_words() -> None:
    run = sample.session().latest
    assert run is not None
    grid = FactsGrid(run.sheet, run.plan, run)
    row = next(i for i, fact in enumerate(run.sheet) if run.change(fact, 2) is Change.LOST)
    lost = run.stages[2].lost_between(run.sheet.facts[row].id)
    assert lost is not None
    when = f"between steps {lost[0]} and {lost[1]}"
    assert became(grid, row) == f"lost {when}"
    old = run.sheet.facts[row].true_answer
    assert fate(grid, row) == f"Lost {when} of *Fine-tune on support tickets*: it now says “{old}” again."
    edit, tune = run.plan.operations
    several = run.plan.model_copy(update={"operations": (edit, tune, tune.model_copy(update={"id": "again"}))})
    session = Session()
    for event in sample.events(several, run.sheet):
        session.apply(event)
    assert session.latest is not None
    row = next(i for i, fact in enumerate(run.sheet) if session.latest.lost_in(fact.id, 3) == 2)
    assert became(FactsGrid(run.sheet, several, session.latest), row).endswith(" of Fine-tune (step 2)")


def test_what_was_seen_after_the_step_that_was_kept_is_forgotten() -> None:
    """The grid and the survival curve that saw the checks come say the same as those that only see what stayed."""
    session, grid, survival = Session(), None, None
    for event in sample.events(sample.plan(), sample.sheet()):
        if isinstance(event, Checked) and event.stage == 2 and session.latest and not session.latest.stages[2].checks:
            session.apply(BestKept("run-1", 2, 30))
        run = session.apply(event)
        grid, survival = grid or FactsGrid(run.sheet, run.plan, run), survival or Survival(run)
        grid.read()
        survival.update()
    assert grid is not None
    assert survival is not None
    assert [live.step for live in run.stages[2].live] == [10, 20, 30]
    fresh, counted = FactsGrid(run.sheet, run.plan, run), Survival(run)
    counted.update()
    assert (grid.lost_step == fresh.lost_step).all()
    assert (grid.held_step == fresh.held_step).all()
    assert grid.lost_step.max() == 30
    assert survival.moments == counted.moments
