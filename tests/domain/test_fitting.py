"""Another checkpoint: one model's settings are never used for another."""

from __future__ import annotations

from dataclasses import replace

from editview.domain.checkpoint import CheckpointInfo, fitted
from editview.domain.operations import FullFineTune, Memit, Rome
from editview.domain.plan import Checkpoint, Plan

OLD = CheckpointInfo(
    Checkpoint(), "Demo", "GPT-2", 1, 1, "float32", 6, (), "CPU", True, None, "gpt2", 256, (Memit(layers=(0, 1)),)
)
NEW = replace(
    OLD, checkpoint=Checkpoint(source="/models/big"), name="Big", layers=48, width=1600,
    presets=(Memit(layers=(13, 14), clamp=0.75),),
)  # fmt: skip
EDIT = Memit(id="m", layers=(0, 1), clamp=1.5, only=("a",), strength=50.0, enabled=False)
TUNE = FullFineTune(id="t", learning_rate=1e-5)


def test_edits_take_the_settings_known_for_the_new_model() -> None:
    plan, said = fitted(Plan(operations=(EDIT, TUNE)), NEW, OLD)
    edit, tune = plan.operations
    assert plan.checkpoint == NEW.checkpoint
    assert tune == TUNE
    assert isinstance(edit, Memit)
    assert (edit.layers, edit.clamp) == ((13, 14), 0.75)
    assert (edit.id, edit.only, edit.strength, edit.enabled) == ("m", ("a",), 50.0, False)
    assert "*Big*" in said


def test_a_model_that_nothing_is_known_of_leaves_the_layers_open() -> None:
    plan, said = fitted(Plan(operations=(EDIT, Rome(id="r", layers=(1,)))), replace(NEW, presets=()), OLD)
    assert plan.operations[0] == Memit(id="m", only=("a",), strength=50.0, enabled=False)
    assert plan.operations[1] == Rome(id="r")
    assert said.startswith("No settings of MEMIT and ROME are known for *Big*")


def test_the_same_model_in_another_folder_keeps_what_was_chosen() -> None:
    again = replace(OLD, checkpoint=Checkpoint(source="/models/tuned"))
    plan, said = fitted(Plan(operations=(EDIT,)), again, OLD)
    assert plan == Plan(operations=(EDIT,), checkpoint=again.checkpoint)
    assert said == ""


def test_the_plan_s_own_checkpoint_keeps_what_was_chosen_though_it_wasn_t_looked_at_yet() -> None:
    plan = Plan(operations=(EDIT,), checkpoint=NEW.checkpoint)
    assert fitted(plan, NEW, None) == (plan, "")
    assert fitted(plan, OLD, None)[1] != ""


def test_a_plan_without_edits_has_nothing_to_fit() -> None:
    assert fitted(Plan(operations=(TUNE,)), NEW, None)[1] == ""
