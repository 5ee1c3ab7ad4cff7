"""The key statistics that an edit's card asks for."""

from __future__ import annotations

from collections.abc import Sequence

from editview.domain.operations import Memit, TargetEdit
from editview.domain.progress import Progress
from editview.formats.statistics_text import statistics_text
from editview.lm import statistics
from editview.lm.model import LanguageModel
from editview.lm.statistics import KeyStatistics


def key_statistics(
    lm: LanguageModel, layers: Sequence[int], operation: TargetEdit, progress: Progress
) -> dict[int, KeyStatistics]:
    """By layer, over the text that the operation names: so many tokens of it, or as many as it takes."""
    text, tokens = statistics_text(operation.statistics), operation.statistics_tokens or None
    weight = operation.covariance_weight if isinstance(operation, Memit) else 1.0
    return statistics.key_statistics(lm, layers, text, tokens, progress, weight)
