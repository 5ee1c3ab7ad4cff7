"""Moves one live model between the stages of a plan by writing only the tensors that differ.

Stage 0 is kept once on the CPU; every other stage is a dict of the tensors that differ from it. Tied tensors count
once. Of a model that is larger than its device only what was changed is kept, and the rest is where it was.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import torch
from torch import nn

from editview.lm.changes import differing
from editview.lm.offloading import Offloaded

Delta = Mapping[str, torch.Tensor]


class Weights:
    """The weights of a live model and of the checkpoint that it was opened from."""

    def __init__(self, model: nn.Module, offloaded: Offloaded | None = None) -> None:
        self._model, self._offloaded = model, offloaded
        self.base: Mapping[str, torch.Tensor] = (
            {name: _kept(tensor) for name, tensor in self._live().items()} if offloaded is None else offloaded.opened
        )
        self._differing: set[str] | None = set()  # names that may differ from the base; None: any may

    def _live(self) -> Mapping[str, torch.Tensor]:
        if self._offloaded is not None:
            return self._offloaded
        return {name: parameter.data for name, parameter in self._model.named_parameters()}

    def _may_differ(self) -> Collection[str]:
        if self._differing is not None:
            return self._differing
        return self.base.keys() if self._offloaded is None else self._offloaded.written

    def _write(self, live: Mapping[str, torch.Tensor], name: str, values: torch.Tensor) -> None:
        if self._offloaded is None:
            live[name].copy_(values)
        else:
            self._offloaded.write(name, values)

    def touched(self) -> None:
        """An operation is about to change the live weights: from now on any may differ."""
        self._differing = None

    @property
    def is_whole(self) -> bool:
        """Whether the model still has the tensors it was opened with; an interrupted operation may have left others."""
        if self._offloaded is not None:
            return True  # nothing trains it, and edits leave its tensors as they are
        live = self._live()
        return live.keys() == self.base.keys() and all(live[name].shape == self.base[name].shape for name in live)

    @torch.no_grad()
    def delta(self) -> dict[str, torch.Tensor]:
        """The tensors that differ from the checkpoint by any bit, copied to the CPU."""
        names = set(self._may_differ())
        live = self._live()
        found = differing(self.base, {name: live[name] for name in live if name in names})
        self._differing = set(found)
        return {name: _kept(live[name]) for name in found}

    @torch.no_grad()
    def move_to(self, delta: Delta) -> None:
        """Make the live model the stage with this delta."""
        live = self._live()
        for name in set(self._may_differ()) - delta.keys():
            self._write(live, name, self.base[name])
        for name, tensor in delta.items():
            self._write(live, name, tensor)
        self._differing = set(delta)


def _kept(tensor: torch.Tensor) -> torch.Tensor:
    """A contiguous copy on the CPU."""
    return tensor.detach().to("cpu", copy=True).contiguous()
