"""The one model that is open, and the stage it stands at. Kept between runs, so that nothing is opened twice."""

from __future__ import annotations

import gc
import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from editview.domain.checkpoint import Device
from editview.domain.errors import EditViewError
from editview.domain.memory import Fit
from editview.domain.plan import Checkpoint
from editview.domain.progress import Progress
from editview.domain.weights import TensorChange
from editview.edits.statistics import Known
from editview.lm.changes import differing, tensor_changes
from editview.lm.model import LanguageModel
from editview.lm.opening import open_model
from editview.runs.fingerprints import Fingerprints, Identity, identity
from editview.runs.keys import same_checkpoint, stage_keys
from editview.runs.machine import memory_beside
from editview.runs.operations import Worked, carry_out
from editview.runs.store import StageLost, StageStore
from editview.runs.weights import Weights
from editview.tuning.resuming import Snapshots
from editview.tuning.watch import Watch

Delta = dict[str, torch.Tensor]
"""A stage: the tensors that differ from the checkpoint, and, named `_MEMORY…`, what its edits left for later ones."""

_MEMORY = "memory."
NOTICEABLE = 0.05  # share of an edit that rounding may swallow without a word


@dataclass(frozen=True)
class Done:
    """What an operation did: what it changed, and what is worth saying of it."""

    changes: tuple[TensorChange, ...]
    notes: tuple[str, ...] = ()
    known: Known = field(default_factory=lambda: Known({}))  # the statistics that an edit rests on
    trained: tuple[str, ...] = ()  # the tensors that a fine-tune was to change


@dataclass
class _Open:
    name: tuple[Identity, Device]
    lm: LanguageModel
    weights: Weights
    root: str  # the key of the checkpoint itself
    working: int  # bytes of the device's memory that were left free to work in
    key: str | None  # of the stage that the live model stands at; None: it is none that has a key
    delta: Delta


class Workbench:
    """Opens a checkpoint, moves the live model between stages and carries operations out on it."""

    def __init__(self, store: StageStore, fingerprints: Fingerprints) -> None:
        self._store, self._fingerprints = store, fingerprints
        self._open: _Open | None = None
        self._held: dict[str, Delta] = {}  # stages of this run that the store couldn't keep
        self._read: dict[str, Delta] = {}  # the two stages read last

    def open(
        self, checkpoint: Checkpoint, device: Device, progress: Progress, working: int | None = None
    ) -> LanguageModel:
        """The model of this checkpoint on this device, at whatever stage it stands.

        The device's memory has room for `working` bytes beside it; None: whatever it has room for. 0 asks for the whole
        model on the device, if that can be.
        """
        name = identity(checkpoint, device)
        now = self._open
        if now is not None and now.name == (name, device) and _serves(now, working):
            return now.lm
        self.close()
        lm = open_model(checkpoint, device, progress, working)
        name = name or identity(checkpoint, device)  # opening may have downloaded it
        assert name is not None
        self._fingerprints.remember(name, lm.fingerprint)
        root = stage_keys(lm.fingerprint, device.id, 0, ())[0]
        self._open = _Open((name, device), lm, Weights(lm.model, lm.offloaded), root, working or 0, root, {})
        return lm

    def close(self) -> None:
        """Give the memory back."""
        self._open = None
        self._held.clear()
        self._read.clear()
        gc.collect()  # accelerate's hooks and the modules they sit on hold each other
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    @property
    def parameters(self) -> int:
        """How many weights the open model has."""
        return sum(math.prod(tensor.shape) for tensor in self._at_hand.lm.anatomy.tensors)

    @property
    def delta(self) -> Delta:
        """What differs from the checkpoint at the stage at hand."""
        return self._at_hand.delta

    def hold(self, key: str) -> None:
        """Keep the stage at hand in memory, since the store couldn't."""
        self._held[key] = self._at_hand.delta

    def forget_held(self) -> None:
        """Before a run: what was read may have been thrown away since."""
        self._held.clear()
        self._read.clear()

    def move_to(self, key: str) -> LanguageModel:
        """Make the open model the stage with this key. Raises `StageLost`."""
        at_hand = self._at_hand
        if not same_checkpoint(key, at_hand.root):
            raise StageLost(f"{key} is a stage of another checkpoint than {at_hand.root}")
        if key != at_hand.key:
            self._place(key, self._delta(key))
        return at_hand.lm

    def carry_out(
        self,
        prepared: Worked,
        key: str,
        seed: int,
        watch: Watch | None,
        progress: Progress,
        on_log: Callable[[int, float, float], None],
        fit: Fit | None = None,
        snapshots: Snapshots | None = None,
    ) -> Done:
        """Carry an operation out on the stage at hand, which becomes the stage `key`.

        After an error the model is put back, or dropped when it can't be, so that the next run finds it sound.
        Raises EditViewError when the weights stayed as they were, or aren't numbers any more.
        """
        at_hand = self._at_hand
        before, weights = at_hand.delta, at_hand.weights
        weights.touched()
        try:
            known = _memory_of(before)
            outcome = carry_out(at_hand.lm, prepared, seed, known, watch, progress, on_log, fit, snapshots)
            delta = weights.delta() | _memory(before) | _named(outcome.memory)
            changes = _changes(at_hand, before, delta)
            if not changes and not outcome.nothing_to_write:
                raise EditViewError(
                    "The operation ran to its end but left every weight as it was, so there is nothing to show. Check "
                    "its learning rate and its facts or data."
                )
        except BaseException:
            if weights.is_whole:
                weights.touched()
                weights.move_to(_weights(before))
            else:
                self.close()
            raise
        self._read.pop(key, None)
        at_hand.key, at_hand.delta = key, delta
        notes = (*outcome.notes, *outcome.known.notes, *rounding_notes(outcome.rounded_away, at_hand.lm.dtype))
        return Done(changes, notes, outcome.known, outcome.trained)

    def stay(self, key: str) -> Done:
        """The stage at hand is the stage `key` too: there was nothing to do."""
        self._at_hand.key = key
        return Done(())

    def shift(self, key: str, start: str, end: str, factor: float) -> Done:
        """Add `factor` times what lies between two stages to the stage at hand, which becomes the stage `key`.

        Raises `StageLost` when one of them isn't kept any more.
        """
        before = self._at_hand.delta
        delta = self._shifted(start, end, factor)
        changes = _changes(self._at_hand, before, delta)
        self._place(key, delta)
        return Done(changes)

    def try_on(self, start: str, end: str, factor: float) -> LanguageModel:
        """The model that lies `factor` of the way between two stages; it is no stage. Raises `StageLost`."""
        lm = self.move_to(start)
        self._place(None, self._shifted(start, end, factor))
        return lm

    def difference(self, name: str, start: str, end: str) -> Tensor:
        """What lies between two stages in one tensor, float64 on the CPU. Raises `StageLost`."""
        base = self._at_hand.weights.base[name]
        first, last = self._delta(start).get(name, base), self._delta(end).get(name, base)
        return last.double() - first.double()

    def _shifted(self, start: str, end: str, factor: float) -> Delta:
        at_hand = self._at_hand
        before, base = at_hand.delta, at_hand.weights.base
        first, last = self._delta(start), self._delta(end)
        new = {
            name: shifted(before.get(name, base[name]), first.get(name, base[name]), last.get(name, base[name]), factor)
            for name in (first.keys() | last.keys()) & base.keys()
        }
        stayed = new.keys() - differing({name: base[name] for name in new}, new)
        delta = {name: tensor for name, tensor in (before | new).items() if name not in stayed}
        for name in _memory(last):
            delta[name] = last[name] if factor >= 0 else _without(before[name], first.get(name), last[name])
        return delta

    def _place(self, key: str | None, delta: Delta) -> None:
        at_hand = self._at_hand
        at_hand.key = None
        at_hand.weights.move_to(_weights(delta))
        at_hand.key, at_hand.delta = key, delta

    def _delta(self, key: str) -> Delta:
        if key == self._at_hand.root:
            return {}
        if key == self._at_hand.key:
            return self._at_hand.delta
        if key in self._held:
            return self._held[key]
        if key not in self._read:
            self._read = {**dict(list(self._read.items())[-1:]), key: self._store.weights(key)}
        return self._read[key]

    @property
    def _at_hand(self) -> _Open:
        assert self._open is not None, "open a model first"
        return self._open


