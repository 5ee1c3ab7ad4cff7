"""How much of an edit is put in: a slider, and what the facts answer at the strength it stands at."""

from __future__ import annotations

from PySide6.QtCore import QObject, QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QSlider, QSpinBox, QVBoxLayout, QWidget

from editview.domain.events import Scaled
from editview.domain.requests import ScaleEdit
from editview.domain.sentences import strength_sentence
from editview.ui.hub import Hub
from editview.ui.look.labels import Sentence
from editview.ui.look.theme import SMALL, theme
from editview.ui.problem import Problem

MOST = 150  # per cent
NOT_RUN = (
    "Run the plan once: then what the facts answer at each strength shows here at once. If it has run, its steps "
    "aren't kept any more; *Run everything anew* brings them back."
)


class StrengthBox(QWidget):
    """A slider and a number, in per cent. `answer` is the line under them."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._exact = 100.0  # what was set, until it is moved
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setRange(0, MOST)
        self.slider.setPageStep(10)
        self.slider.setTickInterval(50)
        self.slider.setTickPosition(QSlider.TickPosition.TicksBelow)
        self.slider.setAccessibleName("Strength")
        self.number = QSpinBox(self)
        self.number.setRange(0, MOST)
        self.number.lineEdit().setTextMargins(theme().px(6), 0, 0, 0)
        self.number.setSuffix("\N{NO-BREAK SPACE}%")
        self.answer = Sentence("", SMALL, "muted", self)
        self.answer.hide()
        line = QHBoxLayout()
        line.setSpacing(theme().px(12))
        line.addWidget(self.slider, 1)
        line.addWidget(self.number)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme().px(4))
        layout.addLayout(line)
        layout.addWidget(self.answer)
        self.slider.valueChanged.connect(self._moved)
        self.number.valueChanged.connect(self._moved)

    def value(self) -> float:
        shown = self.slider.value()
        return self._exact if round(self._exact) == shown else float(shown)

    def set_value(self, value: float) -> None:
        self._exact = value
        self._moved(round(value))

    def say(self, sentence: str) -> None:
        self.answer.say(sentence)
        self.answer.setVisible(bool(sentence))

    def _moved(self, value: int) -> None:
        for widget in (self.slider, self.number):
            with QSignalBlocker(widget):
                widget.setValue(value)
        self.changed.emit()


class LiveStrength(QObject):
    """Asks the facts at the strength in a box whenever it moves; one question at a time, the latest next."""

    def __init__(self, hub: Hub, operation_id: str, box: StrengthBox) -> None:
        super().__init__(box)
        self._hub, self._id, self._box = hub, operation_id, box
        self._waiting = self._moved = False
        self._job: int | None = None
        box.changed.connect(self._ask)
        hub.replies.scaled.connect(self._answered)
        hub.problem.connect(self._failed)
        hub.runs_changed.connect(self._ask)  # what wasn't computed yet may be now
        self._ask()

    def _ask(self) -> None:
        sheet = self._hub.sheet
        if sheet is None or self._hub.running:
            return
        if self._waiting:
            self._moved = True
            return
        self._waiting, self._moved = True, False
        self._job = self._hub.send(ScaleEdit(self._hub.plan, sheet, self._id, self._box.value()))

    def _failed(self, problem: Problem) -> None:
        if self._waiting and problem.job == self._job:
            self._waiting = False
            self._box.say(problem.sentence)
            self._hub.solved.emit(problem)  # it is said here

    def _answered(self, event: Scaled) -> None:
        if event.operation_id != self._id:
            return
        self._waiting = False
        sheet = self._hub.sheet
        if event.check is None or sheet is None:
            self._box.say(NOT_RUN)
            return
        self._box.say(strength_sentence(event.check, sheet, event.strength))
        if self._moved:
            self._ask()
