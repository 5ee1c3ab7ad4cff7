"""What a run would cost, told before it starts: what is reused, how long the rest takes, how much memory it needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from editview.domain.checkpoint import CheckpointInfo, Device
from editview.domain.events import Forecast, Trains
from editview.domain.facts import FactSheet
from editview.domain.operations import Edit, FineTune, FullFineTune, TargetEdit
from editview.domain.plan import Plan
from editview.domain.scope import parameters, trained
from editview.domain.sentences import amount
from editview.edits.statistics import needs_statistics, what_to_read
from editview.lm.statistics import ReadingForecast, is_kept, reading_forecast
from editview.runs import costs
from editview.runs.fingerprints import Fingerprints, described
from editview.runs.keys import full_keys, stage_keys
from editview.runs.machine import memory_available
from editview.runs.memory import number_format, operation_memory, resting_memory
from editview.runs.operations import Prepared, PreparedEdit, PreparedFineTune, PreparedUndo, prepare, with_preset
from editview.runs.store import StageStore
from editview.runs.timings import Timings
from editview.runs.walk import watched_facts
from editview.tuning.watch import SHARE


def forecast(
    plan: Plan, sheet: FactSheet, device: Device, store: StageStore, fingerprints: Fingerprints, timings: Timings
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
    if fingerprint is not None:
        keys = stage_keys(fingerprint, device.id, plan.seed, prepared)
        known = [store.record(key) is not None for key in keys]
        asked = [store.has_asked(key, sheet.content_hash) for key in keys]
        full = full_keys(fingerprint, device.id, plan.seed, prepared)
        computed = [
            undoes or is_known or store.record(key) is not None
            for undoes, is_known, key in zip(computed, known[1:], full[1:], strict=True)
        ]
    seconds: list[float | None] = []
    kinds: set[str] = set() if all(asked) else {costs.ASKING}
    to_read = 0
    for at, (operation, is_computed, is_known, is_asked) in enumerate(
        zip(prepared, computed, known[1:], asked[1:], strict=True)
    ):
        parts = [] if is_computed else _operation_seconds(operation, plan, sheet, info, device, timings)
        if not is_computed:
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
    needed = max([resting_memory(info, device), *(operation_memory(one, info, device) for one in sized)])
    available = memory_available(device)
    return Forecast(
        plan=plan,
        reused=tuple(known[1:]),
        seconds=tuple(seconds),
        total_seconds=_sum([first, *seconds]),
        memory_needed=needed,
        memory_available=available,
        guessed=not all(timings.has_learnt(kind, device.id) for kind in kinds),
        to_read=to_read,
        trained=tuple(_trains(one, info) for one in prepared),
        advice="" if needed <= available else _advice(sized, info, device, needed, available),
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


def _operation_seconds(
    prepared: Prepared, plan: Plan, sheet: FactSheet, info: CheckpointInfo, device: Device, timings: Timings
) -> list[float | None]:
    own = timings.seconds(prepared.operation.method, device.id, costs.work(prepared, info.parameters))
    parts = [own]
    if not isinstance(prepared.operation, FineTune):
        return parts
    if plan.check_every == "auto":
        parts.append(None if own is None else SHARE * own)
    elif plan.check_every:
        times = prepared.operation.steps // plan.check_every
        work = times * costs.asking_live(watched_facts(sheet), info.parameters)
        parts.append(timings.seconds(costs.ASKING_LIVE, device.id, work))
    return parts


def _asking_seconds(sheet: FactSheet, info: CheckpointInfo, device: Device, timings: Timings) -> float | None:
    return timings.seconds(costs.ASKING, device.id, costs.asking(sheet, info.parameters))


def _sum(parts: Sequence[float | None]) -> float | None:
    """None as soon as one part isn't known."""
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None


def _advice(prepared: Sequence[Prepared], info: CheckpointInfo, device: Device, needed: int, available: int) -> str:
    short = f"This plan needs about {amount(needed)} of memory and the {device.name} has {amount(available)} left."
    if resting_memory(info, device) > available:
        return f"{short} The model alone is too large: choose a smaller one, or a device with more memory."
    worst = max(prepared, key=lambda one: operation_memory(one, info, device)).operation
    if isinstance(worst, FullFineTune):
        return f"{short} Choose LoRA instead of full fine-tuning, a smaller batch size or shorter examples."
    if isinstance(worst, FineTune):
        return f"{short} Choose a smaller batch size or shorter examples."
    return f"{short} Edit fewer layers, or choose a smaller model."
