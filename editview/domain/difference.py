"""What lies between two checkpoints, tensor by tensor."""

from __future__ import annotations

import math
from dataclasses import dataclass

from editview.domain.change_spectrum import ChangeSpectrum
from editview.domain.plan import Checkpoint
from editview.domain.tracing import layers_said
from editview.domain.weight_map import percent
from editview.domain.weights import MatrixKind, TensorChange, combined


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
    spectrum: ChangeSpectrum | None = None  # of a matrix that changed, where it was looked for

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
    otherwise: tuple[str, ...] = ()  # sentences: how the same weights are kept in other ways

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


def headline(found: Difference) -> str:
    """'6 of 76 tensors changed, by 4.1 % of their own length; 93 % of the change lies in *norms and biases*.'"""
    changed, count = found.changed, len(found.tensors)
    if not count:
        return "The two checkpoints have no tensor in common."
    if not changed:
        rounded = sum(tensor.rounding for tensor in found.tensors)
        same = "The weights are the same" if rounded else "The weights are the same, bit for bit"
        return f"{same}; only their number format differs." if rounded else f"{same}."
    by = percent(combined([tensor.change for tensor in changed]))
    lead = f"{len(changed):,} of {count:,} tensors changed, by {by} of their own length"
    places: dict[MatrixKind, float] = {}
    for tensor in changed:
        places[tensor.kind] = places.get(tensor.kind, 0.0) + found.share(tensor)
    kind = max(places, key=lambda kind: places[kind])
    layers = sorted({tensor.layer for tensor in changed if tensor.kind is kind and tensor.layer is not None})
    where = f" of {layers_said(layers)}" if layers else ""
    return f"{lead}; {percent(places[kind])} of the change lies in *{kind.value}*{where}."


def remarks(found: Difference) -> tuple[str, ...]:
    """What else is to be said: number formats, added words, tensors that only one of them has."""
    said = list(found.otherwise)
    formats = {tensor.formats for tensor in found.tensors if tensor.formats[0] != tensor.formats[1]}
    for one, other in sorted(formats):
        said.append(f"The first keeps weights as {one} that the second keeps as {other}.")
    for tensor in found.tensors:
        if tensor.rows != (0, 0):
            said.append(
                f"'{tensor.name}' has {tensor.rows[0]:,} rows in the first and {tensor.rows[1]:,} in the second; "
                "those that both have were compared."
            )
    for which, names in (("first", found.only_first), ("second", found.only_second)):
        if names:
            more = f" and {len(names) - 3:,} more" if len(names) > 3 else ""
            shown = ", ".join(f"'{name}'" for name in names[:3])
            said.append(f"Only the {which} has {shown}{more}, or has it in that shape.")
    broken = [tensor.name for tensor in found.tensors if not math.isfinite(tensor.norm_change + tensor.norm_before)]
    if broken:
        said.append(f"{len(broken):,} tensors hold numbers that aren't finite, '{broken[0]}' first.")
    return tuple(said)
