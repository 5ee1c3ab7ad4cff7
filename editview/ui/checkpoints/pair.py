"""The two checkpoints and what is known of them: asks for it, takes it in, says when something changed."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from editview.domain.difference import Difference
from editview.domain.events import BothAsked, CheckpointsCompared, Comparing, Inspected
from editview.domain.facts import Fact, FactSheet
from editview.domain.history import Findings
from editview.domain.inspection import Inspection
from editview.domain.plan import Checkpoint
from editview.domain.requests import AskBoth, CompareCheckpoints, InspectCheckpoint, SaveComparison
from editview.domain.run_events import RunFailed, RunStarted
from editview.domain.session import Run, RunState
from editview.domain.two_checkpoints import plan_of_two
from editview.domain.update_kind import Judgement, judged
from editview.ui.hub import Hub
from editview.ui.problem import ENGINE, Problem


class Pair(QObject):
    """`both` is the hub of the run that asks a fact sheet of both: a run like any other, but not the plan's."""

    changed = Signal()  # which two, what is known of their weights, or whether it is being found out
    progressed = Signal()
    asking_changed = Signal()  # the facts: asked for, begun, ended
    inspecting_changed = Signal()  # which facts the change touched: asked for, found, ended
    saved = Signal(str)  # where the report is
    problem = Signal(object)  # Problem

    def __init__(self, hub: Hub, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.hub = hub
        self.both = Hub(plan_of_two(Checkpoint()), lambda _: None, self)
        self.first: Checkpoint | None = None
        self.second: Checkpoint | None = None
        self._forget()
        hub.replies.comparing.connect(self._progressed)
        hub.replies.checkpoints_compared.connect(self._compared)
        hub.replies.both_asked.connect(self._told)
        hub.replies.inspected.connect(self._inspected)
        hub.problem.connect(self._failed)
        hub.report_saved.connect(self._saved)
        self.both.problem.connect(self.problem)

    def _forget(self) -> None:
        """Nothing is known of these two."""
        self.found: Difference | None = None
        self.whole = False  # the spectra are known too
        self.judgement: Judgement | None = None
        self.failed = False  # the comparison
        self.work: Comparing | None = None  # how far it is
        self._request: CompareCheckpoints | None = None  # under way
        self._job: int | None = None
        self._saving: int | None = None  # the job that writes a report
        self.saving_to = ""  # and where
        self._asked: AskBoth | None = None  # the facts are being asked
        self._asking: int | None = None
        self.inspection: Inspection | None = None
        self._inspect: InspectCheckpoint | None = None  # under way
        self._inspecting: int | None = None
        self.both.run = None
        self._then: Findings | None = None

    @property
    def then(self) -> Findings | None:
        """What was found at another time, while it is shown."""
        shown = self._then is not None and (self._then.found is self.found or self._then.found is self.inspection)
        return self._then if shown else None

    @property
    def comparing(self) -> bool:
        return self._request is not None

    @property
    def can_save(self) -> bool:
        """Whether something was found that a report could tell, and nothing is under way that it would lack."""
        return not self.busy and (self.found is not None or self.inspection is not None)

    @property
    def busy(self) -> bool:
        return self.comparing or self.asking or self.inspecting or self.saving

    @property
    def saving(self) -> bool:
        return self._saving is not None

    @property
    def inspecting(self) -> bool:
        return self._inspect is not None

    @property
    def asking(self) -> bool:
        return self._asked is not None

    @property
    def asked(self) -> Run | None:
        """The run that asks both, once it has begun."""
        return self.both.run

    # ---- asking ----------------------------------------------------------------------------------------------

    def choose(self, first: Checkpoint | None, second: Checkpoint | None) -> None:
        """Take these two; what was under way for others ends."""
        if (first, second) != (self.first, self.second):
            self.end()
            self.first, self.second = first, second
            self._forget()
            self._tell_all()

    def recall(self, then: Findings) -> None:
        """Show what was found at another time; what is known now is forgotten."""
        self.end()
        self._forget()
        self._then = then
        if isinstance(then.found, Inspection):
            self.first, self.second, self.inspection = then.found.original, then.found.edited, then.found
        else:
            self.first, self.second = then.found.first, then.found.second
            self._know(then.found, then.whole)
        self._tell_all()

    def _tell_all(self) -> None:
        for signal in (self.changed, self.asking_changed, self.inspecting_changed):
            signal.emit()

    def compare(self) -> None:
        if self.first is None or self.second is None or self.comparing:
            return
        self.found, self.whole, self.judgement, self.work, self.failed = None, False, None, None, False
        self._request = CompareCheckpoints(self.first, self.second)
        self._job = self.hub.send(self._request)
        self.changed.emit()

    def stop(self) -> None:
        if self.comparing:
            self.hub.stop(self._job)
            self._request = None
            self.changed.emit()

    def ask(self, sheet: FactSheet) -> None:
        """Ask this sheet of both."""
        if self.first is None or self.second is None:
            return
        self.stop_asking()
        self.both.run = None
        self._asked = AskBoth(self.first, self.second, sheet, *self._read_from())
        self._asking = self.hub.send(self._asked)
        self.asking_changed.emit()

    def stop_asking(self) -> None:
        if self.asking:
            self.hub.stop(self._asking)
            self._asked = None
            self.asking_changed.emit()

    def _read_from(self) -> tuple[str, tuple[tuple[str, str], ...]]:
        """Where the plan's sheet comes from, and how it was read."""
        return self.hub.plan.facts, tuple(self.hub.plan.columns.items())

    def inspect(self, subjects: str, facts: tuple[Fact, ...] = ()) -> None:
        """Look which of these subjects the change acts on; without the first, what stands out in the second.

        The facts are those of the plan's sheet.
        """
        if self.second is None:
            return
        self.stop_inspecting()
        self.inspection = None
        source = self._read_from() if facts else ("", ())
        self._inspect = InspectCheckpoint(self.second, self.first, subjects, facts, *source)
        self._inspecting = self.hub.send(self._inspect)
        self.inspecting_changed.emit()

    def stop_inspecting(self) -> None:
        if self.inspecting:
            self.hub.stop(self._inspecting)
            self._inspect = None
            self.inspecting_changed.emit()

    def save(self, path: str) -> None:
        """Write a report of what is known."""
        if self.can_save:
            self.saving_to, self.work = path, None
            known = SaveComparison(self.found, path, self.asked, self.inspection, self.then, self.whole)
            self._saving = self.hub.send(known)
            self.progressed.emit()

    def stop_saving(self) -> None:
        if self.saving:
            self.hub.stop(self._saving)
            self._end_saving()

    def _end_saving(self) -> None:
        self._saving = None
        self.progressed.emit()

    def end(self) -> None:
        """Stop all that is under way."""
        self.stop()
        self.stop_asking()
        self.stop_inspecting()
        self.stop_saving()

    # ---- taking in -------------------------------------------------------------------------------------------

    def _progressed(self, event: Comparing) -> None:
        if event.asked == self._request or (self.saving and isinstance(event.asked, SaveComparison)):
            self.work = event
            self.progressed.emit()

    def _compared(self, event: CheckpointsCompared) -> None:
        if event.asked != self._request:
            return
        self._know(event.found, event.whole)
        if event.whole:
            self._request = self._job = None
        self.changed.emit()

    def _told(self, event: BothAsked) -> None:
        if event.asked is not self._asked:
            return
        self.both.take([event.event])
        run = self.asked
        if isinstance(event.event, RunStarted):
            self.asking_changed.emit()
        elif (run is not None and run.state is not RunState.RUNNING) or isinstance(event.event, RunFailed):
            self._asked = None
            self.asking_changed.emit()

    def _know(self, found: Difference, whole: bool) -> None:
        self.found, self.whole = found, whole
        self.judgement = judged(found) if whole else None

    def _inspected(self, event: Inspected) -> None:
        if event.asked is self._inspect:
            self.inspection, self._inspect = event.inspection, None
            self.inspecting_changed.emit()

    def _saved(self, path: str) -> None:
        if self.saving and path == self.saving_to:
            self._end_saving()
            self.saved.emit(path)

    def _failed(self, problem: Problem) -> None:
        """What was asked for two checkpoints is said in their window, whatever else goes on."""
        job, mine = problem.job, False
        if self.comparing and job in (self._job, ENGINE):
            self._request, self.failed, mine = None, True, True
            self.changed.emit()
        if self.asking and job in (self._asking, ENGINE):
            self._asked, mine = None, True
            self.asking_changed.emit()
        if self.inspecting and job in (self._inspecting, ENGINE):
            self._inspect, mine = None, True
            self.inspecting_changed.emit()
        if self.saving and job == self._saving:
            mine = True
            self._end_saving()
        if not mine:
            return
        self.problem.emit(problem)
        if job != ENGINE:
            self.hub.solved.emit(problem)  # it is said here, and no business of the window behind
