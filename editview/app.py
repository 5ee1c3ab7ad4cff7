"""Builds the window, the jobs and the session once and wires them; the only place that knows all rooms."""

from __future__ import annotations

import queue
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication, QWidget

from editview.domain import places
from editview.domain.errors import EditViewError
from editview.domain.events import Event, PlanSaved
from editview.domain.plan import Plan
from editview.domain.requests import Request, SavePlan
from editview.formats.plans import demo_plan, read_plan
from editview.jobs.service import Jobs
from editview.ui.facts.panel import FactsPanel
from editview.ui.hub import Hub
from editview.ui.window import display, settings
from editview.ui.window.main_window import MainWindow
from editview.ui.window.problems import Problems

DRAIN_EVERY = 60  # milliseconds between two looks into the queue
DRAIN_FOR = 0.006  # seconds that one look may take
FIRST_PAINT = 30  # milliseconds for the window to be drawn once before anything else begins
AUTOSAVE_AFTER = 400  # milliseconds without a further change


class JobsLike(Protocol):
    """What the window needs of the jobs."""

    def send(self, request: Request) -> int: ...

    def stop(self, number: int) -> None: ...

    def close(self) -> None: ...


class Desk(QObject):
    """One window with all that stands behind it. `start` begins the jobs; requests sent before wait for that."""

    def __init__(self, plan: Plan, start_jobs: Callable[[Callable[[Event], None]], JobsLike] = Jobs) -> None:
        super().__init__()
        self._start_jobs = start_jobs
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._waiting: list[Request] = []
        self.jobs: JobsLike | None = None
        self.hub = Hub(plan, self._send, self, stop=self._stop)
        self.window = MainWindow(self.hub)
        self.window.furnish(FactsPanel(self.hub))
        self.window.closed.connect(self.close)
        self._autosave = QTimer(self, singleShot=True, interval=AUTOSAVE_AFTER)
        self._autosave.timeout.connect(self._save)
        self.hub.plan_changed.connect(self._autosave.start)
        self._drain = QTimer(self, interval=DRAIN_EVERY)
        self._drain.timeout.connect(self._take)

    def start(self) -> None:
        """Begin the work behind the window, once it is shown."""
        self.window.hang_pictures(_pictures(self.hub, self.window))
        self.jobs = self._start_jobs(self._events.put)
        self._drain.start()
        for request in self._waiting:
            self.jobs.send(request)
        self._waiting.clear()
        self.hub.look_up()

    def close(self) -> None:
        """Save the plan, stop what runs, end the threads."""
        if self._autosave.isActive():
            self._save()
        self._drain.stop()
        if self.jobs is not None:
            self.jobs.close()
            self.jobs = None

    def _send(self, request: Request) -> int | None:
        if self.jobs is None:
            self._waiting.append(request)
            return None
        return self.jobs.send(request)

    def _stop(self, number: int) -> None:
        if self.jobs is not None:
            self.jobs.stop(number)

    def _save(self) -> None:
        self._autosave.stop()
        self._send(SavePlan(self.hub.plan, str(places.autosaved_plan())))

    def _take(self) -> None:
        if not self._events.empty():
            self.hub.take(self._fresh())

    def _fresh(self) -> Iterator[Event]:
        """Events from the queue until it is empty or the time is over; the rest waits for the next look."""
        until = time.perf_counter() + DRAIN_FOR
        autosaved = str(places.autosaved_plan())
        while time.perf_counter() < until:
            try:
                event = self._events.get_nowait()
            except queue.Empty:
                return
            if not (isinstance(event, PlanSaved) and event.path == autosaved):  # nobody asked for that one
                yield event


def _pictures(hub: Hub, window: MainWindow) -> dict[str, QWidget]:
    """The panels at the right, imported and made behind the shown window, so that it is shown sooner."""
    from editview.ui.ask.panel import AskPanel
    from editview.ui.compare.panel import ComparePanel
    from editview.ui.survival.panel import SurvivalPanel
    from editview.ui.weights.panel import WeightsPanel

    survival = SurvivalPanel(hub)
    survival.asked_why.connect(window.plan.explain_losses)
    return {
        "Weights": WeightsPanel(hub),
        "Survival": survival,
        "Compare": ComparePanel(hub),
        "Ask": AskPanel(hub),
    }


def first_plan(report: Callable[[EditViewError], None]) -> Plan:
    """The plan as it was left, or the demo."""
    path = places.autosaved_plan()
    if path.exists():
        try:
            return read_plan(path)
        except EditViewError as error:
            path.replace(path.with_suffix(".unreadable.toml"))
            report(error)
    return demo_plan()


def _application() -> QApplication:
    with display.obstacle() as obstacle:
        if obstacle:
            raise EditViewError(
                "There is no display to open the window on. Use the command line instead: 'editview run demo'.",
                obstacle,
            )
        return QApplication(sys.argv[:1])


def main(paths: Sequence[Path] = ()) -> int:
    """Open the window, with these files opened in it. Returns when it is closed; raises when there is no display."""
    application = QApplication.instance() or _application()
    assert isinstance(application, QApplication)
    application.setApplicationName("EditView")
    application.setDesktopFileName("editview")
    application.setWindowIcon(QIcon(str(places.resources() / "icons" / "editview.svg")))
    application.setStyle("Fusion")
    settings.restore_look()
    problems = Problems()
    problems.install()
    early: list[EditViewError] = []
    desk = Desk(first_plan(early.append))
    problems.raised.connect(desk.window.show_problem)
    desk.window.show()
    for error in early:
        problems.report(error)

    def behind_the_window() -> None:
        desk.start()
        desk.window.opening.open_paths(paths)
        desk.window.welcome()

    QTimer.singleShot(FIRST_PAINT, behind_the_window)
    code = application.exec()
    problems.uninstall()
    return int(code)
