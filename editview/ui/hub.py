"""The hub: what the panels look at. Holds session, plan and sheet, takes events in, says what changed.

Panels read from it, connect to its signals and send requests through it; they don't know each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from editview.domain.checkpoint import CheckpointInfo
from editview.domain.events import (
    Checked,
    CheckpointDescribed,
    EngineLoading,
    EngineReady,
    Event,
    FactsOpened,
    Failed,
    Forecast,
    LiveChecked,
    MemoryUsed,
    Noted,
    PlanOpened,
    Replied,
    RunFailed,
    RunFinished,
    RunStarted,
    RunStopped,
    StageFinished,
    Trained,
)
from editview.domain.facts import FactSheet
from editview.domain.plan import Plan, PlanHistory
from editview.domain.requests import DescribeCheckpoint, ForecastPlan, OpenFacts, Request, RunPlan
from editview.domain.session import Run, Session


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as the window shows it."""

    sentence: str
    details: str


class Hub(QObject):
    """One for the window. Signals come at most once for each `take`, however many events it was handed."""

    plan_changed = Signal()  # plan, its saved state or undo/redo
    sheet_changed = Signal()
    checkpoint_changed = Signal()
    forecast_changed = Signal()
    engine_changed = Signal()  # device, memory, loading
    run_started = Signal()  # another run is shown: start drawing anew
    run_changed = Signal()  # any progress of the shown run
    checks_changed = Signal(set)  # stage indices with new verdicts
    live_changed = Signal(int)  # stage with a new live check or loss
    weights_changed = Signal(int)  # stage whose changed tensors are known now
    runs_changed = Signal()  # a run began or ended: what can be compared
    replied = Signal(object)  # events.Replied
    noted = Signal(str)
    problem = Signal(object)  # Problem

    def __init__(self, plan: Plan, send: Callable[[Request], None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.history = PlanHistory(plan, saved=plan)
        self.session = Session()
        self.sheet: FactSheet | None = None
        self.sheet_problems: tuple[str, ...] = ()
        self.checkpoint: CheckpointInfo | None = None
        self.forecast: Forecast | None = None
        self.engine: EngineReady | None = None
        self.loading: str = ""
        self.memory: MemoryUsed | None = None
        self.run: Run | None = None  # the run that is shown
        self.selected_fact: str | None = None
        self._send = send

    @property
    def plan(self) -> Plan:
        return self.history.now

    def send(self, request: Request) -> None:
        self._send(request)

    # ---- the plan --------------------------------------------------------------------------------------------

    def change_plan(self, plan: Plan) -> None:
        """Every change of the plan by the user goes through here, so that it can be undone."""
        before = self.plan
        self.history.change(plan)
        self._plan_moved(before)

    def undo(self) -> None:
        before = self.plan
        self.history.undo()
        self._plan_moved(before)

    def redo(self) -> None:
        before = self.plan
        self.history.redo()
        self._plan_moved(before)

    def _plan_moved(self, before: Plan) -> None:
        if self.plan == before:
            return
        self.forecast = None
        self.plan_changed.emit()
        if self.plan.checkpoint != before.checkpoint:
            self.send(DescribeCheckpoint(self.plan.checkpoint))
        if self.plan.facts != before.facts:
            self.send(OpenFacts(self.plan.facts))
        elif self.sheet is not None:
            self.send(ForecastPlan(self.plan, self.sheet))

    def start_run(self) -> None:
        if self.sheet is not None:
            self.send(RunPlan(self.plan, self.sheet))

    def show_run(self, run: Run) -> None:
        """Show another run of this session."""
        self.run = run
        self.run_started.emit()

    # ---- events ----------------------------------------------------------------------------------------------

    def take(self, events: Iterable[Event]) -> None:
        """Apply events, then tell once what changed."""
        checked: set[int] = set()
        live: set[int] = set()
        weights: set[int] = set()
        moved = False
        for event in events:
            match event:
                case EngineReady():
                    self.engine, self.loading = event, ""
                    self.engine_changed.emit()
                    if event.recovered:
                        self.noted.emit(event.recovered)
                case EngineLoading(what=what):
                    self.loading = what
                    self.engine_changed.emit()
                case MemoryUsed():
                    self.memory = event
                    self.engine_changed.emit()
                case CheckpointDescribed(info=info):
                    self.checkpoint = info
                    self.checkpoint_changed.emit()
                case FactsOpened(source=source, sheet=sheet, problems=problems):
                    self.sheet, self.sheet_problems = sheet, problems
                    if source != self.plan.facts:
                        self.history.change(self.plan.model_copy(update={"facts": source}))
                        self.plan_changed.emit()
                    self.sheet_changed.emit()
                    self.send(ForecastPlan(self.plan, sheet))
                case PlanOpened(plan=plan):
                    self.history = PlanHistory(plan, saved=plan)
                    self.plan_changed.emit()
                    self.send(DescribeCheckpoint(plan.checkpoint))
                    self.send(OpenFacts(plan.facts))
                case Forecast(plan=plan):
                    if plan == self.plan:
                        self.forecast = event
                        self.forecast_changed.emit()
                case Replied():
                    self.replied.emit(event)
                case Noted(sentence=sentence):
                    self.noted.emit(sentence)
                case Failed(sentence=sentence, details=details):
                    self.problem.emit(Problem(sentence, details))
                case RunStarted():
                    self.run = self.session.apply(event)
                    self.run_started.emit()
                    self.runs_changed.emit()
                case _:
                    run = self.session.apply(event)
                    shown = run is self.run
                    moved |= shown
                    if isinstance(event, RunFailed):
                        self.problem.emit(Problem(event.sentence, event.details))
                    if isinstance(event, RunFinished | RunFailed | RunStopped):
                        self.runs_changed.emit()
                        if self.sheet is not None:
                            self.send(ForecastPlan(self.plan, self.sheet))
                    if shown and isinstance(event, Checked):
                        checked.add(event.stage)
                    elif shown and isinstance(event, LiveChecked | Trained):
                        live.add(event.stage)
                    elif shown and isinstance(event, StageFinished):
                        weights.add(event.stage)
        if checked:
            self.checks_changed.emit(checked)
        for stage in sorted(live):
            self.live_changed.emit(stage)
        for stage in sorted(weights):
            self.weights_changed.emit(stage)
        if moved:
            self.run_changed.emit()
