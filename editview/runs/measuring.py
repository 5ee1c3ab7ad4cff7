"""What a fine-tune takes on this machine, found by a few real steps of it.

The steps are real ones, down to the optimiser; then training is broken off, which leaves every weight as it was.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import psutil
import torch

from editview.domain.checkpoint import Device
from editview.domain.examples import Example
from editview.domain.memory import Fit
from editview.domain.progress import Progress
from editview.lm.model import LanguageModel
from editview.runs.costs import length
from editview.runs.machine import release_memory
from editview.runs.measurements import Measured
from editview.runs.operations import PreparedFineTune
from editview.tuning.fine_tune import fine_tune
from editview.tuning.training import OnLog

_STEPS = 3  # of each of two short trainings: on the longest examples for the memory, on ordinary ones for the time
_LOOKS = 0.002  # seconds between looks at the memory in use


class _Enough(Exception):
    """What was to be measured is measured."""


def measure(
    lm: LanguageModel, prepared: PreparedFineTune, device: Device, seed: int, fit: Fit, progress: Progress
) -> Measured:
    """Train some steps in the layout of `fit`; the model is the same afterwards, bit for bit.

    The first step of each training isn't counted: it prepares what later ones find. Raises what training raises,
    EditViewError where the memory doesn't suffice.
    """
    operation, size = prepared.operation, prepared.operation.batch_size
    examples, _ = prepared.data.read(progress, whole=operation.train_on == "everything")
    grown, times = 0, []
    gauge = _Gauge(device)

    def on_longest(step: int, loss: float, rate: float) -> None:
        nonlocal grown
        if step == 1:
            gauge.start()
        else:
            grown = gauge.stop()
            raise _Enough

    def on_ordinary(step: int, loss: float, rate: float) -> None:
        times.append(time.perf_counter())
        if step == _STEPS:
            raise _Enough

    def train(some: Sequence[Example], before: int, on_log: OnLog) -> None:
        def told(done: int, total: int, what: str) -> None:
            progress(before + min(done, _STEPS) * (what == "Training"), 2 * _STEPS, "Measuring the fine-tune")

        short = operation.model_copy(update={"steps": _STEPS, "validation": 0.0, "patience": 0, "until": 0.0})
        try:
            fine_tune(lm, short, some, seed, None, told, on_log, prepared.layers, prepared.facts, fit)
        except _Enough:
            return

    try:
        train(sorted(examples, key=length)[-size:], 0, on_longest)
    finally:
        gauge.stop()
    train([examples[at * len(examples) // (_STEPS * size)] for at in range(_STEPS * size)], _STEPS, on_ordinary)
    activations = max(grown - fit.memory.gradients, 0)
    seconds = (times[-1] - times[0]) / (len(times) - 1)
    return Measured(seconds, activations, fit.layout.part, fit.layout.checkpointing)


class _Gauge:
    """How far the memory in use grows between start and stop, in bytes: counted on NVIDIA's GPUs, elsewhere looked at
    again and again."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._over = threading.Event()
        self._watcher: threading.Thread | None = None
        self._peak = self._before = 0

    def start(self) -> None:
        release_memory()  # what was freed and kept for later use would hide the growth
        if self._device.id.startswith("cuda"):
            torch.cuda.reset_peak_memory_stats(self._device.id)
        self._peak = self._before = self._used()
        self._watcher = threading.Thread(target=self._watch, name="editview-gauge", daemon=True)
        self._watcher.start()

    def stop(self) -> int:
        self._over.set()
        if self._watcher is not None:
            self._watcher.join()
        if self._device.id.startswith("cuda"):
            self._peak = torch.cuda.max_memory_allocated(self._device.id)
        return self._peak - self._before

    def _used(self) -> int:
        if self._device.id.startswith("cuda"):
            return torch.cuda.memory_allocated(self._device.id)
        if self._device.id == "mps":
            return torch.mps.current_allocated_memory()
        return int(psutil.Process().memory_info().rss)

    def _watch(self) -> None:
        while not self._over.wait(_LOOKS):
            self._peak = max(self._peak, self._used())
