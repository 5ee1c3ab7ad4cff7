"""The change of a matrix as the product of two thin ones, where it is one up to the rounding of its number format."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_FIRST = 16  # rank that is tried first; then twice as much each time
_BESIDE = 8  # directions looked at beyond the rank, so that the last ones are found well
_PASSES = 2  # power iterations


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
        """Whether every weight is what is wanted, up to one step of its number format and the product's own rounding.

        A product of rank r in float32 is off by r · ε · |up| · |down| at most (Higham 2002, eq. 3.13).
        """
        step = torch.finfo(self.base.dtype).eps * torch.maximum(self.base.abs(), self.wanted.abs()).float()
        product = self.rank * torch.finfo(torch.float32).eps * (self.up.abs() @ self.down.abs())
        return bool(((merged.float() - self.wanted.float()).abs() <= step + product).all())


def low_rank(base: Tensor, wanted: Tensor, device: torch.device) -> LowRank | None:
    """The change from `base` to `wanted`, both [outputs, inputs] on the CPU, at the lowest rank that is exact.

    None where two thin matrices would be no smaller than the whole. Directions are found by a randomised search on
    `device` (Halko et al. 2011, algorithm 4.4); what they give is measured.
    """
    outputs, inputs = base.shape
    most = outputs * inputs // (outputs + inputs)
    change = (wanted.double() - base.double()).to(device)
    chance = torch.Generator().manual_seed(0)
    rank = min(_FIRST, most)
    while rank:
        drawn = torch.randn(inputs, min(rank + _BESIDE, outputs, inputs), generator=chance, dtype=torch.float64)
        directions = torch.linalg.qr(change @ drawn.to(device)).Q
        for _ in range(_PASSES):
            directions = torch.linalg.qr(change @ torch.linalg.qr(change.T @ directions).Q).Q
        left, sizes, right = torch.linalg.svd(directions.T @ change, full_matrices=False)
        found = _Directions(base, wanted, (directions @ left).cpu(), sizes.cpu(), right.cpu())
        if found.suffices(rank):
            return found.lowest(rank)
        if rank == most:
            break
        rank = min(2 * rank, most)
    return None


@dataclass(frozen=True)
class _Directions:
    """The leading singular vectors of a change [outputs, n], [n], [n, inputs], float64."""

    base: Tensor
    wanted: Tensor
    left: Tensor
    sizes: Tensor
    right: Tensor

    def cut(self, rank: int) -> LowRank:
        root = self.sizes[:rank].sqrt()
        up, down = self.left[:, :rank] * root, root[:, None] * self.right[:rank]
        return LowRank(self.base, self.wanted, up.float().contiguous(), down.float().contiguous())

    def suffices(self, rank: int) -> bool:
        cut = self.cut(rank)
        return cut.is_exact(cut.merged())

    def lowest(self, most: int) -> LowRank:
        """The lowest rank up to `most` that is exact, by halving."""
        least = 1
        while least < most:
            middle = (least + most) // 2
            if self.suffices(middle):
                most = middle
            else:
                least = middle + 1
        return self.cut(most)
