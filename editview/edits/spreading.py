"""Spreading what is to be written over the layers from the first to the last (MEMIT, arXiv 2210.07229, section 4.3)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

from editview.domain.facts import Fact
from editview.domain.progress import Progress
from editview.edits.keys import keys_and_values
from editview.edits.rows import filled
from editview.edits.workings import Workings
from editview.edits.writing import Rewriting
from editview.lm.branch import asked_of_matrix

WHAT = "Writing the facts into the layers"


def spread(
    writing: Rewriting,
    facts: Sequence[Fact],
    targets: Tensor,
    templates: Sequence[Sequence[str]],
    solve: Callable[[int, Tensor, Tensor], Tensor],
    progress: Progress,
    workings: Workings | None = None,
) -> None:
    """Write `targets` [facts, width], the wanted output of the last layer's block, into all layers being rewritten.

    Each layer, on the lower ones as they were just written, takes an equal share of what is still missing:
    `solve(layer, keys [facts, inputs], residual [facts, width])` gives its ΔW [width, inputs].
    """
    lm, layers = writing.lm, sorted(writing.untouched)
    bare = [filled("{}", fact) for fact in facts]
    for number, layer in enumerate(layers):
        progress(number, len(layers), WHAT)
        known, now = keys_and_values(lm, facts, [layer], templates, layers[-1])
        key, missing = known[layer], (targets.double() - now) / (len(layers) - number)
        writing.add(layer, solve(layer, key, asked_of_matrix(lm, layer, bare, missing)))
        if workings is not None:
            workings.keys[layer], workings.values[layer] = key, now
            workings.changes[layer] = writing.changes[layer]
    progress(len(layers), len(layers), WHAT)
