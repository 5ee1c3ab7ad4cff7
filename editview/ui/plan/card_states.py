"""What each card of the plan, the plan as a whole and the run say about themselves. No widgets: words and shares."""

from __future__ import annotations

import math
from dataclasses import dataclass

from editview.domain.checkpoint import CheckpointInfo
from editview.domain.errors import EditViewError
from editview.domain.events import Forecast
from editview.domain.operations import Edit, FineTune, Operation
from editview.domain.plan import Plan
from editview.domain.scope import parts, told
from editview.domain.sentences import amount, duration, memory_sentence, time_left
from editview.domain.session import Run, RunState, Stage, StageState


@dataclass(frozen=True, slots=True)
class CardState:
    """`words` stand at the right of the card; `role` is their colour role; `share` is how far a running card is."""

    words: str
    role: str = "muted"
    share: float | None = None
    doing: str = ""


def card_state(plan: Plan, operation: Operation, forecast: Forecast | None, run: Run | None) -> CardState:
    """The state of one operation's card: what the shown run made of it, else what a run would cost."""
    if not operation.enabled:
        return CardState("switched off")
    index = [active.id for active in plan.active].index(operation.id)
    stage = run.stages[index + 1] if run is not None and same_beginning(run.plan, plan, index) else None
    if run is not None and stage is not None:
        said = _said_by_run(run, stage, forecast)
        if said is not None:
            return said
    if forecast is None:
        return CardState("will run")
    if forecast.reused[index]:
        return CardState("reused", "accent")
    seconds = forecast.seconds[index]
    words = "will run"
    if isinstance(operation, FineTune) and forecast.goes_on and forecast.goes_on[index]:
        words = f"goes on at step {forecast.goes_on[index]:,} of {operation.steps:,}"
    return CardState(words if seconds is None else f"{words} · {duration(seconds)}")


def needs_sentence(plan: Plan, operation: FineTune, forecast: Forecast | None) -> str:
    """'Needs 1.2 GB of memory: … (estimated), in parts of 4 to save memory.' Empty where nothing is known."""
    if forecast is None or forecast.plan != plan or not operation.enabled or not forecast.fits:
        return ""
    fit = forecast.fits[[active.id for active in plan.active].index(operation.id)]
    if fit is None:
        return ""
    how = fit.layout.words(operation.batch_size)
    known = "measured" if fit.measured else "estimated"
    return f"Needs {memory_sentence(fit.memory)} ({known}){f'; batches are taken {how}' if how else ''}."


def measurable(plan: Plan, forecast: Forecast | None) -> FineTune | None:
    """The first fine-tune that will run and of which this machine can only guess what it takes."""
    if forecast is None or forecast.plan != plan or not forecast.fits:
        return None
    for operation, fit, reused in zip(plan.active, forecast.fits, forecast.reused, strict=True):
        if isinstance(operation, FineTune) and fit is not None and not fit.measured and not reused:
            return operation
    return None


def trains(
    plan: Plan, operation: FineTune, info: CheckpointInfo | None, run: Run | None
) -> tuple[str, tuple[str, ...]]:
    """What a fine-tune trained in the shown run, or would train: a sentence, and the names of the tensors.

    Nothing where the checkpoint isn't known or the choice is refused.
    """
    index = [active.id for active in plan.active].index(operation.id) if operation.enabled else None
    if run is not None and index is not None and same_beginning(run.plan, plan, index):
        names = run.stages[index + 1].trained
        recorded = set(names)
        found = [tensor for tensor in run.tensors if tensor.name in recorded]
        if found:
            layers = {tensor.layer for tensor in run.tensors} - {None}
            of = sum(math.prod(tensor.shape) for tensor in run.tensors)
            return told(operation, found, len(layers), of, "Trained"), names
    if info is None:
        return "", ()
    there = parts(plan, info)
    try:
        return there.sentence(operation), tuple(tensor.name for tensor in there.trained(operation))
    except EditViewError:
        return "", ()


def _said_by_run(run: Run, stage: Stage, forecast: Forecast | None) -> CardState | None:
    match stage.state:
        case StageState.RUNNING:
            return _running(run, stage, forecast)
        case StageState.REUSED:
            return CardState("reused", "accent")
        case StageState.DONE:
            return CardState("done" if stage.seconds is None else f"done in {duration(stage.seconds)}")
        case StageState.FAILED:
            return CardState("failed", "fails")
        case StageState.WAITING:
            return CardState("waiting") if run.state is RunState.RUNNING else None


def _running(run: Run, stage: Stage, forecast: Forecast | None) -> CardState:
    if stage.progress is None:
        return CardState("starting", "accent", 0.0)
    share, seconds = _share(run, stage), _seconds_left(run, stage, forecast)
    left = "" if seconds is None else f" · {time_left(seconds)} left"
    return CardState(f"{100 * share:.0f} %{left}", "accent", share, stage.progress.what)


def same_beginning(one: Plan, other: Plan, index: int) -> bool:
    """Whether two plans make the same stage after active operation `index`: then its state is true of both."""
    if (one.checkpoint, one.facts, one.columns, one.seed) != (other.checkpoint, other.facts, other.columns, other.seed):
        return False
    first, second = one.active[: index + 1], other.active[: index + 1]
    follows = any(isinstance(operation, FineTune) and operation.follows_edits for operation in first)
    if follows and _edited(one) != _edited(other):
        return False
    return len(first) == len(second) == index + 1 and all(
        type(a) is type(b) and a.content() == b.content() for a, b in zip(first, second, strict=True)
    )


