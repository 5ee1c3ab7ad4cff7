"""What an operation did to the weights, measured: which tensors changed, and by how much."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from editview.domain.errors import EditViewError
from editview.domain.weights import MatrixKind, TensorChange
from editview.lm.anatomy import Anatomy


def differing(before: Mapping[str, Tensor], after: Mapping[str, Tensor]) -> tuple[str, ...]:
    """The names of the tensors that aren't bit for bit what they were, in the order of `after`."""
    return tuple(name for name, tensor in after.items() if not _same_bits(before[name], tensor))


def tensor_changes(
    before: Mapping[str, Tensor], after: Mapping[str, Tensor], anatomy: Anatomy
) -> tuple[TensorChange, ...]:
    """Every changed tensor with its Frobenius norms, computed in float64.

    Raises EditViewError when a changed tensor holds NaN or infinity.
    """
    known = {tensor.name: tensor for tensor in anatomy.tensors}
    found = []
    for name in differing(before, after):
        old, new = before[name].detach(), after[name].detach()
        if not bool(torch.isfinite(new).all()):
            raise EditViewError(
                "The operation produced weights that aren't numbers any more, so its result was thrown away. "
                "Lower the learning rate and run again.",
                f"{name} holds NaN or infinity",
            )
        info = known.get(name)
        found.append(
            TensorChange(
                name=name,
                layer=info.layer if info else None,
                kind=info.kind if info else MatrixKind.OTHER,
                shape=tuple(new.shape),
                norm_before=_norm(old),
                norm_change=_norm(new.to(old.device), old),
            )
        )
    return tuple(found)


def _same_bits(one: Tensor, other: Tensor) -> bool:
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    return torch.equal(_bytes(one), _bytes(other).to(one.device))


def _bytes(tensor: Tensor) -> Tensor:
    return tensor.detach().contiguous().reshape(-1).view(torch.uint8)


def _norm(tensor: Tensor, minus: Tensor | None = None) -> float:
    """‖tensor - minus‖ in float64, row by row so that no second copy of a large matrix is made."""
    total = 0.0
    rows = tensor.reshape(-1, tensor.shape[-1]) if tensor.dim() else tensor.reshape(1, 1)
    less = None if minus is None else minus.reshape(rows.shape)
    for start in range(0, len(rows), 4096):
        part = rows[start : start + 4096].cpu().double()
        if less is not None:
            part = part - less[start : start + 4096].cpu().double()
        total += float(part.square().sum())
    return math.sqrt(total)
