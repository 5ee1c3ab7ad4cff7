"""What was measured of fine-tunes on this machine, and what a fine-tune needs by it, or by the formula."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from editview.domain import places
from editview.domain.checkpoint import CheckpointInfo, Device
from editview.domain.errors import EditViewError
from editview.domain.files import write_atomically
from editview.domain.memory import Fit, Layout, fitted
from editview.domain.plan import Checkpoint
from editview.runs.fingerprints import identity
from editview.runs.memory import training_memory
from editview.runs.operations import PreparedFineTune, digest

TWICE = 4 / 3
"""The time of a step that computes its activations twice: a forward pass is about a third of it."""

_REMEMBERED = 200
_MARGIN = 1.1  # the peak of other batches may lie a little above that of the longest examples
_FREE = {"steps", "learning_rate", "schedule", "warmup", "weight_decay", "alpha", "validation", "patience", "until"}
"""Settings that change neither a step's time nor its memory."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A step of a fine-tune on one device, in the layout that it was measured in."""

    seconds: float
    activations: int  # bytes at the peak of a step of the longest examples
    part: int
    checkpointing: bool

    def seconds_in(self, layout: Layout) -> float:
        """Of a step in another layout, roughly."""
        return self.seconds * TWICE ** (layout.checkpointing - self.checkpointing)


class Measurements:
    """A small file. Losing it, or a full disk, costs a forecast and nothing else."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or places.measured()

    def of(self, checkpoint: Checkpoint, device: Device, prepared: PreparedFineTune) -> Measured | None:
        with suppress(LookupError, TypeError):
            return Measured(**self._known()[_name(checkpoint, device, prepared)])
        return None

    def remember(self, checkpoint: Checkpoint, device: Device, prepared: PreparedFineTune, found: Measured) -> None:
        known, name = self._known(), _name(checkpoint, device, prepared)
        known.pop(name, None)
        known[name] = asdict(found)
        with suppress(EditViewError):
            write_atomically(self._path, json.dumps(dict(list(known.items())[-_REMEMBERED:])).encode())

    def _known(self) -> dict[str, Any]:
        try:
            found = json.loads(self._path.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}


def _name(checkpoint: Checkpoint, device: Device, prepared: PreparedFineTune) -> str:
    """Names checkpoint, device, data and every setting that counts."""
    content = {name: value for name, value in prepared.content.items() if name not in _FREE}
    return digest([identity(checkpoint, device), device.id, device.name, content])


def fit_of(
    prepared: PreparedFineTune, info: CheckpointInfo, device: Device, measured: Measured | None, available: int
) -> Fit:
    """The quickest layout of a fine-tune that the available memory (bytes) allows, with what it needs.

    What was measured in one layout is scaled to others as the formula has it.
    """

    def fit(layout: Layout) -> Fit:
        memory = training_memory(prepared, info, device, layout)
        if measured is None:
            return Fit(layout, memory)
        there = training_memory(prepared, info, device, Layout(measured.part, measured.checkpointing))
        scaled = _MARGIN * measured.activations * memory.activations / there.activations
        return Fit(layout, replace(memory, activations=int(scaled)), measured=True)

    return fitted(prepared.operation.batch_size, fit, available)
