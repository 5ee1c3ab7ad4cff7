"""The singular values of what changed between two checkpoints, one matrix in memory at a time."""

from __future__ import annotations

from editview.domain.difference import Difference
from editview.domain.progress import Progress
from editview.lm.stored import StoredCheckpoint


def with_spectra(
    first: StoredCheckpoint, second: StoredCheckpoint, found: Difference, progress: Progress
) -> Difference:
    """A difference (`lm/comparing.py`) with the spectrum of every matrix that changed. `progress` counts numbers.

    Raises what reading and `progress` raise.
    """
    raise NotImplementedError
