"""Where the weights of a model lie that is larger than the device it runs on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import prod

from editview.domain.weights import TensorInfo


class Place(StrEnum):
    """Where a layer waits for its turn. What waits elsewhere than on the device is brought there for each reading."""

    DEVICE = "device"
    MEMORY = "memory"
    DISK = "disk"


@dataclass(frozen=True)
class Placement:
    """One place a layer. Embeddings, head and whatever else lies outside the layers stay on the device."""

    layers: tuple[Place, ...]
    on_device: int  # bytes of weights that stay there
    widest: int  # bytes of the largest matrix that comes and goes

    @property
    def is_whole(self) -> bool:
        return set(self.layers) <= {Place.DEVICE}

    def sentence(self, device: str) -> str:
        """How a person would say it; '' for a model that stays on the device as a whole."""
        if self.is_whole:
            return ""
        words = {Place.MEMORY: "in main memory", Place.DISK: "on the disk"}
        elsewhere = [place for place in words if place in self.layers]
        if len(elsewhere) == 1:
            rest = f"the rest {words[elsewhere[0]]}"
        else:
            rest = ", ".join(f"{self.layers.count(place)} {words[place]}" for place in elsewhere)
        here = self.layers.count(Place.DEVICE)
        return f"{here} of {len(self.layers)} layers on the {device}, {rest}: slower."


def placed(
    tensors: Sequence[TensorInfo], number: int, on_device: int, in_memory: int, disk: bool = True
) -> Placement | None:
    """Lay a model out over so many bytes on the device and in main memory, the rest on the disk if it may be used.

    `number` is the bytes of one weight. The last layers stay on the device, since the search for an edit reads only
    those above it, again and again. None: it can't be laid out.
    """
    sizes: dict[int | None, int] = {None: 0}
    for tensor in tensors:
        sizes[tensor.layer] = sizes.get(tensor.layer, 0) + prod(tensor.shape) * number
    outside = sizes.pop(None)
    if outside + sum(sizes.values()) <= on_device:
        return Placement((Place.DEVICE,) * len(sizes), outside + sum(sizes.values()), 0)
    widest = max((prod(tensor.shape) * number for tensor in tensors if tensor.layer is not None), default=0)
    left = {Place.DEVICE: on_device - outside - widest, Place.MEMORY: in_memory}
    if left[Place.DEVICE] < 0:
        return None
    layers: list[Place] = []
    place = Place.DEVICE
    for layer in sorted((layer for layer in sizes if layer is not None), reverse=True):
        size = sizes[layer]
        while place is not Place.DISK and left[place] < size:
            place = Place.MEMORY if place is Place.DEVICE else Place.DISK
        if place is Place.DISK and not disk:
            return None
        if place is not Place.DISK:
            left[place] -= size
        layers.insert(0, place)
    return Placement(tuple(layers), on_device - left[Place.DEVICE] - widest, widest)
