"""How a model is laid out over this machine's memories: which of them decide, and what is said when none does."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from editview.domain.checkpoint import Device
from editview.domain.errors import EditViewError
from editview.domain.placement import Placement, placed
from editview.domain.sentences import amount
from editview.domain.weights import TensorInfo
from editview.lm.devices import has_own_memory, main_memory_free, memory_free

WORKING = 0.2  # of the weights, beside them, where nobody says what the work takes
OF_MAIN_MEMORY = 0.8  # of what is free there: others need it too


def laid_out(
    tensors: Sequence[TensorInfo],
    number: int,
    device: Device,
    working: int | None,
    disk: bool,
    free: int | None = None,
    main: int | None = None,
) -> Placement | None:
    """Where the layers of a model go whose weights take `number` bytes each; None: they fit nowhere.

    `working` bytes of the device's memory stay free (None: a guess). `disk`: whether its files serve for layers that
    fit nowhere else. `free` bytes of the device and `main` of main memory can be used; None: what is free right now.
    """
    weights = sum(prod(tensor.shape) for tensor in tensors) * number
    room = (memory_free(device) if free is None else free) - (int(WORKING * weights) if working is None else working)
    if has_own_memory(device):
        main = main_memory_free() if main is None else main
        return placed(tensors, number, room, int(OF_MAIN_MEMORY * main), disk)
    return placed(tensors, number, room // 2, 0, disk)  # the checkpoint's own lie beside those that are worked on


def too_large(tensors: Sequence[TensorInfo], number: int, device: Device, disk: bool) -> EditViewError:
    """What is said of a model for which there is no layout."""
    weights = amount(sum(prod(tensor.shape) for tensor in tensors) * number)
    there = f"{device.name} has {amount(memory_free(device))} free, main memory {amount(main_memory_free())}"
    way = "" if disk else (
        " Layers can only wait on the disk where the weights are safetensors without an adapter: merge or convert them."
    )  # fmt: skip
    return EditViewError(
        f"The model's weights take {weights} and fit nowhere here with room to work: {there}. Choose the CPU as the "
        f"device, a smaller number format, or a smaller model.{way}"
    )
