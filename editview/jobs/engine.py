"""Everything that needs the model libraries. Imported by the models lane, behind the shown window."""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Callable

from editview.domain import places
from editview.domain.errors import Cancelled
from editview.domain.events import (
    CheckpointDescribed,
    EngineLoading,
    EngineReady,
    Event,
    MemoryUsed,
    Noted,
    Replied,
)
from editview.domain.requests import (
    AskModel,
    ChooseDevice,
    DescribeCheckpoint,
    DownloadCheckpoint,
    ForecastPlan,
    Request,
    RunPlan,
)

Emit = Callable[[Event], None]
_NICENESS = 10


def load(emit: Emit) -> Engine:
    """Load the model libraries piece by piece, in the thread that will compute.

    Then, before torch starts threads of its own, which inherit it, the thread's priority is lowered: the window keeps
    its share of the CPU.
    """
    emit(EngineLoading("Loading torch"))
    import torch  # noqa: F401

    emit(EngineLoading("Loading transformers"))
    import peft  # noqa: F401
    import transformers  # noqa: F401

    import editview.runs.runner  # noqa: F401

    gc.freeze()  # the libraries stay: collecting among their million objects would hold the window up for half a second
    if sys.platform == "linux":  # elsewhere niceness is the whole program's
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
    emit(EngineLoading("Looking at this machine"))
    return Engine(emit)


class Engine:
    """`do` is for the models lane, `tell` for the headers lane, `memory` for anyone."""

    def __init__(self, emit: Emit) -> None:
        from editview.lm.devices import devices
        from editview.runs.fingerprints import Fingerprints
        from editview.runs.machine import settle
        from editview.runs.runner import Runner
        from editview.runs.store import StageStore
        from editview.runs.timings import Timings

        settle()
        self._emit = emit
        self._devices = devices()
        self._store = StageStore(places.stages())
        self._fingerprints, self._timings = Fingerprints(), Timings()
        self._runner = Runner(self._store, self._fingerprints, self._timings, self._devices[0])
        emit(EngineReady(self._devices, self._devices[0], self._runner.recover()))
        emit(self.memory())

    def do(self, request: Request, stop: threading.Event) -> None:
        """What touches weights. Raises Cancelled once `stop` is set."""
        match request:
            case RunPlan(plan=plan, sheet=sheet):
                self._runner.run(plan, sheet, self._emit, stop)
            case AskModel(plan=plan, prompt=prompt, stage_keys=keys, max_new_tokens=most):
                self._emit(Replied(prompt, keys, self._runner.ask(plan, prompt, keys, most, self._emit, stop)))
            case ChooseDevice(device_id=wanted):
                from editview.runs.machine import device

                self._runner.use(device(wanted))
                self._emit(EngineReady(self._devices, self._runner.device))
                self._emit(self.memory())
            case DownloadCheckpoint(source=source):
                self._download(source, stop)
            case _:
                raise TypeError(type(request))

    def tell(self, request: Request) -> None:
        """What headers and keys answer."""
        from editview.lm.opening import describe
        from editview.runs.forecast import forecast

        match request:
            case DescribeCheckpoint(checkpoint=checkpoint):
                self._emit(CheckpointDescribed(describe(checkpoint, self._runner.device)))
            case ForecastPlan(plan=plan, sheet=sheet):
                device = self._runner.device
                self._emit(forecast(plan, sheet, device, self._store, self._fingerprints, self._timings))
            case _:
                raise TypeError(type(request))

    def memory(self) -> MemoryUsed:
        from editview.lm.devices import memory_used

        device = self._runner.device
        return MemoryUsed(device.name, memory_used(device), device.memory_total)

    def _download(self, source: str, stop: threading.Event) -> None:
        from editview.lm.sources import download

        shown = ""

        def progress(done: int, total: int, what: str) -> None:
            nonlocal shown
            if stop.is_set():
                raise Cancelled
            told = f"{what}: {100 * done // max(total, 1)} %"
            if told != shown:
                shown = told
                self._emit(EngineLoading(told))

        try:
            download(source, progress)
            self._emit(Noted(f"*{source}* is on this machine now."))
        finally:
            self._emit(EngineLoading(""))
