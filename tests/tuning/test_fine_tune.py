"""Fine-tuning: what it trains, that it is deterministic, and that it happens whole or not at all."""

from __future__ import annotations

import os
import random
import tempfile
import threading
from pathlib import Path

import pytest
import torch

from editview.domain.errors import Cancelled, EditViewError
from editview.domain.examples import Example
from editview.domain.operations import FullFineTune, Lora
from editview.lm.model import LanguageModel
from editview.tuning.fine_tune import fine_tune
from tests.tuning.models import examples, gpt2, llama, same, weights

LORA = Lora(rank=4, alpha=8, steps=4, learning_rate=1e-2, batch_size=4)
FULL = FullFineTune(steps=4, learning_rate=1e-3, batch_size=4)
EVERY = pytest.mark.parametrize(
    "operation", [LORA, LORA.model_copy(update={"dora": True}), FULL], ids=["lora", "dora", "full"]
)


def changed(before: dict[str, torch.Tensor], lm: LanguageModel) -> set[str]:
    after = weights(lm)
    assert before.keys() == after.keys()
    return {name for name in before if not torch.equal(before[name], after[name])}


@EVERY
@pytest.mark.parametrize("make", [gpt2, llama])
def test_training_lowers_the_loss_and_changes_what_it_should(operation: Lora | FullFineTune, make) -> None:
    lm = make()
    before, losses = weights(lm), []
    longer = operation.model_copy(update={"steps": 30})
    fine_tune(lm, longer, examples(), seed=0, on_log=lambda step, loss, rate: losses.append((step, loss, rate)))
    assert [step for step, _, _ in losses] == list(range(1, 31))
    share = 0.98 if isinstance(operation, Lora) else 0.9  # little can be taught to random weights by an adapter
    assert sum(loss for _, loss, _ in losses[-5:]) < share * sum(loss for _, loss, _ in losses[:5])
    assert losses[0][2] == operation.learning_rate
    assert losses[-1][2] < losses[0][2]  # the linear schedule
    matrices = {
        name for name, weight in before.items() if weight.dim() == 2 and any(part in name for part in ("attn", "mlp"))
    }
    if isinstance(operation, Lora):
        assert changed(before, lm) == matrices
    else:
        assert changed(before, lm) == set(before)


@EVERY
def test_the_model_stays_the_same_object_with_the_same_parameters(operation: Lora | FullFineTune) -> None:
    lm = gpt2()
    modules, parameters = dict(lm.model.named_modules()), dict(lm.model.named_parameters())
    lm.model.transformer.wte.weight.requires_grad_(False)
    fine_tune(lm, operation, examples(), seed=0)
    after = dict(lm.model.named_modules())
    assert after.keys() == modules.keys()
    assert all(after[name] is modules[name] for name in modules)
    assert all(parameter is parameters[name] for name, parameter in lm.model.named_parameters())
    assert lm.model.lm_head.weight is lm.model.transformer.wte.weight
    assert lm.model.config.tie_word_embeddings
    assert lm.model.config.use_cache
    assert not lm.model.training
    assert not hasattr(lm.model, "peft_config")
    assert not lm.model.transformer.wte.weight.requires_grad
    assert lm.model.transformer.wpe.weight.requires_grad
    assert all(parameter.grad is None for parameter in parameters.values())


@EVERY
def test_same_call_gives_same_bits_whatever_was_drawn_before(operation: Lora | FullFineTune) -> None:
    first, second, other = gpt2(), gpt2(), gpt2()
    torch.manual_seed(1)
    fine_tune(first, operation, examples(), seed=5)
    torch.manual_seed(99)
    random.seed(99)
    drawn = torch.get_rng_state(), random.getstate()
    fine_tune(second, operation, examples(), seed=5)
    assert torch.equal(torch.get_rng_state(), drawn[0])
    assert random.getstate() == drawn[1]
    fine_tune(other, operation, examples(), seed=6)
    assert same(weights(first), weights(second))
    assert not same(weights(first), weights(other))


@EVERY
@pytest.mark.parametrize("stop_at", [0, 2])
def test_cancelling_stops_within_a_step_and_leaves_the_weights_as_they_were(
    operation: Lora | FullFineTune, stop_at: int
) -> None:
    lm = gpt2()
    before, steps, stopped_at = weights(lm), [], []

    def progress(done: int, total: int, what: str) -> None:
        if what == "Training" and done >= stop_at:
            stopped_at.append(done)
            raise Cancelled

    with pytest.raises(Cancelled):
        fine_tune(lm, operation, examples(), 0, None, progress, lambda step, loss, rate: steps.append(step))
    assert stopped_at == [stop_at]
    assert len(steps) == stop_at
    assert same(before, weights(lm))
    fine_tune(lm, operation, examples(), seed=0)  # and it is still good for another try
    fresh = gpt2()
    fine_tune(fresh, operation, examples(), seed=0)
    assert same(weights(fresh), weights(lm))


