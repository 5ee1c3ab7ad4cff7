"""A fine-tune that was interrupted goes on at its last snapshot, whatever interrupted it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from editview.domain.events import Event, Noted
from editview.domain.plan import Plan
from editview.domain.run_events import LiveChecked, Trained
from editview.domain.session import RunState, StageState
from editview.runs import forecast as forecasts
from editview.runs import snapshots
from editview.runs.store import NotKept, StageStore
from tests import small
from tests.runs.studio import CPU, Studio


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """A snapshot after every step."""
    monkeypatch.setattr(snapshots, "EVERY", 0.0)
    monkeypatch.setattr("editview.tuning.resuming._SHARE", 1e9)


def stop_after(step: int) -> Callable[[Event, threading.Event], None]:
    def meanwhile(event: Event, stop: threading.Event) -> None:
        if isinstance(event, Trained) and event.step == step:
            stop.set()

    return meanwhile


def plan_of(studio: Studio, method: str = "full", **parameters: object) -> Plan:
    make = small.tune if method == "full" else small.lora
    return studio.plan(small.edit(studio.world.text), make(studio.world.data, steps=9, **parameters))


def noted(studio: Studio) -> list[str]:
    return [event.sentence for event in studio.events if isinstance(event, Noted)]


def forgotten(studio: Studio, plan: Plan) -> str:
    """Run a plan through, and forget its last stage; its key."""
    key = studio.run(plan).stages[-1].info.key
    studio.store.discard(key)
    return key


@pytest.mark.parametrize("method", ["full", "lora"])
def test_a_stopped_fine_tune_goes_on_and_tells_the_whole_story(studio: Studio, method: str) -> None:
    plan = plan_of(studio, method)
    through = studio.run(plan)
    weights = studio.weights(through)[1]
    key = through.stages[2].info.key
    assert snapshots.step_kept(studio.store, key) == 0  # a finished stage needs none
    studio.store.discard(key)

    assert studio.run(plan, meanwhile=stop_after(6)).state is RunState.STOPPED
    at = snapshots.step_kept(studio.store, key)
    assert at == 5  # the stop came before the sixth was written
    assert forecasts.forecast(
        plan, studio.world.sheet, CPU, studio.store, studio.fingerprints, studio.timings
    ).goes_on == (0, at)  # fmt: skip

    resumed = studio.run(plan, runner=studio.another_runner())
    assert [stage.state for stage in resumed.stages][:2] == [StageState.REUSED] * 2
    assert "*Fine-tune on tickets* was interrupted, and goes on after step 5." in noted(studio)
    assert small.same(studio.weights(resumed)[1], weights)
    assert resumed.stages[2].losses == through.stages[2].losses
    assert [live.step for live in resumed.stages[2].live] == [0, 2, 4, 6, 8]
    assert str(resumed.stages[2].live) == str(through.stages[2].live)  # NaN equals nothing
    assert [stage.checks for stage in resumed.stages] == [stage.checks for stage in through.stages]
    assert snapshots.step_kept(studio.store, key) == 0
    again = studio.run(plan, runner=studio.another_runner())
    assert again.stages[2].losses == through.stages[2].losses
    assert [path.name for path in studio.store.root.iterdir() if "-at-" in path.name] == []


def test_it_goes_on_after_a_crash_more_than_once(studio: Studio) -> None:
    plan = plan_of(studio)
    through = studio.run(plan)
    weights = studio.weights(through)[1]
    studio.store.discard(through.stages[2].info.key)
    for step in (3, 7):

        def crash(event: Event, stop: threading.Event, step: int = step) -> None:
            if isinstance(event, LiveChecked) and event.check.step > step:
                raise ZeroDivisionError

        assert studio.run(plan, runner=studio.another_runner(), meanwhile=crash).state is RunState.FAILED
    assert snapshots.step_kept(studio.store, through.stages[2].info.key) == 7
    assert small.same(studio.weights(studio.run(plan, runner=studio.another_runner()))[1], weights)


def test_a_damaged_snapshot_is_not_gone_on_from(studio: Studio) -> None:
    plan = plan_of(studio)
    key = forgotten(studio, plan)
    studio.run(plan, meanwhile=stop_after(4))
    (folder,) = studio.store.root.glob(f"{key}-at-*")
    content = bytearray((folder / "weights.safetensors").read_bytes())
    content[-1] ^= 1
    (folder / "weights.safetensors").write_bytes(content)
    run = studio.run(plan)
    assert run.state is RunState.FINISHED
    assert any("damaged, so it begins anew" in sentence for sentence in noted(studio))
    assert [step for step, _ in run.stages[2].losses] == list(range(1, 10))


def test_anew_means_from_the_first_step(studio: Studio) -> None:
    plan = plan_of(studio)
    key = forgotten(studio, plan)
    studio.run(plan, meanwhile=stop_after(4))
    assert snapshots.step_kept(studio.store, key)
    run = studio.run(plan, fresh=True, meanwhile=stop_after(1))
    assert run.state is RunState.STOPPED
    assert not any("goes on" in sentence for sentence in noted(studio))


def test_another_seed_or_setting_does_not_go_on_from_it(studio: Studio) -> None:
    forgotten(studio, plan_of(studio))
    studio.run(plan_of(studio), meanwhile=stop_after(4))
    studio.run(plan_of(studio, learning_rate=2e-3))
    assert not any("goes on" in sentence for sentence in noted(studio))


def test_a_snapshot_that_cannot_be_written_leaves_the_one_before_and_the_run_goes_on(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(studio)
    key = forgotten(studio, plan)
    keep = StageStore.keep

    def full(self: StageStore, name: str, *arguments: object, **named: object) -> None:
        if name.endswith(("-at-4", "-at-5")):
            raise NotKept("The disk is full.")
        keep(self, name, *arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(StageStore, "keep", full)
    studio.run(plan, meanwhile=stop_after(6))
    assert snapshots.step_kept(studio.store, key) == 3
    assert noted(studio).count("The disk is full.") == 1
    run = studio.run(plan)
    assert run.state is RunState.FINISHED
    assert "*Fine-tune on tickets* was interrupted, and goes on after step 3." in noted(studio)


def test_snapshots_count_in_what_the_store_may_take(studio: Studio) -> None:
    plan = plan_of(studio)
    key = forgotten(studio, plan)
    studio.run(plan, meanwhile=stop_after(4))
    (folder,) = studio.store.root.glob(f"{key}-at-*")
    size = sum(path.stat().st_size for path in Path(folder).iterdir())
    assert sum(stage.bytes for stage in studio.store._stages() if stage.path == folder) == size
    StageStore(studio.store.root, size - 1)._evict(())
    assert snapshots.step_kept(studio.store, key) == 0
