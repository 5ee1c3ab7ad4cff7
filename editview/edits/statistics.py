"""The key statistics that an edit's card asks for."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from editview.domain.operations import Memit, Rome, TargetEdit
from editview.domain.progress import Progress
from editview.domain.texts import Text
from editview.formats.statistics_text import statistics_text
from editview.lm import statistics
from editview.lm.model import LanguageModel
from editview.lm.statistics import KeyStatistics


@dataclass(frozen=True)
class Known:
    """Statistics by layer, and what it took to get them: 0 where they were kept."""

    layers: Mapping[int, KeyStatistics]
    work: float = 0.0  # tokens × parameters up to the last layer
    seconds: float = 0.0

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of them."""
        return tuple(dict.fromkeys(one.remark for one in self.layers.values() if one.remark))


def needs_statistics(operation: TargetEdit) -> bool:
    return not isinstance(operation, Rome) or operation.protect


def what_to_read(operation: TargetEdit) -> tuple[Text, int | None, float]:
    """The text, how many tokens of it (None: as many as it takes), and the λ with which an edit has to settle.

    Raises EditViewError when the text isn't there.
    """
    weight = operation.covariance_weight if isinstance(operation, Memit) else 1.0
    return statistics_text(operation.statistics), operation.statistics_tokens or None, weight


def key_statistics(lm: LanguageModel, layers: Sequence[int], operation: TargetEdit, progress: Progress) -> Known:
    """Of the layers' keys over the text that the operation names; read now, or kept from an earlier time."""
    text, tokens, weight = what_to_read(operation)
    state = lm.current_fingerprint()
    were_kept = statistics.is_kept(state, layers, text, tokens, weight, lm.dtype)
    began = time.perf_counter()
    found = statistics.key_statistics(lm, layers, text, tokens, progress, weight, state)
    if were_kept:
        return Known(found)
    blocks = [lm.anatomy.block(lm.model, layer) for layer in range(max(layers) + 1)]
    parameters = sum(parameter.numel() for block in blocks for parameter in block.parameters())
    read = max(one.tokens for one in found.values())
    return Known(found, float(read * parameters), time.perf_counter() - began)
