"""What lies between two checkpoints, tensor by tensor."""

from __future__ import annotations

import math
from dataclasses import dataclass

from editview.domain.plan import Checkpoint
from editview.domain.weights import MatrixKind, TensorChange


@dataclass(frozen=True, slots=True)
class TensorDifference:
    """One tensor that both checkpoints have. Norms are Frobenius norms over the rows that both have."""

    name: str
    layer: int | None  # counted from 0; None outside the blocks
    kind: MatrixKind
    shape: tuple[int, ...]  # in the second
    formats: tuple[str, str]  # number formats, 'BF16', in the first and in the second
    same: bool  # bit for bit, in the same number format
    rounding: bool  # the number formats differ, and each number is the other's rounded
    norm_before: float
    norm_change: float
    rows: tuple[int, int] = (0, 0)  # of each, where only those that both have could be compared

    @property
    def change(self) -> TensorChange:
        return TensorChange(self.name, self.layer, self.kind, self.shape, self.norm_before, self.norm_change)


@dataclass(frozen=True)
class Difference:
    """Two checkpoints compared, in the order of the model."""

    first: Checkpoint
    second: Checkpoint
    tensors: tuple[TensorDifference, ...]
    only_first: tuple[str, ...] = ()  # tensors that the other doesn't have, or of another shape
    only_second: tuple[str, ...] = ()

    @property
    def changed(self) -> tuple[TensorDifference, ...]:
        """Those that differ by more than their number format."""
        return tuple(tensor for tensor in self.tensors if not tensor.same and not tensor.rounding)

    @property
    def total(self) -> float:
        """‖ΔW‖ of everything that changed."""
        return math.hypot(*(tensor.norm_change for tensor in self.changed))

    def share(self, tensor: TensorDifference) -> float:
        """A tensor's part of ‖ΔW‖², from 0 to 1."""
        return tensor.norm_change**2 / self.total**2 if self.total else 0.0
