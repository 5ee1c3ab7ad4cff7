"""LoRA and DoRA: small matrices are added to a model's linear layers, trained alone, and merged into it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any, cast

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import Tensor
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from editview.domain.errors import EditViewError
from editview.domain.operations import Lora
from editview.tuning.weights import in_full_precision, refuse_unless_finite, whole_or_not_at_all

TOLERANCE = {torch.float32: 1e-3, torch.bfloat16: 0.1, torch.float16: 0.02}
"""How far logits may move, relative to their spread, when an adapter is merged: rounding, by the weights' format.

Ten times and more of what was measured: up to 1e-6, 1e-2 and 1.2e-3 on models of 2 to 64 layers.
"""


def tune_adapter(
    model: PreTrainedModel,
    operation: Lora,
    names: Collection[str],
    train: Callable[[], None],
    answers: Callable[[], Tensor],
) -> float:
    """Trains an adapter on the weights with these names and merges it: W += s · BA; returns how far answers moved.

    In place, whole or not at all; afterwards the model is a stock one again, of the same modules and parameters.
    The adapter is trained in float32. LoRA: Hu et al. 2021, eq. 3, s = alpha/rank. rsLoRA: Kalajdzievski 2023,
    arXiv 2312.03732, s = alpha/√rank. DoRA: Liu et al. 2024, eq. 5. `answers` gives logits [tokens, vocabulary] of the
    model as it is. Raises EditViewError where the merged model answers otherwise than the adapter did.
    """
    layers = {name: layer for name, layer in linear_layers(model).items() if f"{name}.weight" in names}
    if not layers:
        raise EditViewError(
            "LoRA finds no linear layer in this model to add its matrices to. Use full fine-tuning instead.",
            f"{type(model).__name__} has no nn.Linear or Conv1D besides its output head",
        )
    adapted = _attached(model, operation, layers)
    try:
        with in_full_precision(model, {torch.float16}):  # its range is too short to train in
            train()
        refuse_unless_finite(model.parameters())
        before = answers()
        with whole_or_not_at_all([layer.weight for layer in layers.values()]):
            adapted.merge_and_unload()
            moved, most = _moved(before, answers()), TOLERANCE[model.dtype]
            if not moved <= most:
                raise EditViewError(
                    "The adapter was trained, but merged into the model it answers otherwise than before: the scores "
                    f"of its words moved by {100 * moved:.1f} % of their spread, and up to {100 * most:g} % are "
                    "rounding. The model is as it was before. Load the checkpoint as float32, or choose a lower "
                    "learning rate.",
                    f"weights in {model.dtype}",
                )
            return moved
    except BaseException:
        adapted.unload()
        raise


def _moved(before: Tensor, after: Tensor) -> float:
    """‖after - before‖ relative to the spread of `before` around each token's mean."""
    spread = (before - before.mean(dim=-1, keepdim=True)).norm()
    return float((after - before).norm() / spread)


def linear_layers(model: PreTrainedModel) -> dict[str, Any]:
    """Names and modules of all linear layers except the output head, in the model's order."""
    head = cast(Any, model).get_output_embeddings()
    return {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear | Conv1D) and module is not head
    }


def _attached(model: PreTrainedModel, operation: Lora, layers: dict[str, Any]) -> PeftModel:
    config = LoraConfig(
        r=operation.rank,
        lora_alpha=cast(int, operation.alpha),  # peft takes any number
        lora_dropout=operation.dropout,
        use_dora=operation.dora,
        use_rslora=operation.rank_stabilized,
        target_modules=list(layers),
        fan_in_fan_out=all(isinstance(layer, Conv1D) for layer in layers.values()),
    )
    with warnings.catch_warnings(), _of_no_known_type(model.config):
        # Between peft and transformers, nothing for the user; a model with both kinds of layers is sorted by peft.
        warnings.simplefilter("ignore")
        return get_peft_model(model, config)


@contextmanager
def _of_no_known_type(config: Any) -> Iterator[None]:
    """Inside, peft takes names of modules as they are. It knows architectures whose experts were named otherwise once,
    and would read a dense layer of theirs as the experts and add matrices to those."""
    kind, config.model_type = config.model_type, ""
    try:
        yield
    finally:
        config.model_type = kind