def _edited(plan: Plan) -> set[tuple[type[Operation], tuple[int, ...]]]:
    """Where a plan's edits write: their layers, or the method whose preset says so."""
    return {(type(edit), edit.layers) for edit in plan.active if isinstance(edit, Edit)}


def plan_sentence(plan: Plan, forecast: Forecast | None) -> str:
    """What pressing Run would do, before it is pressed."""
    steps = len(plan.active)
    if not steps:
        return "The plan has no steps yet: add an edit or a fine-tune."
    if forecast is None:
        return "1 step in this order." if steps == 1 else f"{steps} steps in this order."
    if forecast.memory_needed > forecast.memory_available:
        return (
            f"This needs about {amount(forecast.memory_needed)} of memory and {amount(forecast.memory_available)} are "
            f"free. {forecast.advice}".strip()
        )
    reused = sum(forecast.reused)
    fresh = steps - reused
    if not fresh:
        return "Everything here was computed before: the result is shown at once."
    time = "" if forecast.total_seconds is None else f", about {duration(forecast.total_seconds)}"
    doubt = ""
    if forecast.total_seconds is None:
        doubt = " How long it takes is not known on this machine yet."
    elif forecast.guessed:
        doubt = " That is a guess until this machine has done it once."
    if forecast.to_read:
        doubt += f" Up to {forecast.to_read:,} tokens of text are read first, to see what must stay as it is."
    doubt += saving(plan, forecast)
    if forecast.layout:
        doubt += f" {forecast.layout}"
    if reused:
        verb = "is" if reused == 1 else "are"
        return f"{reused} of {steps} steps {verb} reused; {fresh} will run{time}.{doubt}"
    return f"{fresh} {'step' if fresh == 1 else 'steps'} will run{time}.{doubt}"


def saving(plan: Plan, forecast: Forecast) -> str:
    """How the fine-tunes that will run get by with too little memory for whole batches."""
    for operation, fit, reused in zip(plan.active, forecast.fits, forecast.reused, strict=False):
        words = fit.layout.words(operation.batch_size) if isinstance(operation, FineTune) and fit is not None else ""
        if words and not reused:
            return f" The fine-tune takes its batches {words}."
    return ""


@dataclass(frozen=True, slots=True)
class Overall:
    """How far a run is: `share` from 0 to 1, the seconds left as far as they are known, and what is being done."""

    share: float
    seconds_left: float | None
    doing: str


def overall(run: Run, forecast: Forecast | None) -> Overall:
    """Stages count by their forecast time where it is known, else alike."""
    stages = run.stages[1:] or run.stages
    costs = _costs(run, forecast)
    weights = [1.0] * len(stages) if costs is None else [max(cost, 0.5) for cost in costs]
    done = sum(weight * _share(run, stage) for weight, stage in zip(weights, stages, strict=True)) / sum(weights)
    at = next((stage for stage in run.stages if stage.state is StageState.RUNNING), None)
    left = None if at is None else _seconds_left(run, at, forecast)
    waiting = [index for index, stage in enumerate(stages) if stage.state is StageState.WAITING]
    if left is not None and waiting:
        left = None if costs is None else left + sum(costs[index] for index in waiting)
    doing = ""
    if at is not None:
        what = at.progress.what if at.progress is not None else "starting"
        doing = f"Step {at.info.index} of {len(run.stages) - 1}: {what}" if at.info.index else f"Checkpoint: {what}"
    return Overall(done, left, doing)


_WORK = 0.8  # share of a stage that is the operation; the rest is asking the facts
_PHASE = 0.6  # an edit doesn't say how many phases it will have: each counts for this share of what was left


def _share(run: Run, stage: Stage) -> float:
    """How far a stage is, from 0 to 1. Only grows."""
    if stage.state in (StageState.DONE, StageState.REUSED):
        return 1.0
    asked = len(stage.checks) / max(len(run.sheet), 1)
    operation = run.plan.active[stage.info.index - 1] if stage.info.index else None
    if operation is None:
        return asked
    if isinstance(operation, FineTune):
        work = stage.losses[-1][0] / operation.steps if stage.losses else 0.0
    else:
        work, rest = 0.0, 1.0
        for share in stage.phases.values():
            work, rest = work + rest * _PHASE * share, rest * (1 - _PHASE)
    return 1.0 if asked == 1 else _WORK * (1.0 if asked else min(work, 1.0)) + (1 - _WORK) * asked


def _seconds_left(run: Run, stage: Stage, forecast: Forecast | None) -> float | None:
    """What the phase under way says it needs, or what the forecast leaves for the stage if that is more."""
    said = stage.progress.seconds_left if stage.progress is not None else None
    costs = _costs(run, forecast)
    if costs is None or not stage.info.index:
        return said
    return max(said or 0.0, costs[stage.info.index - 1] * (1 - _share(run, stage)))


def _costs(run: Run, forecast: Forecast | None) -> list[float] | None:
    """Forecast seconds of each operation of this run, nothing for reused ones; None where they aren't all known."""
    if forecast is None or forecast.plan.active != run.plan.active:
        return None
    pairs = zip(forecast.seconds, forecast.reused, strict=True)
    costs = [0.0 if reused else seconds for seconds, reused in pairs]
    return None if None in costs else [cost or 0.0 for cost in costs]
