"""A batch in parts, or layer by layer, trains what the batch in one piece trains."""

from __future__ import annotations

import pytest
import torch

from editview.domain.examples import Example
from editview.domain.memory import Fit, Layout, Memory
from editview.domain.operations import FullFineTune, Lora
from editview.lm.model import LanguageModel
from editview.tuning import training
from editview.tuning.fine_tune import fine_tune
from tests.tuning.models import gpt2, llama, same, weights

UNEVEN = [Example(f"Ticket {i}: the printer " + "is jammed " * (i % 4)) for i in range(20)]
FULL = FullFineTune(steps=4, learning_rate=1e-3, batch_size=16, validation=0)
LORA = Lora(rank=4, dropout=0, steps=4, learning_rate=1e-2, batch_size=16, validation=0)
BOTH = pytest.mark.parametrize("operation", [FULL, LORA], ids=["full", "lora"])


def trained(lm: LanguageModel, operation: FullFineTune | Lora, layout: Layout) -> tuple[LanguageModel, list[float]]:
    losses: list[float] = []
    fit = Fit(layout, Memory(0))
    fine_tune(lm, operation, UNEVEN, seed=2, on_log=lambda step, loss, rate: losses.append(loss), fit=fit)
    return lm, losses


@BOTH
@pytest.mark.parametrize("part", [4, 5, 1], ids=["even", "a smaller rest", "one by one"])
def test_parts_add_up_to_the_batch(operation: FullFineTune | Lora, part: int) -> None:
    """Rows of different lengths: each token counts alike, whatever part it is in. An epoch's last batch is short."""
    whole, losses = trained(llama(), operation, Layout(16))
    parts, other_losses = trained(llama(), operation, Layout(part))
    assert other_losses == pytest.approx(losses, rel=1e-5)
    start, there = weights(llama()), weights(whole)
    moved = max(float((there[name] - start[name]).abs().max()) for name in start)
    for name, weight in weights(parts).items():
        assert torch.allclose(weight, there[name], atol=1e-2 * moved), name


def test_parts_that_were_averaged_alike_would_show(monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard of the test above: the mean of the parts' means is another loss where their lengths differ."""
    _, losses = trained(llama(), FULL, Layout(16))
    monkeypatch.setattr(training._Trainer, "_get_num_items_in_batch", lambda self, batches, device: torch.tensor(300))
    _, other_losses = trained(llama(), FULL, Layout(4))
    assert other_losses != pytest.approx(losses, rel=1e-3)


@BOTH
@pytest.mark.parametrize("make", [gpt2, llama])
def test_layer_by_layer_is_the_same_bit_by_bit(operation: FullFineTune | Lora, make) -> None:
    """Dropout included: it is drawn again as it was drawn first."""
    operation = operation.model_copy(update={"dropout": 0.2} if isinstance(operation, Lora) else {})
    kept, losses = trained(make(), operation, Layout(16))
    again, other_losses = trained(make(), operation, Layout(16, checkpointing=True))
    assert losses == other_losses
    assert same(weights(kept), weights(again))


def test_layer_by_layer_really_keeps_less_and_leaves_the_model_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[int] = []

    def count(tensor: torch.Tensor) -> torch.Tensor:
        kept[-1] += tensor.numel()
        return tensor

    step = training._Trainer.training_step

    def counted(self, *arguments):  # type: ignore[no-untyped-def]
        kept.append(0)
        with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
            return step(self, *arguments)

    monkeypatch.setattr(training._Trainer, "training_step", counted)
    once = FULL.model_copy(update={"steps": 1})
    trained(gpt2(), once, Layout(16))
    lm, _ = trained(gpt2(), once, Layout(16, checkpointing=True))
    assert kept[1] < 0.8 * kept[0]  # counted twice over: the recomputed layers count as well
    assert not any(getattr(module, "gradient_checkpointing", False) for module in lm.model.modules())
    assert lm.model.config.use_cache
    assert not lm.model.get_input_embeddings()._forward_hooks


def test_bfloat16_is_for_cards_that_have_it() -> None:
    assert not training.computes_in_bfloat16("cpu")
    assert not training.computes_in_bfloat16("mps")


def test_in_bfloat16_weights_and_moments_stay_float32_and_nobody_else_is_answered_in_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As on a card that has it, here on the processor."""
    monkeypatch.setattr(training, "computes_in_bfloat16", lambda device: True)
    formats: set[tuple[bool, torch.dtype]] = set()
    lm = gpt2()
    lm.model.transformer.h[0].mlp.c_fc.register_forward_hook(
        lambda module, inputs, output: formats.add((torch.is_grad_enabled(), output.dtype))
    )

    def look(step: int, loss: float, rate: float) -> None:
        with torch.no_grad():
            lm.model(torch.tensor([[1, 2, 3]]))

    fine_tune(lm, FULL, UNEVEN, seed=2, on_log=look)
    assert formats == {(True, torch.bfloat16), (False, torch.float32)}
    exact, _ = trained(gpt2(), FULL, Layout(16))
    start, rounded = weights(gpt2()), weights(lm)
    for name, weight in weights(exact).items():
        assert rounded[name].dtype is torch.float32
        if not weight.equal(start[name]) and weight.dim() == 2:
            moved, other = (weight - start[name]).flatten(), (rounded[name] - start[name]).flatten()
            assert torch.cosine_similarity(moved, other, dim=0) > 0.7, name
