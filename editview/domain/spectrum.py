"""How strongly ordinary text uses each direction of a layer's keys, and what a threshold leaves free to be written.

The eigenvalues of the uncentred covariance E[kkᵀ]. AlphaEdit (arXiv 2410.02355, section 3) writes into the span of
those eigenvectors whose eigenvalue is below an absolute threshold, so what that is depends on the model's scale.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from editview.domain.tracing import layers_said

ALL_BUT = 0.01
"""A null space that leaves out fewer directions than this share protects next to nothing."""


@dataclass(frozen=True)
class Spectrum:
    layer: int  # counted from 0
    values: tuple[float, ...]  # all eigenvalues, ascending

    def below(self, threshold: float) -> int:
        """How many directions the threshold leaves free to be written."""
        return bisect_left(self.values, threshold)

    def points(self, most: int = 400) -> list[tuple[float, float]]:
        """Enough of it to be drawn: share of the directions that are used less, from 0 to 1, and eigenvalue."""
        last = len(self.values) - 1
        places = sorted({round(last * i / (most - 1)) for i in range(most)})
        return [(place / max(1, last), self.values[place]) for place in places]


def kept(spectra: Sequence[Spectrum], threshold: float) -> str:
    """'The null space keeps 612 of 1,024 directions at layer 3.'; of several layers the least and the most."""
    counts = [spectrum.below(threshold) for spectrum in spectra]
    directions = len(spectra[0].values)
    low, high = min(counts), max(counts)
    figure = f"{low:,}" if low == high else f"{low:,} to {high:,}"
    return f"The null space keeps {figure} of {directions:,} directions at {layers_said([s.layer for s in spectra])}."


def warning(spectra: Sequence[Spectrum], threshold: float) -> str:
    """What is wrong with a threshold that leaves nothing to write in, or nothing protected; '' otherwise."""
    empty = [spectrum.layer for spectrum in spectra if spectrum.below(threshold) == 0]
    full = [s.layer for s in spectra if len(s.values) - s.below(threshold) < ALL_BUT * len(s.values)]
    if empty:
        return f"It is empty at {layers_said(empty)}: nothing can be written there. Raise the threshold."
    if full:
        return f"It is full at {layers_said(full)}: what the model knows isn't protected there. Lower the threshold."
    return ""
