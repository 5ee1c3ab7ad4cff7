"""MEMIT: writes many facts at once into the feed-forward output matrices of a few layers.

Meng et al. 2023, "Mass-Editing Memory in a Transformer", arXiv 2210.07229. The search for target vectors is
`targets.py`; here their difference to what the model puts out now is spread over the layers in closed form (eq. 14).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from editview.domain.facts import Fact
from editview.domain.operations import Memit
from editview.domain.progress import Progress
from editview.edits.contexts import context_templates
from editview.edits.requests import check_facts, checked_layers, settled
from editview.edits.solving import memit_change
from editview.edits.spreading import spread
from editview.edits.statistics import Known, key_statistics
from editview.edits.targets import target_vectors
from editview.edits.workings import Workings
from editview.edits.writing import Outcome, rewriting
from editview.lm.model import LanguageModel
from editview.lm.statistics import KeyStatistics


def edit(
    lm: LanguageModel,
    facts: Sequence[Fact],
    operation: Memit,
    seed: int,
    progress: Progress,
    *,
    statistics: Mapping[int, KeyStatistics] | None = None,
    templates: Sequence[Sequence[str]] | None = None,
    workings: Workings | None = None,
) -> Outcome:
    """Write the new answers of `facts` into the weights, in place, whole or not at all.

    `seed` decides the sampled openings. `statistics` by layer and `templates`, the openings by type, are made from
    the model when not given. After Cancelled or an error the model is as it was.
    """
    operation = settled(lm, operation)
    layers = checked_layers(lm, operation)
    check_facts(facts)
    templates = templates or context_templates(lm, operation.prefixes, seed)
    known = Known(statistics) if statistics else key_statistics(lm, layers, operation, progress)
    contexts = [template for group in templates for template in group]
    targets = target_vectors(lm, facts, layers[-1], operation, contexts, progress, workings=workings)

    def solve(layer: int, keys: Tensor, residual: Tensor) -> Tensor:
        return memit_change(known.layers[layer], operation.covariance_weight, keys, residual)

    with rewriting(lm, layers) as writing:
        spread(writing, facts, targets, templates, solve, progress, workings)
        return Outcome(writing.rounded_away(), known=known)
