"""Reversing edits that somebody else made: the directions of a memory that stand out are taken out of it.

What is left is a bottom-rank approximation (Youssef et al. 2026, arXiv 2505.20819): W less its first singular values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor

from editview.domain.errors import EditViewError
from editview.domain.operations import Reverse
from editview.domain.progress import Progress
from editview.domain.tracing import layers_said, no_such_layer
from editview.edits.writing import Outcome, rewriting
from editview.lm.anatomy import writes_transposed
from editview.lm.model import LanguageModel
from editview.lm.standing_out import memory, relative_values, standing_out, top


def reverse(lm: LanguageModel, operation: Reverse, progress: Progress) -> Outcome:
    """Take out what stands out, in place, whole or not at all. Nothing is to be done where nothing does.

    Raises EditViewError for layers that the model doesn't have, or more directions than a matrix has.
    """
    directions = chosen(lm, operation, progress)
    if not directions:
        where = f" of {layers_said(sorted(set(operation.layers)))}" if operation.layers else ""
        return Outcome({}, notes=(f"No memory{where} stands out from the others, so nothing was taken out.",),
                       nothing_to_write=True)  # fmt: skip
    with rewriting(lm, sorted(directions)) as writing:
        for done, (layer, count) in enumerate(sorted(directions.items())):
            progress(done, len(directions), "Taking out what stands out")
            writing.add(layer, -top(memory(lm, layer), count).whole)
        progress(len(directions), len(directions), "Taking out what stands out")
        said = ", ".join(f"{count:,} in layer {layer + 1}" for layer, count in sorted(directions.items()))
        return Outcome(writing.rounded_away(), notes=(f"Directions taken out: {said}.",))


def chosen(lm: LanguageModel, operation: Reverse, progress: Progress) -> dict[int, int]:
    """By layer how many directions are taken out; layers of which none are, are left out."""
    count = len(lm.anatomy.blocks)
    beyond = [layer for layer in operation.layers if layer >= count]
    if beyond:
        raise EditViewError(f"{no_such_layer(beyond[0], count)} Change the step's layers.")
    if operation.layers and operation.directions:
        found = dict.fromkeys(operation.layers, operation.directions)
    else:
        stand = standing_out(relative_values(lm, progress))
        layers = operation.layers or [layer for layer, (_, number) in stand.items() if number]
        found = {layer: operation.directions or stand[layer][1] for layer in layers}
    for layer in found:
        most = min(memory(lm, layer).shape)
        if found[layer] >= most:
            raise EditViewError(
                f"The memory of layer {layer + 1} has {most:,} directions, and taking {found[layer]:,} out would leave "
                "nothing of it. Lower the number of directions."
            )
    return {layer: number for layer, number in found.items() if number}


@contextmanager
def without(lm: LanguageModel, parts: Mapping[int, Tensor]) -> Iterator[None]:
    """Inside, these parts [outputs, inputs] of some layers' memories are taken out; then they are bit for bit back."""
    names = [f"{lm.anatomy.mlp_outputs[layer]}.weight" for layer in parts]
    with lm.at_hand(names):
        matrices = {layer: lm.anatomy.mlp_output(lm.model, layer) for layer in parts}
        before = {layer: matrix.weight.detach().clone() for layer, matrix in matrices.items()}
        try:
            with torch.no_grad():
                for layer, matrix in matrices.items():
                    part = parts[layer].T if writes_transposed(matrix) else parts[layer]
                    matrix.weight.copy_(before[layer].double() - part.to(matrix.weight.device))
            yield
        finally:
            with torch.no_grad():
                for layer, matrix in matrices.items():
                    matrix.weight.copy_(before[layer])
