"""Fine-tunes within the memory there is: chosen layouts, memory that runs out all the same, and what real steps say."""

from __future__ import annotations

import threading

import pytest
import torch

from editview.domain.errors import Cancelled, EditViewError
from editview.domain.events import FineTuneMeasured, Forecast, Noted
from editview.domain.memory import Fit, Layout, Memory
from editview.domain.plan import Plan
from editview.domain.progress import silent
from editview.domain.run_events import RunFailed
from editview.domain.session import RunState, StageState
from editview.lm.opening import describe
from editview.runs import forecast as forecasts
from editview.runs import measurements, memory, walk
from editview.runs.measurements import Measured, Measurements
from editview.runs.measuring import measure
from editview.runs.operations import PreparedFineTune, prepare
from editview.tuning.training import _Trainer
from tests import small
from tests.runs.studio import CPU, Studio


def forecast(studio: Studio, plan: Plan) -> Forecast:
    return forecasts.forecast(plan, studio.world.sheet, CPU, studio.store, studio.fingerprints, studio.timings)


def prepared_of(studio: Studio, plan: Plan) -> PreparedFineTune:
    prepared = prepare(plan, studio.world.sheet, lambda: describe(plan.checkpoint, CPU))[-1]
    assert isinstance(prepared, PreparedFineTune)
    return prepared


def test_a_run_takes_its_batches_in_parts_where_memory_is_short_and_says_so(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = studio.plan(small.lora(studio.world.data, batch_size=4))
    whole = studio.weights(studio.run(plan))[0]
    info = describe(plan.checkpoint, CPU)
    tight = memory.training_memory(prepared_of(studio, plan), info, CPU, Layout(2)).total
    monkeypatch.setattr(forecasts, "memory_available", lambda device: tight)
    monkeypatch.setattr(walk, "memory_available", lambda device: tight)
    found = forecast(studio, plan)
    assert found.advice == ""
    (fit,) = found.fits
    assert fit is not None
    assert (fit.layout, fit.memory.total, fit.measured) == (Layout(2), tight, False)

    again = studio.run(plan, fresh=True)
    said = "*Fine-tune on tickets* took its batches in parts of 2 to save memory."
    assert any(event == Noted(said) for event in studio.events)
    record = studio.store.record(again.stages[1].info.key)
    assert record is not None
    assert said in record.notes
    assert not small.same(whole, studio.weights(again)[0])  # it was done: dropout draws otherwise


def test_the_layout_does_not_make_another_stage(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = studio.plan(small.lora(studio.world.data, batch_size=4))
    key = studio.run(plan).stages[1].info.key
    monkeypatch.setattr(walk, "memory_available", lambda device: 0)
    again = studio.run(plan, runner=studio.another_runner())
    assert (again.stages[1].info.key, again.stages[1].state) == (key, StageState.REUSED)


@pytest.mark.parametrize("where", ["forward", "optimiser"])
@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory"),
    ],
    ids=["card", "processor"],
)
def test_memory_that_runs_out_ends_the_run_in_words_and_a_change_goes_on_from_the_last_stage(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, where: str, error: Exception
) -> None:
    def greedy(*arguments: object, **named: object) -> None:
        raise error

    plan = studio.plan(small.edit(studio.world.text), small.tune(studio.world.data))
    with monkeypatch.context() as patch:
        patch.setattr(*((_Trainer, "compute_loss") if where == "forward" else (torch.optim.AdamW, "step")), greedy)
        run = studio.run(plan)
    assert run.state is RunState.FAILED
    assert isinstance(studio.events[-1], RunFailed)
    assert run.failure is not None
    assert run.failure[0].startswith("The memory ran out during fine-tuning.")
    assert "shorter examples (now 64 tokens)" in run.failure[0]
    assert run.failure[1] == str(error)

    studio.count(monkeypatch)
    changed = studio.run(studio.plan(small.edit(studio.world.text), small.tune(studio.world.data, max_length=16)))
    assert studio.done == ["full", "asked"]
    assert [stage.state for stage in changed.stages] == [StageState.REUSED, StageState.REUSED, StageState.DONE]


