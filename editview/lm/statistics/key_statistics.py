"""What methods need to know of a layer's keys: their covariance, its factor and its eigenvectors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from editview.domain.errors import EditViewError
from editview.lm.statistics import keep
from editview.lm.statistics.reading import Sums
from editview.lm.statistics.solving import Factor, factored

LEAST_SHRINKAGE = 1e-3  # where fewer keys were seen than there are dimensions


@dataclass(frozen=True)
class Eigen:
    """C = U diag(values) Uᵀ."""

    values: Tensor  # ascending [inputs] float64
    vectors: Tensor  # U, one a column [inputs, inputs] float64


class Doubling(NamedTuple):
    """What an edit of probe keys gained when the number of tokens had doubled."""

    tokens: int  # after the doubling
    worse: float  # how far, relatively, the edit with half as many was from making least what an edit makes least
    moved: float  # ‖ΔW with half as many - ΔW‖ / ‖ΔW‖


@dataclass(frozen=True)
class KeyStatistics:
    """Of one layer, over a text. Not scaled by any λ: (λC)⁻¹ = (1/λ) C⁻¹."""

    covariance: Tensor  # C = E[kkᵀ], uncentred, after shrinkage [inputs, inputs] float32 on the CPU
    tokens: int  # that it is the mean over
    converged: bool | None  # whether an edit settled; None when the number of tokens was given
    shrinkage: float  # how far C was drawn towards the mean of its diagonal; 0 when there were enough tokens
    curve: tuple[Doubling, ...]  # as it was measured; empty when the number of tokens was given
    name: str | None  # of what is kept on the disk beside it; None: nothing is

    @classmethod
    def given(cls, covariance: Tensor) -> KeyStatistics:
        """A covariance that was computed elsewhere [inputs, inputs]; nothing is kept of it."""
        return cls(covariance, 0, None, 0.0, (), None)

    @property
    def regularised(self) -> bool:
        return self.shrinkage > 0

    @property
    def remark(self) -> str:
        """What a person should know of these statistics; '' when there is nothing."""
        inputs = len(self.covariance)
        if self.regularised:
            return (
                f"The text for statistics has only {self.tokens:,} tokens for {inputs:,} dimensions, so what it says "
                f"of the model's use was evened out by {self.shrinkage:.1%}. A longer text protects other facts better."
            )
        if self.converged is False:
            gained = f": the last doubling still made an edit {self.curve[-1].worse:.1%} better" if self.curve else ""
            return f"The statistics hadn't settled after {self.tokens:,} tokens{gained}."
        return ""

    def factor(self) -> Tensor:
        """The lower Cholesky factor of C [inputs, inputs] float64: computed once and then kept on the disk."""
        return self.factored().lower

    def factored(self) -> Factor:
        """The same with the jitter that C needed on its diagonal, when rounding left it not positive definite."""
        if (content := self._load("factor")) is not None:
            return Factor(content[0]["lower"], float(content[1]["jitter"]))
        factor = factored(self.covariance.double())
        self._save("factor", {"lower": factor.lower}, {"jitter": repr(factor.jitter)})
        return factor

    def eigen(self) -> Eigen:
        """Eigenvalues and eigenvectors of C: computed once and then kept on the disk."""
        if (content := self._load("eigen")) is not None:
            return Eigen(content[0]["values"], content[0]["vectors"])
        values, vectors = torch.linalg.eigh(self.covariance.double())
        self._save("eigen", {"values": values, "vectors": vectors}, {})
        return Eigen(values, vectors)

    def _load(self, what: str) -> tuple[dict[str, Tensor], dict[str, str]] | None:
        return None if self.name is None else keep.load(f"{self.name}-{what}")

    def _save(self, what: str, tensors: dict[str, Tensor], said: dict[str, str]) -> None:
        if self.name is not None:
            keep.save(f"{self.name}-{what}", tensors, said)


def key_statistics_of(sums: Sums, converged: bool | None = None, curve: tuple[Doubling, ...] = ()) -> KeyStatistics:
    """From sums; fewer tokens than dimensions are made up for by shrinkage.

    Raises EditViewError when the keys aren't finite.
    """
    covariance = sums.covariance()
    if not torch.isfinite(covariance.diagonal().sum()):
        raise EditViewError(
            "The model gives numbers that aren't finite over the text for statistics. Open it in float32, or check the "
            "checkpoint."
        )
    shrinkage = _shrinkage(covariance, sums) if sums.tokens < len(covariance) else 0.0
    if shrinkage:
        mean = float(covariance.diagonal().mean())
        covariance.mul_(1 - shrinkage).diagonal().add_(shrinkage * mean)
    return KeyStatistics(covariance, sums.tokens, converged, shrinkage, curve, sums.kept)


def _shrinkage(covariance: Tensor, sums: Sums) -> float:
    """ρ of (1 - ρ) C + ρ μI, μ the mean of C's diagonal (Ledoit and Wolf 2004, J. Multivariate Analysis 88, lemma 3.4).

    A text that repeats itself looks surer than it is, so ρ has a least value.
    """
    squared = float(torch.linalg.vector_norm(covariance, dtype=torch.float64)) ** 2
    mean = float(covariance.diagonal().double().mean())
    spread = squared - len(covariance) * mean**2  # ‖C - μI‖²
    noise = (sums.fourth / sums.tokens - squared) / sums.tokens  # Σ‖kkᵀ - C‖² / n²
    return max(LEAST_SHRINKAGE, min(1.0, noise / spread)) if spread > 0 else 1.0
