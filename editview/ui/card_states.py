"""What each card of the plan, the plan as a whole and the run say about themselves. No widgets: words and shares."""

from __future__ import annotations

from dataclasses import dataclass

from editview.domain.events import Forecast
from editview.domain.operations import Operation
from editview.domain.plan import Plan
from editview.domain.sentences import amount, duration
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
        return CardState("switched off", "faint")
    index = [active.id for active in plan.active].index(operation.id)
    stage = run.stages[index + 1] if run is not None and _same_beginning(run.plan, plan, index) else None
    if run is not None and stage is not None:
        said = _said_by_run(run, stage)
        if said is not None:
            return said
    if forecast is None:
        return CardState("will run")
    if forecast.reused[index]:
        return CardState("reused", "accent")
    seconds = forecast.seconds[index]
    return CardState("will run" if seconds is None else f"will run · {duration(seconds)}")


def _said_by_run(run: Run, stage: Stage) -> CardState | None:
    match stage.state:
        case StageState.RUNNING:
            return _running(stage)
        case StageState.REUSED:
            return CardState("reused", "accent")
        case StageState.DONE:
            return CardState("done" if stage.seconds is None else f"done in {duration(stage.seconds)}")
        case StageState.FAILED:
            return CardState("failed", "fails")
        case StageState.WAITING:
            return CardState("waiting") if run.state is RunState.RUNNING else None


def _running(stage: Stage) -> CardState:
    progress = stage.progress
    if progress is None or not progress.total:
        return CardState("starting", "accent", 0.0)
    share = progress.done / progress.total
    left = "" if progress.seconds_left is None else f" · {duration(progress.seconds_left)} left"
    return CardState(f"{share:.0%}".replace("%", " %") + left, "accent", share, progress.what)


def _same_beginning(one: Plan, other: Plan, index: int) -> bool:
    """Whether two plans make the same stage after active operation `index`: then its state is true of both."""
    if (one.checkpoint, one.facts, one.seed) != (other.checkpoint, other.facts, other.seed):
        return False
    first, second = one.active[: index + 1], other.active[: index + 1]
    return len(first) == len(second) == index + 1 and all(
        type(a) is type(b) and a.content() == b.content() for a, b in zip(first, second, strict=True)
    )


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
    unknown = " How long it takes is not known on this machine yet." if forecast.total_seconds is None else ""
    if reused:
        verb = "is" if reused == 1 else "are"
        return f"{reused} of {steps} steps {verb} reused; {fresh} will run{time}.{unknown}"
    return f"{fresh} {'step' if fresh == 1 else 'steps'} will run{time}.{unknown}"


@dataclass(frozen=True, slots=True)
class Overall:
    """How far a run is: `share` from 0 to 1, the seconds left as far as they are known, and what is being done."""

    share: float
    seconds_left: float | None
    doing: str


def overall(run: Run, forecast: Forecast | None) -> Overall:
    """Stages count by their forecast time where it is known, else alike."""
    known = forecast is not None and all(seconds is not None for seconds in forecast.seconds)
    stages = run.stages[1:] or run.stages
    weights = [1.0] * len(stages)
    if forecast is not None and known and len(forecast.seconds) == len(stages):
        weights = [
            0.5 if reused else max(seconds or 0.0, 0.5)
            for seconds, reused in zip(forecast.seconds, forecast.reused, strict=True)
        ]
    shares = [_share(stage) for stage in stages]
    done = sum(weight * share for weight, share in zip(weights, shares, strict=True)) / sum(weights)
    at = next((stage for stage in run.stages if stage.state is StageState.RUNNING), None)
    progress = at.progress if at is not None else None
    left = progress.seconds_left if progress is not None else None
    if left is not None and known:
        waiting = zip(stages, weights, strict=True)
        left += sum(weight for stage, weight in waiting if stage.state is StageState.WAITING)
    elif any(stage.state is StageState.WAITING for stage in stages):
        left = None
    doing = ""
    if at is not None:
        what = progress.what if progress is not None else "starting"
        doing = f"Step {at.info.index} of {len(run.stages) - 1}: {what}" if at.info.index else f"Checkpoint: {what}"
    return Overall(done, left, doing)


def _share(stage: Stage) -> float:
    if stage.state in (StageState.DONE, StageState.REUSED):
        return 1.0
    progress = stage.progress
    return progress.done / progress.total if progress is not None and progress.total else 0.0
