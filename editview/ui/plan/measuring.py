"""A quiet button under the plan's sentence: measure what is only guessed, by a few real steps that change nothing."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QToolButton, QWidget

from editview.domain.events import FineTuneMeasured
from editview.domain.requests import MeasureFineTune
from editview.domain.sentences import duration, time_left
from editview.ui.hub import Hub
from editview.ui.look.icons import icon
from editview.ui.plan.card_states import measurable, saving
from editview.ui.problem import ENGINE, Problem

_HOW = "Trains a few real steps, changing nothing, to know how long the fine-tune takes and how much memory it needs"


class MeasureButton(QToolButton):
    """Shown while times are guessed or memory is short, and while it measures: then it stops that. Else in the menu."""

    def __init__(self, hub: Hub, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._hub = hub
        self._job: int | None = None
        self._measuring = False
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setProperty("role", "icon")
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # it comes and goes; the keyboard finds it in the menu
        self.clicked.connect(self.press)
        for signal in (hub.forecast_changed, hub.plan_changed, hub.run_changed, hub.run_started, hub.engine_changed):
            signal.connect(self._show)
        hub.replies.measured.connect(self._done)
        hub.problem.connect(self._failed)
        self._show()

    @property
    def possible(self) -> bool:
        """Whether pressing it does something: it can be pressed from the menu, too."""
        return not self._hub.running and (self._measuring or measurable(self._hub.plan, self._hub.forecast) is not None)

    def press(self) -> None:
        if self._measuring:
            self._hub.stop(self._job)
            self._end()
            return
        operation, sheet = measurable(self._hub.plan, self._hub.forecast), self._hub.sheet
        if operation is not None and sheet is not None:
            self._measuring = True
            self._job = self._hub.send(MeasureFineTune(self._hub.plan, sheet, operation.id))
            self._show()

    def _done(self, event: FineTuneMeasured) -> None:
        if self._measuring:
            self._end()
            self._hub.noted.emit(f"Measured: a step of the fine-tune takes {duration_of_step(event.seconds_a_step)}.")

    def _failed(self, problem: Problem) -> None:
        if self._measuring and problem.job in (self._job, ENGINE):
            self._end()

    def _end(self) -> None:
        self._measuring, self._job = False, None
        self._show()

    def _show(self) -> None:
        work = self._hub.work
        left = f" · {time_left(work.seconds_left)} left" if self._measuring and work.seconds_left else ""
        self.setText(f"Stop measuring{left}" if self._measuring else "Measure the fine-tune")
        self.setIcon(icon("stop" if self._measuring else "look", "accent"))
        self.setToolTip("Break it off; nothing was changed" if self._measuring else _HOW)
        forecast = self._hub.forecast
        doubtful = forecast is not None and (forecast.guessed or saving(self._hub.plan, forecast) != "")
        self.setVisible(self.possible and (self._measuring or doubtful))


def duration_of_step(seconds: float) -> str:
    """'0.31 s', '12 s'."""
    return f"{seconds:.2g} s" if seconds < 10 else duration(seconds)
