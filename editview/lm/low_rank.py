"""The change of a matrix as the product of two thin ones, where it is one up to the rounding of its number format."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from editview.lm.singular import leading

_FIRST = 16  # directions that are looked for first; then twice as many each time
_SLACK = 2.0  # times the rounding of the stage itself that a merged matrix may be off by


@dataclass(frozen=True)
class LowRank:
    """ΔW = up · down, kept as a PEFT adapter keeps it; all on the CPU."""

    base: Tensor  # [outputs, inputs], the matrix it is added to
    wanted: Tensor  # [outputs, inputs], what the sum has to be
    up: Tensor  # [outputs, rank], float32
    down: Tensor  # [rank, inputs], float32

    @property
    def rank(self) -> int:
        return int(self.down.shape[0])

    def merged(self) -> Tensor:
        """base + up · down, rounded where PEFT rounds when it merges safely."""
        return self.base + (self.up @ self.down).to(self.base.dtype)

    def is_exact(self, merged: Tensor) -> bool:
        """Whether a sum is what is wanted up to rounding: of the number format, and of the product in float32.

        No weight is off by more than a step of the format, its own and that of a usual weight of the matrix, and
        together they are off by no more than `wanted` itself was rounded, or twice that. A product of rank r is off by
        at most r · ε · |up| · |down| (Higham 2002, equation 3.13).
        """
        product = self.rank * torch.finfo(torch.float32).eps * (self.up.abs() @ self.down.abs()).double()
        gaps = (merged.double() - self.wanted.double()).abs()
        usual = float(self.wanted.double().square().mean().sqrt())
        largest = torch.maximum(self.base.double().abs(), self.wanted.double().abs())
        near = gaps <= steps(largest, self.base.dtype) + torch.finfo(self.base.dtype).eps * usual + product
        together = _SLACK * float(rounding(self.wanted).norm()) + float(product.norm())
        return bool(near.all()) and float(gaps.norm()) <= together


def low_rank(base: Tensor, wanted: Tensor, device: torch.device) -> LowRank | None:
    """The change from `base` to `wanted`, both [outputs, inputs] on the CPU, as a product of two thin matrices.

    Its rank is the number of directions that stand out of the rounding of `wanted`: a matrix of independent errors has
    hardly a singular value above the largest norms of its rows and its columns together (Bandeira & van Handel 2016,
    theorem 3.1). None where two thin matrices would be no smaller than the whole, or the sum isn't exact. Directions
    are found by a randomised search on `device`.
    """
    outputs, inputs = base.shape
    most = outputs * inputs // (outputs + inputs)
    change = (wanted.double() - base.double()).to(device)
    errors = rounding(wanted)
    noise = float(errors.norm(dim=0).max() + errors.norm(dim=1).max())
    chance = torch.Generator().manual_seed(0)
    count = _FIRST
    while True:
        left, sizes, right = leading(change, count, chance)
        rank = max(1, int((sizes > noise).sum()))
        if rank > most:
            return None
        if rank <= count:
            break
        count *= 2
    root = sizes[:rank].sqrt()
    up, down = left[:, :rank] * root, root[:, None] * right[:rank]
    found = LowRank(base, wanted, up.float().cpu().contiguous(), down.float().cpu().contiguous())
    return found if found.is_exact(found.merged()) else None


def steps(weights: Tensor, dtype: torch.dtype) -> Tensor:
    """How far from each weight, in float64, the next larger number of a format lies."""
    exponents = torch.frexp(weights).exponent.clamp(min=math.frexp(torch.finfo(dtype).tiny)[1])
    return torch.ldexp(torch.full_like(weights, torch.finfo(dtype).eps), exponents - 1)


def rounding(weights: Tensor) -> Tensor:
    """How large, in float64, the errors are that weights have from rounding: uniform over a step, so step / √12."""
    return steps(weights.double(), weights.dtype) / math.sqrt(12)
