"""Full fine-tuning: the weights themselves are trained, all of them or those that were chosen."""

from __future__ import annotations

from collections.abc import Callable, Collection

import torch
from transformers import PreTrainedModel

from editview.tuning.weights import in_full_precision, whole_or_not_at_all


def tune_weights(model: PreTrainedModel, names: Collection[str], train: Callable[[], None]) -> None:
    """Trains the parameters with these names, tied ones as one, and nothing else. In place, whole or not at all.

    Weights in half precision are trained as float32 and rounded at the end: a step at a usual learning rate is
    smaller than bfloat16's spacing and would be lost.
    """
    weights = [weight for name, weight in model.named_parameters() if name in names and weight.is_floating_point()]
    with whole_or_not_at_all(weights):
        model.requires_grad_(False)
        for weight in weights:
            weight.requires_grad_(True)
        with in_full_precision(model, {torch.float16, torch.bfloat16}):
            train()
