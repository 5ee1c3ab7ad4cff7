"""What a checkpoint is, told before it is used."""

from __future__ import annotations

from dataclasses import dataclass

from editview.domain.plan import Checkpoint
from editview.domain.weights import TensorInfo


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
    fits: bool
    not_editable: str | None  # the reason why it can't be edited; None: it can
    model_type: str = ""  # as config.json names the architecture: 'gpt2'
    width: int = 0  # of the hidden states

    @property
    def sentence(self) -> str:
        size = (
            f"{self.parameters / 1e9:.1f} billion" if self.parameters >= 1e9 else f"{self.parameters / 1e6:.1f} million"
        )
        fits = f"fits on the {self.device}" if self.fits else f"doesn't fit on the {self.device}"
        editable = f"can't be edited: {self.not_editable}" if self.not_editable else "can be edited"
        return (
            f"{self.name}: {self.architecture} with {size} parameters in {self.layers} layers "
            f"({self.dtype}, {self.bytes / 1e6:,.1f} MB); {fits}; {editable}."
        )


@dataclass(frozen=True, slots=True)
class Device:
    """Somewhere a model can run. `id` is torch's name for it."""

    id: str  # 'cpu', 'cuda:0', 'mps'
    name: str
    memory_total: int  # bytes
