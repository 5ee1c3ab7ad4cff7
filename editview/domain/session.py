"""The session: everything known so far, grown by applying events. What the window draws and the reports tell."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property

from editview.domain.facts import Fact, FactSheet, Group
from editview.domain.plan import Plan, of_two_checkpoints, writing_of
from editview.domain.run_events import (
    BestKept,
    Checked,
    LiveChecked,
    Progressed,
    RunEvent,
    RunFailed,
    RunFinished,
    RunStarted,
    RunStopped,
    StageFinished,
    StageInfo,
    StageStarted,
    Trained,
    Validated,
)
from editview.domain.validation import Validation
from editview.domain.verdicts import Change, Check, LiveCheck, Verdict, change, given, lost_between
from editview.domain.weights import TensorChange, TensorInfo


class StageState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    REUSED = "reused"  # its weights came from the store
    DONE = "done"
    FAILED = "failed"


@dataclass
class Stage:
    """One stage of a run as far as it has come."""

    info: StageInfo
    state: StageState = StageState.WAITING
    checks: dict[str, Check] = field(default_factory=dict)  # by fact id
    live: list[LiveCheck] = field(default_factory=list)
    losses: list[tuple[int, float]] = field(default_factory=list)  # training step, loss
    validations: dict[int, Validation] = field(default_factory=dict)  # by training step
    kept_step: int | None = None  # whose weights were kept, where training went on after it
    changes: tuple[TensorChange, ...] = ()
    trained: tuple[str, ...] = ()  # tensors that a fine-tune was to change
    seconds: float | None = None
    progress: Progressed | None = None
    phases: dict[str, float] = field(default_factory=dict)  # what was done in it, in order, and the share of each

    @property
    def last_step(self) -> int:
        """The training step that its weights are from, as far as training has come."""
        if self.kept_step is not None:
            return self.kept_step
        return max(self.losses[-1][0] if self.losses else 0, self.live[-1].step if self.live else 0)

    def lost_between(self, fact_id: str) -> tuple[int, int] | None:
        """The training steps at which the fact was last seen holding and first seen lost here.

        None: it wasn't lost, or wasn't watched. What is asked after training counts as seen at its last step.
        """
        check = self.checks.get(fact_id)
        if check is None or not self.watches(fact_id):
            return None
        at = self._watched[fact_id]
        steps = [live.step for live in self.live]
        gives = [live.gives[at] for live in self.live]
        return lost_between([*steps, self.last_step], [*gives, check.verdict is not Verdict.FAILS])

    def watches(self, fact_id: str) -> bool:
        """Whether the fact was asked while training went on here: of a large sheet only some are."""
        return bool(self.live) and fact_id in self._watched

    @cached_property
    def _watched(self) -> dict[str, int]:
        """Where each watched fact stands in the live checks, which all ask the same facts in the same order."""
        return {fact_id: at for at, fact_id in enumerate(self.live[0].fact_ids)}


class RunState(StrEnum):
    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass
class Run:
    """One run of a plan."""

    id: str
    plan: Plan
    sheet: FactSheet
    stages: list[Stage]
    tensors: tuple[TensorInfo, ...]
    state: RunState = RunState.RUNNING
    failure: tuple[str, str] | None = None  # sentence, details
    seconds: float | None = None

    def verdict(self, fact_id: str, stage: int) -> Verdict | None:
        check = self.stages[stage].checks.get(fact_id)
        return check.verdict if check else None

    def change(self, fact: Fact, stage: int) -> Change | None:
        """What became of a fact up to a stage; None while it hasn't been asked at all stages up to it.

        Of two checkpoints: which of them gives the wanted answer, once both were asked.
        """
        verdicts = [self.verdict(fact.id, index) for index in range(stage + 1)]
        known = [verdict for verdict in verdicts if verdict is not None]
        if len(known) < len(verdicts):
            return None
        if of_two_checkpoints(self.plan):
            return given(*(verdict is not Verdict.FAILS for verdict in known)) if stage else None
        writing = writing_of(self.plan, fact.id, stage, lambda at: verdicts[at] is Verdict.FAILS)
        if writing is None:
            return change(fact, known, None)
        return change(fact, known, writing.edited_at, writing.taken_back)

    def lost_in(self, fact_id: str, stage: int) -> int | None:
        """The stage that lost a fact which fails at `stage`; None: it stands there, or never stood."""
        if self.verdict(fact_id, stage) is not Verdict.FAILS:
            return None
        stood = (at for at in range(stage, 0, -1) if self.verdict(fact_id, at - 1) is not Verdict.FAILS)
        return next(stood, None)

    def known_before(self, fact_id: str) -> bool:
        """Whether the model gave an edit's new answer before anything edited it; such an edit is no success."""
        last = len(self.stages) - 1
        writing = writing_of(self.plan, fact_id, last, lambda at: self.verdict(fact_id, at) is Verdict.FAILS)
        if writing is None:
            return False
        return self.verdict(fact_id, writing.edited_at - 1) in (Verdict.HOLDS, Verdict.WEAK)

    def counts(self, stage: int, group: Group) -> dict[Verdict, int]:
        """How many facts of a group hold, are weak and fail at a stage."""
        counts = dict.fromkeys(Verdict, 0)
        for fact in self.sheet.group(group):
            verdict = self.verdict(fact.id, stage)
            if verdict is not None:
                counts[verdict] += 1
        return counts

    @property
    def last_checked(self) -> int | None:
        """The last stage at which every fact has been asked."""
        complete = [i for i, stage in enumerate(self.stages) if len(stage.checks) == len(self.sheet)]
        return complete[-1] if complete else None

    def apply(self, event: RunEvent) -> None:
        match event:
            case StageStarted(stage=index, reused=reused):
                self.stages[index].state = StageState.REUSED if reused else StageState.RUNNING
            case Progressed(stage=index):
                stage = self.stages[index]
                stage.progress = event
                share = event.done / event.total if event.total else 0.0
                stage.phases[event.what] = max(share, stage.phases.get(event.what, 0.0))
            case Checked(stage=index, checks=checks):
                self.stages[index].checks.update((check.fact_id, check) for check in checks)
            case LiveChecked(stage=index, check=check):
                live = self.stages[index].live
                if live:  # only what is said now matters, and there may be hundreds of checks of thousands of facts
                    live[-1] = replace(live[-1], said=())
                live.append(check)
            case Trained(stage=index, step=step, loss=loss):
                self.stages[index].losses.append((step, loss))
            case Validated(stage=index, step=step, loss=loss, exact_match=exact_match, of=of):
                self.stages[index].validations[step] = Validation(step, loss, exact_match, of)
            case BestKept(stage=index, step=step):
                stage = self.stages[index]
                stage.kept_step, stage.live = step, [live for live in stage.live if live.step <= step]
            case StageFinished(stage=index, changes=changes, seconds=seconds, trained=trained):
                stage = self.stages[index]
                stage.changes, stage.seconds, stage.trained, stage.progress = changes, seconds, trained, None
                if stage.state is StageState.RUNNING:
                    stage.state = StageState.DONE
            case RunFinished(seconds=seconds):
                self.state, self.seconds = RunState.FINISHED, seconds
            case RunStopped():
                self.state = RunState.STOPPED
                self._end_running(StageState.WAITING)
            case RunFailed(sentence=sentence, details=details):
                self.state, self.failure = RunState.FAILED, (sentence, details)
                self._end_running(StageState.FAILED)
            case RunStarted():
                raise ValueError("a run starts once")

    def _end_running(self, state: StageState) -> None:
        for stage in self.stages:
            stage.progress = None
            if stage.state is StageState.RUNNING:
                stage.state = state


@dataclass
class Session:
    """The runs of this session, the latest last."""

    runs: dict[str, Run] = field(default_factory=dict)

    @property
    def latest(self) -> Run | None:
        return next(reversed(self.runs.values())) if self.runs else None

    def recall(self, run: Run) -> Run:
        """Take in a run of an earlier session, before those of this one; the one that is here already goes first."""
        if run.id not in self.runs:
            self.runs = {run.id: run, **self.runs}
        return self.runs[run.id]

    def apply(self, event: RunEvent) -> Run:
        """Grow by one event; returns the run it belongs to. Late events of a run that was dropped are an error."""
        if isinstance(event, RunStarted):
            stages = [Stage(info) for info in event.stages]
            self.runs[event.run] = Run(event.run, event.plan, event.sheet, stages, event.tensors)
        else:
            self.runs[event.run].apply(event)
        return self.runs[event.run]
