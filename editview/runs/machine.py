"""This machine as runs need it: torch set so that results repeat, the device that was asked for, the memory left."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from contextlib import suppress

import psutil
import torch

from editview.domain.checkpoint import Device
from editview.domain.errors import EditViewError
from editview.lm.devices import devices, has_own_memory, main_memory_free, memory_free


def settle() -> None:
    """Set torch up for repeatable results and a machine that stays usable. Call it in the thread that computes.

    The number of threads decides how sums are split on the CPU, so the window and the command line use the same one:
    the cores this process may use, but one.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS repeats itself only with this
    torch.set_num_threads(max(1, _cores() - 1))
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # costs time for nothing


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else (os.cpu_count() or 1)


def device(wanted: str | None = None) -> Device:
    """The device of that id ('cuda' names the first GPU), or the best. Raises EditViewError, naming those there are."""
    found = devices()
    if wanted is None:
        return found[0]
    for one in found:
        if wanted in (one.id, one.id.partition(":")[0]):
            return one
    there = ", ".join(f"{one.id} ({one.name})" for one in found)
    raise EditViewError(f"There is no device '{wanted}' on this machine. Choose one of: {there}.")


def memory_available(device: Device) -> int:
    """Bytes that a run could use: what is free, and what this process holds already, which the run reuses."""
    own = torch.cuda.memory_reserved(device.id) if has_own_memory(device) else int(psutil.Process().memory_info().rss)
    return min(device.memory_total, memory_free(device) + own)


def release_memory() -> None:
    """Give back to the system what was freed and is still held for later use."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if torch.backends.mps.is_available():
        torch.mps.empty_cache()
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # another C library than GNU's
            ctypes.CDLL("libc.so.6").malloc_trim(0)


def main_memory_available() -> int:
    """The same of the main memory."""
    return main_memory_free() + int(psutil.Process().memory_info().rss)


def memory_beside(device: Device) -> int:
    """Bytes that are free beside what this process holds; of a GPU also what it holds and doesn't use."""
    unused = 0
    if has_own_memory(device):
        unused = torch.cuda.memory_reserved(device.id) - torch.cuda.memory_allocated(device.id)
    return memory_free(device) + unused
