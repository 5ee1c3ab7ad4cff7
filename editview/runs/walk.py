"""One run under way: walks a plan's stages, takes from the store what it has and computes the rest."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from torch import Tensor

from editview.domain.checkpoint import Device
from editview.domain.errors import Cancelled
from editview.domain.events import Event, Noted
from editview.domain.facts import Fact, FactSheet, Group
from editview.domain.memory import Fit
from editview.domain.operations import FineTune
from editview.domain.plan import Plan
from editview.domain.run_events import (
    BestKept,
    Checked,
    LiveChecked,
    StageFinished,
    StageInfo,
    StageStarted,
    Trained,
    Validated,
)
from editview.domain.sentences import told_apart
from editview.domain.validation import Validation, how_it_ended
from editview.domain.verdicts import Check, LiveCheck
from editview.lm.answers import check, live_check
from editview.lm.model import LanguageModel
from editview.runs import costs, snapshots
from editview.runs.fingerprints import described
from editview.runs.journal import Journal
from editview.runs.machine import memory_available
from editview.runs.measurements import TWICE, Measurements, fit_of
from editview.runs.operations import Prepared, PreparedEdit, PreparedFineTune, PreparedUndo, Worked, seed_of
from editview.runs.pace import Pace
from editview.runs.snapshots import Found
from editview.runs.store import Asked, Live, Loss, NotKept, Record, StageStore
from editview.runs.timings import Timings
from editview.runs.workbench import Done, Workbench
from editview.tuning.resuming import Snapshots
from editview.tuning.watch import Watch

FULL = 100.0  # per cent of an edit
_BATCH = 200  # stored checks that one event carries
_CURVE = 2000  # logged steps of one fine-tune, at most
_WATCHED = {Group.EDITED: 200, Group.NEIGHBOURS: 120, Group.CONTROL: 100}
"""Facts asked during training, at most: asking must stay cheap beside it. All are asked after it."""


@dataclass
class Walk:
    """What a run needs to know, and what it has found so far."""

    bench: Workbench
    store: StageStore
    timings: Timings
    measurements: Measurements
    journal: Journal
    device: Device
    run: str
    plan: Plan
    sheet: FactSheet
    stages: tuple[StageInfo, ...]
    full: tuple[str, ...]  # each stage's key with its own edit at full strength
    prepared: Sequence[Prepared]  # stage i + 1 comes from prepared[i]
    emit: Callable[[Event], None]
    stop: threading.Event
    _told_not_kept: bool = field(default=False, init=False)
    _told_layout: bool = field(default=False, init=False)

    def walk(self) -> None:
        """All stages in order. Raises what stops or fails the run."""
        answers = [self.store.asked(stage.key, self.sheet.content_hash) for stage in self.stages]
        missing = self._missing(answers)
        names = told_apart([stage.title for stage in self.stages])
        before: Sequence[Check] = ()  # what the facts were answered at the stage before
        for stage, compute, kept in zip(self.stages, missing, answers, strict=True):
            asked = None if compute else kept
            self._check_stop()
            pace = Pace(self.run, stage.index, self.emit, self.stop)
            self.journal.under_way(names[stage.index], stage.index)
            reused = not compute and (stage.index > 0 or asked is not None)
            self.emit(StageStarted(self.run, stage.index, reused))
            record = self._computed(stage, before, pace) if compute else self._recalled(stage)
            for note in record.notes:
                self.emit(Noted(note))
            asked = self._told(stage, asked) if asked is not None else self._asked(stage, pace)
            seconds = record.seconds + asked.seconds
            self.emit(StageFinished(self.run, stage.index, record.changes, seconds, record.trained))
            before = asked.checks

    def _missing(self, answers: Sequence[Asked | None]) -> list[bool]:
        """Which stages must be computed: those that aren't kept, and those whose weights are needed and damaged."""
        missing = [False] * len(self.stages)
        for stage in reversed(self.stages[1:]):
            at = stage.index
            missing[at] = self.store.record(stage.key) is None
            needed = any(missing[later] for later in range(at + 1, len(missing)) if at in self._parents(later))
            if (needed or answers[at] is None) and not missing[at] and not self.store.is_intact(stage.key):
                missing[at] = True
                self.emit(Noted(f"What was kept of *{stage.title}* is damaged; it is computed again."))
        return missing

    def _parents(self, stage: int) -> set[int]:
        """The stages whose weights a stage is computed from."""
        prepared = self.prepared[stage - 1]
        undone = {prepared.stage - 1, prepared.stage} if isinstance(prepared, PreparedUndo) else set()
        return {stage - 1} | undone

    # ---- the weights -----------------------------------------------------------------------------------------

    def _computed(self, stage: StageInfo, before: Sequence[Check], pace: Pace) -> Record:
        """Carry out the operation that leads to a stage, and keep the stage."""
        prepared = self.prepared[stage.index - 1]
        if isinstance(prepared, PreparedUndo):
            return self._taken_back(stage, prepared, pace)
        if isinstance(prepared, PreparedEdit):
            prepared = prepared.failing(before)
            if not prepared.facts:
                return self._nothing_to_repair(stage, pace)
            if prepared.operation.strength != FULL:
                return self._scaled(stage, prepared, before, pace)
        return self._worked(stage, stage.key, prepared, before, pace)

    def _taken_back(self, stage: StageInfo, prepared: PreparedUndo, pace: Pace) -> Record:
        """Subtract what the edit wrote: what lies between the stage before it and its own."""
        began = time.perf_counter()
        self._at(self.stages[stage.index - 1], pace)
        start, end = self.stages[prepared.stage - 1].key, self.stages[prepared.stage].key
        done = self.bench.shift(stage.key, start, end, -1.0)
        return self._kept(stage.key, done, began)

    def _nothing_to_repair(self, stage: StageInfo, pace: Pace) -> Record:
        began = time.perf_counter()
        self._at(self.stages[stage.index - 1], pace)
        done = self.bench.stay(stage.key)
        note = f"*{stage.title}*: no fact failed here, so there was nothing to repair."
        told = replace(done, notes=(note,))
        if self.full[stage.index] != stage.key:  # other strengths are asked from there
            self._kept(self.full[stage.index], told, began)
        return self._kept(stage.key, told, began)

    def _scaled(self, stage: StageInfo, prepared: PreparedEdit, before: Sequence[Check], pace: Pace) -> Record:
        """W + αΔW: the edit at full strength is computed once and kept, and every other strength comes from it."""
        full, strength = self.full[stage.index], prepared.operation.strength
        whole = self.store.record(full) if self.store.is_intact(full) else None
        whole = whole or self._worked(stage, full, prepared.full, before, pace)
        began = time.perf_counter()
        self._at(self.stages[stage.index - 1], pace)
        done = self.bench.shift(stage.key, self.stages[stage.index - 1].key, full, strength / FULL)
        return self._kept(stage.key, replace(done, notes=whole.notes), began)

    def _kept(self, key: str, done: Done, began: float) -> Record:
        record = Record(done.changes, time.perf_counter() - began, notes=done.notes)
        self._keep(key, record, None)
        return record

    def _worked(
        self,
        stage: StageInfo,
        key: str,
        prepared: Worked,
        before: Sequence[Check],
        pace: Pace,
    ) -> Record:
        """Let the operation compute the stage `key`, and keep it; a fine-tune that was interrupted goes on."""
        lm = self._at(self.stages[stage.index - 1], pace)
        fit = self._fit(prepared) if isinstance(prepared, PreparedFineTune) else None
        found = self._snapshot(stage, key) if fit is not None else None
        losses: list[Loss] = list(found.record.losses) if found else []
        live: list[LiveCheck] = list(found.live) if found else []
        looks = {look.step: look for look in found.record.validations} if found else {}
        kept_step: int | None = None
        begun = reached = found.step if found else 0
        times_asked, seconds_asking = 0, 0.0
        watched = watched_facts(self.sheet)
        ids = {fact.id for fact in watched}
        at_the_start = LiveCheck.of([check for check in before if check.fact_id in ids], 0)

        def log(step: int, loss: float, learning_rate: float) -> None:
            nonlocal reached
            reached = step
            if isinstance(prepared, PreparedFineTune) and _is_drawn(step, prepared.operation.steps):
                losses.append(Loss(step, loss, learning_rate))
                self.emit(Trained(self.run, stage.index, step, loss, learning_rate))

        def ask(step: int) -> LiveCheck:
            nonlocal seconds_asking, times_asked
            if step == 0:
                return at_the_start
            began = time.perf_counter()
            answers = live_check(lm, watched, step)
            seconds_asking, times_asked = seconds_asking + time.perf_counter() - began, times_asked + 1
            return answers

        def report(answers: LiveCheck) -> None:
            live.append(replace(answers, said=()))
            self.emit(LiveChecked(self.run, stage.index, answers))

        def asked_live() -> tuple[str, Live] | None:
            return (self.sheet.content_hash, Live(tuple(live), every)) if live else None

        def put_down(step: int, state: dict[str, Tensor]) -> None:
            so_far = Record((), time.perf_counter() - began, tuple(losses), validations=tuple(looks.values()))
            try:
                snapshots.keep(self.store, key, step, state, so_far, asked_live(), spare=self._needed)
            except NotKept as error:
                self._tell_not_kept(error)

        def validated(look: Validation) -> None:
            looks[look.step] = look
            self.emit(Validated(self.run, stage.index, look.step, look.loss, look.exact_match, look.of))

        def went_back(step: int) -> None:
            nonlocal kept_step
            kept_step, live[:] = step, [answers for answers in live if answers.step <= step]
            self.emit(BestKept(self.run, stage.index, step))

        every = self.plan.check_every if watched else 0
        watch = Watch(every, ask, report, validated, went_back)
        began = time.perf_counter() - (found.record.seconds if found else 0.0)
        if found is not None:
            self._tell_training(stage, found.record, live)
        place = Snapshots(snapshots.EVERY, put_down, found.state if found else None)
        seed = seed_of(prepared, self.plan.seed)
        done = self.bench.carry_out(prepared, key, seed, watch, pace, log, fit, place)
        seconds, parameters = time.perf_counter() - began, self.bench.parameters
        notes, work = done.notes, costs.work(prepared, parameters)
        if fit is not None and isinstance(prepared, PreparedFineTune):
            notes += how_it_ended(stage.title, prepared.operation, looks, reached, kept_step)
            words = fit.layout.words(prepared.operation.batch_size)
            notes += (f"*{stage.title}* took its batches {words}.",) if words else ()
            work *= (reached - begun) / prepared.operation.steps * (TWICE if fit.layout.checkpointing else 1)
        record = Record(done.changes, seconds, tuple(losses), notes, done.trained, tuple(looks.values()), kept_step)
        worked = seconds - (found.record.seconds if found else 0.0) - seconds_asking - done.known.seconds
        self._learn(prepared.operation.method, work, worked)
        self._learn(costs.READING, done.known.work, done.known.seconds)
        self._learn(costs.ASKING_LIVE, times_asked * costs.asking_live(watched, parameters), seconds_asking)
        self._keep(key, record, asked_live())
        if self.store.record(key) is not None:  # else the next run still goes on from there
            snapshots.clear(self.store, key)
        return record

    def _fit(self, prepared: PreparedFineTune) -> Fit:
        """How to get by with the memory that there is now."""
        info = described(self.plan.checkpoint, self.device)
        measured = self.measurements.of(self.plan.checkpoint, self.device, prepared)
        return fit_of(prepared, info, self.device, measured, memory_available(self.device))

    def _snapshot(self, stage: StageInfo, key: str) -> Found | None:
        """Where an interrupted fine-tune goes on."""
        kept = snapshots.step_kept(self.store, key)
        found = snapshots.find(self.store, key, self.sheet.content_hash)
        if found is not None:
            self.emit(Noted(f"*{stage.title}* was interrupted, and goes on after step {found.step:,}."))
        elif kept:
            self.emit(Noted(f"What was kept of *{stage.title}* under way is damaged, so it begins anew."))
        return found

    def _recalled(self, stage: StageInfo) -> Record:
        """A stage from the store, told as if it were computed now."""
        record = self.store.record(stage.key) or Record()
        live = self.store.live(stage.key, self.sheet.content_hash)
        self._tell_training(stage, record, live.checks if live else ())
        if stage.index and isinstance(self.prepared[stage.index - 1].operation, FineTune) and self.plan.check_every:
            if live is None:
                self.emit(Noted(
                    f"*{stage.title}* was computed in an earlier run that didn't ask these facts while it trained, so "
                    "the step at which a fact was lost isn't known."
                ))  # fmt: skip
            elif live.every != self.plan.check_every:
                often = "as often as was cheap" if live.every == "auto" else f"every {live.every:,} steps"
                self.emit(Noted(
                    f"*{stage.title}* was computed in an earlier run that asked {often}; those answers are shown."
                ))  # fmt: skip
        return record

    def _tell_training(self, stage: StageInfo, record: Record, live: Sequence[LiveCheck]) -> None:
        """What was logged, looked at and asked while a stage was trained, or up to where it was interrupted."""
        for loss in record.losses:
            self.emit(Trained(self.run, stage.index, loss.step, loss.loss, loss.learning_rate))
        for look in record.validations:
            self.emit(Validated(self.run, stage.index, look.step, look.loss, look.exact_match, look.of))
        for found in live:
            self.emit(LiveChecked(self.run, stage.index, found))
        if record.kept_step is not None:
            self.emit(BestKept(self.run, stage.index, record.kept_step))

    @property
    def _needed(self) -> set[str]:
        """The stages that must not go to make room for others."""
        return {stage.key for stage in self.stages} | set(self.full)

    def _keep(self, key: str, record: Record, live: tuple[str, Live] | None) -> None:
        try:
            self.store.keep(key, record, self.bench.delta, live, spare=self._needed)
        except NotKept as error:
            self.bench.hold(key)
            self._tell_not_kept(error)

    # ---- the answers -----------------------------------------------------------------------------------------

    def _asked(self, stage: StageInfo, pace: Pace) -> Asked:
        """Ask every fact of the sheet at a stage, tell the answers as they come, and keep them."""
        lm = self._at(stage, pace)
        if stage.index == 0 and self.store.record(stage.key) is None:
            self._keep(stage.key, Record(), None)
        began = time.perf_counter()
        checks: list[Check] = []
        for batch in check(lm, self.sheet.facts, pace):
            checks += batch
            self.emit(Checked(self.run, stage.index, tuple(batch)))
        asked = Asked(tuple(checks), time.perf_counter() - began)
        self._learn(costs.ASKING, costs.asking(self.sheet, self.bench.parameters), asked.seconds)
        try:
            self.store.keep_asked(stage.key, self.sheet.content_hash, asked)
        except NotKept as error:
            self._tell_not_kept(error)
        return asked

    def _told(self, stage: StageInfo, asked: Asked) -> Asked:
        for at in range(0, len(asked.checks), _BATCH):
            self._check_stop()
            self.emit(Checked(self.run, stage.index, asked.checks[at : at + _BATCH]))
        return asked

    # ---- small things ----------------------------------------------------------------------------------------

    def _at(self, stage: StageInfo, pace: Pace) -> LanguageModel:
        """The open model at a stage."""
        lm = self.bench.open(self.plan.checkpoint, self.device, pace)
        if lm.offloaded is not None and not self._told_layout:
            self._told_layout = True
            self.emit(Noted(lm.offloaded.layout))
        return self.bench.move_to(stage.key)

    def _learn(self, kind: str, work: float, seconds: float) -> None:
        self.timings.learn(kind, self.device.id, work, seconds)

    def _tell_not_kept(self, error: NotKept) -> None:
        if not self._told_not_kept:
            self._told_not_kept = True
            self.emit(Noted(str(error)))

    def _check_stop(self) -> None:
        if self.stop.is_set():
            raise Cancelled


def watched_facts(sheet: FactSheet) -> tuple[Fact, ...]:
    """The facts asked during training: of each group as many as is cheap, spread evenly over the sheet."""
    chosen: set[str] = set()
    for group, most in _WATCHED.items():
        facts = sheet.group(group)
        count = min(most, len(facts))
        chosen.update(facts[i * len(facts) // count].id for i in range(count))
    return tuple(fact for fact in sheet if fact.id in chosen)


def _is_drawn(step: int, steps: int) -> bool:
    """Whether a training step is logged: all of them, or so many evenly spread that a curve shows no difference."""
    return step % -(-steps // _CURVE) == 0 or step == steps
