"""LocFT-BF: ordinary fine-tuning of one matrix, in mini-batches and passes over all facts.

Yang et al. 2025, "Fine-tuning Done Right in Model Editing", arXiv 2509.22072: what made fine-tuning fail as an editing
method was to train each fact to its end before the next one, and where it was done. Set up as in the authors' program:
Adam without decay, the facts shuffled for each pass, the loss on the answer's tokens and the end-of-text behind them.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from editview.domain.facts import Fact
from editview.domain.operations import LocalFineTune
from editview.domain.progress import Progress
from editview.edits.answers import lessons
from editview.edits.requests import check_facts, checked_layers, settled
from editview.edits.tuned import tuned
from editview.edits.writing import Outcome
from editview.lm.model import LanguageModel


def edit(lm: LanguageModel, facts: Sequence[Fact], operation: LocalFineTune, seed: int, progress: Progress) -> Outcome:
    """Write the new answers of `facts` into the weights, in place, whole or not at all. `seed` decides the order."""
    operation = settled(lm, operation)
    [layer] = checked_layers(lm, operation)
    check_facts(facts, by_subject=False)
    chance = torch.Generator().manual_seed(seed)
    return tuned(
        lm,
        lessons(lm, facts, end_of_text=operation.end_of_text),
        layer,
        operation,
        progress,
        order=lambda: torch.randperm(len(facts), generator=chance).tolist(),
    )
