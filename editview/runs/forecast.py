"""What a run would cost, told before it starts: what is reused, how long the rest takes, how much memory it needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from editview.domain.checkpoint import CheckpointInfo, Device
from editview.domain.events import Forecast, Trains
from editview.domain.facts import FactSheet
from editview.domain.memory import Fit
from editview.domain.operations import Edit, FineTune, TargetEdit
from editview.domain.plan import Plan
from editview.domain.scope import parameters, trained
from editview.domain.sentences import amount
from editview.edits.statistics import needs_statistics, what_to_read
from editview.lm.statistics import ReadingForecast, is_kept, reading_forecast
from editview.runs import costs
from editview.runs.fingerprints import Fingerprints, described
from editview.runs.keys import full_keys, stage_keys
from editview.runs.machine import memory_available
from editview.runs.measurements import TWICE, Measured, Measurements, fit_of
from editview.runs.memory import layout, number_format, operation_memory, resting_memory, working_memory
from editview.runs.operations import (
    TOO_LARGE_TO_TRAIN,
    Prepared,
    PreparedEdit,
    PreparedFineTune,
    PreparedUndo,
    prepare,
    with_preset,
)
from editview.runs.snapshots import step_kept
from editview.runs.store import StageStore
from editview.runs.timings import Timings
from editview.runs.walk import watched_facts
from editview.tuning.watch import SHARE


def forecast(
    plan: Plan,
    sheet: FactSheet,
    device: Device,
    store: StageStore,
    fingerprints: Fingerprints,
    timings: Timings,
    measurements: Measurements | None = None,
) -> Forecast:
    """Forecast from keys and headers alone: no weights are read.

    A checkpoint that was never opened on this machine has no known fingerprint, so nothing counts as reused.
    Raises EditViewError for a plan that couldn't be run.
    """
    info = described(plan.checkpoint, device)
    prepared = prepare(plan, sheet, lambda: info)
    edits = {
        at: with_preset(one.operation, lambda: info) for at, one in enumerate(prepared) if isinstance(one, PreparedEdit)
    }
    sized = [replace(one, operation=edits[at]) if isinstance(one, PreparedEdit) else one
             for at, one in enumerate(prepared)]  # fmt: skip
    fingerprint = fingerprints.of(plan.checkpoint, device)
    known = [False] * (len(prepared) + 1)
    asked = [False] * (len(prepared) + 1)
    computed = [isinstance(one, PreparedUndo) for one in prepared]  # all but the asking
    begun = [0] * len(prepared)  # the step after which an interrupted fine-tune goes on
    if fingerprint is not None:
        keys = stage_keys(fingerprint, device.id, plan.seed, prepared)
        known = [store.record(key) is not None for key in keys]
        asked = [store.has_asked(key, sheet.content_hash) for key in keys]
        full = full_keys(fingerprint, device.id, plan.seed, prepared)
        computed = [
            undoes or is_known or store.record(key) is not None
            for undoes, is_known, key in zip(computed, known[1:], full[1:], strict=True)
        ]
        begun = [0 if done else step_kept(store, key) for done, key in zip(computed, keys[1:], strict=True)]
    available = memory_available(device)
    trainings = [
        _Training.of(one, step, plan, info, device, measurements or Measurements(), available)
        if isinstance(one, PreparedFineTune)
        else None
        for one, step in zip(prepared, begun, strict=True)
    ]
    fits = tuple(None if training is None else training.fit for training in trainings)
    seconds: list[float | None] = []
    kinds: set[str] = set() if all(asked) else {costs.ASKING}
    to_read = 0
    for at, (operation, is_computed, is_known, is_asked) in enumerate(
        zip(prepared, computed, known[1:], asked[1:], strict=True)
    ):
        parts: list[float | None] = []
        if not is_computed:
            training = trainings[at]
            if training is None:
                work = costs.work(operation, info.parameters)
                parts.append(timings.seconds(operation.operation.method, device.id, work))
            else:
                parts += training.seconds(plan, sheet, info, device, timings)
            if training is None or training.measured is None:
                kinds.add(operation.operation.method)
            reading = _reading(edits.get(at), info, device, fingerprint if at == 0 else None)
            if reading is not None:
                kinds.add(costs.READING)
                to_read = max(to_read, reading.tokens)
                parts.append(timings.seconds(costs.READING, device.id, reading.work))
        if not (is_known and is_asked):
            parts.append(_asking_seconds(sheet, info, device, timings))
        seconds.append(_sum(parts))
    first = 0.0 if asked[0] else _asking_seconds(sheet, info, device, timings)
    sizes = [_memory(one, fit, info, device) for one, fit in zip(sized, fits, strict=True)]
    needed = max([resting_memory(info, device), *sizes])
    placement = layout(sized, info, device, available)
    partly = placement is not None and not placement.is_whole
    trains = any(isinstance(one, PreparedFineTune) for one in sized)
    if placement is not None and partly and not trains:
        needed = placement.on_device + placement.widest + (working_memory(sized, info, device) or 0)
    advice = ""
    if needed > available:
        worst = sizes.index(max(sizes)) if sizes else 0
        advice = TOO_LARGE_TO_TRAIN if partly else _advice(sized, fits, worst, info, device, needed, available)
    return Forecast(
        plan=plan,
        reused=tuple(known[1:]),
        seconds=tuple(seconds),
        total_seconds=_sum([first, *seconds]),
        memory_needed=needed,
        memory_available=available,
        guessed=not all(timings.has_learnt(kind, device.id) for kind in kinds),
        to_read=to_read,
        advice=advice,
        layout=placement.sentence(device.name) if placement is not None and not trains else "",
        trained=tuple(_trains(one, info) for one in prepared),
        fits=fits,
        goes_on=tuple(begun),
    )


def _trains(prepared: Prepared, info: CheckpointInfo) -> Trains | None:
    """Raises EditViewError for a choice that matches nothing."""
    if not isinstance(prepared, PreparedFineTune):
        return None
    found = trained(info.tensors, prepared.operation, prepared.layers)
    names = tuple(tensor.name for tensor in found)
    return Trains(names, parameters(found, prepared.operation), info.parameters)


def _reading(
    operation: Edit | None, info: CheckpointInfo, device: Device, fingerprint: str | None
) -> ReadingForecast | None:
    """What an edit reads for its statistics; None: nothing. `fingerprint` names the weights it edits, if known."""
    if not isinstance(operation, TargetEdit) or not needs_statistics(operation):
        return None
    text, tokens, weight = what_to_read(operation)
    dtype = getattr(torch, number_format(info, device))
    if fingerprint is not None and is_kept(fingerprint, operation.layers, text, tokens, weight, dtype):
        return None
    return reading_forecast(info, operation.layers, text, tokens)


@dataclass(frozen=True)
class _Training:
    """A fine-tune before it runs: what was measured of it, how it gets by with the memory, and where it goes on."""

    prepared: PreparedFineTune
    begun: int
    measured: Measured | None
    fit: Fit

    @staticmethod
    def of(
        prepared: PreparedFineTune,
        begun: int,
        plan: Plan,
        info: CheckpointInfo,
        device: Device,
        measurements: Measurements,
        available: int,
    ) -> _Training:
        measured = measurements.of(plan.checkpoint, device, prepared)
        return _Training(prepared, begun, measured, fit_of(prepared, info, device, measured, available))

    def seconds(
        self, plan: Plan, sheet: FactSheet, info: CheckpointInfo, device: Device, timings: Timings
    ) -> list[float | None]:
        """Of the steps that are left, and of asking the facts meanwhile."""
        steps = self.prepared.operation.steps
        left = 1 - self.begun / steps
        if self.measured is not None:
            parts: list[float | None] = [left * steps * self.measured.seconds_in(self.fit.layout)]
        else:
            work = costs.work(self.prepared, info.parameters) * (TWICE if self.fit.layout.checkpointing else 1)
            parts = [timings.seconds(self.prepared.operation.method, device.id, left * work)]
        if plan.check_every == "auto":
            parts.append(None if parts[0] is None else SHARE * parts[0])
        elif plan.check_every:
            work = left * (steps // plan.check_every) * costs.asking_live(watched_facts(sheet), info.parameters)
            parts.append(timings.seconds(costs.ASKING_LIVE, device.id, work))
        return parts


def _memory(prepared: Prepared, fit: Fit | None, info: CheckpointInfo, device: Device) -> int:
    """Bytes while an operation is carried out."""
    if isinstance(prepared, PreparedFineTune):
        assert fit is not None
        return fit.memory.total
    return operation_memory(prepared, info, device)


def _asking_seconds(sheet: FactSheet, info: CheckpointInfo, device: Device, timings: Timings) -> float | None:
    return timings.seconds(costs.ASKING, device.id, costs.asking(sheet, info.parameters))


def _sum(parts: Sequence[float | None]) -> float | None:
    """None as soon as one part isn't known."""
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None


def _advice(
    prepared: Sequence[Prepared],
    fits: Sequence[Fit | None],
    worst: int,
    info: CheckpointInfo,
    device: Device,
    needed: int,
    available: int,
) -> str:
    """What to change; `worst` is the operation that needs most."""
    short = f"This plan needs about {amount(needed)} of memory and the {device.name} has {amount(available)} left."
    if resting_memory(info, device) > available:
        return f"{short} The model alone is too large: choose a smaller one, or a device with more memory."
    operation, fit = prepared[worst].operation, fits[worst]
    if isinstance(operation, FineTune) and fit is not None:
        return f"{short} Even in the smallest parts it won't fit: choose {fit.levers(operation)}."
    return f"{short} Edit fewer layers, or choose a smaller model."
