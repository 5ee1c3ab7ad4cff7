"""The headline takes the summing-up sentence apart without changing what it says."""

from __future__ import annotations

import pytest

from editview.domain.comparison import share
from editview.domain.run_events import Checked, LiveChecked, RunFailed, RunStopped, StageStarted
from editview.domain.sentences import split
from editview.domain.session import Session
from editview.ui.facts.grid import FactsGrid
from editview.ui.facts.headline import Sayings, sayings
from tests import sample


@pytest.mark.parametrize(
    ("sentence", "big", "rest"),
    [
        ("31 of 40 edits hold.", "31 of 40 edits hold", ""),
        (
            "31 of 40 edits stand (2 of them weak: not in every wording); 9 were lost during *Tune (A); B*.",
            "31 of 40 edits stand",
            "2 of them weak: not in every wording; 9 were lost during *Tune (A); B*.",
        ),
        ("40 edits are still to be made; all 9 controls are intact.", "40 edits are still to be made", None),
        ("", "", ""),
    ],
)
def test_the_first_count_is_set_apart(sentence: str, big: str, rest: str | None) -> None:
    found = split(sentence)
    assert found[0] == big
    assert found[1] == ("All 9 controls are intact." if rest is None else rest)


def at_start(ending: RunStopped | RunFailed) -> Sayings:
    """After a run that ended as soon as the checkpoint had been asked."""
    session = Session()
    for event in sample.events(sample.plan(), sample.sheet()):
        if getattr(event, "stage", 0) == 1:
            break
        session.apply(event)
    run = session.apply(ending)
    return sayings(FactsGrid(run.sheet, run.plan, run), run.plan)


def told(until: type | None = None, ending: object = None) -> Sayings:
    session = Session()
    for event in sample.events(sample.plan(), sample.sheet()):
        session.apply(event)
        if until and isinstance(event, until) and getattr(event, "stage", 0) == 2:
            break
    if ending:
        session.apply(ending)  # type: ignore[arg-type]
    assert session.latest is not None
    return sayings(FactsGrid(session.latest.sheet, session.latest.plan, session.latest), session.latest.plan)


def test_the_interval_is_of_the_edits_that_hold() -> None:
    said = told()
    hold = int(said.big.split()[0])
    interval = share(hold, 10)
    assert f"{100 * interval.low:.0f} % and {100 * interval.high:.0f} %" in said.certainty


def test_between_steps_it_says_which_one_is_done() -> None:
    assert told(StageStarted).caption == "After step 1 of 2, *Edit 10 facts*"


def test_a_run_that_ended_early_says_where() -> None:
    for ending in (RunStopped("run-1"), RunFailed("run-1", "No.")):
        assert at_start(ending).caption == "Stopped before the first step"
        assert told(LiveChecked, ending).caption.startswith("Stopped at training step 10 of 60 of *Fine-tune")


def test_a_run_of_another_plan_says_which_while_it_goes_on() -> None:
    session = Session()
    for event in sample.events(sample.plan(), sample.sheet()):
        run = session.apply(event)
        if isinstance(event, LiveChecked):
            break
    said = sayings(FactsGrid(run.sheet, run.plan, run), sample.plan(edit_first=False))
    assert said.caption.startswith("So far, at training step 10 of 60 of")
    assert said.caption.endswith("(*Edit → Fine-tune*, not the plan as it is now)")


def test_a_run_that_has_begun_says_what_is_asked_first() -> None:
    session = Session()
    run = session.apply(next(sample.events(sample.plan(), sample.sheet())))
    said = sayings(FactsGrid(run.sheet, run.plan, run), run.plan)
    assert said.big == "Asking the model"
    assert "40 facts are asked" in said.rest


def test_before_the_first_step_it_says_what_the_checkpoint_knows() -> None:
    session = Session()
    for event in sample.events(sample.plan(), sample.sheet(10, 6, 20)):
        run = session.apply(event)
        if isinstance(event, Checked) and len(run.stages[0].checks) > 16:
            break
    said = sayings(FactsGrid(run.sheet, run.plan, run), run.plan)
    assert said.caption == "So far, 32 of 36 facts asked before the first step"
    assert said.big == "10 edits to make"
    assert said.rest == "The checkpoint knows 6 of 6 neighbours and 16 of 16 controls."


def test_steps_of_one_title_are_told_apart() -> None:
    plan = sample.plan()
    plan = plan.duplicated(plan.operations[1].id)
    grid = FactsGrid(sample.sheet(), plan, None)
    assert grid.titles[2] == grid.titles[3]
    assert grid.names[2:] == [f"{grid.titles[2]} (step 2)", f"{grid.titles[2]} (step 3)"]
