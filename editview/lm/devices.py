"""What this machine can run a model on, best first."""

from __future__ import annotations

import platform

import psutil
import torch

from editview.domain.checkpoint import Device


def devices() -> tuple[Device, ...]:
    """NVIDIA cards, then Apple's GPU, then the CPU, which is always there."""
    found = []
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            card = torch.cuda.get_device_properties(index)
            found.append(Device(f"cuda:{index}", card.name, card.total_memory))
    memory = psutil.virtual_memory().total
    if torch.backends.mps.is_available():
        found.append(Device("mps", f"{platform.processor() or 'Apple'} GPU", memory))
    return (*found, Device("cpu", "CPU", memory))


def memory_used(device: Device) -> int:
    """Bytes in use: of the card by everybody; of the CPU's memory by this program."""
    if device.id.startswith("cuda"):
        free, total = torch.cuda.mem_get_info(device.id)
        return total - free
    if device.id == "mps":
        return torch.mps.driver_allocated_memory()
    return int(psutil.Process().memory_info().rss)


def has_own_memory(device: Device) -> bool:
    """Whether a device has memory beside the main memory."""
    return device.id.startswith("cuda")


def main_memory_free() -> int:
    """Bytes that a program could still take."""
    return int(psutil.virtual_memory().available)


def memory_free(device: Device) -> int:
    """Bytes that a model could still take."""
    return torch.cuda.mem_get_info(device.id)[0] if has_own_memory(device) else main_memory_free()
