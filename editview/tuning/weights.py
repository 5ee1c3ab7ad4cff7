"""Weights that are changed whole or not at all, and trained in numbers that are fine enough."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from editview.domain.errors import EditViewError


@contextmanager
def whole_or_not_at_all(weights: Iterable[Tensor]) -> Iterator[None]:
    """After an error, or a result with NaN or infinity in it, the weights are what they were before, bit for bit.

    Keeps a copy in main memory meanwhile. Raises EditViewError for a result that isn't finite.
    """
    kept = [(weight, weight.detach().to("cpu", copy=True)) for weight in weights]
    try:
        yield
        refuse_unless_finite(weight for weight, _ in kept)
    except BaseException:
        with torch.no_grad():
            for weight, before in kept:
                weight.copy_(before)
        raise


def refuse_unless_finite(weights: Iterable[Tensor]) -> None:
    if not all(bool(torch.isfinite(weight.detach()).all()) for weight in weights):
        raise diverged()


def diverged(step: int | None = None) -> EditViewError:
    where = "" if step is None else f" at step {step:,}"
    return EditViewError(
        f"Training got out of hand{where}: the numbers grew beyond all bounds, so the model would be useless. "
        "The model is as it was before. Choose a lower learning rate or a warm-up, and try again."
    )


@contextmanager
def in_full_precision(model: torch.nn.Module, dtypes: Collection[torch.dtype]) -> Iterator[None]:
    """Parameters of these number formats are float32 inside, and rounded back afterwards."""
    coarse = [(weight, weight.dtype) for weight in model.parameters() if weight.dtype in dtypes]
    try:
        for weight, _ in coarse:
            weight.data = weight.data.float()
        yield
    finally:
        for weight, dtype in coarse:
            weight.grad = None
            weight.data = weight.data.to(dtype)
