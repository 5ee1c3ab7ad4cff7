"""The key statistics that an edit's card asks for."""

from __future__ import annotations

from collections.abc import Sequence

from editview.domain.operations import TargetEdit
from editview.domain.progress import Progress
from editview.lm.model import LanguageModel
from editview.lm.statistics import KeyStatistics, covariances


def key_statistics(
    lm: LanguageModel, layers: Sequence[int], operation: TargetEdit, progress: Progress
) -> dict[int, KeyStatistics]:
    """By layer, over the text that the operation names."""
    tokens = operation.statistics_tokens or 100_000
    found = covariances(lm, layers, operation.statistics, tokens, progress)
    return {layer: KeyStatistics(covariance) for layer, covariance in found.items()}
