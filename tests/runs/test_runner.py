"""Runs: each distinct stage computed once, weights that repeat bit by bit, errors and stops that leave all usable."""

from __future__ import annotations

import json
import os
import random
import threading
from collections.abc import Sequence

import pytest
import torch

from editview.domain import places
from editview.domain.errors import EditViewError
from editview.domain.events import Event, Noted
from editview.domain.facts import Fact, FactSheet, Group
from editview.domain.progress import silent
from editview.domain.run_events import (
    Checked,
    Progressed,
    RunFailed,
    RunFinished,
    RunStarted,
    RunStopped,
    StageFinished,
    StageStarted,
    Trained,
)
from editview.domain.session import Run, RunState, StageState
from editview.domain.verdicts import LiveCheck
from editview.edits.writing import Outcome
from editview.formats.fact_sheets import read_facts
from editview.lm.model import LanguageModel, fingerprint
from editview.runs import keys, runner, walk, workbench
from editview.runs.fingerprints import identity
from editview.runs.keys import stage_keys
from editview.runs.store import NotKept, StageLost, StageStore
from editview.runs.walk import watched_facts
from tests import sample, small
from tests.runs.studio import CPU, Studio


def answers(run: Run) -> list[dict[str, object]]:
    return [stage.checks for stage in run.stages]


def test_a_run_tells_its_whole_story(studio: Studio) -> None:
    run = studio.run(studio.plan(small.edit(studio.world.text), small.tune(studio.world.data)))
    kinds = [type(event) for event in studio.events if not isinstance(event, Progressed | Trained | Checked)]
    assert run.state is RunState.FINISHED
    assert [stage.info.title for stage in run.stages] == ["Checkpoint", "Edit 3 facts", "Fine-tune on tickets"]
    assert [kind for kind in kinds if kind in (RunStarted, StageStarted, StageFinished, RunFinished)] == [
        RunStarted, *[StageStarted, StageFinished] * 3, RunFinished,
    ]  # fmt: skip
    for stage in run.stages:
        assert stage.state is StageState.DONE
        assert list(stage.checks) == [fact.id for fact in studio.world.sheet]
    assert {change.name for change in run.stages[1].changes} == {
        "transformer.h.0.mlp.c_proj.weight", "transformer.h.1.mlp.c_proj.weight",
    }  # fmt: skip
    assert len(run.stages[2].changes) > 20
    assert all(change.norm_change > 0 for stage in run.stages for change in stage.changes)
    assert [step for step, _ in run.stages[2].losses] == [1, 2, 3, 4]
    assert [live.step for live in run.stages[2].live] == [0, 2, 4]


def test_the_tensors_of_the_checkpoint_are_all_named(studio: Studio) -> None:
    run = studio.run(studio.plan())
    assert len(run.stages) == 1
    assert sum(info.name.endswith("mlp.c_proj.weight") for info in run.tensors) == 2