@pytest.mark.parametrize("operation", [LORA, FULL], ids=["lora", "full"])  # DoRA's columns are kept to a length
def test_training_that_gets_out_of_hand_is_an_error_and_changes_nothing(operation: Lora | FullFineTune) -> None:
    lm = gpt2()
    before = weights(lm)
    reckless = operation.model_copy(update={"learning_rate": 1e30, "steps": 8})
    with pytest.raises(EditViewError, match="out of hand"):
        fine_tune(lm, reckless, examples(), seed=0)
    assert same(before, weights(lm))


def test_weights_ruined_by_the_very_last_step_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    lm = gpt2()
    before = weights(lm)
    once = FULL.model_copy(update={"steps": 1, "learning_rate": 1.0, "weight_decay": 0.0})

    def ruin(step: int, loss: float, rate: float) -> None:
        with torch.no_grad():
            lm.model.transformer.h[0].mlp.c_fc.bias[0] = float("nan")

    with pytest.raises(EditViewError, match="out of hand"):
        fine_tune(lm, once, examples(), seed=0, on_log=ruin)
    assert same(before, weights(lm))


@EVERY
@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_out_of_memory_is_said_in_words_with_advice(operation: Lora | FullFineTune, error: Exception) -> None:
    lm = gpt2()
    before = weights(lm)

    def full_memory(step: int, loss: float, rate: float) -> None:
        raise error

    with pytest.raises(EditViewError, match="smaller batch size") as caught:
        fine_tune(lm, operation, examples(), seed=0, on_log=full_memory)
    assert caught.value.details == str(error)
    assert ("LoRA" in str(caught.value)) is isinstance(operation, FullFineTune)
    assert same(before, weights(lm))


def test_other_errors_pass_as_they_are() -> None:
    def broken(step: int, loss: float, rate: float) -> None:
        raise RuntimeError("something else")

    with pytest.raises(RuntimeError, match="something else"):
        fine_tune(gpt2(), FULL, examples(), seed=0, on_log=broken)


def test_no_examples_is_an_error() -> None:
    with pytest.raises(EditViewError, match="no examples"):
        fine_tune(gpt2(), FULL, [], seed=0)


def test_examples_whose_answers_are_all_cut_off_are_an_error() -> None:
    with pytest.raises(EditViewError, match="first 8 tokens"):
        fine_tune(gpt2(), FULL.model_copy(update={"max_length": 8}), [Example(" yes", prompt="A long question?")], 0)


def test_examples_longer_than_the_model_reads_are_cut() -> None:
    lm = gpt2()
    assert lm.model.config.n_positions == 64
    fine_tune(lm, FULL.model_copy(update={"max_length": 4096}), [Example("long " * 100)], seed=0)


def test_it_runs_in_a_thread() -> None:
    here, there = gpt2(), gpt2()
    thread = threading.Thread(target=fine_tune, args=(there, LORA, examples(), 0))
    thread.start()
    thread.join()
    fine_tune(here, LORA, examples(), seed=0)
    assert same(weights(here), weights(there))


def test_a_model_without_linear_layers_is_refused_for_lora(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("editview.tuning.lora.linear_layers", lambda model: {})
    with pytest.raises(EditViewError, match="no linear layer"):
        fine_tune(gpt2(), LORA, examples(), seed=0)


@EVERY
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_comes_back_as_half_precision_and_really_changed(
    operation: Lora | FullFineTune, dtype: torch.dtype
) -> None:
    lm = gpt2(dtype)
    before = weights(lm)
    fine_tune(lm, operation, examples(), seed=0)
    assert {parameter.dtype for parameter in lm.model.parameters()} == {dtype}
    assert changed(before, lm)
    before = weights(lm)
    with pytest.raises(Cancelled):
        fine_tune(lm, operation, examples(), seed=0, on_log=_cancel)
    assert {parameter.dtype for parameter in lm.model.parameters()} == {dtype}
    assert same(before, weights(lm))


def _cancel(step: int, loss: float, rate: float) -> None:
    raise Cancelled


@EVERY
def test_nothing_is_printed_and_no_folder_is_left_behind(
    operation: Lora | FullFineTune,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    recwarn: pytest.WarningsRecorder,
) -> None:
    monkeypatch.chdir(tmp_path)
    elsewhere = tmp_path / "temporary"
    elsewhere.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(elsewhere))
    monkeypatch.setattr(os, "mkdir", lambda path, *_: pytest.fail(f"{path} would stay after a kill"))
    fine_tune(gpt2(), operation, examples(), seed=0)
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")
    assert not list(elsewhere.iterdir())
    assert [path.name for path in tmp_path.iterdir()] == ["temporary"]
    assert [str(warning.message) for warning in recwarn] == []


@pytest.mark.parametrize("schedule", ["linear", "cosine", "constant"])
def test_schedule_and_warm_up_are_as_declared(schedule: str) -> None:
    rates: list[float] = []
    operation = FULL.model_copy(update={"schedule": schedule, "warmup": 0.5, "steps": 8})
    fine_tune(gpt2(), operation, examples(), seed=0, on_log=lambda step, loss, rate: rates.append(rate))
    assert rates[:5] == pytest.approx([0, 0.25e-3, 0.5e-3, 0.75e-3, 1e-3])
    assert rates[-1] == pytest.approx(1e-3) if schedule == "constant" else rates[-1] < 0.5e-3
