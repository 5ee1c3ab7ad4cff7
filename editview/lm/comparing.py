"""Two checkpoints compared as they lie in their files: never more in memory than a few pieces of a tensor."""

from __future__ import annotations

import math
import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import cycle, islice

import torch
from torch import Tensor

from editview.domain.difference import Difference, TensorDifference
from editview.domain.errors import EditViewError
from editview.domain.progress import Progress
from editview.domain.two_checkpoints import part_words
from editview.domain.weights import MatrixKind, TensorInfo
from editview.lm import stored
from editview.lm.stored import StoredCheckpoint, StoredTensor
from editview.lm.the_rest import with_the_rest

_BLOCK = 2**15  # numbers worked on at once: they stay in the cache, and torch shares them out to no other threads

_AHEAD = 4
"""Pieces of each checkpoint that wait to be worked on."""

_RESIZABLE = (MatrixKind.EMBEDDING, MatrixKind.HEAD)


def compare(first: StoredCheckpoint, second: StoredCheckpoint, progress: Progress) -> Difference:
    """What lies between two checkpoints of one architecture. `progress` counts bytes.

    Sharding, number formats, prefixes of names, tied heads and added words may differ. Raises EditViewError for
    checkpoints that are built differently, and what `progress` raises.
    """
    refuse_others(first, second)
    pairs, alone = _paired(first, second)
    total = sum(pair.bytes for pair in pairs) or 1
    found, done = [], 0
    with _read_ahead(first, pairs) as before, _read_ahead(second, pairs) as after:
        for pair in pairs:

            def report(bytes_read: int, done: int = done) -> None:
                progress(done + bytes_read, total, "Comparing the weights")

            info = second.infos.get(pair.name) or first.infos.get(pair.name)
            both = zip(islice(before, pair.pieces), islice(after, pair.pieces), strict=True)
            found.append(_compared(pair, both, info, report))
            done += pair.bytes
    progress(total, total, "Comparing the weights")
    told = Difference(first.checkpoint, second.checkpoint, tuple(found), *alone, kept_otherwise(first, second))
    return with_the_rest(first, second, told, progress)


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
    def pieces(self) -> int:
        return -(-self.numbers // stored.PIECE)

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


def _compared(
    pair: _Pair, both: Iterable[tuple[Tensor, Tensor]], info: TensorInfo | None, report: Callable[[int], None]
) -> TensorDifference:
    same_format = pair.first.format == pair.second.format
    same, rounded = same_format, not same_format
    before = change = 0.0
    done = 0
    for one, other in both:
        report(done)
        done += len(one) * one.itemsize + len(other) * other.itemsize
        equal = same_format and torch.equal(one.view(torch.uint8), other.view(torch.uint8))
        same = same and equal
        rounded = rounded and _is_rounding(one, other)
        for at in range(0, len(one), _BLOCK):
            old = _wide(one[at : at + _BLOCK])
            before += float(torch.dot(old, old))
            if not equal:
                new = _wide(other[at : at + _BLOCK]).sub_(old)
                change += float(torch.dot(new, new))
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


@contextmanager
def _read_ahead(checkpoint: StoredCheckpoint, pairs: Sequence[_Pair]) -> Iterator[Iterator[Tensor]]:
    """One checkpoint's pieces of all pairs, read in a thread of its own, a few ahead of what is worked on."""
    ready: queue.Queue[Tensor | BaseException | None] = queue.Queue(_AHEAD)
    ended = threading.Event()
    buffers = cycle([stored.new_buffer() for _ in range(_AHEAD + 2)])  # one is being read, one worked on

    def put(item: Tensor | BaseException | None) -> None:
        while not ended.is_set():
            with suppress(queue.Full):
                ready.put(item, timeout=0.1)
                return

    def read() -> None:
        try:
            for pair in pairs:
                for piece in checkpoint.pieces(pair.name, pair.numbers, buffers):
                    put(piece)
                    if ended.is_set():
                        return
            put(None)
        except BaseException as error:
            put(error)

    def pieces() -> Iterator[Tensor]:
        while (item := ready.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        yield pieces()
    finally:
        ended.set()
        reader.join()


def _wide(piece: Tensor) -> Tensor:
    """A copy in numbers that can be subtracted without loss worth speaking of."""
    return piece.to(torch.float64 if piece.dtype == torch.float64 else torch.float32, copy=True)


def _is_rounding(one: Tensor, other: Tensor) -> bool:
    """Whether one piece is the other in a coarser number format."""
    fine, coarse = (one, other) if one.itemsize >= other.itemsize else (other, one)
    return torch.equal(fine.to(coarse.dtype), coarse)
