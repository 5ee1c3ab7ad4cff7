"""Moves one live model between the stages of a plan by writing only the tensors that differ.

Stage 0 is kept once on the CPU; every other stage is a dict of the tensors that differ from it. Tied tensors count
once.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from editview.lm.changes import differing

Delta = Mapping[str, torch.Tensor]


class Weights:
    """The weights of a live model and of the checkpoint that it was opened from."""

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self.base: dict[str, torch.Tensor] = {name: _kept(tensor) for name, tensor in self._live().items()}
        self._differing: set[str] | None = set()  # names that may differ from the base; None: any may

    def _live(self) -> dict[str, torch.Tensor]:
        return {name: parameter.data for name, parameter in self._model.named_parameters()}

    def touched(self) -> None:
        """An operation is about to change the live weights: from now on any may differ."""
        self._differing = None

    @property
    def is_whole(self) -> bool:
        """Whether the model still has the tensors it was opened with; an interrupted operation may have left others."""
        live = self._live()
        return live.keys() == self.base.keys() and all(live[name].shape == self.base[name].shape for name in live)

    @torch.no_grad()
    def delta(self) -> dict[str, torch.Tensor]:
        """The tensors that differ from the checkpoint by any bit, copied to the CPU."""
        names = self.base.keys() if self._differing is None else self._differing
        live = self._live()
        found = differing(self.base, {name: tensor for name, tensor in live.items() if name in names})
        self._differing = set(found)
        return {name: _kept(live[name]) for name in found}

    @torch.no_grad()
    def move_to(self, delta: Delta) -> None:
        """Make the live model the stage with this delta."""
        live = self._live()
        stale = self.base.keys() if self._differing is None else self._differing
        for name in stale - delta.keys():
            live[name].copy_(self.base[name])
        for name, tensor in delta.items():
            live[name].copy_(tensor)
        self._differing = set(delta)


def _kept(tensor: torch.Tensor) -> torch.Tensor:
    """A contiguous copy on the CPU."""
    return tensor.detach().to("cpu", copy=True).contiguous()
