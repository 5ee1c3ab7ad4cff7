"""LoRA and DoRA: small matrices are added to a model's linear layers, trained alone, and merged into it."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, cast

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from editview.domain.errors import EditViewError
from editview.domain.operations import Lora
from editview.tuning.weights import in_full_precision, refuse_unless_finite, whole_or_not_at_all


def tune_adapter(model: PreTrainedModel, operation: Lora, train: Callable[[], None]) -> None:
    """Trains an adapter on every linear layer but the output head and merges it: W += alpha/rank · BA.

    In place, whole or not at all; afterwards the model is a stock one again, of the same modules and parameters.
    The adapter is trained in float32. LoRA: Hu et al. 2021, eq. 3. DoRA: Liu et al. 2024, eq. 5.
    """
    layers = linear_layers(model)
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
        with whole_or_not_at_all([layer.weight for layer in layers.values()]):
            adapted.merge_and_unload()
    except BaseException:
        adapted.unload()
        raise


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
        target_modules=list(layers),
        fan_in_fan_out=all(isinstance(layer, Conv1D) for layer in layers.values()),
    )
    with warnings.catch_warnings():
        # Between peft and transformers, nothing for the user; a model with both kinds of layers is sorted by peft.
        warnings.simplefilter("ignore")
        return get_peft_model(model, config)
