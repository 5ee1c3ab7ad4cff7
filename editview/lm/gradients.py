"""Gradients of a few chosen tensors, and of nothing else."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from editview.lm.model import LanguageModel, at_rest


@contextmanager
def learning(lm: LanguageModel, weights: Collection[Tensor]) -> Iterator[None]:
    """Inside, only `weights` have gradients and nothing drops out; afterwards everything is as it was."""
    before = {parameter: parameter.requires_grad for parameter in lm.model.parameters()}
    chosen = {id(weight) for weight in weights}
    try:
        for parameter in before:
            parameter.requires_grad_(id(parameter) in chosen)
        with at_rest(lm.model), exact_attention(lm), lm.gradients():
            yield
    finally:
        for parameter, learnt in before.items():
            parameter.requires_grad_(learnt)


def exact_attention(lm: LanguageModel) -> AbstractContextManager[None]:
    """On a GPU the fast kernels add up gradients in any order; the plain one gives the same bits each time."""
    return sdpa_kernel(SDPBackend.MATH) if lm.device.type == "cuda" else nullcontext()