def _serves(now: _Open, working: int | None) -> bool:
    """Whether the open model leaves enough memory to work in, or needn't."""
    if working is None or working == now.working:
        return True
    could_be_whole = working == 0 and now.lm.offloaded is not None
    return not could_be_whole and working <= max(now.working, memory_beside(now.name[1]))


def _changes(at_hand: _Open, before: Delta, after: Delta) -> tuple[TensorChange, ...]:
    """What an operation changed. Raises EditViewError when it left NaN."""
    base = at_hand.weights.base
    names = [name for name in base if name in before or name in after]
    return tensor_changes(
        {name: before.get(name, base[name]) for name in names},
        {name: after.get(name, base[name]) for name in names},
        at_hand.lm.anatomy,
    )


def shifted(now: Tensor, start: Tensor, end: Tensor, factor: float) -> Tensor:
    """now + factor · (end - start), computed in float64; where `now` is still `end`, taking it all back is exact."""
    moved = (now.double() + factor * (end.double() - start.double())).to(now.dtype)
    return torch.where(now == end, start, moved) if factor == -1 else moved


def rounding_notes(rounded_away: Mapping[int, float], dtype: torch.dtype) -> tuple[str, ...]:
    """A warning where the weights' number format swallowed a good part of an edit."""
    worst = max(rounded_away.values(), default=0.0)
    if worst < NOTICEABLE:
        return ()
    return (
        f"{100 * worst:.0f} % of the edit were lost to rounding: the weights are kept in {str(dtype)[6:]}, too coarse "
        "for so small a change. Load the checkpoint as float32 to write it whole.",
    )


def _weights(delta: Delta) -> Delta:
    return {name: tensor for name, tensor in delta.items() if not name.startswith(_MEMORY)}


def _memory(delta: Delta) -> Delta:
    return {name: tensor for name, tensor in delta.items() if name.startswith(_MEMORY)}


def _memory_of(delta: Delta) -> dict[str, Tensor]:
    """By the names that the methods gave."""
    return {name.removeprefix(_MEMORY): tensor for name, tensor in _memory(delta).items()}


def _named(memory: Mapping[str, Tensor]) -> Delta:
    return {f"{_MEMORY}{name}": tensor for name, tensor in memory.items()}


def _without(rows: Tensor, before: Tensor | None, after: Tensor) -> Tensor:
    """The rows but for those that were added between `before` and `after`."""
    added = Counter(row.numpy().tobytes() for row in after[0 if before is None else len(before) :])
    kept = []
    for at in reversed(range(len(rows))):  # equal rows: those that came last go
        row = rows[at].numpy().tobytes()
        if added[row]:
            added[row] -= 1
        else:
            kept.append(at)
    return rows[kept[::-1]]
