"""Forecasts: learnt from this machine, honest where nothing is known, with advice where memory is short."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from editview.domain.checkpoint import Device
from editview.domain.errors import EditViewError
from editview.domain.events import Forecast
from editview.domain.memory import Layout
from editview.domain.operations import METHODS, FullFineTune, Lora, UndoEdit
from editview.domain.plan import Plan
from editview.domain.run_events import Progressed
from editview.lm.opening import describe
from editview.runs import costs, memory, pace
from editview.runs import forecast as forecasts
from editview.runs.operations import PreparedFineTune, prepare
from editview.runs.timings import Timings
from tests import small
from tests.runs.studio import CPU, Studio


def of(studio: Studio, plan: Plan) -> Forecast:
    return forecasts.forecast(plan, studio.world.sheet, CPU, studio.store, studio.fingerprints, studio.timings)


def test_it_is_a_guess_before_the_first_run_and_known_after(studio: Studio) -> None:
    edit, tune = small.edit(studio.world.text), small.tune(studio.world.data)
    before = of(studio, studio.plan(edit, tune))
    assert before.reused == (False, False)
    assert before.guessed
    assert before.total_seconds is not None
    assert before.total_seconds > sum(seconds for seconds in before.seconds if seconds) > 0  # the start is asked, too

    run = studio.run(studio.plan(edit, tune))
    after = of(studio, studio.plan(edit, tune))
    assert (after.reused, after.total_seconds, after.guessed) == ((True, True), 0, False)

    other = of(studio, studio.plan(tune, edit))
    assert (other.reused, other.guessed) == ((False, False), False)
    for forecast, stage in zip(other.seconds, (run.stages[2], run.stages[1]), strict=True):
        assert forecast == pytest.approx(stage.seconds, rel=0.5)
    assert other.total_seconds == pytest.approx(sum(seconds for seconds in other.seconds if seconds))
    longer = of(studio, studio.plan(small.tune(studio.world.data, steps=400)))
    assert longer.total_seconds is not None
    assert longer.total_seconds > 10 * (other.seconds[0] or 0)


def test_a_sheet_that_was_not_asked_costs_its_asking(studio: Studio) -> None:
    plan = studio.plan(small.tune(studio.world.data))
    studio.run(plan)
    other = replace(studio.world.sheet, facts=studio.world.sheet.facts[:3])
    found = forecasts.forecast(plan, other, CPU, studio.store, studio.fingerprints, studio.timings)
    assert found.reused == (True,)
    assert found.total_seconds is not None
    assert found.total_seconds > 0


def test_a_forecast_reads_no_weights(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = studio.plan(small.tune(studio.world.data))
    studio.run(plan)
    studio.count(monkeypatch)
    monkeypatch.setattr(studio.store, "weights", lambda key: pytest.fail("weights were read"))
    of(studio, plan)
    assert studio.done == []


def test_memory_grows_with_what_is_trained_and_the_advice_names_it(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = studio.world
    info = describe(world.checkpoint, CPU)

    def needed(operation: Lora | FullFineTune) -> int:
        (prepared,) = prepare(studio.plan(operation), world.sheet, lambda: info)
        assert isinstance(prepared, PreparedFineTune)
        return memory.training_memory(prepared, info, CPU, Layout(operation.batch_size)).total

    rest = memory.resting_memory(info, CPU)
    full, lora = small.tune(world.data), small.lora(world.data)
    assert rest < needed(lora) < needed(full)
    assert needed(full) < needed(small.tune(world.data, batch_size=64))
    assert rest == 2 * 4 * info.parameters

    monkeypatch.setattr(forecasts, "memory_available", lambda device: rest + 1)
    assert "LoRA instead of full" in of(studio, studio.plan(full)).advice
    advice = of(studio, studio.plan(lora)).advice  # one example at a time is tried by itself
    assert "shorter examples" in advice
    assert "batch size" not in advice
    monkeypatch.setattr(forecasts, "memory_available", lambda device: 10)
    assert "choose a smaller one" in of(studio, studio.plan()).advice


def test_a_graphics_card_holds_only_what_lies_on_it(studio: Studio) -> None:
    card = Device("cuda:0", "a card", 10**9)
    info = replace(describe(studio.world.checkpoint, CPU), dtype="bfloat16")
    assert memory.resting_memory(info, card) == 2 * info.parameters


def test_rates_are_medians_of_recent_ones_and_scale_with_the_work(tmp_path: Path) -> None:
    timings = Timings(tmp_path / "deep" / "timings.json")
    for seconds in (1.0, 2.0, 100.0):
        timings.learn("full", "cpu", 10, seconds)
    assert Timings(tmp_path / "deep" / "timings.json").seconds("full", "cpu", 20) == 4.0
    assert timings.seconds("full", "cuda:0", 20) is None
    for _ in range(100):
        timings.learn("full", "cpu", 10, 5.0)
    assert timings.seconds("full", "cpu", 10) == 5.0
    assert len(json.loads((tmp_path / "deep" / "timings.json").read_text())["full on cpu"]) < 50


@pytest.mark.parametrize("content", ["", "[]", "{", '{"full on cpu": 3}'])
def test_unreadable_timings_are_forgotten(tmp_path: Path, content: str) -> None:
    (tmp_path / "timings.json").write_text(content)
    timings = Timings(tmp_path / "timings.json")
    assert not timings.has_learnt("full", "cpu")
    timings.learn("full", "cpu", 1, 2.0)
    assert timings.has_learnt("full", "cpu")
    assert timings.seconds("full", "cpu", 1) == 2.0


def test_every_method_can_be_guessed_on_a_processor(tmp_path: Path) -> None:
    timings = Timings(tmp_path / "timings.json")
    for kind in (
        costs.ASKING,
        costs.ASKING_LIVE,
        costs.READING,
        *(method().method for method in METHODS if method is not UndoEdit),
    ):
        assert timings.seconds(kind, "cpu", 1.0), kind
        assert timings.seconds(kind, "cuda:0", 1.0) is None, kind


def test_progress_is_told_at_most_twenty_times_a_second_but_always_at_both_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    monkeypatch.setattr(pace.time, "perf_counter", lambda: now[0])
    told: list[Progressed] = []
    progress = pace.Pace("run", 1, lambda event: told.append(event), threading.Event())  # type: ignore[arg-type]
    for step in range(1001):
        progress(step, 1000, "Training")
        now[0] += 0.01
    assert len(told) <= 10 / 0.05 + 2
    assert (told[0].done, told[0].seconds_left) == (0, None)
    assert (told[-1].done, told[-1].seconds_left) == (1000, pytest.approx(0))
    middle = next(event for event in told if event.done >= 500)
    assert middle.seconds_left == pytest.approx((1000 - middle.done) * 0.01)
    progress(0, 5, "Asking the facts")
    assert told[-1].what == "Asking the facts"
    assert told[-1].seconds_left is None


def test_text_that_is_still_to_be_read_is_told_and_counted(studio: Studio) -> None:
    edit, tune = small.edit(studio.world.text), small.tune(studio.world.data)
    assert of(studio, studio.plan(edit)).to_read == 2000
    studio.run(studio.plan(edit))
    assert studio.timings.has_learnt(costs.READING, "cpu")
    assert of(studio, studio.plan(small.edit(studio.world.text, only=("e0",)))).to_read == 0  # it is kept now
    assert of(studio, studio.plan(tune, edit)).to_read == 2000  # of other weights it isn't


def test_an_edit_without_layers_or_preset_is_refused_before_it_runs(studio: Studio) -> None:
    with pytest.raises(EditViewError, match="no ready settings of MEMIT"):
        of(studio, studio.plan(small.edit(studio.world.text, layers=())))
