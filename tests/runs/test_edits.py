"""What can be done with an edit after it was made: another strength, repairing what fails, taking it back."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event

import pytest
import torch

from editview.domain.errors import EditViewError
from editview.domain.events import Noted
from editview.domain.facts import Fact
from editview.domain.operations import AlphaEdit, UndoEdit
from editview.domain.session import RunState
from editview.domain.verdicts import Answer, Check, LiveCheck
from editview.runs import walk, workbench
from editview.runs.workbench import rounding_notes, shifted
from tests import small
from tests.runs.studio import Studio


def alpha(studio: Studio, **parameters: object) -> AlphaEdit:
    settings = (
        small.edit(studio.world.text).model_dump()
        | {"id": "edit"}
        | {"method": "alphaedit", "threshold": 1e3, "l2": 1.0}
    )
    del settings["covariance_weight"]
    return AlphaEdit.model_validate(settings | parameters)


def test_another_strength_scales_the_change_and_computes_nothing_again(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit = small.edit(studio.world.text)
    [whole] = studio.weights(studio.run(studio.plan(edit)))
    studio.count(monkeypatch)
    [half] = studio.weights(studio.run(studio.plan(edit.model_copy(update={"strength": 50.0}))))
    [more] = studio.weights(studio.run(studio.plan(edit.model_copy(update={"strength": 150.0}))))
    assert studio.done == ["asked"]
    base = studio.runner._bench._at_hand.weights.base
    for name, tensor in whole.items():
        change = tensor.double() - base[name].double()
        torch.testing.assert_close(half[name].double() - base[name].double(), 0.5 * change, rtol=0, atol=5e-7)
        torch.testing.assert_close(more[name].double() - base[name].double(), 1.5 * change, rtol=0, atol=5e-7)


def test_a_strength_that_comes_first_keeps_the_whole_edit_for_the_others(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit = small.edit(studio.world.text)
    studio.run(studio.plan(edit.model_copy(update={"strength": 30.0})))
    studio.count(monkeypatch)
    studio.run(studio.plan(edit))
    assert studio.done == ["asked"]


def test_no_strength_at_all_leaves_the_model_as_it_was(studio: Studio) -> None:
    run = studio.run(studio.plan(small.edit(studio.world.text, strength=0.0)))
    assert run.state is RunState.FINISHED
    assert studio.weights(run) == [{}]
    assert run.stages[1].changes == ()


def test_taking_an_edit_back_leaves_the_checkpoint_to_the_bit(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    edit = small.edit(studio.world.text)
    studio.count(monkeypatch)
    run = studio.run(studio.plan(edit, UndoEdit(edit="edit")))
    assert studio.done.count("memit") == 1
    assert studio.weights(run)[1] == {}
    assert [c.name for c in run.stages[2].changes] == [c.name for c in run.stages[1].changes]


def test_what_came_after_the_edit_stays(studio: Studio) -> None:
    edit, tune = small.edit(studio.world.text), small.tune(studio.world.data)
    run = studio.run(studio.plan(edit, tune, UndoEdit(edit="edit")))
    edited, tuned, back = studio.weights(run)
    base = studio.runner._bench._at_hand.weights.base
    for name in tuned:
        expected = tuned[name].double() - (edited.get(name, base[name]).double() - base[name].double())
        torch.testing.assert_close(back.get(name, base[name]).double(), expected, rtol=0, atol=5e-7)


def test_there_must_be_an_edit_to_take_back(studio: Studio) -> None:
    with pytest.raises(EditViewError, match="no edit to take back"):
        studio.run(studio.plan(UndoEdit(edit="edit"), small.edit(studio.world.text)))


def test_a_damaged_stage_that_is_to_be_taken_back_is_computed_again(studio: Studio) -> None:
    edit, tune = small.edit(studio.world.text), small.tune(studio.world.data)
    first = studio.run(studio.plan(edit, tune))
    path = studio.store.root / first.stages[1].info.key / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    run = studio.run(studio.plan(edit, tune, UndoEdit(edit="edit")), runner=studio.another_runner())
    assert run.state is RunState.FINISHED


def stand_after_an_edit(monkeypatch: pytest.MonkeyPatch, *ids: str) -> None:
    """These facts give the new answer from the first edit on, whatever the model really says."""
    stage = iter(range(100))

    def check(lm: object, facts: tuple[Fact, ...], progress: object) -> Iterator[tuple[Check, ...]]:
        at = next(stage)
        yield tuple(Check(fact.id, (Answer(fact.prompt, "", bool(at) and fact.id in ids, 1.0, 1.0),)) for fact in facts)

    monkeypatch.setattr(walk, "check", check)


def test_a_repair_writes_only_what_fails(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[list[str]] = []
    original = workbench.carry_out

    def seen(lm, prepared, *rest):  # type: ignore[no-untyped-def]
        written.append([fact.id for fact in prepared.facts])
        return original(lm, prepared, *rest)

    monkeypatch.setattr(workbench, "carry_out", seen)
    stand_after_an_edit(monkeypatch, "e0", "e2")
    edit = small.edit(studio.world.text)
    studio.run(studio.plan(edit, edit.model_copy(update={"id": "repair", "failing": True})))
    assert written == [["e0", "e1", "e2"], ["e1"]]


def test_a_repair_with_nothing_to_repair_says_so_again_and_again(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_after_an_edit(monkeypatch, "e0", "e1", "e2")
    edit = small.edit(studio.world.text)
    plan = studio.plan(edit, edit.model_copy(update={"id": "repair", "failing": True}))
    for _ in range(2):
        run = studio.run(plan)
        assert run.state is RunState.FINISHED
        assert run.stages[2].changes == ()
        assert any("nothing to repair" in event.sentence for event in studio.events if isinstance(event, Noted))


def test_alphaedit_remembers_what_earlier_steps_wrote(studio: Studio) -> None:
    first, second = alpha(studio, only=("e0",)), alpha(studio, id="second", only=("e1", "e2"))
    tune = small.tune(studio.world.data)
    run = studio.run(studio.plan(first, tune, second, UndoEdit(edit="edit")))
    kept = studio.weights(run)
    rows = [len(stage["memory.alphaedit.0"]) for stage in kept]
    assert rows == [1, 1, 3, 2]
    alone = studio.weights(studio.run(studio.plan(alpha(studio, only=("e1", "e2")))))[0]
    assert len(alone["memory.alphaedit.0"]) == 2
    torch.testing.assert_close(kept[3]["memory.alphaedit.0"], kept[2]["memory.alphaedit.0"][1:])


def test_shifting_back_is_exact_where_nothing_came_after() -> None:
    start = torch.randn(50, dtype=torch.bfloat16)
    end = start + torch.randn(50).to(torch.bfloat16) * 1e-2
    now = end.clone()
    now[:10] += 1
    back = shifted(now, start, end, -1.0)
    assert torch.equal(back[10:], start[10:])
    torch.testing.assert_close(back[:10], (now.double() - end.double() + start.double())[:10].bfloat16())


def test_an_edit_that_rounding_swallows_is_told() -> None:
    assert rounding_notes({0: 0.001, 1: 0.0}, torch.float32) == ()
    [note] = rounding_notes({0: 0.001, 1: 0.37}, torch.bfloat16)
    assert "37 %" in note
    assert "bfloat16" in note


def test_another_strength_can_be_tried_on_without_keeping_anything(studio: Studio) -> None:
    edit, tune = small.edit(studio.world.text), small.tune(studio.world.data)
    plan = studio.plan(edit, tune)

    def tried(strength: float) -> LiveCheck | None:
        return studio.runner.scaled(plan, studio.world.sheet, "edit", strength, studio.events.append, Event())

    assert tried(100.0) is None
    off = studio.runner.scaled(plan.switched("edit"), studio.world.sheet, "edit", 1.0, studio.events.append, Event())
    assert off is None
    run = studio.run(plan)
    kept = sorted(path.name for path in studio.store.root.iterdir())
    nothing, whole = tried(0.0), tried(100.0)
    assert nothing is not None
    assert whole is not None
    for found, stage in ((nothing, 0), (whole, 1)):
        checks = run.stages[stage].checks
        assert found.nll_wanted == pytest.approx([checks[name].answers[0].nll_wanted for name in found.fact_ids])
    assert sorted(path.name for path in studio.store.root.iterdir()) == kept
    again = studio.run(studio.plan(edit, small.tune(studio.world.data, steps=3)))
    assert again.state is RunState.FINISHED


def test_of_equal_keys_only_those_of_the_step_that_is_taken_back_are_forgotten(studio: Studio) -> None:
    first = alpha(studio, prefixes=0)
    twice = first.model_copy(update={"id": "twice"})
    run = studio.run(studio.plan(first, twice, UndoEdit(edit="twice")))
    assert [[len(stage[f"memory.alphaedit.{layer}"]) for layer in (0, 1)] for stage in studio.weights(run)] == [
        [3, 3], [6, 6], [3, 3]
    ]  # fmt: skip


def test_running_anew_scales_what_was_computed_anew(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = studio.plan(small.edit(studio.world.text, strength=50.0))
    studio.run(plan)
    [before] = studio.weights(studio.run(plan))
    original = workbench.carry_out

    def another(lm, prepared, *rest):  # type: ignore[no-untyped-def]
        outcome = original(lm, prepared, *rest)
        with torch.no_grad():
            lm.anatomy.mlp_output(lm.model, 0).weight.add_(1.0)
        return outcome

    monkeypatch.setattr(workbench, "carry_out", another)
    [after] = studio.weights(studio.run(plan, fresh=True))
    name = min(before)
    assert float((after[name] - before[name]).mean()) == pytest.approx(0.5, abs=1e-3)


def test_what_lies_in_later_steps_doesn_t_keep_a_strength_from_being_asked(studio: Studio) -> None:
    edit = small.edit(studio.world.text)
    studio.run(studio.plan(edit))
    plan = studio.plan(edit, UndoEdit(edit="nothing"))
    found = studio.runner.scaled(plan, studio.world.sheet, "edit", 60.0, studio.events.append, Event())
    assert found is not None
