"""Everything that needs the model libraries. Imported by the models lane, behind the shown window."""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import replace

from editview.domain import places
from editview.domain.events import (
    CheckpointDescribed,
    EngineLoading,
    EngineReady,
    Event,
    Exported,
    Inspected,
    InterferenceMeasured,
    KeySpectra,
    MemoryUsed,
    Noted,
    Replied,
    Scaled,
    Traced,
    TrainingPreviewed,
)
from editview.domain.history import WINDOW
from editview.domain.requests import (
    AskBoth,
    AskModel,
    ChooseDevice,
    CompareCheckpoints,
    DescribeCheckpoint,
    DownloadCheckpoint,
    ExportStage,
    ForecastPlan,
    InspectCheckpoint,
    KeySpectrum,
    MeasureFineTune,
    MeasureInterference,
    PreviewTraining,
    Request,
    RunPlan,
    SaveComparison,
    ScaleEdit,
    TraceFacts,
)
from editview.runs.findings import Keeper
from editview.runs.history import History
from editview.runs.recorder import Recorder

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
    give_way()
    emit(EngineLoading("Looking at this machine"))
    return Engine(emit)


def give_way() -> None:
    """Lower the priority of the thread that calls this, and of those that it starts."""
    if sys.platform == "linux":  # elsewhere niceness is the whole program's
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


class Engine:
    """`do` is for the models lane, `tell` for the lanes of headers, data and downloads, `memory` for anyone."""

    def __init__(self, emit: Emit) -> None:
        from editview.lm.devices import devices
        from editview.runs.fingerprints import Fingerprints
        from editview.runs.machine import settle
        from editview.runs.measurements import Measurements
        from editview.runs.previews import Previews
        from editview.runs.runner import Runner
        from editview.runs.store import StageStore
        from editview.runs.timings import Timings

        settle()
        self._emit = emit
        self._devices = devices()
        self._store = StageStore(places.stages())
        self._fingerprints, self._timings = Fingerprints(), Timings()
        self._measurements = Measurements()
        known = (self._store, self._fingerprints, self._timings)
        self._runner = Runner(*known, self._devices[0], self._measurements)
        self._previews = Previews()
        emit(EngineReady(self._devices, self._devices[0], self._runner.recover()))
        emit(self.memory())

    def do(self, request: Request, stop: threading.Event) -> None:
        """What touches weights. Raises Cancelled once `stop` is set."""
        from editview.runs.two_checkpoints import ask_both

        match request:
            case RunPlan(plan=plan, sheet=sheet, fresh=fresh):
                self._runner.run(plan, sheet, Recorder(History(), self._emit, WINDOW), stop, fresh)
            case AskModel(plan=plan, prompt=prompt, stage_keys=keys, max_new_tokens=most):
                self._emit(Replied(prompt, keys, self._runner.ask(plan, prompt, keys, most, self._emit, stop)))
            case ScaleEdit(plan=plan, sheet=sheet, operation_id=operation, strength=strength):
                check = self._runner.scaled(plan, sheet, operation, strength, self._emit, stop)
                self._emit(Scaled(operation, strength, check))
            case ExportStage():
                self._emit(Exported(request, self._runner.export(request, self._emit, stop)))
            case TraceFacts(checkpoint=checkpoint, facts=facts, seed=seed):
                self._emit(Traced(request, self._runner.trace(checkpoint, facts, seed, self._emit, stop)))
            case KeySpectrum(checkpoint=checkpoint, layers=layers, text=text, tokens=tokens):
                found = self._runner.spectra(checkpoint, layers, text, tokens, self._emit, stop)
                self._emit(KeySpectra(request, found))
            case MeasureFineTune(plan=plan, sheet=sheet, operation_id=operation):
                self._emit(self._runner.measure(plan, sheet, operation, self._emit, stop))
            case MeasureInterference():
                self._emit(InterferenceMeasured(request, self._runner.interference(request, self._emit, stop)))
            case AskBoth():
                ask_both(self._runner, request, self._emit, stop)
            case InspectCheckpoint():
                keep = Keeper(History(), self._emit, WINDOW)
                keep(Inspected(request, self._runner.inspect(request, self._emit, stop)))
            case ChooseDevice(device_id=wanted):
                from editview.runs.machine import device

                self._runner.use(device(wanted))
                self._emit(EngineReady(self._devices, self._runner.device))
                self._emit(self.memory())
            case _:
                raise TypeError(type(request))

    def tell(self, request: Request, stop: threading.Event) -> None:
        """What needs no weights in memory. Raises Cancelled once `stop` is set."""
        from editview.formats.presets import presets_for
        from editview.lm.opening import describe
        from editview.lm.sources import download
        from editview.runs.forecast import forecast
        from editview.runs.pace import telling
        from editview.runs.two_checkpoints import compare_checkpoints, save_comparison

        match request:
            case DescribeCheckpoint(checkpoint=checkpoint):
                info = describe(checkpoint, self._runner.device)
                self._emit(CheckpointDescribed(replace(info, presets=presets_for(info))))
            case ForecastPlan(plan=plan, sheet=sheet):
                device = self._runner.device
                known = (self._store, self._fingerprints, self._timings, self._measurements)
                self._emit(forecast(plan, sheet, device, *known))
            case PreviewTraining():
                with telling(self._emit, stop) as progress:
                    for preview in self._previews.look(request, self._runner.device, progress):
                        self._emit(TrainingPreviewed(request, preview))
            case CompareCheckpoints():
                compare_checkpoints(request, Keeper(History(), self._emit, WINDOW), stop)
            case SaveComparison():
                save_comparison(request, self._emit, stop)
            case DownloadCheckpoint(checkpoint=wanted):
                with telling(self._emit, stop) as progress:
                    download(wanted.source, progress, pickle=wanted.allow_pickle, code=wanted.allow_code)
                    self._emit(Noted(f"*{wanted.source}* is on this machine now."))
            case _:
                raise TypeError(type(request))

    def memory(self) -> MemoryUsed:
        from editview.lm.devices import memory_used

        device = self._runner.device
        return MemoryUsed(device.name, memory_used(device), device.memory_total)
