"""Which layers a fine-tune of a plan trains, and what a run remembers of it."""

from __future__ import annotations

import threading

import pytest

from editview.domain.errors import EditViewError
from editview.domain.events import Event
from editview.domain.session import Run, StageState
from tests import small
from tests.runs.studio import Studio


def layers(run: Run, stage: int) -> set[int | None]:
    """Where the tensors lie that changed at a stage; they are among those that are said to be trained."""
    changes = run.stages[stage].changes
    assert {change.name for change in changes} <= set(run.stages[stage].trained)
    return {change.layer for change in changes}


@pytest.mark.parametrize(("trained", "expected"), [("edited", {1}), ("not-edited", {0})])
def test_edited_layers_follow_the_plan_whatever_the_order(studio: Studio, trained: str, expected: set[int]) -> None:
    edit = small.edit(studio.world.text, layers=(1,))
    tune = small.tune(studio.world.data, trained=trained)
    after = studio.run(studio.plan(edit, tune))
    before = studio.run(studio.plan(tune, edit))
    assert layers(after, 2) == layers(before, 1) == expected
    assert after.stages[2].trained == before.stages[1].trained


def test_another_edited_layer_makes_another_fine_tune(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    tune = small.tune(studio.world.data, trained="edited")
    studio.run(studio.plan(tune, small.edit(studio.world.text, layers=(1,))))
    studio.count(monkeypatch)
    run = studio.run(studio.plan(tune, small.edit(studio.world.text, layers=(0,))))
    assert studio.done.count("full") == 1
    assert layers(run, 1) == {0}


def test_what_was_trained_is_remembered(studio: Studio) -> None:
    plan = studio.plan(small.lora(studio.world.data, trained="chosen", layers=(0,)))
    first = studio.run(plan).stages[1]
    again = studio.run(plan, runner=studio.another_runner()).stages[1]
    assert again.state is StageState.REUSED
    assert again.trained == first.trained
    assert {name.split(".")[2] for name in first.trained} == {"0"}


@pytest.mark.parametrize(
    ("choice", "words"),
    [({"trained": "edited"}, "nothing in the plan edits any"), ({"trained": "chosen", "layers": (5,)}, "no layer 6")],
)
def test_layers_that_there_are_none_of_are_refused_before_anything_runs(
    studio: Studio, choice: dict[str, object], words: str
) -> None:
    plan = studio.plan(small.tune(studio.world.data, **choice))
    events: list[Event] = []
    with pytest.raises(EditViewError, match=words):
        studio.runner.run(plan, studio.world.sheet, events.append, threading.Event())
    assert not events
