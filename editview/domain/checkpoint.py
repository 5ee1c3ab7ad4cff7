"""What a checkpoint is, told before it is used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from editview.domain.operations import Edit
from editview.domain.plan import Checkpoint, Plan
from editview.domain.weights import TensorInfo

Kind = TypeVar("Kind", bound=Edit)


@dataclass(frozen=True)
class CheckpointInfo:
    """Read from a checkpoint's headers alone, without loading its weights."""

    checkpoint: Checkpoint
    name: str
    architecture: str  # 'GPT-2', as a person says it
    parameters: int
    bytes: int
    dtype: str
    layers: int
    tensors: tuple[TensorInfo, ...]
    device: str  # where it would run, in words: 'CPU', 'NVIDIA RTX 4090'
    fits: bool  # as a whole
    not_editable: str | None  # the reason why it can't be edited; None: it can
    model_type: str = ""  # as config.json names the architecture: 'gpt2'
    width: int = 0  # of the hidden states
    layout: str = ""  # in words, where the layers go of a model that doesn't fit as a whole; empty: nowhere
    disk_serves: bool = False  # layers that fit nowhere else can wait in its files
    computes_in: str = ""  # the number format that its weights are loaded in
    presets: tuple[Edit, ...] = ()  # settings that are known to work for it, a method each

    def starting(self, method: type[Kind]) -> Kind | None:
        """A method's settings for this checkpoint; None when nobody has found any."""
        return next((preset for preset in self.presets if isinstance(preset, method)), None)

    @property
    def sentence(self) -> str:
        size = (
            f"{self.parameters / 1e9:.1f} billion" if self.parameters >= 1e9 else f"{self.parameters / 1e6:.1f} million"
        )
        fits = f"fits on the {self.device}" if self.fits else f"doesn't fit on the {self.device}"
        fits = self.layout.rstrip(".") or fits
        editable = f"can't be edited: {self.not_editable}" if self.not_editable else "can be edited"
        return (
            f"{self.name}: {self.architecture} with {size} parameters in {self.layers} layers "
            f"({self.dtype}, {self.bytes / 1e6:,.1f} MB); {fits}; {editable}."
        )


def fitted(plan: Plan, info: CheckpointInfo, before: CheckpointInfo | None) -> tuple[Plan, str]:
    """The plan on another checkpoint, and what is to be said about its edits; empty: they stay as they are.

    One model's settings are never used for another: an edit takes those that are known for the new one, or none. Which
    facts it writes, and how strongly, stays.
    """
    moved = plan.model_copy(update={"checkpoint": info.checkpoint})
    edits = [operation for operation in plan.operations if isinstance(operation, Edit)]
    built = (info.model_type, info.layers, info.width)
    if before is None:
        same = info.checkpoint.source == plan.checkpoint.source
    else:
        same = (before.model_type, before.layers, before.width) == built
    if not edits or same:
        return moved, ""
    lacking = []
    for edit in edits:
        preset = info.starting(type(edit))
        if preset is None:
            lacking.append(edit.label)
        kept = {name: getattr(edit, name) for name in ("id", "enabled", "only", "failing", "strength")}
        moved = moved.replaced((preset or type(edit)()).model_copy(update=kept))
    if lacking:
        return moved, (
            f"No settings of {' and '.join(dict.fromkeys(lacking))} are known for *{info.name}*: choose the layers to "
            "edit in the card. 'Find layers' there traces where this model looks its facts up."
        )
    return moved, f"The edits have the settings now that are known to work for *{info.name}*."


@dataclass(frozen=True, slots=True)
class Device:
    """Somewhere a model can run. `id` is torch's name for it."""

    id: str  # 'cpu', 'cuda:0', 'mps'
    name: str
    memory_total: int  # bytes
