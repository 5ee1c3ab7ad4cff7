"""AlphaEdit: MEMIT's spread over a few layers, kept to directions that ordinary text hardly uses.

Fang et al. 2025, "AlphaEdit: Null-Space Constrained Knowledge Editing for Language Models", arXiv 2410.02355. What
earlier AlphaEdit steps of a plan wrote is spared too: their keys are remembered with the stage.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from editview.domain.errors import EditViewError
from editview.domain.facts import Fact
from editview.domain.operations import AlphaEdit
from editview.domain.progress import Progress
from editview.edits.contexts import context_templates
from editview.edits.keys import keys_and_values
from editview.edits.requests import check_facts, checked_layers, settled
from editview.edits.solving import alphaedit_change
from editview.edits.spreading import spread
from editview.edits.statistics import Known, key_statistics
from editview.edits.targets import target_vectors
from editview.edits.workings import Workings
from editview.edits.writing import Outcome, rewriting
from editview.lm.model import LanguageModel
from editview.lm.statistics import KeyStatistics

MEMORY = "alphaedit."


def edit(
    lm: LanguageModel,
    facts: Sequence[Fact],
    operation: AlphaEdit,
    seed: int,
    progress: Progress,
    *,
    memory: Mapping[str, Tensor] | None = None,
    statistics: Mapping[int, KeyStatistics] | None = None,
    templates: Sequence[Sequence[str]] | None = None,
    workings: Workings | None = None,
) -> Outcome:
    """Write the new answers of `facts` into the weights, in place, whole or not at all.

    `memory` holds, under 'alphaedit.' and the layer, the keys [keys, inputs] that earlier AlphaEdit steps wrote; the
    outcome's is those and this step's. The rest is as for MEMIT. Raises EditViewError when the threshold leaves nothing
    to write in.
    """
    operation = settled(lm, operation)
    layers = checked_layers(lm, operation)
    check_facts(facts)
    templates = templates or context_templates(lm, operation.prefixes, seed)
    known = Known(statistics) if statistics else key_statistics(lm, layers, operation, progress)
    free = {layer: free_directions(known.layers[layer], operation.threshold, layer).to(lm.device) for layer in layers}
    spared = {
        layer: (memory or {}).get(f"{MEMORY}{layer}", torch.empty(0, len(directions))).to(lm.device, torch.float64)
        for layer, directions in free.items()
    }
    contexts = [template for group in templates for template in group]
    targets = target_vectors(lm, facts, layers[-1], operation, contexts, progress, workings=workings)

    def solve(layer: int, keys: Tensor, residual: Tensor) -> Tensor:
        return alphaedit_change(free[layer], operation.l2, keys, spared[layer], residual)

    with rewriting(lm, layers) as writing:
        spread(writing, facts, targets, templates, solve, progress, workings)
        written, _ = keys_and_values(lm, facts, layers, templates, layers[-1])  # on the model as it is now
        if workings is not None:
            workings.keys_after = written
        remembered = {f"{MEMORY}{layer}": torch.cat([spared[layer], written[layer]]).float().cpu() for layer in layers}
        return Outcome(writing.rounded_away(), {**(memory or {}), **remembered}, known)


def free_directions(statistics: KeyStatistics, threshold: float, layer: int) -> Tensor:
    """U [inputs, directions], float64: the eigenvectors of C whose eigenvalue lies below the threshold."""
    eigen = statistics.eigen()
    free = eigen.vectors[:, eigen.values < threshold]
    if not free.shape[1]:
        raise EditViewError(
            f"No direction of layer {layer} is used less than the threshold {threshold:g}, so AlphaEdit has nothing "
            f"to write in: the smallest value there is {float(eigen.values[0]):.2g}. Raise the threshold in the card.",
        )
    return free
