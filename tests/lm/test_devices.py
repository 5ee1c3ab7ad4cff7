"""The CPU is always there, last, and memory figures are bytes."""

from __future__ import annotations

import torch

from editview.lm.devices import devices, memory_free, memory_used


def test_devices() -> None:
    found = devices()
    assert found[-1].id == "cpu"
    assert len(found) == 1 + torch.cuda.device_count() + torch.backends.mps.is_available()
    for device in found:
        assert torch.device(device.id).type in ("cpu", "cuda", "mps")
        assert 0 < memory_used(device) <= device.memory_total
        assert 0 < memory_free(device) <= device.memory_total
