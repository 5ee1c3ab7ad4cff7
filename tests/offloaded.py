"""Models of which some layers wait elsewhere, on a machine with a CPU alone."""

from __future__ import annotations

from dataclasses import replace
from tempfile import TemporaryDirectory

import pytest

from editview.domain.checkpoint import Device
from editview.domain.placement import Place, Placement
from editview.domain.plan import Checkpoint
from editview.domain.progress import silent
from editview.lm import opening
from editview.lm.model import LanguageModel
from editview.lm.offloading import Offloaded, device_map, dispatched
from editview.lm.opening import open_model

CPU = Device("cpu", "CPU", 2**34)


def placement(layers: int, waiting: int, place: Place = Place.DISK) -> Placement:
    """The first layers wait."""
    return Placement((place,) * waiting + (Place.DEVICE,) * (layers - waiting), 0, 0)


def opened(
    checkpoint: Checkpoint, layers: int, waiting: int = 2, place: Place = Place.DISK, device: Device = CPU
) -> LanguageModel:
    """Opened so that the first layers wait."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opening, "laid_out", lambda *_: placement(layers, waiting, place))
        return open_model(checkpoint, device, silent)


def in_memory(lm: LanguageModel, waiting: int = 2) -> LanguageModel:
    """A model whose layers wait in main memory from now on."""
    where = device_map(lm.model, lm.anatomy, placement(len(lm.anatomy.blocks), waiting), "cpu")
    names = [tensor.name for tensor in lm.anatomy.tensors]
    return replace(lm, offloaded=Offloaded(dispatched(lm.model, where, "cpu"), names, "cpu", "", TemporaryDirectory()))
