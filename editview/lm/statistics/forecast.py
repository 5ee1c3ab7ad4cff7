"""What reading a text would take, told from headers and the text alone."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch

from editview.domain.checkpoint import CheckpointInfo
from editview.domain.texts import Text
from editview.domain.weights import MatrixKind
from editview.lm.statistics import keep
from editview.lm.statistics.chapters import Measure
from editview.lm.statistics.converge import FURTHEST, marks, named

_CHARACTERS_A_TOKEN = 3  # fewer than nearly all tokenizers put into one, so that what is said is rather too much


@dataclass(frozen=True)
class ReadingForecast:
    """At most; what was read before and is kept costs nothing of it."""

    tokens: int  # at most; of a text shorter than what was asked for, rather too many than too few
    memory: int  # bytes: sums and covariance of each layer, and three float64 matrices while one is solved with
    disk: int  # bytes: what is kept of each layer on the way and at the end, with its factor; some may be let go
    work: float  # tokens × parameters up to the last layer


def reading_forecast(info: CheckpointInfo, layers: Sequence[int], text: Text, tokens: int | None) -> ReadingForecast:
    """Of `key_statistics` with the same arguments. Raises EditViewError when the text can't be read."""
    outputs = [tensor.shape for tensor in info.tensors if tensor.kind is MatrixKind.MLP_OUT]
    inputs = max((_inputs(shape, info.width) for shape in outputs), default=info.width)
    measure = Measure.for_inputs(inputs)
    most = FURTHEST * measure.unit * measure.chapter if tokens is None else tokens
    read = _at_most(text.lines, most)
    matrix = inputs**2
    kept = sum(mark * measure.chapter <= read for mark in marks(measure)) + 1 if tokens is None else 1
    below = sum(math.prod(t.shape) for t in info.tensors if t.layer is not None and t.layer <= max(layers))
    return ReadingForecast(
        tokens=read,
        memory=len(layers) * matrix * 8 + 3 * matrix * 8,
        disk=len(layers) * matrix * (4 * (kept + 1) + 8),
        work=float(read * below),
    )


def is_kept(
    state: str, layers: Sequence[int], text: Text, tokens: int | None, weight: float, dtype: torch.dtype
) -> bool:
    """Whether `key_statistics` would find them on the disk, for a model of this fingerprint and number format."""
    for layer in layers:
        stem = keep.stem(state, layer, text.content, dtype)
        names = [named(stem, weight)] if tokens is None else [f"{stem}-cut{tokens}", f"{stem}-end"]
        if not any(map(keep.there, names)):
            return False
    return True


def _inputs(shape: tuple[int, ...], width: int) -> int:
    """Of a matrix that writes at the model's width, whichever way it is kept."""
    rows, columns = shape
    return columns if rows == width else rows


def _at_most(lines: Iterable[str], most: int) -> int:
    read = 0
    for line in lines:
        read += -(-len(line) // _CHARACTERS_A_TOKEN) + 1
        if read >= most:
            return most
    return read
