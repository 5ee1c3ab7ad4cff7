"""Runs plans: the room's front door. Keeps an opened model between runs, and answers questions to any stage."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from uuid import uuid4

from psutil import pid_exists

from editview.domain import places
from editview.domain.checkpoint import Device
from editview.domain.errors import Cancelled, EditViewError
from editview.domain.events import Event, FineTuneMeasured
from editview.domain.export import Export
from editview.domain.facts import Fact, FactSheet
from editview.domain.files import clear_parts
from editview.domain.inspection import Inspection
from editview.domain.interference import Interference
from editview.domain.memory import Layout
from editview.domain.plan import Checkpoint, Plan
from editview.domain.progress import Progress
from editview.domain.requests import ExportStage, InspectCheckpoint, MeasureInterference
from editview.domain.run_events import RunFailed, RunFinished, RunStarted, RunStopped, StageInfo
from editview.domain.sentences import operation_title
from editview.domain.spectrum import Spectrum
from editview.domain.tracing import Tracing
from editview.domain.verdicts import LiveCheck
from editview.formats.statistics_text import statistics_text
from editview.lm.answers import ask, live_check
from editview.lm.model import LanguageModel
from editview.lm.spectrum import spectra
from editview.lm.tracing import trace
from editview.runs import costs, snapshots
from editview.runs.export import export
from editview.runs.fingerprints import Fingerprints, described, identity
from editview.runs.inspection import inspect
from editview.runs.interference import interference
from editview.runs.journal import Journal, interrupted
from editview.runs.keys import full_keys, stage_keys
from editview.runs.machine import memory_available, release_memory
from editview.runs.measurements import Measurements, fit_of
from editview.runs.measuring import measure
from editview.runs.memory import working_memory
from editview.runs.operations import TOO_LARGE_TO_TRAIN, Prepared, PreparedFineTune, prepare, sized
from editview.runs.pace import telling
from editview.runs.store import StageStore
from editview.runs.timings import Timings
from editview.runs.walk import FULL, Walk, watched_facts
from editview.runs.words import in_words
from editview.runs.workbench import Workbench

Emit = Callable[[Event], None]


class Runner:
    """Runs plans one after the other on one device. Not to be used from two threads at once."""

    def __init__(
        self,
        store: StageStore,
        fingerprints: Fingerprints,
        timings: Timings,
        device: Device,
        measurements: Measurements | None = None,
    ) -> None:
        self.device = device
        self._measurements = measurements or Measurements()
        self._store, self._fingerprints, self._timings = store, fingerprints, timings
        self._bench = Workbench(store, fingerprints)

    def use(self, device: Device) -> None:
        """Run on another device from now on."""
        if device != self.device:
            self._bench.close()
            self.device = device

    def run(
        self,
        plan: Plan,
        sheet: FactSheet,
        emit: Emit,
        stop: threading.Event | None = None,
        fresh: bool = False,
        steps: int | None = None,
    ) -> None:
        """Carry `plan` out on `sheet`: `RunStarted` … `RunFinished`, `RunStopped` or `RunFailed` are emitted.

        `stop`, once set, ends it within one training step or one batch. `fresh`: what the store knows of this plan is
        forgotten first. `steps`: only so many of its steps are carried out. What goes wrong before the run has started
        is raised: EditViewError, Cancelled, OSError.
        """
        stop = stop or threading.Event()
        prepared = self._prepared(plan, sheet, steps)
        fingerprint = None if fresh else self._all_kept(plan, sheet, prepared)
        if fingerprint is None:  # then it comes from the model that is open, not from what is remembered
            fingerprint = self._opened(plan.checkpoint, emit, stop, prepared).fingerprint
        keys = stage_keys(fingerprint, self.device.id, plan.seed, prepared)
        full = full_keys(fingerprint, self.device.id, plan.seed, prepared)
        if fresh:
            for key in (*keys, *full):
                self._store.discard(key)
                snapshots.clear(self._store, key)
        titles = ["Checkpoint", *(operation_title(operation, sheet) for operation in plan.active[:steps])]
        ids = [None, *(operation.id for operation in plan.active[:steps])]
        stages = tuple(StageInfo(i, ids[i], titles[i], keys[i]) for i in range(len(keys)))
        run = uuid4().hex[:12]
        journal = Journal(self._store.root, plan.name)
        emit(RunStarted(run, plan, sheet, stages, described(plan.checkpoint, self.device).tensors))
        began = time.perf_counter()
        rooms = (self._bench, self._store, self._timings, self._measurements, journal, self.device)
        walk = Walk(*rooms, run, plan, sheet, stages, full, prepared, emit, stop)
        failed = False
        try:
            self._bench.forget_held()
            walk.walk()
        except Cancelled:
            emit(RunStopped(run))
        except Exception as error:
            failed = True
            emit(RunFailed(run, *in_words(error)))
        else:
            emit(RunFinished(run, time.perf_counter() - began))
        finally:
            journal.end()
        if failed:  # the error is gone by now, and with it what it held of a step that took too much
            release_memory()

    def keys(self, plan: Plan, sheet: FactSheet) -> tuple[str, ...] | None:
        """The keys of a plan's stages; None: the checkpoint was never opened on this machine."""
        fingerprint = self._fingerprints.of(plan.checkpoint, self.device)
        if fingerprint is None:
            return None
        return stage_keys(fingerprint, self.device.id, plan.seed, self._prepared(plan, sheet))

    def ask(
        self, plan: Plan, prompt: str, keys: Sequence[str], max_new_tokens: int, emit: Emit, stop: threading.Event
    ) -> tuple[str, ...]:
        """The greedy continuation of a prompt at some stages, in their order.

        Raises `StageLost` for a stage that isn't kept any more, Cancelled, and what opening the checkpoint raises.
        """
        self._opened(plan.checkpoint, emit, stop)
        answers = []
        for key in keys:
            if stop.is_set():
                raise Cancelled
            answers.append(ask(self._bench.move_to(key), prompt, max_new_tokens))
        return tuple(answers)

    def scaled(
        self, plan: Plan, sheet: FactSheet, operation_id: str, strength: float, emit: Emit, stop: threading.Event
    ) -> LiveCheck | None:
        """What the facts' prompts are answered right after an edit at some strength (per cent); nothing is kept.

        None where the edit wasn't computed yet, or is switched off. Raises what `ask` raises.
        """
        ids = [operation.id for operation in plan.active]
        if operation_id not in ids:
            return None
        at = ids.index(operation_id) + 1
        prepared = self._prepared(plan, sheet, at)
        fingerprint = self._fingerprints.of(plan.checkpoint, self.device)
        if fingerprint is None:
            return None
        before = stage_keys(fingerprint, self.device.id, plan.seed, prepared)[at - 1]
        full = full_keys(fingerprint, self.device.id, plan.seed, prepared)[at]
        if self._store.record(before) is None or self._store.record(full) is None:
            return None
        self._opened(plan.checkpoint, emit, stop)
        return live_check(self._bench.try_on(before, full, strength / FULL), watched_facts(sheet), 0)

    def measure(
        self, plan: Plan, sheet: FactSheet, operation_id: str, emit: Emit, stop: threading.Event
    ) -> FineTuneMeasured:
        """A few real steps of a fine-tune, which change nothing, and what they took: forecasts know it from now on.

        Raises what training raises, and what opening the checkpoint raises.
        """
        at = [operation.id for operation in plan.active].index(operation_id)
        prepared = self._prepared(plan, sheet, at + 1)[at]
        assert isinstance(prepared, PreparedFineTune)
        info = described(plan.checkpoint, self.device)
        with telling(emit, stop) as progress:
            lm = self._as_it_was(plan.checkpoint, progress)
            if lm.offloaded is not None:
                raise EditViewError(TOO_LARGE_TO_TRAIN)
            known = self._measurements.of(plan.checkpoint, self.device, prepared)
            fit = fit_of(prepared, info, self.device, known, memory_available(self.device))
            found = measure(lm, prepared, self.device, plan.seed, fit, progress)
        self._measurements.remember(plan.checkpoint, self.device, prepared, found)
        steps = prepared.operation.steps
        work = costs.work(prepared, info.parameters) / steps
        self._timings.learn(prepared.operation.method, self.device.id, work, found.seconds_in(Layout(found.part)))
        fit = fit_of(prepared, info, self.device, found, memory_available(self.device))
        return FineTuneMeasured(plan, operation_id, found.seconds_in(fit.layout), fit)

    def export(self, asked: ExportStage, emit: Emit, stop: threading.Event) -> Export:
        """Write a stage of a plan to a folder. Raises what `runs.export.export` raises, and Cancelled."""
        with telling(emit, stop) as progress:
            return export(self._bench, self._store, self.device, asked, progress)

    def trace(
        self, checkpoint: Checkpoint, facts: Sequence[Fact], seed: int, emit: Emit, stop: threading.Event
    ) -> Tracing:
        """Where a checkpoint looks facts up, whatever stage it stands at now.

        Raises what `lm.tracing.trace` raises, and what opening the checkpoint raises.
        """
        with telling(emit, stop) as progress:
            return trace(self._as_it_was(checkpoint, progress), facts, progress, seed)

    def spectra(
        self, checkpoint: Checkpoint, layers: Sequence[int], text: str, tokens: int, emit: Emit, stop: threading.Event
    ) -> tuple[Spectrum, ...]:
        """The spectrum of a checkpoint's keys, by layer. Raises what `lm.spectrum.spectra` and opening it raise."""
        with telling(emit, stop) as progress:
            lm = self._as_it_was(checkpoint, progress)
            return spectra(lm, layers, statistics_text(text), tokens or None, progress)

    def interference(self, asked: MeasureInterference, emit: Emit, stop: threading.Event) -> Interference:
        """What a fine-tune did where edits had written.

        Raises `StageLost` for a stage that isn't kept any more, Cancelled, and what opening the checkpoint raises.
        """
        with telling(emit, stop) as progress:
            self._bench.open(asked.checkpoint, self.device, progress)
            return interference(self._bench, asked, progress)

    def inspect(self, asked: InspectCheckpoint, emit: Emit, stop: threading.Event) -> Inspection:
        """Which facts a checkpoint's change touched. Raises what `runs.inspection.inspect` raises."""
        with telling(emit, stop) as progress:
            return inspect(lambda checkpoint: self._as_it_was(checkpoint, progress), asked, progress)

    def recover(self) -> str:
        """What a run that was killed has left: cleared away, and told in a sentence; '' when there was nothing."""
        sentences = interrupted(self._store.root)
        folders = (places.data(), places.caches(), places.statistics(), self._store.root)
        cleared = self._store.clear_leftovers() + sum(clear_parts(folder, pid_exists) for folder in folders)
        if cleared and not sentences:
            sentences = ["EditView was cut off while it was writing; what was half written has been removed."]
        return " ".join(sentences)

    def _prepared(self, plan: Plan, sheet: FactSheet, steps: int | None = None) -> tuple[Prepared, ...]:
        return prepare(plan, sheet, lambda: described(plan.checkpoint, self.device), steps)

    def _all_kept(self, plan: Plan, sheet: FactSheet, prepared: Sequence[Prepared]) -> str | None:
        """The checkpoint's fingerprint where it is remembered and all stages are kept and asked; else None."""
        known = self._fingerprints.of(plan.checkpoint, self.device)
        if known is None:
            return None
        keys = stage_keys(known, self.device.id, plan.seed, prepared)
        kept = all(self._store.record(key) and self._store.has_asked(key, sheet.content_hash) for key in keys)
        return known if kept else None

    def _as_it_was(self, checkpoint: Checkpoint, progress: Progress) -> LanguageModel:
        """The checkpoint itself, whatever stage the open model stood at."""
        lm = self._bench.open(checkpoint, self.device, progress)
        return self._bench.move_to(stage_keys(lm.fingerprint, self.device.id, 0, ())[0])

    def _opened(
        self, checkpoint: Checkpoint, emit: Emit, stop: threading.Event, prepared: Sequence[Prepared] = ()
    ) -> LanguageModel:
        """The open model, with room beside it for these operations; what isn't downloaded yet leaves a guess at it."""
        working = None
        if prepared and identity(checkpoint, self.device) is not None:
            info = described(checkpoint, self.device)
            working = working_memory(sized(prepared, info), info, self.device)
        with telling(emit, stop) as progress:
            return self._bench.open(checkpoint, self.device, progress, working)
