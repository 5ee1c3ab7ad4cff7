"""Singular values and directions of a matrix: all of them where that is quick, else the leading ones."""

from __future__ import annotations

import torch
from torch import Tensor

EXACT = 1024  # matrices whose shorter side is no longer are taken apart whole
_FIRST = 32  # of larger ones so many directions are looked for first; then twice as many each time
_SPREAD = 0.5  # a matrix of which the leading directions hold less is spread over too many to go on
_MOST = 512
_BESIDE = 8  # more directions than asked for, so that the last ones are found well
_PASSES = 2  # power iterations

Parts = tuple[Tensor, Tensor, Tensor]
"""U [rows, k], σ [k] largest first, and Vᵀ [k, columns]."""


def singular(matrix: Tensor, limit: float) -> Parts:
    """All directions, or the leading ones of a large matrix: down to `limit`, where they aren't too many."""
    if min(matrix.shape) <= EXACT:
        return decomposed(matrix)
    chance, count, whole = torch.Generator().manual_seed(0), _FIRST, float(matrix.square().sum())
    while True:
        left, sizes, right = leading(matrix, count, chance)
        held = float(sizes.square().sum())
        if float(sizes[-1]) <= limit or held < _SPREAD * whole or 2 * count > min(_MOST, *matrix.shape):
            return left, sizes, right
        count *= 2


def decomposed(matrix: Tensor) -> Parts:
    """By the shorter side's MMᵀ in float64, which is quicker than the SVD: right down to 1e-8 of the largest σ."""
    if matrix.shape[0] > matrix.shape[1]:
        left, sizes, right = decomposed(matrix.T)
        return right.T, sizes, left.T
    gram = torch.zeros(len(matrix), len(matrix), dtype=torch.float64)
    for part in torch.split(matrix, 4 * EXACT, dim=1):
        gram.addmm_(part.double(), part.double().T)
    values, vectors = torch.linalg.eigh(gram)
    sizes, left = values.flip(0).clamp(min=0).sqrt(), vectors.flip(1)
    scale = sizes.clamp(min=torch.finfo(torch.float32).tiny)[:, None]
    return left.to(matrix), sizes, (left.T.to(matrix) @ matrix) / scale.to(matrix)


def leading(matrix: Tensor, count: int, chance: torch.Generator) -> Parts:
    """The `count` largest singular values, and some beside them, by a randomised search.

    Halko et al. 2011, algorithm 4.4, in the matrix's own number format and on its device; `chance` lies on the CPU.
    """
    rows, columns = matrix.shape
    drawn = torch.randn(columns, min(count + _BESIDE, rows, columns), generator=chance, dtype=matrix.dtype)
    found = torch.linalg.qr(matrix @ drawn.to(matrix.device)).Q
    for _ in range(_PASSES):
        found = torch.linalg.qr(matrix @ torch.linalg.qr(matrix.T @ found).Q).Q
    left, sizes, right = torch.linalg.svd(found.T @ matrix, full_matrices=False)
    return found @ left, sizes, right
