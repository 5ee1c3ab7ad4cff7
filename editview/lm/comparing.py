"""Two checkpoints compared as they lie in their files: never more in memory than a few pieces of a tensor."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from torch import Tensor

from editview.domain.difference import Difference, TensorDifference
from editview.domain.errors import Cancelled, EditViewError
from editview.domain.progress import Progress
from editview.domain.two_checkpoints import part_words
from editview.domain.weights import MatrixKind
from editview.lm.stored import StoredCheckpoint, StoredTensor
from editview.lm.the_rest import with_the_rest

_BLOCK = 2**15  # numbers worked on at once: they stay in the cache, and torch shares them out to no other threads

_WORKERS = 3
"""Tensors compared at once, each read and worked on in one thread: what waits for the disk leaves the cores to others.
An adapter's changes are made for whole tensors, so there they are compared one by one."""

_REPORTED = 0.1  # seconds between reports of progress

_RESIZABLE = (MatrixKind.EMBEDDING, MatrixKind.HEAD)


def compare(first: StoredCheckpoint, second: StoredCheckpoint, progress: Progress) -> Difference:
    """What lies between two checkpoints of one architecture. `progress` counts bytes.

    Sharding, number formats, prefixes of names, tied heads and added words may differ. Raises EditViewError for
    checkpoints that are built differently, and what `progress` raises.
    """
    refuse_others(first, second)
    pairs, alone = _paired(first, second)
    counted = _Counted(sum(pair.bytes for pair in pairs) or 1, progress)
    found: list[TensorDifference] = []
    workers = ThreadPoolExecutor(1 if first.has_adapter or second.has_adapter else _WORKERS)
    try:
        tasks = [workers.submit(_compared, pair, first, second, counted.add) for pair in pairs]
        for task in tasks:
            while not task.done():
                wait((task,), _REPORTED)
                counted.report()
            found.append(task.result())
    finally:
        counted.ended = True
        workers.shutdown(cancel_futures=True)
    counted.report()
    told = Difference(first.checkpoint, second.checkpoint, tuple(found), *alone, kept_otherwise(first, second))
    return with_the_rest(first, second, told, progress)


class _Counted:
    """The bytes that the workers have compared, and their sign to stop."""

    def __init__(self, total: int, progress: Progress) -> None:
        self.ended = False
        self._done, self._total, self._progress, self._lock = 0, total, progress, threading.Lock()

    def add(self, count: int) -> None:
        """Called by the workers. Raises Cancelled once nobody waits for them any more."""
        if self.ended:
            raise Cancelled
        with self._lock:
            self._done += count

    def report(self) -> None:
        self._progress(self._done, self._total, "Comparing the weights")


def refuse_others(first: StoredCheckpoint, second: StoredCheckpoint) -> None:
    """Raises EditViewError unless both are of one architecture and size."""
    one, other = first.built.config.get_text_config(), second.built.config.get_text_config()
    said = {"model_type": "is of the kind {}", "num_hidden_layers": "has {} layers", "hidden_size": "is {} wide"}
    for name, words in said.items():
        mine, theirs = getattr(one, name), getattr(other, name)
        if mine != theirs:
            raise EditViewError(
                f"These are different models, so they can't be compared: the first {words.format(mine)}, the second "
                f"{words.format(theirs)}. Choose two versions of one model."
            )
    for info in first.infos.values():
        theirs = second.infos.get(info.name, info)
        if info.layer is not None and info.shape != theirs.shape:
            mine, others = (" × ".join(f"{size:,}" for size in each.shape) for each in (info, theirs))
            raise EditViewError(
                f"These are different models, so they can't be compared: {part_words(info)} ('{info.name}') is {mine} "
                f"in the first and {others} in the second. Choose two versions of one model."
            )


def kept_otherwise(first: StoredCheckpoint, second: StoredCheckpoint) -> tuple[str, ...]:
    """Sentences on how the files of two checkpoints hold the same weights in other ways."""
    said = []
    one, other = len(first.files), len(second.files)
    if one != other:
        said.append(f"The weights of the first lie in {_counted(one)}, those of the second in {_counted(other)}.")
    said += _twice("first", first) + _twice("second", second)
    called = ((first.named[name], second.named[name]) for name in first.named if name in second.named)
    for mine, theirs in islice((pair for pair in called if pair[0] != pair[1]), 1):
        said.append(f"Their files name tensors in two ways, '{mine}' and '{theirs}'; they were matched.")
    for which, tied, free in (("first", first.tied, second.tied), ("second", second.tied, first.tied)):
        for name in tied.keys() - free.keys():
            said.append(f"In the {which} alone '{name}' is shared with '{tied[name]}'.")
    return tuple(said)


