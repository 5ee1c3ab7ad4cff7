"""The one model that is open, and the stage it stands at. Kept between runs, so that nothing is opened twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from editview.domain.checkpoint import Device
from editview.domain.plan import Checkpoint
from editview.domain.progress import Progress
from editview.domain.weights import TensorChange
from editview.lm.changes import tensor_changes
from editview.lm.model import LanguageModel
from editview.lm.opening import open_model
from editview.runs.fingerprints import Fingerprints, Identity, identity
from editview.runs.keys import same_checkpoint, stage_keys
from editview.runs.operations import Prepared, carry_out
from editview.runs.store import StageLost, StageStore
from editview.runs.weights import Weights
from editview.tuning.watch import Watch

Delta = dict[str, torch.Tensor]


@dataclass
class _Open:
    name: tuple[Identity, Device]
    lm: LanguageModel
    weights: Weights
    root: str  # the key of the checkpoint itself
    key: str | None  # of the stage that the live model stands at; None: an operation was cut off in it
    delta: Delta


class Workbench:
    """Opens a checkpoint, moves the live model between stages and carries operations out on it."""

    def __init__(self, store: StageStore, fingerprints: Fingerprints) -> None:
        self._store, self._fingerprints = store, fingerprints
        self._open: _Open | None = None
        self._held: dict[str, Delta] = {}  # stages of this run that the store couldn't keep

    def open(self, checkpoint: Checkpoint, device: Device, progress: Progress) -> LanguageModel:
        """The model of this checkpoint on this device, at whatever stage it stands."""
        name = identity(checkpoint, device)
        if self._open is not None and self._open.name == (name, device):
            return self._open.lm
        self.close()
        lm = open_model(checkpoint, device, progress)
        name = name or identity(checkpoint, device)  # opening may have downloaded it
        assert name is not None
        self._fingerprints.remember(name, lm.fingerprint)
        root = stage_keys(lm.fingerprint, device.id, 0, ())[0]
        self._open = _Open((name, device), lm, Weights(lm.model), root, root, {})
        return lm

    def close(self) -> None:
        """Give the memory back."""
        self._open = None
        self._held.clear()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    @property
    def parameters(self) -> int:
        """How many weights the open model has."""
        return sum(tensor.numel() for tensor in self._at_hand.weights.base.values())

    @property
    def delta(self) -> Delta:
        """What differs from the checkpoint at the stage at hand."""
        return self._at_hand.delta

    def hold(self, key: str) -> None:
        """Keep the stage at hand in memory, since the store couldn't."""
        self._held[key] = self._at_hand.delta

    def forget_held(self) -> None:
        self._held.clear()

    def move_to(self, key: str) -> LanguageModel:
        """Make the open model the stage with this key. Raises `StageLost`."""
        at_hand = self._at_hand
        if not same_checkpoint(key, at_hand.root):
            raise StageLost(f"{key} is a stage of another checkpoint than {at_hand.root}")
        if key != at_hand.key:
            if key == at_hand.root:
                delta: Delta = {}
            else:
                delta = self._held[key] if key in self._held else self._store.weights(key)
            at_hand.key = None
            at_hand.weights.move_to(delta)
            at_hand.key, at_hand.delta = key, delta
        return at_hand.lm

    def carry_out(
        self,
        prepared: Prepared,
        key: str,
        seed: int,
        watch: Watch | None,
        progress: Progress,
        on_log: Callable[[int, float, float], None],
    ) -> tuple[TensorChange, ...]:
        """Carry an operation out on the stage at hand, which becomes the stage `key`; what it changed.

        After an error the model is put back, or dropped when it can't be, so that the next run finds it sound.
        """
        at_hand = self._at_hand
        before, weights = at_hand.delta, at_hand.weights
        weights.touched()
        try:
            carry_out(at_hand.lm, prepared, seed, watch, progress, on_log)
            delta = weights.delta()
            found = _changes(at_hand, before, delta)
        except BaseException:
            if weights.is_whole:
                weights.touched()
                weights.move_to(before)
            else:
                self.close()
            raise
        at_hand.key, at_hand.delta = key, delta
        return found

    @property
    def _at_hand(self) -> _Open:
        assert self._open is not None, "open a model first"
        return self._open


def _changes(at_hand: _Open, before: Delta, after: Delta) -> tuple[TensorChange, ...]:
    """What an operation changed. Raises EditViewError when it changed nothing, or left NaN."""
    base = at_hand.weights.base
    names = [name for name in base if name in before or name in after]
    return tensor_changes(
        {name: before.get(name, base[name]) for name in names},
        {name: after.get(name, base[name]) for name in names},
        at_hand.lm.anatomy,
    )
