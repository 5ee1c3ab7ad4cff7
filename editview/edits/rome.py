"""ROME: writes one fact into the feed-forward output matrix of one layer by a change of rank one.

Meng et al. 2022, "Locating and Editing Factual Associations in GPT", arXiv 2202.05262. Several facts are written one
after the other, each on the model as the last one left it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from editview.domain.facts import Fact
from editview.domain.operations import Rome
from editview.domain.progress import Progress, silent
from editview.edits.contexts import context_templates
from editview.edits.keys import at_subject
from editview.edits.requests import check_facts, checked_layers, settled
from editview.edits.rows import filled
from editview.edits.solving import rome_direction
from editview.edits.statistics import Known, key_statistics, needs_statistics
from editview.edits.targets import target_vectors
from editview.edits.workings import Workings
from editview.edits.writing import Outcome, rewriting
from editview.lm.branch import asked_of_matrix, branch_of
from editview.lm.model import LanguageModel
from editview.lm.statistics import KeyStatistics


def edit(
    lm: LanguageModel,
    facts: Sequence[Fact],
    operation: Rome,
    seed: int,
    progress: Progress,
    *,
    statistics: Mapping[int, KeyStatistics] | None = None,
    templates: Sequence[Sequence[str]] | None = None,
    workings: Workings | None = None,
) -> Outcome:
    """Write the new answers of `facts` into the weights, in place, all of them or none.

    The change for a fact is v uᵀ: u = C⁻¹k (k alone, where nothing is to be protected) of unit length, k the mean key
    over all `templates`, and v such that the bare prompt's output becomes the target (eq. 2 and 4). The rest is as for
    MEMIT.
    """
    operation = settled(lm, operation)
    [layer] = checked_layers(lm, operation)
    check_facts(facts)
    contexts = [t for group in templates or context_templates(lm, operation.prefixes, seed) for t in group]
    known, factor = Known({}), None
    if needs_statistics(operation):
        known = Known(statistics) if statistics else key_statistics(lm, [layer], operation, progress)
        factor = known.layers[layer].factor().to(lm.device)
    matrix, branch = lm.anatomy.mlp_output(lm.model, layer), branch_of(lm, layer)
    with rewriting(lm, [layer]) as writing:
        for number, fact in enumerate(facts):
            progress(number, len(facts), "Writing one fact after the other")
            [[inputs]], outputs = at_subject(lm, [fact], contexts, [matrix], matrix)
            assert outputs is not None
            now = outputs[:, 0]
            target = target_vectors(lm, [fact], layer, operation, contexts, silent, start=now)
            u = rome_direction(factor, inputs.mean(0))
            asked = asked_of_matrix(lm, layer, [filled("{}", fact)], target.double() - now, branch)
            v = asked[0] / (inputs[0] @ u)
            writing.add(layer, torch.outer(v, u))
            if workings is not None:
                workings.directions.append(u)
                workings.answers.append(v)
        progress(len(facts), len(facts), "Writing one fact after the other")
        if workings is not None:
            workings.changes = dict(writing.changes)
        return Outcome(writing.rounded_away(), known=known)