def _twice(which: str, checkpoint: StoredCheckpoint) -> list[str]:
    copies = [
        f"The {which} stores '{other}' twice, the second time as '{name}': an extra copy, bit for bit the same."
        for name, other in checkpoint.copies.items()
    ]
    return copies + [
        f"In the {which} '{name}' is to be shared with '{other}', but is stored as well and differs from it; so it "
        "counts by itself."
        for name, other in checkpoint.untied.items()
    ]


def _counted(files: int) -> str:
    return "one file" if files == 1 else f"{files:,} files"


@dataclass(frozen=True)
class _Pair:
    name: str
    first: StoredTensor
    second: StoredTensor
    numbers: int  # that both have

    @property
    def bytes(self) -> int:
        return self.numbers * (self.first.dtype.itemsize + self.second.dtype.itemsize)


def _paired(
    first: StoredCheckpoint, second: StoredCheckpoint
) -> tuple[list[_Pair], tuple[tuple[str, ...], tuple[str, ...]]]:
    """Tensors that both have, in the model's order, and the names that only one has."""
    names = dict.fromkeys([*first.infos, *second.infos, *first.tensors, *second.tensors])
    pairs: list[_Pair] = []
    alone: tuple[list[str], list[str]] = ([], [])
    for name in names:
        one, other = first.find(name), second.find(name)
        numbers = _common(name, one, other, second) if one and other else 0
        if one and other and numbers:
            pairs.append(_Pair(name, one, other, numbers))
        else:
            for tensor, list_ in ((one, alone[0]), (other, alone[1])):
                if tensor is not None:
                    list_.append(name)
    return pairs, (tuple(alone[0]), tuple(alone[1]))


def _common(name: str, one: StoredTensor, other: StoredTensor, second: StoredCheckpoint) -> int:
    """How many numbers can be laid side by side: all, or those of the words that both know; 0: none."""
    if one.shape == other.shape:
        return math.prod(one.shape)
    info = second.infos.get(name)
    if info is not None and info.kind in _RESIZABLE and one.shape[1:] == other.shape[1:]:
        return min(one.shape[0], other.shape[0]) * math.prod(one.shape[1:])
    return 0


@np.errstate(over="ignore", invalid="ignore")  # weights may hold values that are no numbers
@torch.inference_mode()
def _compared(
    pair: _Pair, first: StoredCheckpoint, second: StoredCheckpoint, count: Callable[[int], None]
) -> TensorDifference:
    """One tensor of both, read and compared piece by piece; `count` takes the bytes of each piece."""
    info = second.infos.get(pair.name) or first.infos.get(pair.name)
    same = pair.first.format == pair.second.format
    rounded = not same
    exact = torch.float64 in (pair.first.dtype, pair.second.dtype)
    room = torch.empty(2, _BLOCK, dtype=torch.float64 if exact else torch.float32)
    old, new = room
    before = change = 0.0
    for one, other in zip(*(which.pieces(pair.name, pair.numbers) for which in (first, second)), strict=True):
        same = same and _same_bytes(one, other)
        rounded = rounded and _is_rounding(one, other)
        for mine, theirs in zip(one.split(_BLOCK), other.split(_BLOCK), strict=True):
            if len(mine) != len(old):
                old, new = room[:, : len(mine)]
            old.copy_(mine)
            before += _square(old)
            if not same:
                new.copy_(theirs).sub_(old)
                change += _square(new)
        count(len(one) * (one.itemsize + other.itemsize))
    resized = pair.first.shape != pair.second.shape
    return TensorDifference(
        name=pair.name,
        layer=info.layer if info else None,
        kind=info.kind if info else MatrixKind.OTHER,
        shape=pair.second.shape,
        formats=(pair.first.format, pair.second.format),
        same=same,
        rounding=rounded,
        norm_before=math.sqrt(before),
        norm_change=math.sqrt(change),
        rows=(pair.first.shape[0], pair.second.shape[0]) if resized else (0, 0),
    )


def _square(block: Tensor) -> float:
    """‖block‖². By numpy: torch's product of vectors wakes more threads than it has work for."""
    numbers = block.numpy()
    return float(np.dot(numbers, numbers))


def _same_bytes(one: Tensor, other: Tensor) -> bool:
    """Whether two pieces are equal bit for bit; torch's own comparison takes ten times as long, by the byte."""
    mine, theirs = (piece.view(torch.uint8).numpy() for piece in (one, other))
    return np.array_equal(mine, theirs)


def _is_rounding(one: Tensor, other: Tensor) -> bool:
    """Whether one piece is the other in a coarser number format."""
    fine, coarse = (one, other) if one.itemsize >= other.itemsize else (other, one)
    return _same_bytes(fine.to(coarse.dtype), coarse)
