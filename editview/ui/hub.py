"""The hub: what the panels look at. Holds session, plan and sheet, takes events in, says what changed.

Panels read from it, connect to its signals and send requests through it; they don't know each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from editview.domain import places
from editview.domain.checkpoint import CheckpointInfo
from editview.domain.events import (
    CheckpointDescribed,
    DiskUsed,
    EngineLoading,
    EngineReady,
    Event,
    FactsOpened,
    Failed,
    FineTuneMeasured,
    Forecast,
    MemoryUsed,
    Noted,
    OrdersRecalled,
    PlanOpened,
    PlanSaved,
    ReportSaved,
    RunsRecalled,
)
from editview.domain.facts import FactSheet
from editview.domain.left_out import LeftOut
from editview.domain.plan import Plan, PlanHistory
from editview.domain.requests import DescribeCheckpoint, ForecastPlan, OpenFacts, Request, RunPlan
from editview.domain.run_events import (
    BestKept,
    Checked,
    LiveChecked,
    RunEvent,
    RunFailed,
    RunFinished,
    RunStarted,
    RunStopped,
    StageFinished,
    Trained,
    Validated,
)
from editview.domain.sentences import sheet_sentence
from editview.domain.session import Run, RunState, Session
from editview.ui.look_ups import LookUps, concerns, sheet_of
from editview.ui.problem import ENGINE, Problem
from editview.ui.replies import Replies


class Hub(QObject):
    """One for the window. Signals come at most once for each `take`, however many events it was handed."""

    plan_changed = Signal()  # plan, its saved state or undo/redo
    sheet_changed = Signal()
    checkpoint_changed = Signal()
    described = Signal(object)  # CheckpointInfo: of the plan's checkpoint, or of one that is only looked at
    forecast_changed = Signal()
    engine_changed = Signal()  # device, memory, loading
    run_started = Signal()  # another run is shown: start drawing anew
    run_changed = Signal()  # any progress of the shown run
    checks_changed = Signal(set)  # stage indices with new verdicts
    live_changed = Signal(int)  # stage with a new live check or loss
    weights_changed = Signal(int)  # stage whose changed tensors are known now
    runs_changed = Signal()  # a run began, ended or came back from an earlier time: what can be compared
    comparison_wanted = Signal(object)  # tuple[Plan, ...]: orders to be run, as far as they weren't, and compared
    checkpoints_wanted = Signal(object)  # tuple of Checkpoints: one to begin with, or two to be compared
    recalled = Signal(object)  # Recalled: a run that is shown again
    pair_wanted = Signal(object)  # tuple of two Recalled: to be compared, whatever they are
    report_wanted = Signal(object)  # tuple of Runs: one to tell of, or two orders to compare
    pair_report_wanted = Signal(object)  # tuple of two Recalled: to be compared, whatever they are
    report_saved = Signal(str)  # where
    noted = Signal(str)
    recovered = Signal(str)  # what an earlier start was cut off in
    problem = Signal(object)  # Problem
    solved = Signal(object)  # Problem: it was told, and isn't one any more

    def __init__(
        self,
        plan: Plan,
        send: Callable[[Request], int | None],
        parent: QObject | None = None,
        *,
        stop: Callable[[int], None] = lambda number: None,
    ) -> None:
        super().__init__(parent)
        self.replies = Replies(self)
        self.history = PlanHistory(plan, saved=plan)
        self.session = Session()
        self.sheet: FactSheet | None = None
        self.sheet_problems: tuple[LeftOut, ...] = ()
        self.sheet_missing = ""  # why the plan's sheet couldn't be opened
        self.checkpoint: CheckpointInfo | None = None
        self.forecast: Forecast | None = None
        self.run_forecast: Forecast | None = None  # what was forecast for the latest run when it began
        self.engine: EngineReady | None = None
        self.work = EngineLoading("")  # what the engine is busy with, apart from a run
        self.broken = False  # the model libraries couldn't be loaded
        self.memory: MemoryUsed | None = None
        self.run: Run | None = None  # the run that is shown
        self.selected_fact: str | None = None
        self.starting = False  # a run was asked for and hasn't begun
        self._run_jobs: list[int] = []  # the numbers of the runs that were asked for since the last Stop
        self._chosen: OpenFacts | None = None  # a sheet that comes into the plan once it has been read
        self._look_ups = LookUps(self.send, self.solved.emit)
        self._send = send
        self._stop = stop

    @property
    def plan(self) -> Plan:
        return self.history.now

    @property
    def loading(self) -> str:
        return self.work.what

    @property
    def running(self) -> bool:
        """A run was asked for or is under way: the button says Stop."""
        latest = self.session.latest
        return self.starting or (latest is not None and latest.state is RunState.RUNNING)

    @property
    def to_do(self) -> str:
        """What a person has to see to before the plan can be run; empty: nothing."""
        if not self.plan.active:
            return "The plan has no step to run: add one, or switch one on."
        return f"There are no facts to ask. {self.sheet_missing}" if self.sheet is None and self.sheet_missing else ""

    @property
    def obstacle(self) -> str:
        """Why the plan can't be run as it is; empty: it can."""
        return self.to_do or ("" if self.sheet is not None else "The fact sheet is being read.")

    @property
    def saved(self) -> bool:
        return self.plan == self.history.saved

    def send(self, request: Request) -> int | None:
        """Its number, by which it can be stopped; None: the jobs haven't begun."""
        number = self._send(request)
        if isinstance(request, RunPlan) and number is not None:
            self._run_jobs.append(number)
        return number

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

    def open_facts(self, source: str, columns: tuple[tuple[str, str], ...] = ()) -> None:
        """Take another sheet into the plan, and how it is read, once it has been."""
        self._chosen = OpenFacts(source, columns)
        self.send(self._chosen)

    def look_up(self) -> None:
        """Ask for all that the plan names: at the start, and after another plan was opened."""
        self._look_ups.ask(DescribeCheckpoint(self.plan.checkpoint))
        self._look_ups.ask(sheet_of(self.plan))

    def _plan_moved(self, before: Plan) -> None:
        """Forget what was known of what changed, tell, and ask anew."""
        plan = self.plan
        if plan == before:
            return
        other_checkpoint, other_sheet = plan.checkpoint != before.checkpoint, sheet_of(plan) != sheet_of(before)
        if other_checkpoint:
            self.checkpoint = None
        if other_sheet:
            self._lose_sheet()
        self._tell_plan()
        if other_checkpoint:
            self._look_ups.ask(DescribeCheckpoint(plan.checkpoint))
        if other_sheet:
            self.sheet_changed.emit()
            self._look_ups.ask(sheet_of(plan))
        else:
            self._ask_forecast()

    def _lose_sheet(self, why: str = "") -> None:
        self.sheet, self.sheet_problems, self.sheet_missing, self._chosen = None, (), why, None

    def _tell_plan(self) -> None:
        self.forecast = None
        self._look_ups.settle(self.plan)
        self.plan_changed.emit()

    def _take_sheet(self, event: FactsOpened) -> None:
        """The plan's own sheet, or one that was chosen; one that a plan which was left asked for is dropped."""
        chosen = self._chosen if self._chosen is not None and self._chosen.source == event.source else None
        if chosen is None and event.source != self.plan.facts:
            return
        self.sheet, self.sheet_problems, self.sheet_missing = event.sheet, event.problems, ""
        if chosen is not None:
            self._chosen = None
            taken = {"facts": chosen.source, "columns": dict(chosen.columns)}
            self.history.change(self.plan.model_copy(update=taken))
            self._tell_plan()
            self.noted.emit(f"Opened {sheet_sentence(event.sheet, event.problems)}")
        self.sheet_changed.emit()
        self._ask_forecast()

    def _failed(self, job: int, problem: Problem) -> None:
        """Tell what went wrong, unless it was asked for a plan that was left since."""
        subject = self._look_ups.failed(job, problem, self.plan)
        if subject is not None and not concerns(subject, self.plan):
            return
        if isinstance(subject, OpenFacts):
            self._lose_sheet(problem.sentence)
            self.sheet_changed.emit()
        self.problem.emit(problem)

    def _ask_forecast(self) -> None:
        if self.sheet is not None:
            self._look_ups.ask(ForecastPlan(self.plan, self.sheet))

    def start_run(self, fresh: bool = False) -> None:
        """Run the plan; `fresh`: compute anew what is kept of it, too."""
        if self.sheet is not None and not self.running:
            self.starting = True
            self.send(RunPlan(self.plan, self.sheet, fresh))
            self.run_changed.emit()

    def stop(self, job: int | None) -> None:
        """Stop one request, or forget it while it waits: a run, a download, an answer."""
        if job is not None:
            self._stop(job)

    def stop_run(self) -> None:
        """Stop the run, and forget those that wait behind it."""
        if self.running:
            while self._run_jobs:
                self.stop(self._run_jobs.pop())
            self.starting = False
            self.run_changed.emit()

    def show_run(self, run: Run) -> None:
        """Show another run of this session."""
        self.run = run
        self.run_started.emit()

    def _recall(self, event: RunsRecalled) -> None:
        """Show a run of an earlier time with its plan and the facts as they were, or compare two."""
        found = [replace(one, run=self.session.recall(one.run)) for one in event.runs]
        if len(found) == 2:
            self.pair_wanted.emit(tuple(found))
            return
        (one,) = found
        if one.run.plan != self.plan:
            self._open_plan(one.run.plan, None)
        if self.sheet is None or self.sheet.content_hash != one.run.sheet.content_hash:
            self.sheet, self.sheet_problems, self.sheet_missing = one.run.sheet, (), ""
            self.sheet_changed.emit()
        self._look_ups.ask(DescribeCheckpoint(self.plan.checkpoint))
        self._ask_forecast()
        self.show_run(one.run)
        self.recalled.emit(one)

    def _open_plan(self, plan: Plan, path: str | None) -> None:
        self.history.open(plan, path)
        self.checkpoint = None
        self._lose_sheet()
        self._tell_plan()
        self.sheet_changed.emit()

    # ---- events ----------------------------------------------------------------------------------------------

    def take(self, events: Iterable[Event]) -> None:
        """Apply events, then tell once what changed."""
        checked: set[int] = set()
        live: set[int] = set()
        weights: set[int] = set()
        moved = False
        for event in events:
            self.replies.pass_on(event)
            match event:
                case EngineReady():
                    self.engine, self.work, self.broken = event, EngineLoading(""), False
                    self.engine_changed.emit()
                    if event.recovered:
                        self.recovered.emit(event.recovered)
                case EngineLoading():
                    self.work = event
                    self.engine_changed.emit()
                case MemoryUsed():
                    self.memory = event
                    self.engine_changed.emit()
                case CheckpointDescribed(info=info):
                    if info.checkpoint == self.plan.checkpoint:
                        self.checkpoint = info
                        self.checkpoint_changed.emit()
                    self.described.emit(info)
                case FactsOpened():
                    self._take_sheet(event)
                case PlanOpened(path=path, plan=plan):
                    self._open_plan(plan, None if path == str(places.demo_plan()) else path)  # the demo stays
                    self.look_up()
                case PlanSaved(path=path, plan=plan):
                    self.history.keep(plan, path)
                    self.plan_changed.emit()
                case Forecast(plan=plan):
                    if plan == self.plan:
                        self.forecast = event
                        self._look_ups.settle(plan, sound=True)
                        self.forecast_changed.emit()
                case FineTuneMeasured(plan=plan):
                    if plan == self.plan:
                        self._ask_forecast()
                case RunsRecalled():
                    self._recall(event)
                case OrdersRecalled(runs=runs):
                    for recalled in runs:
                        self.session.recall(recalled.run)
                    self.runs_changed.emit()
                case DiskUsed(cleared=cleared):
                    if cleared is not None:
                        self._ask_forecast()
                case ReportSaved(path=path):
                    self.report_saved.emit(path)
                case Noted(sentence=sentence):
                    self.noted.emit(sentence)
                case Failed(job=job, sentence=sentence, details=details):
                    if job == ENGINE:
                        self.work, self.broken = EngineLoading(""), True
                        self.engine_changed.emit()
                    if self.starting and (not self._run_jobs or job in self._run_jobs):
                        self.starting, moved = False, True
                    self._failed(job, Problem(sentence, details, job))
                case RunStarted():
                    self.run = self.session.apply(event)
                    self.starting = False
                    same = self.forecast is not None and self.forecast.plan == event.plan
                    self.run_forecast = self.forecast if same else None
                    self.run_started.emit()
                    self.runs_changed.emit()
                case RunFailed(run=run_id) | RunStopped(run=run_id) if run_id not in self.session.runs:
                    self.starting, moved = False, True  # it ended before it began
                    if isinstance(event, RunFailed):
                        self.problem.emit(Problem(event.sentence, event.details))
                case _ if isinstance(event, RunEvent):
                    run = self.session.apply(event)
                    shown = run is self.run
                    moved |= shown
                    if isinstance(event, RunFailed):
                        self.problem.emit(Problem(event.sentence, event.details))
                    if isinstance(event, RunFinished | RunFailed | RunStopped):
                        self.runs_changed.emit()
                        self._ask_forecast()
                    if shown and isinstance(event, Checked):
                        checked.add(event.stage)
                    elif shown and isinstance(event, LiveChecked | Trained | Validated | BestKept):
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
