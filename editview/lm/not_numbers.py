"""Tensors that hold values which are no numbers: how many in which checkpoint, and what can be measured beside them."""

from __future__ import annotations

import math
from dataclasses import replace

import torch

from editview.domain.difference import Difference, TensorDifference
from editview.domain.progress import Progress
from editview.lm.stored import StoredCheckpoint

_AT_ONCE = 2**20


def measured_anew(
    first: StoredCheckpoint, second: StoredCheckpoint, found: Difference, progress: Progress
) -> Difference:
    """A difference (`lm/comparing.py`) in which norms that aren't finite are measured anew, without NaN and infinity.

    Reads those tensors once more, one of each in memory; most checkpoints have none. `progress` counts numbers. Raises
    what reading and `progress` raise.
    """
    odd = [tensor for tensor in found.tensors if not math.isfinite(tensor.norm_before + tensor.norm_change)]
    sizes = [math.prod(tensor.shape) for tensor in odd]
    anew = {}
    for at, tensor in enumerate(odd):
        progress(sum(sizes[:at]), sum(sizes), "Counting values that are no numbers")
        anew[tensor.name] = _counted(first, second, tensor)
    return replace(found, tensors=tuple(anew.get(tensor.name, tensor) for tensor in found.tensors)) if odd else found


def _counted(first: StoredCheckpoint, second: StoredCheckpoint, tensor: TensorDifference) -> TensorDifference:
    one, other = (which.whole(tensor.name).reshape(-1) for which in (first, second))
    most = min(len(one), len(other))
    lost, squares = [0, 0], [0.0, 0.0]
    for mine, theirs in zip(*(torch.split(each[:most], _AT_ONCE) for each in (one, other)), strict=True):
        old, new = mine.double(), theirs.double()
        sound = torch.isfinite(old), torch.isfinite(new)
        both = sound[0] & sound[1]
        for at in (0, 1):
            lost[at] += int((~sound[at]).sum())
        squares[0] += float(old[sound[0]].square().sum())
        squares[1] += float((new[both] - old[both]).square().sum())
    before, change = map(math.sqrt, squares)
    return replace(tensor, norm_before=before, norm_change=change, not_numbers=(lost[0], lost[1]))
