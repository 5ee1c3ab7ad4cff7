"""Protections, lessons and scrubs in a run: the facts and layers they concern come from the plan."""

from __future__ import annotations

import pytest

from editview.domain.errors import EditViewError
from editview.domain.events import Noted
from editview.domain.operations import Scrub
from editview.domain.session import Run, RunState
from editview.runs.operations import PreparedFineTune, prepare
from tests import small
from tests.runs.studio import Studio

GUARDED = {"batch_size": 4, "replay": 0.25, "shift_penalty": 1.0, "projection": True}
NOTHING = "Nothing was edited before this fine-tune, so there was nothing to protect."


def touched(run: Run, stage: int) -> set[int | None]:
    return {change.layer for change in run.stages[stage].changes}


def test_a_protected_fine_tune_runs_after_its_edit_and_says_where_there_is_none(studio: Studio) -> None:
    edit, tune = small.edit(studio.world.text), small.tune(studio.world.data, **GUARDED)
    plain = small.tune(studio.world.data, batch_size=4)
    assert studio.run(studio.plan(edit, tune)).state is RunState.FINISHED
    assert Noted(NOTHING) not in studio.events
    free = studio.run(studio.plan(edit, plain)).stages[2].changes
    guarded = studio.run(studio.plan(edit, tune)).stages[2].changes
    assert free != guarded
    assert studio.run(studio.plan(tune, edit)).state is RunState.FINISHED
    assert Noted(NOTHING) in studio.events


def test_what_is_protected_are_the_edits_that_stand_before_it(studio: Studio) -> None:
    first, second = small.edit(studio.world.text, only=("e0",), layers=(0,)), small.edit(studio.world.text, id="later")
    tune = small.tune(studio.world.data, teach=0.25, **GUARDED)
    plan = studio.plan(first, tune, second)

    def info() -> object:
        raise AssertionError("nothing asks for it")

    prepared = prepare(plan, studio.world.sheet, info)[1]  # type: ignore[arg-type]
    assert isinstance(prepared, PreparedFineTune)
    assert [fact.id for fact in prepared.protected] == ["e0"]
    assert prepared.protected_layers == (0,)
    assert [fact.id for fact in prepared.taught] == ["e0", "e1", "e2"]


def test_what_can_not_be_had_together_is_said_before_anything_is_computed(studio: Studio) -> None:
    tune = small.lora(studio.world.data, **GUARDED | {"dora": True})
    with pytest.raises(EditViewError, match="DoRA"):
        studio.run(studio.plan(small.edit(studio.world.text), tune))
    assert not studio.events


def test_a_scrub_trains_the_edited_layers_alone_and_tells_what_is_gone(studio: Studio) -> None:
    scrub = Scrub(data=str(studio.world.data), steps=4, batch_size=2, learning_rate=1e-3)
    run = studio.run(studio.plan(small.edit(studio.world.text, layers=(1,)), scrub))
    assert run.state is RunState.FINISHED
    assert touched(run, 2) == {1}
    assert run.stages[2].info.title == "Scrub edits with tickets"
    chosen = scrub.model_copy(update={"trained": "chosen", "layers": (0,)})
    assert touched(studio.run(studio.plan(chosen)), 1) == {0}
