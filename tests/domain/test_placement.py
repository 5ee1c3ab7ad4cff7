"""Where layers go that don't all fit on the device."""

from __future__ import annotations

import pytest

from editview.domain.placement import Place, placed
from editview.domain.weights import MatrixKind, TensorInfo

DEVICE, MEMORY, DISK = Place
TENSORS = (
    TensorInfo("embedding", None, MatrixKind.EMBEDDING, (10, 10)),
    *(TensorInfo(f"{layer}.{part}", layer, MatrixKind.MLP_IN, (10, 5)) for layer in range(4) for part in "ab"),
)  # 200 bytes outside the layers, 200 in each, at two bytes a weight


@pytest.mark.parametrize(
    ("device", "memory", "layers", "said"),
    [
        (1000, 0, (DEVICE,) * 4, ""),
        (999, 800, (MEMORY, DEVICE, DEVICE, DEVICE), "3 of 4 layers on the X, the rest in main memory: slower."),
        (
            700,
            200,
            (DISK, MEMORY, DEVICE, DEVICE),
            "2 of 4 layers on the X, 1 in main memory, 1 on the disk: slower.",
        ),
        (300, 0, (DISK,) * 4, "0 of 4 layers on the X, the rest on the disk: slower."),
    ],
)
def test_the_last_layers_stay_on_the_device(device: int, memory: int, layers: tuple[Place, ...], said: str) -> None:
    found = placed(TENSORS, 2, device, memory)
    assert found is not None
    assert found.layers == layers
    assert found.sentence("X") == said
    assert found.on_device == 200 + 200 * layers.count(DEVICE)
    assert found.on_device + found.widest <= device


def test_what_lies_outside_the_layers_and_one_matrix_must_fit() -> None:
    assert placed(TENSORS, 2, 299, 10**6) is None


def test_without_the_disk_all_must_fit_in_memories() -> None:
    assert placed(TENSORS, 2, 700, 400, disk=False) is not None
    assert placed(TENSORS, 2, 700, 399, disk=False) is None
