"""The story of a run: which screens there are at any point of it, and that they say no more than was measured."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given

from editview.domain.comparison import paired_difference
from editview.domain.facts import FactSheet, Group
from editview.domain.look import NOT_EDITED
from editview.domain.operations import FullFineTune
from editview.domain.orders import Kept
from editview.domain.plan import Plan
from editview.domain.presentation import MOST_LINES, Screen, Shows, Story, next_place, recommendation, waiting
from editview.domain.run_events import Checked, LiveChecked, RunEvent, RunFailed, RunStopped, StageFinished
from editview.domain.session import Run, Session
from editview.domain.verdicts import Verdict
from tests import sample
from tests.ui import made_runs

SHEET = sample.sheet(40, 40, 100)
EVENTS = list(sample.events(sample.plan(), SHEET, "one", seed=7))


def grown(events: Iterable[RunEvent], session: Session | None = None) -> tuple[Session, Run]:
    session = session or Session()
    for event in events:
        session.apply(event)
    assert session.latest is not None
    return session, session.latest


def told(events: Iterable[RunEvent]) -> dict[str, Screen]:
    session, run = grown(events)
    return {screen.topic: screen for screen in Story(run).screens(session.runs.values())}


def until(kind: type[RunEvent], stage: int) -> list[RunEvent]:
    """Up to the first event of a kind in a stage, and with it."""
    at = next(i for i, event in enumerate(EVENTS) if isinstance(event, kind) and event.stage == stage)
    return EVENTS[: at + 1]


def test_a_whole_run_is_told_from_before_to_what_it_is_worth() -> None:
    screens = told(EVENTS)
    assert list(screens) == ["stage-0", "stage-1", "stage-2", "lost", "where", "outcome"]
    assert screens["stage-0"].message == "The model gives none of the 40 new answers"
    assert [screen.shows for screen in screens.values()] == [
        Shows.FACTS, Shows.FACTS, Shows.SURVIVAL, Shows.FACTS, Shows.WEIGHTS, Shows.WORDS
    ]  # fmt: skip
    assert "95 % interval" in screens["outcome"].rest
    assert "isn't known before it has run" in screens["outcome"].small


def test_numbers_are_those_of_the_run() -> None:
    _, run = grown(EVENTS)
    screens = told(EVENTS)
    edits = SHEET.group(Group.EDITED)
    stand = {stage: sum(run.verdict(fact.id, stage) is not Verdict.FAILS for fact in edits) for stage in (1, 2)}
    assert screens["stage-1"].message == f"{stand[1]} of 40 edits stand"
    assert screens["stage-2"].message == f"{stand[2]} of 40 edits stand"
    assert screens["lost"].message.startswith(f"Lost: {stand[1] - stand[2]} edits")
    first = next(fact for fact in edits if run.lost_in(fact.id, 2) == 2)
    line = screens["lost"].lines[0]
    assert (line.prompt, line.said) == (first.prompt, run.stages[2].checks[first.id].said)
    assert line.lost.startswith("lost between steps")
    assert len(screens["lost"].lines) == MOST_LINES


def test_nothing_is_told_before_it_is_known() -> None:
    assert told(EVENTS[:1]) == {}
    part = told(until(Checked, 0))
    assert part["stage-0"].message == "16 of 180 facts have been asked"
    assert list(told(until(StageFinished, 1))) == ["stage-0", "stage-1", "where"]


def test_training_is_told_while_it_goes_on() -> None:
    early, *_ = [i for i, event in enumerate(EVENTS) if isinstance(event, LiveChecked) and event.check.step == 40]
    live = told(EVENTS[: early + 1])["stage-2"]
    assert live.caption.endswith("is under way: step 40 of 60")
    assert live.message.startswith("The edits fell from 38 to ")
    assert live.shows is Shows.SURVIVAL


@pytest.mark.parametrize(
    ("end", "message", "rest"),
    [
        (RunStopped("one"), "The run was stopped here", "was measured"),
        (RunFailed("one", "The disk is full."), "The run ended with an error", "The disk is full."),
    ],
)
def test_a_run_that_was_cut_off_says_so_and_decides_nothing(end: RunEvent, message: str, rest: str) -> None:
    screens = told([*until(LiveChecked, 2), end])
    assert list(screens) == ["stage-0", "stage-1", "cut-off", "where"]
    assert screens["cut-off"].message == message
    assert rest in screens["cut-off"].rest
    assert "Fine-tune" in screens["cut-off"].caption


def test_the_other_order_is_told_once_it_has_run() -> None:
    session, run = grown(EVENTS)
    story = Story(run)
    alone = [screen.topic for screen in story.screens(session.runs.values())]
    grown(sample.events(sample.plan(False), SHEET, "two", seed=7), session)
    both = {screen.topic: screen for screen in story.screens(session.runs.values())}
    assert [*both] == [*alone[:-1], "order", "outcome"]
    assert both["order"].message == "*Fine-tune → Edit* keeps more edits than *Edit → Fine-tune*"
    assert both["outcome"].message == "*Fine-tune → Edit* did better here"
    for topic in ("order", "outcome"):
        assert "95 % interval" in both[topic].rest
    assert [one.group for one in both["outcome"].kept] == list(Group)


def kept(group: Group, first: int, second: int, of: int = 40) -> Kept:
    one, two = ([place < count for place in range(of)] for count in (first, second))
    both = min(first, second)
    return Kept(group, both, first - both, second - both, of - max(first, second), paired_difference(one, two))


def test_an_order_is_put_forward_only_where_the_interval_says_so_and_nothing_speaks_against_it() -> None:
    names, edits, controls = ("A", "B"), Group.EDITED, Group.CONTROL
    assert recommendation(names, [kept(edits, 10, 38)])[0] == "*B* did better here"
    assert recommendation(names, [kept(edits, 38, 10), kept(controls, 40, 39)])[0] == "*A* did better here"
    message, why = recommendation(names, [kept(edits, 20, 22)])
    assert message == "Neither order is clearly better here"
    assert "+5 points" in why
    message, why = recommendation(names, [kept(edits, 10, 38), kept(controls, 39, 12)])
    assert message == "Each order has its price here"
    assert "Edits: 10 and 38" in why
    assert "Controls: 39 and 12" in why


def test_a_point_with_nothing_to_say_has_no_screen() -> None:
    plan, sheet = Plan(operations=(FullFineTune(id="tune", steps=60),)), sample.sheet(0, 0, 20)
    events = list(sample.events(plan, sheet, "one", seed=7))
    quiet = [replace(event, changes=()) if isinstance(event, StageFinished) else event for event in events]
    session, run = grown(quiet)
    topics = [screen.topic for screen in Story(run).screens(session.runs.values())]
    damaged = sum(run.verdict(fact.id, 1) is Verdict.FAILS for fact in sheet)
    assert topics == ["stage-0", "stage-1"] + ["lost"] * bool(damaged)


def test_edits_to_come_are_no_news_of_a_fine_tune() -> None:
    events = sample.events(sample.plan(False), SHEET, "one", seed=7)
    screen = told(events)["stage-1"]
    assert "to be made" not in screen.message + screen.rest
    assert "neighbours" in screen.message


def test_before_an_edit_its_facts_are_marked_as_to_come() -> None:
    assert {line.mark for line in told(EVENTS)["stage-0"].lines} == {NOT_EDITED}


def test_before_any_run_one_screen_says_what_to_do_or_what_is_in_the_way() -> None:
    assert "Press Run" in waiting("Demo").rest
    assert waiting("Demo", "The plan has no step to run.").rest == "The plan has no step to run."


def screens(*topics: str) -> list[Screen]:
    return [Screen(topic, "", "") for topic in topics]


def test_whoever_is_at_the_newest_stage_goes_on_with_the_run_and_nobody_else() -> None:
    before, after = screens("stage-0", "stage-1", "where"), screens("stage-0", "stage-1", "stage-2", "where")
    assert next_place(before, 1, after) == 2
    assert next_place(before, 0, after) == 0
    assert next_place(before, 2, after) == 3
    ended = screens("stage-0", "stage-1", "stage-2", "lost", "where", "outcome")
    assert next_place(after, 2, ended) == 2
    assert next_place(screens("waiting"), 0, screens("stage-0")) == 0


@given(made_runs.runs())
def test_any_run_can_be_told_at_any_point(made: tuple[Plan, FactSheet, list[list[RunEvent]]]) -> None:
    session, story = Session(), None
    for batch in made[2]:
        _, run = grown(batch, session)
        story = story or Story(run)
        found = story.screens(session.runs.values())
        assert len({screen.topic for screen in found}) == len(found)
        assert all(screen.message and screen.caption for screen in found)
        fresh = Story(run).screens(session.runs.values())
        assert found == fresh, "what was put into words once is what would be said now"
