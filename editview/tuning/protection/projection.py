"""Projection: the edited matrices are trained only in directions that the keys of the edits don't use, ΔW·K = 0.

A key is what an edited matrix is given at the subject's last token. Projecting gradients alone wouldn't do: AdamW
scales every coordinate by itself and decays the weights, and both lead out of the space that the gradient was kept to.
So the gradient is projected, for the optimiser's moments, and after each step the update: W ← W − (W − W₀)UUᵀ, with U
an orthonormal basis of the keys. Of W₀ no more than W₀U is needed. Of an adapter, W₀ + BA, the factor that reads the
keys is kept to AU = 0, from its beginning on. Keys move when layers below are trained, and biases are left free: that
the matrix answers the old keys as before is no promise that the edits survive.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from editview.domain.errors import EditViewError
from editview.domain.facts import Fact
from editview.domain.operations import FineTune, Lora
from editview.domain.progress import Progress
from editview.lm.anatomy import sizes, writes_transposed
from editview.lm.model import LanguageModel, asking
from editview.tuning.protection.reading import at_places, in_batches, prompts_of


def refuse_where_it_cant_hold(operation: FineTune) -> None:
    """Raises EditViewError for DoRA: it gives each row of W₀ + BA a length of its own, whatever BA spares."""
    if operation.projection and isinstance(operation, Lora) and operation.dora:
        raise EditViewError(
            "DoRA can't spare the edits' directions: it stretches whole rows of the matrices, and with them what the "
            "edits wrote. Switch off DoRA, or the protection, in the fine-tune's card."
        )


def keys(lm: LanguageModel, facts: Sequence[Fact], layers: Sequence[int], progress: Progress) -> dict[int, Tensor]:
    """By layer what its edited matrix is given at each bare prompt's subject [facts, inputs], float64 on the CPU."""
    prompts, found = prompts_of(lm, facts), dict[int, list[Tensor]]()
    matrices = [lm.anatomy.mlp_output(lm.model, layer) for layer in layers]
    for batch in in_batches(prompts, progress):
        with asking(lm):
            seen = at_places(lm, [prompts[at] for at in batch], matrices, lambda inputs, _: inputs[0])
        found |= {at: [key[row, 0].double().cpu() for key in seen] for row, at in enumerate(batch)}
    return {
        layer: torch.stack([found[at][number] for at in range(len(prompts))]) for number, layer in enumerate(layers)
    }


def basis(keys: Tensor) -> Tensor:
    """An orthonormal basis [inputs, rank] of the space that keys [facts, inputs] span, float64.

    Keys count by their direction. Directions are left out whose singular value is below the largest times the larger
    side times float64's precision, as is usual for a numerical rank: those keys repeat others.
    """
    unit = keys / keys.norm(dim=1, keepdim=True).clamp(min=torch.finfo(keys.dtype).tiny)
    _, values, directions = torch.linalg.svd(unit, full_matrices=False)
    least = values[0] * max(keys.shape) * torch.finfo(keys.dtype).eps
    found: Tensor = directions[values > least]
    return found.T.contiguous()


@dataclass(frozen=True)
class _Spared:
    """A trained tensor that has to answer the directions U [inputs, rank] as before: with `wanted` [outputs, rank]."""

    weight: Tensor
    transposed: bool  # kept as [inputs, outputs]
    directions: Tensor
    wanted: Tensor

    @property
    def _matrix(self) -> Tensor:
        """[outputs, inputs]: a view."""
        weight: Tensor = self.weight.detach()
        return weight.T if self.transposed else weight

    def project_gradient(self) -> None:
        if self.weight.grad is not None:
            gradient = self.weight.grad.T if self.transposed else self.weight.grad
            gradient -= gradient @ self.directions @ self.directions.T

    def project(self) -> None:
        self._matrix.sub_((self._matrix @ self.directions - self.wanted) @ self.directions.T)


class Projection(TrainerCallback):
    """Keeps ΔW·K = 0 for the keys K of the facts on the model as it is when this is made."""

    def __init__(self, lm: LanguageModel, facts: Sequence[Fact], layers: Sequence[int], progress: Progress) -> None:
        self._lm = lm
        self._given: dict[int, tuple[Tensor, Tensor]] = {}  # by layer U and W₀U
        self._spared: list[_Spared] = []
        for layer, found in keys(lm, facts, layers, progress).items():
            directions, matrix = basis(found), lm.anatomy.mlp_output(lm.model, layer)
            inputs = sizes(matrix)[0]
            if directions.shape[1] >= inputs:
                raise EditViewError(
                    f"The edits use all {inputs:,} directions that layer {layer + 1} reads, so sparing them would "
                    "leave nothing to train there. Protect fewer edits, or choose another protection."
                )
            weight = matrix.weight.detach()
            before = (weight.T if writes_transposed(matrix) else weight).float()
            directions = directions.to(before.device, torch.float32)
            self._given[layer] = directions, before @ directions

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        for layer, (directions, wanted) in self._given.items():
            module: Any = self._lm.anatomy.mlp_output(self._lm.model, layer)
            for factor in getattr(module, "lora_A", {}).values():
                nothing = wanted.new_zeros(len(factor.weight), directions.shape[1])
                self._spared.append(_Spared(factor.weight, False, directions, nothing))
            if not hasattr(module, "lora_A") and module.weight.requires_grad:
                self._spared.append(_Spared(module.weight, writes_transposed(module), directions, wanted))
        self._project()

    def on_pre_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        for spared in self._spared:
            spared.project_gradient()

    def on_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._project()

    def _project(self) -> None:
        for spared in self._spared:
            spared.project()
