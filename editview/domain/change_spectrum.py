"""In how many directions a matrix was changed: the singular values of ΔW, beside what rounding alone would give."""

from __future__ import annotations

import math
from dataclasses import dataclass


def thin(directions: int) -> float:
    """A change in fewer directions than this is of low rank."""
    return 0.55 * directions


@dataclass(frozen=True, slots=True)
class ChangeSpectrum:
    """The singular values of ΔW = second - first of one matrix."""

    values: tuple[float, ...]  # largest first: all of them, or the leading ones of a large matrix
    directions: int  # how many there are altogether: the shorter side of the matrix
    norm: float  # ‖ΔW‖, Frobenius
    rounding: float  # no singular value above this comes from rounding to the coarser number format alone
    rescaled: Rescaled | None = None  # where ΔW isn't of low rank, but is so beside rows that were made longer
    agreement: float | None = None  # of where the memory of this layer and of the changed one before it write; 1: alike

    @property
    def rank(self) -> int:
        """How many directions stand out of rounding; of a large matrix at least so many (`rank_is_known`)."""
        return sum(value > self.rounding for value in self.values)

    @property
    def rank_is_known(self) -> bool:
        return len(self.values) == self.directions or self.rank < len(self.values)

    @property
    def is_thin(self) -> bool:
        """Whether the change is of low rank, so far as is known."""
        return self.rank_is_known and self.rank < thin(self.directions)

    @property
    def held(self) -> float:
        """The share of ‖ΔW‖² in the directions that stand out of rounding."""
        return sum(value**2 for value in self.values[: self.rank]) / self.norm**2 if self.norm else 0.0

    @property
    def effective_rank(self) -> float:
        """So many directions, equally strong, would be as spread out: exp of the entropy of σ / Σσ, above rounding.

        Roy & Vetterli 2007, "The effective rank", equation 1. Values that aren't known are taken as equal, which makes
        it an upper bound.
        """
        above = self.values[: self.rank]
        rest = 0 if self.rank_is_known else self.directions - len(above)
        beside = max(0.0, self.norm**2 - sum(value**2 for value in above))
        each = math.sqrt(beside / rest) if rest else 0.0
        total = sum(above) + rest * each
        entropy = -sum(value / total * math.log(value / total) for value in above)
        if each:
            entropy -= rest * each / total * math.log(each / total)
        return math.exp(entropy) if total else 0.0


@dataclass(frozen=True, slots=True)
class Rescaled:
    """What is left of a change when each output's weights may be lengthened: second = diag(s) · first + low rank.

    So a merged DoRA changes a matrix (Liu et al. 2024, arXiv 2402.09353, equation 5).
    """

    least: float  # factor of the output that was lengthened least
    most: float
    rank: int  # of what is left, above rounding
    is_whole: bool  # whether factors and these directions are all that changed, up to rounding
    is_clear: bool  # whether the factors are further from one than chance and rounding would have them
