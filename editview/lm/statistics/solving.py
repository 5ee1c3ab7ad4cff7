"""Solving with a covariance: in float64, with the least on its diagonal that makes it solvable."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from editview.domain.errors import EditViewError

LEAST, LARGEST = 1e-14, 1.0  # of the mean of the diagonal; tried in powers of ten


@dataclass(frozen=True)
class Factor:
    """C + jitter·I = L Lᵀ."""

    lower: Tensor  # L [inputs, inputs] float64
    jitter: float  # 0 unless C wasn't positive definite, from rounding or because directions were never seen


def factored(matrix: Tensor) -> Factor:
    """The Cholesky factor of a symmetric float64 matrix, with the smallest power of ten of jitter that works.

    Raises EditViewError where none does: the matrix is zero or not finite.
    """
    mean = float(matrix.diagonal().mean())
    lower, failed = torch.linalg.cholesky_ex(matrix)
    if not failed and torch.isfinite(lower[-1, -1]):
        return Factor(lower, 0.0)
    share = LEAST
    while mean > 0 and share <= LARGEST:
        tried = matrix.clone()
        tried.diagonal().add_(share * mean)
        lower, failed = torch.linalg.cholesky_ex(tried)
        if not failed:
            return Factor(lower, share * mean)
        share *= 10
    raise EditViewError(
        "What the layers are given over the text for statistics is zero or not finite, so an edit can't be computed "
        "from it. Check the checkpoint, or choose another text.",
        f"mean of the diagonal {mean}",
    )


def where_float64_is(device: torch.device) -> torch.device:
    """The device itself, or the CPU where it knows no float64."""
    return device if device.type != "mps" else torch.device("cpu")