# ---- measuring ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", [small.tune, small.lora])
def test_measuring_leaves_every_weight_as_it_was(studio: Studio, method) -> None:
    plan = studio.plan(method(studio.world.data))
    lm = studio.runner._bench.open(plan.checkpoint, CPU, silent)
    before = {name: weight.clone() for name, weight in lm.weights().items()}
    state = torch.get_rng_state()
    found = measure(lm, prepared_of(studio, plan), CPU, 0, Fit(Layout(2), Memory(0)), silent)
    assert found.seconds > 0
    assert (found.part, found.checkpointing) == (2, False)
    assert small.same(before, dict(lm.weights()))
    assert torch.equal(torch.get_rng_state(), state)


def test_what_was_measured_is_what_is_forecast(studio: Studio) -> None:
    plan = studio.plan(small.tune(studio.world.data, steps=100), check_every=0)
    before = forecast(studio, plan)
    assert before.guessed
    found = studio.runner.measure(plan, studio.world.sheet, "tune", studio.events.append, threading.Event())
    assert isinstance(found, FineTuneMeasured)
    assert found.fit.measured
    after = forecast(studio, plan)
    (fit,) = after.fits
    assert fit is not None
    assert fit.measured
    assert fit.memory.activations == found.fit.memory.activations
    assert after.seconds[0] == pytest.approx(100 * found.seconds_a_step, rel=0.5)
    longer = forecast(studio, studio.plan(small.tune(studio.world.data, steps=300, learning_rate=1e-4), check_every=0))
    assert longer.seconds[0] == pytest.approx(3 * (after.seconds[0] or 0), rel=0.2)  # a step is the same step
    (other,) = forecast(studio, studio.plan(small.tune(studio.world.data, batch_size=3))).fits
    assert other is not None
    assert not other.measured


def test_measuring_is_cancelled_at_once_and_the_next_run_finds_the_model_sound(studio: Studio) -> None:
    plan = studio.plan(small.tune(studio.world.data))
    stop = threading.Event()
    stop.set()
    with pytest.raises(Cancelled):
        studio.runner.measure(plan, studio.world.sheet, "tune", studio.events.append, stop)
    reference = studio.weights(studio.run(plan, runner=studio.another_runner()))
    assert small.same(studio.weights(studio.run(plan, fresh=True))[0], reference[0])


def test_measuring_what_does_not_fit_says_so(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    def greedy(*arguments: object, **named: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(_Trainer, "compute_loss", greedy)
    plan = studio.plan(small.tune(studio.world.data))
    with pytest.raises(EditViewError, match="memory ran out"):
        studio.runner.measure(plan, studio.world.sheet, "tune", studio.events.append, threading.Event())


def test_what_one_layout_took_tells_what_others_take(studio: Studio) -> None:
    plan = studio.plan(small.tune(studio.world.data, batch_size=8))
    info, prepared = describe(plan.checkpoint, CPU), prepared_of(studio, plan)
    known = measurements.fit_of(prepared, info, CPU, Measured(1.0, 10**9, 8, False), 10**12)
    assert known.layout == Layout(8)
    assert known.memory.activations == pytest.approx(1.1e9)
    half = measurements.fit_of(prepared, info, CPU, Measured(1.0, 10**9, 8, False), known.memory.total - 1)
    assert half.layout == Layout(4)
    assert half.memory.activations < known.memory.activations
    assert Measured(3.0, 0, 8, False).seconds_in(Layout(4, True)) == pytest.approx(4.0)
    assert Measured(4.0, 0, 8, True).seconds_in(Layout(4)) == pytest.approx(3.0)


@pytest.mark.parametrize("content", ["", "[]", "{", '{"x": 3}'])
def test_unreadable_measurements_are_forgotten(studio: Studio, content: str) -> None:
    plan = studio.plan(small.tune(studio.world.data))
    path = studio.store.root / "measured.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    known, prepared = Measurements(path), prepared_of(studio, plan)
    assert known.of(plan.checkpoint, CPU, prepared) is None
    known.remember(plan.checkpoint, CPU, prepared, Measured(1.0, 2, 2, False))
    assert Measurements(path).of(plan.checkpoint, CPU, prepared) == Measured(1.0, 2, 2, False)