def test_each_distinct_stage_is_computed_once_and_the_first_order_is_free(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio.count(monkeypatch)
    edit, tune = small.edit(studio.world.text), small.tune(studio.world.data)
    first = studio.run(studio.plan(edit, tune))
    assert studio.done == ["opened", "asked", "memit", "asked", "full", "asked"]

    other = studio.run(studio.plan(tune, edit))
    assert studio.done == ["full", "asked", "memit", "asked"]
    assert [stage.state for stage in other.stages] == [StageState.REUSED, StageState.DONE, StageState.DONE]

    again = studio.run(studio.plan(edit, tune), runner=studio.another_runner())
    assert studio.done == []
    assert [stage.state for stage in again.stages] == [StageState.REUSED] * 3
    assert answers(again) == answers(first)
    assert [stage.losses for stage in again.stages] == [stage.losses for stage in first.stages]
    assert [stage.changes for stage in again.stages] == [stage.changes for stage in first.stages]
    assert [len(stage.live) for stage in again.stages] == [0, 0, 3]


def test_a_changed_last_step_starts_from_what_is_there(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    edit, tune = small.edit(studio.world.text), small.tune(studio.world.data)
    studio.run(studio.plan(edit, tune))
    studio.count(monkeypatch)
    studio.run(studio.plan(edit, small.tune(studio.world.data, steps=2)), runner=studio.another_runner())
    assert studio.done == ["opened", "full", "asked"]


def test_ids_switches_and_names_decide_nothing(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    edit, tune = small.edit(studio.world.text), small.tune(studio.world.data)
    studio.run(studio.plan(edit, tune))
    studio.count(monkeypatch)
    copy = studio.world.folder / "the same tickets.jsonl"
    copy.write_bytes(studio.world.data.read_bytes())
    switched_off = small.lora(studio.world.data, enabled=False)
    twin = studio.plan(
        edit.model_copy(update={"id": "other"}), switched_off, small.tune(copy), name="Other", check_every=2
    )
    studio.run(twin)
    assert studio.done == []


@pytest.mark.parametrize("difference", ["seed", "data", "facts", "text", "parameter"])
def test_whatever_decides_the_weights_is_in_the_key(studio: Studio, difference: str) -> None:
    world = studio.world
    keys = []
    for changed in (False, True):
        sheet = small.sheet(2) if changed and difference == "facts" else world.sheet
        other_data = small.data(world.folder / "other.jsonl", "scanner")
        other_text = world.folder / "other.txt"
        other_text.write_text(world.text.read_text() + "more\n")
        plan = studio.plan(
            small.edit(other_text if changed and difference == "text" else world.text),
            small.tune(
                other_data if changed and difference == "data" else world.data,
                learning_rate=2e-3 if changed and difference == "parameter" else 1e-3,
            ),
            seed=1 if changed and difference == "seed" else 0,
        )
        keys.append([stage.info.key for stage in studio.run(plan, sheet).stages])
    assert keys[0][0] == keys[1][0]
    assert keys[0][2] != keys[1][2]
    assert (keys[0][1] != keys[1][1]) == (difference in ("seed", "facts", "text"))


def test_the_same_plan_twice_gives_the_same_bits_and_verdicts(studio: Studio, tmp_path: object) -> None:
    plan = studio.plan(small.edit(studio.world.text), small.lora(studio.world.data), small.tune(studio.world.data))
    first = studio.run(plan)
    weights = studio.weights(first)
    torch.manual_seed(99)  # whatever was drawn before
    second = studio.run(plan, runner=studio.another_runner(), fresh=True)
    assert [stage.state for stage in second.stages] == [StageState.DONE] * 4
    assert answers(second) == answers(first)
    for before, after in zip(weights, studio.weights(second), strict=True):
        assert small.same(before, after)


def test_a_stage_from_the_store_continues_as_the_one_in_memory(studio: Studio) -> None:
    """Computing on from stored weights gives the same bits as going straight through."""
    edit, tune = small.edit(studio.world.text), small.tune(studio.world.data)
    straight = studio.weights(studio.run(studio.plan(edit, tune)))
    studio.store.discard(studio.run(studio.plan(edit, tune)).stages[2].info.key)
    resumed = studio.weights(studio.run(studio.plan(edit, tune), runner=studio.another_runner()))
    assert small.same(straight[1], resumed[1])


def test_another_sheet_is_asked_from_stored_weights(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    tune = small.tune(studio.world.data)
    studio.run(studio.plan(tune))
    studio.count(monkeypatch)
    other = FactSheet("other", studio.world.sheet.facts[:4])
    run = studio.run(studio.plan(tune), other, runner=studio.another_runner())
    assert studio.done == ["opened", "asked", "asked"]
    assert len(run.stages[1].checks) == 4
    assert run.stages[1].live == []
    assert any("isn't known" in event.sentence for event in studio.events if isinstance(event, Noted))


def test_watching_changes_no_weight(studio: Studio) -> None:
    tune = small.tune(studio.world.data)
    watched = studio.weights(studio.run(studio.plan(tune)))
    unwatched = studio.run(studio.plan(tune, check_every=0), fresh=True)
    assert unwatched.stages[1].live == []
    assert small.same(watched[0], studio.weights(unwatched)[0])


def test_early_stop_and_validation_are_told_kept_and_recalled(studio: Studio) -> None:
    rows = [{"text": "".join(random.Random(i).choices("abcdefgh", k=30))} for i in range(24)]
    data = studio.world.folder / "noise.jsonl"
    data.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    tune = small.tune(data, steps=60, learning_rate=5e-2, validation=0.25, patience=2)
    first = studio.run(studio.plan(tune)).stages[1]
    notes = [event.sentence for event in studio.events if isinstance(event, Noted)]
    again = studio.run(studio.plan(tune), runner=studio.another_runner()).stages[1]
    best = min((look for look in first.validations.values() if look.step), key=lambda look: look.loss)
    assert first.losses[-1][0] < 60
    assert first.kept_step == first.last_step == best.step
    assert first.live[-1].step <= best.step
    assert any("ended early" in note and f"after step {best.step}," in note for note in notes)
    assert [event.sentence for event in studio.events if isinstance(event, Noted)] == notes
    assert (again.validations, again.kept_step) == (first.validations, best.step)
    assert [live.step for live in again.live] == [live.step for live in first.live]


def test_a_plan_that_asks_at_another_pace_is_told_so(studio: Studio) -> None:
    tune = small.tune(studio.world.data, validation=0.0)

    def notes(**settings: object) -> list[str]:
        studio.run(studio.plan(tune, **settings))
        return [event.sentence for event in studio.events if isinstance(event, Noted)]

    assert notes(check_every="auto") == notes(check_every="auto") == []
    assert "asked as often as was cheap; those answers are shown" in notes(check_every=2)[0]


def test_what_was_asked_before_training_is_not_asked_again_at_its_start(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[int, LiveCheck] = {}
    really = walk.live_check

    def counted(lm: LanguageModel, facts: Sequence[Fact], step: int) -> LiveCheck:
        asked[step] = really(lm, facts, step)
        return asked[step]

    monkeypatch.setattr(walk, "live_check", counted)
    plan = studio.plan(small.edit(studio.world.text), small.tune(studio.world.data))
    start, *later = studio.run(plan).stages[2].live
    assert later == list(asked.values())
    assert list(asked) == [2, 4]
    lm = studio.runner._bench.move_to(studio.run(plan).stages[1].info.key)
    expected = really(lm, studio.world.sheet.facts, 0)
    assert (start.step, start.fact_ids, start.gives) == (0, expected.fact_ids, expected.gives)
    assert start.nll_wanted == pytest.approx(expected.nll_wanted, rel=1e-4)
    assert start.nll_other == pytest.approx(expected.nll_other, rel=1e-4, nan_ok=True)


@pytest.mark.parametrize("moment", ["training", "editing", "asking"])
def test_stop_keeps_what_is_finished_and_the_next_run_completes(studio: Studio, moment: str) -> None:
    def stop_at(event: Event, stop: threading.Event) -> None:
        wanted = {
            "training": isinstance(event, Trained) and event.step == 2,
            "editing": isinstance(event, Progressed) and event.what == "Finding target vectors",
            "asking": isinstance(event, Checked) and event.stage == 2,
        }
        if wanted[moment]:
            stop.set()

    plan = studio.plan(small.edit(studio.world.text), small.tune(studio.world.data))
    reference = studio.run(plan)
    weights = studio.weights(reference)
    for stage in reference.stages:
        studio.store.discard(stage.info.key)

    stopped = studio.run(plan, meanwhile=stop_at)
    assert stopped.state is RunState.STOPPED
    assert isinstance(studio.events[-1], RunStopped)
    if moment == "training":
        assert max(event.step for event in studio.events if isinstance(event, Trained)) <= 3
    resumed = studio.run(plan)
    assert resumed.state is RunState.FINISHED
    assert [stage.state for stage in resumed.stages][:2] == [
        StageState.REUSED, StageState.DONE if moment == "editing" else StageState.REUSED
    ]  # fmt: skip
    assert answers(resumed) == answers(reference)
    for before, after in zip(weights, studio.weights(resumed), strict=True):
        assert small.same(before, after)


def test_an_operation_that_changes_nothing_is_an_error(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbench, "carry_out", lambda *_: Outcome({}))
    run = studio.run(studio.plan(small.tune(studio.world.data)))
    assert run.failure is not None
    assert "left every weight as it was" in run.failure[0]


def test_an_edit_that_had_nothing_to_write_is_noted(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbench, "carry_out", lambda *_: Outcome({}, notes=("It was known.",), nothing_to_write=True))
    run = studio.run(studio.plan(small.edit(studio.world.text)))
    assert run.state is RunState.FINISHED
    assert Noted("It was known.") in studio.events
    assert run.stages[1].changes == ()


def test_an_operation_that_breaks_the_weights_is_an_error_and_leaves_no_stage(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaking(lm: object, *_: object) -> Outcome:
        next(lm.model.parameters()).data[0, 0] = float("nan")  # type: ignore[attr-defined]
        return Outcome({})

    plan = studio.plan(small.tune(studio.world.data))
    with monkeypatch.context() as patch:
        patch.setattr(workbench, "carry_out", breaking)
        run = studio.run(plan)
    assert run.failure is not None
    assert "aren't numbers any more" in run.failure[0]
    assert studio.store.record(run.stages[1].info.key) is None
    assert studio.run(plan).state is RunState.FINISHED


def test_a_sentence_of_an_operation_reaches_the_run(studio: Studio) -> None:
    run = studio.run(studio.plan(small.edit(studio.world.text), small.edit(studio.world.text, layers=(0, 7))))
    assert run.state is RunState.FAILED
    assert run.failure is not None
    assert "no layer 8 (7 in a plan file)" in run.failure[0]
    assert run.failure[1] == ""
    assert run.stages[1].state is StageState.DONE


def test_anything_unexpected_is_a_sentence_with_the_traceback_behind_it(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("by zero")

    plan = studio.plan(small.tune(studio.world.data))
    with monkeypatch.context() as patch:
        patch.setattr(workbench, "carry_out", broken)
        run = studio.run(plan)
    assert isinstance(studio.events[-1], RunFailed)
    assert run.failure is not None
    assert "ZeroDivisionError" not in run.failure[0]
    assert "ZeroDivisionError: by zero" in run.failure[1]
    assert studio.run(plan).state is RunState.FINISHED


def test_running_out_of_memory_is_told_in_words(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    def greedy(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(workbench, "carry_out", greedy)
    run = studio.run(studio.plan(small.tune(studio.world.data)))
    assert run.failure is not None
    assert run.failure[0].startswith("The memory ran out")


def test_a_plan_that_cannot_start_raises_its_sentence(studio: Studio) -> None:
    controls = FactSheet("controls", studio.world.sheet.facts[-2:])
    with pytest.raises(EditViewError, match="no facts to be changed"):
        studio.run(studio.plan(small.edit(studio.world.text)), controls)
    with pytest.raises(EditViewError, match="doesn't list for editing: nobody"):
        studio.run(studio.plan(small.edit(studio.world.text, only=("nobody",))))
    with pytest.raises(EditViewError, match="no file"):
        studio.run(studio.plan(small.tune(studio.world.folder / "missing.jsonl")))


def test_a_damaged_stage_is_noticed_and_computed_again(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    edit, tune = small.edit(studio.world.text), small.tune(studio.world.data)
    first = studio.run(studio.plan(edit, tune))
    path = studio.store.root / first.stages[1].info.key / "weights.safetensors"
    damaged = bytearray(path.read_bytes())
    damaged[-1] ^= 1
    path.write_bytes(damaged)
    studio.count(monkeypatch)
    run = studio.run(studio.plan(edit, small.tune(studio.world.data, steps=2)), runner=studio.another_runner())
    assert studio.done == ["opened", "memit", "asked", "full", "asked"]
    assert any("damaged" in event.sentence for event in studio.events if isinstance(event, Noted))
    assert run.stages[1].checks == first.stages[1].checks


def test_with_a_full_disk_the_run_goes_on_and_says_so_once(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = studio.plan(small.edit(studio.world.text), small.tune(studio.world.data, validation=0.0))
    reference = studio.run(plan)

    class Full(StageStore):
        def keep(self, *_: object, **__: object) -> None:
            raise NotKept("The disk is full.")

    runner = studio.another_runner(Full(studio.store.root / "full"))
    run = studio.run(plan, runner=runner)
    assert run.state is RunState.FINISHED
    assert answers(run) == answers(reference)
    assert [event.sentence for event in studio.events if isinstance(event, Noted)] == ["The disk is full."]
    keys = [stage.info.key for stage in run.stages]
    said = runner.ask(plan, "The sea of Peru is", keys, 4, studio.events.append, threading.Event())
    assert said == studio.runner.ask(plan, "The sea of Peru is", keys, 4, studio.events.append, threading.Event())


def test_asking_any_stage_moves_the_model_there(studio: Studio) -> None:
    plan = studio.plan(small.tune(studio.world.data, learning_rate=0.01))
    run = studio.run(plan)
    keys = [stage.info.key for stage in run.stages]
    prompt = studio.world.sheet.facts[0].prompt
    stop = threading.Event()
    both = studio.another_runner().ask(plan, prompt, [*keys, keys[0]], 8, studio.events.append, stop)
    assert both[0] == both[2] != both[1]
    for said, stage in zip(both, run.stages, strict=False):
        first = stage.checks["e0"].answers[0].said
        assert said.startswith(first[:4]) or first.startswith(said[:4])


def test_it_is_the_checkpoint_that_is_traced_and_the_next_run_finds_its_stages(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a run before has left in the model."""
    traced: list[str] = []
    monkeypatch.setattr(runner, "trace", lambda lm, *_: traced.append(fingerprint(lm.model, lm.tokenizer)))
    plan = studio.plan(small.tune(studio.world.data, learning_rate=0.01))
    first = studio.run(plan)
    opened = studio.runner._bench.open(plan.checkpoint, CPU, silent)
    assert fingerprint(opened.model, opened.tokenizer) != opened.fingerprint
    studio.runner.trace(plan.checkpoint, studio.world.sheet.facts, 0, studio.events.append, threading.Event())
    assert traced == [opened.fingerprint]
    again = studio.run(plan)
    assert [stage.checks for stage in again.stages] == [stage.checks for stage in first.stages]


def test_a_changed_checkpoint_is_not_taken_for_the_old_one(
    studio: Studio, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = studio.world.folder / "second"
    plan = small.plan(small.checkpoint(folder, seed=1))
    first = studio.run(plan)
    small.checkpoint(folder, seed=2)
    studio.count(monkeypatch)
    second = studio.run(plan)
    assert studio.done == ["opened", "asked"]
    assert first.stages[0].info.key != second.stages[0].info.key


def test_weights_swapped_behind_its_back_are_noticed(studio: Studio) -> None:
    """Same names, same sizes, same times of change."""
    folder = studio.world.folder / "swapped"
    plan = small.plan(small.checkpoint(folder, seed=1), small.tune(studio.world.data))
    first = studio.run(plan)
    path = folder / "model.safetensors"
    before = path.stat()
    small.checkpoint(folder, seed=2)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    second = studio.run(plan, runner=studio.another_runner())
    assert {stage.state for stage in second.stages} == {StageState.DONE}
    assert not {stage.info.key for stage in first.stages} & {stage.info.key for stage in second.stages}


def test_a_remembered_fingerprint_gives_way_to_that_of_the_opened_model(studio: Studio) -> None:
    plan = studio.plan(small.tune(studio.world.data))
    first = studio.run(plan)
    name = identity(plan.checkpoint, CPU)
    assert name is not None
    studio.fingerprints.remember(name, "as another version of a library would have it")
    again = studio.run(plan, runner=studio.another_runner())
    assert [stage.info.key for stage in again.stages] == [stage.info.key for stage in first.stages]
    assert [stage.state for stage in again.stages] == [StageState.REUSED] * 2
    assert sum(isinstance(event, RunStarted) for event in studio.events) == 1


def test_a_stage_of_another_checkpoint_is_not_asked(studio: Studio) -> None:
    other = small.plan(small.checkpoint(studio.world.folder / "other", seed=1))
    for stage in studio.run(studio.plan(small.tune(studio.world.data))).stages:
        with pytest.raises(StageLost):
            studio.runner.ask(other, "The sea of Peru is", [stage.info.key], 3, studio.events.append, threading.Event())


def test_a_damaged_stage_is_not_asked(studio: Studio) -> None:
    plan = studio.plan(small.tune(studio.world.data))
    key = studio.run(plan).stages[1].info.key
    path = studio.store.root / key / "weights.safetensors"
    damaged = bytearray(path.read_bytes())
    damaged[-2] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(StageLost):
        studio.another_runner().ask(plan, "The sea", [key], 3, studio.events.append, threading.Event())


def test_a_store_that_is_nearly_full_keeps_what_the_run_still_needs(studio: Studio) -> None:
    """The first step is gone and the second isn't: keeping the first anew must not cost the second."""
    plan = studio.plan(small.tune(studio.world.data), small.tune(studio.world.data, id="second", steps=2))
    first, second = (stage.info.key for stage in studio.run(plan).stages[1:])
    studio.store.discard(first)
    largest = max(path.stat().st_size for path in studio.store.root.rglob("*.safetensors"))
    tight = studio.another_runner(StageStore(studio.store.root, int(1.5 * largest)))
    other = FactSheet("other", studio.world.sheet.facts[:4])
    assert studio.run(plan, other, runner=tight).state is RunState.FINISHED
    assert studio.store.record(second) is not None


def test_every_fact_of_the_demo_is_watched() -> None:
    sheet, _ = read_facts("demo")
    assert watched_facts(sheet) == sheet.facts


def test_of_a_large_sheet_some_facts_of_each_group_are_watched() -> None:
    sheet = sample.sheet(edits=1000, neighbours=1000, controls=10)
    watched = watched_facts(sheet)
    assert len(watched) < 500
    assert {fact.group for fact in watched} == set(Group)
    assert sum(fact.group is Group.CONTROL for fact in watched) == 10


def test_what_a_kill_left_half_written_goes_at_the_next_start(studio: Studio) -> None:
    folders = (places.data(), places.statistics(), places.stages())
    parts = [folder / ".some.file.4194999-abcd_123.part" for folder in folders]  # no process has such a number
    mine = places.data() / f".some.file.{os.getpid()}-abcd_123.part"
    for part in (*parts, mine):
        part.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(b"half")
    assert "half written has been removed" in studio.runner.recover()
    assert not any(part.exists() for part in parts)
    assert mine.exists()
    assert studio.runner.recover() == ""


def test_another_version_of_what_computes_makes_other_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    def key(**versions: str) -> str:
        keys._libraries.cache_clear()
        monkeypatch.setattr(keys, "version", lambda library: versions.get(library, "5.1.0"))
        return stage_keys("fingerprint", "cpu", 0, ())[0]

    assert key() == key(torch="5.1.9+cpu")
    assert len({key(), key(torch="5.2.0"), key(transformers="5.2.0"), key(peft="5.2.0")}) == 4
    keys._libraries.cache_clear()
