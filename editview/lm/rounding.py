"""What is lost when a weight is written back in the number format it is kept in."""

from __future__ import annotations

import torch
from torch import Tensor

ROWS = 1024  # at a time, so that no further copy of a large matrix is made


def rounded_away(before: Tensor, exact: Tensor, dtype: torch.dtype) -> float:
    """The share of a change that rounding takes: ‖dtype(exact) - exact‖ / ‖exact - before‖, Frobenius; 0 for no change.

    `before` is the weight as it was and `exact` its new value, of the same shape, float64 or as exact as there is.
    Near 0 the edit is written as computed; at 1 and above the rounding is as large as the edit itself.
    """
    lost, moved = 0.0, 0.0
    for start in range(0, len(exact), ROWS):
        new = exact[start : start + ROWS].double()
        lost += float((new.to(dtype).double() - new).square().sum())
        moved += float((new - before[start : start + ROWS].to(new)).square().sum())
    return (lost / moved) ** 0.5 if moved else 0.0
