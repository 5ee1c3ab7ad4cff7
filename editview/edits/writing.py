"""Changing weights whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor

from editview.domain.errors import EditViewError
from editview.edits.statistics import Known
from editview.lm.anatomy import writes_transposed
from editview.lm.model import LanguageModel
from editview.lm.rounding import rounded_away


def not_finite(details: str) -> EditViewError:
    """What is said of an edit that went astray."""
    return EditViewError(
        "The edit produced numbers that aren't finite, so the model was left as it was. "
        "Lower the learning rate, or edit fewer facts at once.",
        details,
    )


@dataclass(frozen=True)
class Outcome:
    """What an operation leaves behind beside the weights."""

    rounded_away: dict[int, float]  # by layer: ‖part of ΔW lost to the weights' number format‖ / ‖ΔW‖
    memory: dict[str, Tensor] = field(default_factory=dict)  # for later edits; names begin with the method's id
    known: Known = field(default_factory=lambda: Known({}))  # the statistics it rests on
    notes: tuple[str, ...] = ()  # what else is worth saying
    trained: tuple[str, ...] = ()  # tensors that training was allowed to change
    nothing_to_write: bool = False  # the notes say why


@dataclass
class Rewriting:
    """The feed-forward output matrices of some layers while they are edited. Changes add up."""

    lm: LanguageModel
    untouched: dict[int, Tensor]  # the weights before, in the model's own number format
    changes: dict[int, Tensor] = field(default_factory=dict)  # ΔW so far, float64, in the weight's own orientation

    def add(self, layer: int, change: Tensor) -> None:
        """Add `change` [outputs, inputs] to a layer's matrix. Raises EditViewError when it isn't finite."""
        module = self.lm.anatomy.mlp_output(self.lm.model, layer)
        own = change.T if writes_transposed(module) else change
        whole = self.changes[layer] + own if layer in self.changes else own
        weight = module.weight
        with torch.no_grad():
            weight.copy_(self.untouched[layer].double() + whole.to(weight.device))
        if not bool(torch.isfinite(weight).all()):
            raise not_finite(f"ΔW of layer {layer} isn't finite")
        self.changes[layer] = whole

    def rounded_away(self) -> dict[int, float]:
        """By layer, the share of ΔW that the weights' number format didn't take."""
        shares = {}
        for layer, change in self.changes.items():
            before = self.untouched[layer]
            shares[layer] = rounded_away(before, before.double() + change.to(before.device), before.dtype)
        return shares


@contextmanager
def rewriting(lm: LanguageModel, layers: Sequence[int]) -> Iterator[Rewriting]:
    """Change the matrices of `layers` inside; after Cancelled or any error they are bit for bit what they were."""
    with lm.at_hand([f"{lm.anatomy.mlp_outputs[layer]}.weight" for layer in layers]):
        weights = {layer: lm.anatomy.mlp_output(lm.model, layer).weight for layer in layers}
        untouched = {layer: weight.detach().clone() for layer, weight in weights.items()}
        try:
            yield Rewriting(lm, untouched)
        except BaseException:
            with torch.no_grad():
                for layer, weight in weights.items():
                    weight.copy_(untouched[layer])
            raise
