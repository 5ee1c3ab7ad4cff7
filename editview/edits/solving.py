"""The closed forms that spread what is to be written over a matrix, each solved in float64.

Shapes: C [inputs, inputs] is the uncentred covariance of keys, K [facts, inputs] holds the keys to write, R [facts,
width] what the matrix should put out more at them. Every function gives ΔW [width, inputs]. Where facts are fewer than
inputs, the small side of Woodbury's identity is solved, [facts, facts]; where they are more, [inputs, inputs]: some
inputs³ operations however many they are, beside the 2 · facts · inputs² of forming KKᵀ.
"""

from __future__ import annotations

import torch
from torch import Tensor

from editview.lm.statistics import KeyStatistics


def memit_change(statistics: KeyStatistics, weight: float, keys: Tensor, residual: Tensor) -> Tensor:
    """R [(λC + KKᵀ)⁻¹ K]ᵀ (MEMIT, arXiv 2210.07229, eq. 14), λ being `weight`."""
    facts, inputs = keys.shape
    if facts < inputs:
        spread = torch.cholesky_solve(keys.T, statistics.factor().to(keys.device)) / weight  # (λC)⁻¹ K
        inner = keys @ spread
        inner.diagonal().add_(1)
        change: Tensor = torch.linalg.solve(inner.T, residual).T @ spread.T
        return change
    factor = statistics.factor().to(keys.device)
    matrix = torch.addmm(keys.T @ keys, factor, factor.T, alpha=weight)
    return torch.cholesky_solve(keys.T @ residual, torch.linalg.cholesky(matrix)).T


def rome_direction(factor: Tensor | None, key: Tensor) -> Tensor:
    """u [inputs] = C⁻¹ k of unit length (ROME, arXiv 2202.05262, eq. 2).

    `factor` is C's lower Cholesky factor; None stands for the identity.
    """
    found = key if factor is None else torch.cholesky_solve(key[:, None], factor).squeeze(1)
    direction: Tensor = found / found.norm()
    return direction


def alphaedit_change(free: Tensor, l2: float, keys: Tensor, earlier: Tensor, residual: Tensor) -> Tensor:
    """X of (P(KKᵀ + K₀K₀ᵀ) + L2·I) Xᵀ = P K Rᵀ (AlphaEdit, arXiv 2410.02355, eq. 14 with its regulariser).

    `free` [inputs, directions] are orthonormal directions, P = UUᵀ; `earlier` K₀ [keys, inputs] are to be spared.
    Xᵀ lies in the range of P, so it is found in the coordinates of U: (BBᵀ + L2·I)⁻¹ B₁ Rᵀ with B = Uᵀ[K K₀].
    """
    new, every = keys @ free, torch.cat([keys, earlier]) @ free  # [facts, directions], [all keys, directions]
    count, directions = every.shape
    if count < directions:
        inner = every @ every.T
        inner.diagonal().add_(l2)
        picked = torch.eye(count, len(keys), dtype=keys.dtype, device=keys.device)
        found = every.T @ torch.linalg.solve(inner, picked)
    else:
        matrix = every.T @ every
        matrix.diagonal().add_(l2)
        found = torch.cholesky_solve(new.T, torch.linalg.cholesky(matrix))
    change: Tensor = residual.T @ (free @ found).T
    return change


def ridge_change(keys: Tensor, values: Tensor) -> Tensor:
    """Xᵀ of (KᵀK + I) X = KᵀV: least squares with a ridge of 1, so that `keys` give `values` more (UltraEdit's)."""
    tokens, inputs = keys.shape
    matrix = keys @ keys.T if tokens < inputs else keys.T @ keys
    matrix.diagonal().add_(1)
    factor = torch.linalg.cholesky(matrix)
    if tokens < inputs:
        return torch.cholesky_solve(values, factor).T @ keys
    return torch.cholesky_solve(keys.T @ values, factor).T
