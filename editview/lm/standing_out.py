"""Which memories look edited, from the weights alone: directions that one layer writes far more strongly than others.

An edit adds a matrix of few directions, which become the top of the edited matrix's spectrum; the bottom of it is what
was there before (Youssef et al. 2026, arXiv 2505.20819). Here the other layers of the same model say what is ordinary.
Layers differ in scale, so singular values are taken over their median.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import torch
from torch import Tensor

from editview.domain.errors import EditViewError
from editview.domain.progress import Progress
from editview.lm.anatomy import writes_transposed
from editview.lm.model import LanguageModel

SUSPICIOUS = 2.0
"""A memory looks edited when its first singular value is so many times the usual first one of the other layers."""

CONSPICUOUS = 1.25
"""Of a memory that looks edited, those directions stand out that are so many times that usual first one."""


@dataclass(frozen=True)
class Top:
    """The first directions of a memory W = U S Vᵀ [outputs, inputs]; float64 on the CPU."""

    values: Tensor  # S [directions], descending
    left: Tensor  # U [outputs, directions]: what is written
    right: Tensor  # V [inputs, directions]: what it is written for

    @property
    def whole(self) -> Tensor:
        """The part of W in these directions [outputs, inputs]."""
        return (self.left * self.values) @ self.right.T


def memory(lm: LanguageModel, layer: int) -> Tensor:
    """A layer's feed-forward output matrix [outputs, inputs] as it is now; float64 on the CPU."""
    weight = lm.weights()[f"{lm.anatomy.mlp_outputs[layer]}.weight"].cpu().double()
    return weight.T if writes_transposed(lm.anatomy.mlp_output(lm.model, layer)) else weight


def top(memory: Tensor, count: int) -> Top:
    """The first `count` directions, from the eigenvectors of W Wᵀ."""
    squares, left = torch.linalg.eigh(memory @ memory.T)
    values, left = squares.flip(0)[:count].clamp(min=0).sqrt(), left.flip(1)[:, :count]
    return Top(values, left, memory.T @ left / values.clamp(min=torch.finfo(values.dtype).tiny))


def relative_values(lm: LanguageModel, progress: Progress) -> dict[int, list[float]]:
    """By layer the singular values of its memory over their median, descending.

    Raises EditViewError for a memory that holds values which are no numbers.
    """
    layers = range(len(lm.anatomy.blocks))
    found = {}
    for layer in layers:
        progress(layer, len(layers), "Looking at the memories' spectra")
        matrix = memory(lm, layer)
        if not torch.isfinite(matrix).all():
            raise EditViewError(
                f"The memory of layer {layer + 1} holds values that are no numbers (NaN or infinite), so it can't be "
                "taken apart. Choose a checkpoint from before that happened."
            )
        square = matrix @ matrix.T if len(matrix) <= matrix.shape[1] else matrix.T @ matrix
        values = torch.linalg.eigvalsh(square).flip(0).clamp(min=0).sqrt()
        found[layer] = (values / values.median()).tolist()
    progress(len(layers), len(layers), "Looking at the memories' spectra")
    return found


def standing_out(relative: Mapping[int, Sequence[float]]) -> dict[int, tuple[float, int]]:
    """By layer how many times the usual first singular value its own is, and how many directions stand out.

    `relative` are singular values over their median, descending, of all layers. What is usual is the median of the
    other layers' first ones; a single layer has none to compare with, and 1 is said of it.
    """
    found = {}
    for layer, values in relative.items():
        others = [other[0] for at, other in relative.items() if at != layer]
        usual = median(others) if others else values[0]
        count = sum(value > CONSPICUOUS * usual for value in values[: len(values) // 2])
        ratio = values[0] / usual
        found[layer] = (ratio, count if ratio > SUSPICIOUS else 0)
    return found
