"""What an operation did to the weights, tensor by tensor."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class MatrixKind(StrEnum):
    """What a tensor does in its block, in the order a block uses them; the value is what a person reads."""

    EMBEDDING = "word embeddings"
    ATTENTION_IN = "attention: looking"  # queries, keys and values
    ATTENTION_OUT = "attention: passing on"
    MLP_IN = "memory: reading"  # up and gate projections
    MLP_OUT = "memory: writing"  # down projection, where edits are written
    NORM = "norms and biases"
    HEAD = "output words"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class TensorChange:
    """One tensor that an operation changed. Norms are Frobenius norms; `relative` is ‖ΔW‖ / ‖W before‖."""

    name: str
    layer: int | None  # counted from 0; None outside the blocks
    kind: MatrixKind
    shape: tuple[int, ...]
    norm_before: float
    norm_change: float

    @property
    def relative(self) -> float:
        return self.norm_change / self.norm_before if self.norm_before else float("inf")


def combined(changes: list[TensorChange]) -> float:
    """The relative change of several tensors taken as one: √Σ‖ΔW‖² / √Σ‖W‖²."""
    before = sum(change.norm_before**2 for change in changes) ** 0.5
    return sum(change.norm_change**2 for change in changes) ** 0.5 / before if before else 0.0


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """One tensor of a checkpoint, changed or not: what the weight picture draws empty cells for."""

    name: str
    layer: int | None
    kind: MatrixKind
    shape: tuple[int, ...]
    transposed: bool = False  # a matrix kept as [inputs, outputs] instead of [outputs, inputs]
