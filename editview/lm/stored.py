"""A checkpoint's weights as they lie in its files, under the model's own names, read piece by piece."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from editview.domain.errors import EditViewError
from editview.domain.plan import Checkpoint
from editview.domain.weights import MatrixKind, TensorInfo
from editview.lm.adapters import AdapterWeights
from editview.lm.headers import FORMATS
from editview.lm.opening import Structure, structure

PIECE = 2**19  # numbers read at once: what is worked on right after reading is still in the processor's cache
_AT_ONCE = 2**23  # bytes


@dataclass(frozen=True)
class StoredTensor:
    """Where a tensor lies, and what it is."""

    path: Path
    start: int  # byte in the file
    format: str  # 'BF16'
    shape: tuple[int, ...]

    @property
    def dtype(self) -> torch.dtype:
        """Raises EditViewError for a format that isn't one of plain numbers."""
        found = getattr(torch, FORMATS.get(self.format, ""), None)
        if found is None or not found.is_floating_point:
            raise EditViewError(
                f"The weights in '{self.path}' are kept as {self.format}, which can't be compared. Choose a "
                "checkpoint in a floating-point format that isn't quantised."
            )
        return found  # type: ignore[no-any-return]

    def same_bytes(self, other: StoredTensor) -> bool:
        """Whether another tensor is the same, bit for bit, in the same number format."""
        if (self.format, self.shape) != (other.format, other.shape):
            return False
        left = math.prod(self.shape) * self.dtype.itemsize
        with self.path.open("rb") as mine, other.path.open("rb") as theirs:
            mine.seek(self.start)
            theirs.seek(other.start)
            while left:
                count = min(left, _AT_ONCE)
                if mine.read(count) != theirs.read(count):
                    return False
                left -= count
        return True

    def pieces(self, most: int) -> Iterator[Tensor]:
        """The first `most` numbers in order, `PIECE` at a time, each read over the one before it."""
        dtype = self.dtype
        buffer = bytearray(min(PIECE, most) * dtype.itemsize)
        with self.path.open("rb", buffering=0) as file:
            file.seek(self.start)
            for at in range(0, most, PIECE):
                count = min(PIECE, most - at)
                view = memoryview(buffer)[: count * dtype.itemsize]
                while len(view):
                    read = file.readinto(view)
                    if not read:
                        raise EditViewError(f"'{self.path}' ends too early: it is damaged. Fetch it again.")
                    view = view[read:]
                yield torch.frombuffer(buffer, dtype=dtype, count=count)

    def whole(self) -> Tensor:
        """The tensor in its own number format."""
        size = math.prod(self.shape)
        read = torch.empty(size, dtype=self.dtype)
        at = 0
        for piece in self.pieces(size):
            read[at : at + len(piece)] = piece
            at += len(piece)
        return read.reshape(self.shape)


class StoredCheckpoint:
    """The weights of a checkpoint on this machine, with an adapter added where it has one.

    Raises EditViewError for what `structure` refuses, and for pickled weights.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.checkpoint = checkpoint
        self.built: Structure = structure(checkpoint)
        header = self.built.header
        if header is None:
            raise EditViewError(
                f"'{self.built.folder}' has its weights as pickle files, which can't be compared piece by piece. Save "
                "it as safetensors first."
            )
        self._adapter = AdapterWeights(self.built.adapter, self.built.skeleton) if self.built.adapter else None
        self.tensors: dict[str, StoredTensor] = {}
        self.named: dict[str, str] = {}  # what the files call each of them
        for name, (kind, shape) in header.tensors.items():
            own = self._own_name(name)
            if own not in self.tensors:
                self.tensors[own] = StoredTensor(*header.places[name], kind, shape)
                self.named[own] = name
        self.copies: dict[str, str] = {}  # parameters stored beside those that they are tied to, equal to them
        self.untied: dict[str, str] = {}  # such that aren't equal: they are read as tensors of their own
        self._tie()

    def _tie(self) -> None:
        """A tied parameter is known by one name: what is stored under another one, too, is a copy or isn't tied.

        As transformers does: it ties what is stored twice where both are equal.
        """
        for name in [name for name in self.tensors if self._aliases.get(name, name) != name]:
            tied_to = self._aliases[name]
            if tied_to not in self.tensors:
                self.tensors[tied_to], self.named[tied_to] = self.tensors.pop(name), self.named.pop(name)
            elif self.tensors[name].same_bytes(self.tensors[tied_to]):
                self.copies[name] = tied_to
                del self.tensors[name], self.named[name]
            else:
                self.untied[name] = tied_to

    @cached_property
    def infos(self) -> dict[str, TensorInfo]:
        """What is known of the model's parameters, in its order; tied ones once."""
        found = {info.name: info for info in self.built.anatomy.tensors}
        for name, tied_to in self.untied.items():
            found[name] = replace(found[tied_to], name=name, kind=MatrixKind.HEAD)
        return found

    @property
    def has_adapter(self) -> bool:
        return self._adapter is not None

    @property
    def files(self) -> tuple[Path, ...]:
        """Those that the weights lie in."""
        return tuple(sorted({tensor.path for tensor in self.tensors.values()}))

    @property
    def tied(self) -> dict[str, str]:
        """The parameters that are shared under another name, and that name."""
        return {name: other for name, other in self._aliases.items() if name != other and name not in self.untied}

    def find(self, name: str) -> StoredTensor | None:
        """A tensor by the model's name for it, or by that of what it is tied to."""
        return self.tensors.get(name) or self.tensors.get(self._aliases.get(name, name))

    def pieces(self, name: str, most: int) -> Iterator[Tensor]:
        """As `StoredTensor.pieces`, the adapter's change added. Raises KeyError."""
        stored = self.find(name)
        if stored is None:
            raise KeyError(name)
        if self._adapter is None or not self._adapter.changes(name):
            yield from stored.pieces(most)
            return
        whole = self._adapter.merged(name, stored.whole()).reshape(-1)[:most]
        yield from torch.split(whole, PIECE)

    def whole(self, name: str) -> Tensor:
        """A tensor in its own number format, the adapter's change added. Raises KeyError."""
        stored = self.find(name)
        if stored is None:
            raise KeyError(name)
        read = stored.whole()
        return self._adapter.merged(name, read) if self._adapter and self._adapter.changes(name) else read

    @cached_property
    def _aliases(self) -> dict[str, str]:
        """Names of tied parameters, and the name under which the model lists them once."""
        skeleton = self.built.skeleton
        first = {id(weight): name for name, weight in skeleton.named_parameters()}
        return {name: first[id(weight)] for name, weight in skeleton.named_parameters(remove_duplicate=False)}

    def _own_name(self, name: str) -> str:
        """The model's name for what a file calls so: some files leave the inner model's prefix out, some add it."""
        prefix = f"{self.built.skeleton.base_model_prefix}."
        for candidate in (name, f"{prefix}{name}", name.removeprefix(prefix)):
            if candidate in self._aliases:
                return candidate
        return name
