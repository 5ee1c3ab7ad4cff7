"""Statistics of keys: the uncentred covariance E[kkᵀ] of what the feed-forward output matrices are given over a text.

Computed in one pass for all layers asked, which can be stopped and goes on where it stopped, and kept on disk for this
very state of the weights and this very text (MEMIT, arXiv 2210.07229, section 4.3). Nobody waits for them twice, and no
model gets another one's.
"""

from __future__ import annotations

from collections.abc import Sequence

from editview.domain.progress import Progress
from editview.domain.texts import Text
from editview.lm.model import LanguageModel
from editview.lm.statistics.chapters import expected_tokens
from editview.lm.statistics.converge import settled
from editview.lm.statistics.forecast import ReadingForecast, is_kept, reading_forecast
from editview.lm.statistics.key_statistics import Doubling, Eigen, KeyStatistics, key_statistics_of
from editview.lm.statistics.reading import WHAT, Reading
from editview.lm.statistics.solving import Factor

__all__ = [
    "Doubling",
    "Eigen",
    "Factor",
    "KeyStatistics",
    "ReadingForecast",
    "is_kept",
    "key_statistics",
    "reading_forecast",
]


def key_statistics(
    lm: LanguageModel,
    layers: Sequence[int],
    text: Text,
    tokens: int | None,
    progress: Progress,
    weight: float = 1.0,
    state: str | None = None,
) -> dict[int, KeyStatistics]:
    """By layer, over the first `tokens` tokens of a text; `None` reads until an edit with λ = `weight` has settled.

    `state` is the model's fingerprint as it is now, where that is known. Each line of the text is a passage of its own;
    padding doesn't count. What is on disk is read from there. Raises
    EditViewError when the text is empty or what the model computes isn't finite.
    """
    layers = sorted(set(layers))
    state = state or lm.current_fingerprint()
    if tokens is None:
        found = settled(lm, state, text, layers, weight, progress)
        statistics = {layer: key_statistics_of(one.sums, one.converged, one.curve) for layer, one in found.items()}
    else:
        reading = Reading(lm, state, text, tokens, expected_tokens(lm, text.lines, tokens), progress)
        statistics = {layer: key_statistics_of(sums) for layer, sums in reading.up_to(layers, None).items()}
    read = max(one.tokens for one in statistics.values())
    progress(read, read, WHAT)
    return {layer: statistics[layer] for layer in layers}
