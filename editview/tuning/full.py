"""Full fine-tuning: every weight is trained."""

from __future__ import annotations

from collections.abc import Callable

import torch
from transformers import PreTrainedModel

from editview.tuning.weights import in_full_precision, whole_or_not_at_all


def tune_everything(model: PreTrainedModel, train: Callable[[], None]) -> None:
    """Trains every weight, tied ones as one. In place, whole or not at all.

    Weights in half precision are trained as float32 and rounded at the end: a step at a usual learning rate is
    smaller than bfloat16's spacing and would be lost.
    """
    weights = [weight for weight in model.parameters() if weight.is_floating_point()]
    with whole_or_not_at_all(weights):
        for weight in weights:
            weight.requires_grad_(True)
        with in_full_precision(model, {torch.float16, torch.bfloat16}):
            train()
