"""A dialog that asks the engine one thing about the plan's model: it begins at once, and shows how far that is."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import SignalInstance
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QProgressBar, QPushButton, QVBoxLayout, QWidget

from editview.domain.requests import ExportStage, KeySpectrum, MeasureInterference, PreviewTraining, TraceFacts
from editview.domain.sentences import time_left
from editview.ui.hub import Hub
from editview.ui.look.labels import Sentence
from editview.ui.look.theme import BODY, LARGE, theme
from editview.ui.problem import ENGINE, Problem

Question = TraceFacts | KeySpectrum | ExportStage | PreviewTraining | MeasureInterference

_STEPS = 1000  # of the progress bar


class Inquiry(QDialog):
    """Subclasses say what is asked in `request`, and show in `show_answer` what came of it.

    `question` leads as long as nothing is known, `how` stands under it and says what is done.
    """

    waits_for_runs = True  # for it needs the model itself
    stopped = "Stopped: nothing was found out."

    def __init__(
        self, hub: Hub, title: str, question: str, how: str, answered: SignalInstance, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.hub, self._question, self._how = hub, question, how
        self._asked: Question | None = None  # under way
        self._job: int | None = None
        self.setWindowTitle(title)
        self.headline = Sentence("", LARGE, parent=self)
        self.note = Sentence("", BODY, parent=self)
        self.bar = QProgressBar(self)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("How far it is")
        self.again = QPushButton("Try again", self)
        self.stop = QPushButton("Stop", self)
        self.buttons = QDialogButtonBox(self)
        self.buttons.addButton("Close", QDialogButtonBox.ButtonRole.RejectRole)
        self.again.clicked.connect(self.begin)
        self.stop.clicked.connect(self._stop)
        self.buttons.rejected.connect(self.reject)
        answered.connect(self._answered)
        hub.problem.connect(self._failed)
        hub.engine_changed.connect(self._progress)
        hub.run_changed.connect(self._progress)

    @property
    def asking(self) -> bool:
        return self._asked is not None

    def request(self) -> Question | str:
        """What to ask; or why nothing can be asked, as a sentence that says what to do."""
        raise NotImplementedError

    def show_answer(self, event: Any) -> None:
        raise NotImplementedError

    def show_nothing(self) -> None:
        """Nothing is known yet, or it was stopped, or went wrong."""
        raise NotImplementedError

    def lay_out(self, *middle: QWidget, buttons: tuple[QPushButton, ...]) -> None:
        """The sentences, the widgets between (the first takes the room there is), the buttons."""
        px = theme().px
        layout = QVBoxLayout(self)
        layout.setContentsMargins(px(24), px(24), px(24), px(16))
        layout.setSpacing(px(8))
        layout.addWidget(self.headline)
        layout.addWidget(self.note)
        layout.addWidget(self.bar)
        layout.addSpacing(px(8))
        for place, widget in enumerate(middle):
            layout.addWidget(widget, place == 0)
        layout.addSpacing(px(8))
        layout.addWidget(self.buttons)
        for button in (*buttons, self.again, self.stop):
            self.buttons.addButton(button, QDialogButtonBox.ButtonRole.ActionRole)
        for button in self.findChildren(QPushButton):
            button.setAutoDefault(False)  # Enter does nothing until there is something to use
        for sentence in (self.headline, self.note, *middle):
            if isinstance(sentence, Sentence):
                sentence.setMinimumWidth(px(600))  # else they ask for the height of a narrow guess
        room = self.screen().availableSize()
        self.resize(min(px(760), room.width()), min(px(640), room.height() - px(48)))  # less the window's frame

    def begin(self) -> None:
        request = self.request()
        if isinstance(request, str):
            self._end(self._question, request)
            self.again.hide()
            return
        self._asked = request
        self._say(self._question, self._how)
        self.show_nothing()
        self.bar.setRange(0, 0)
        self._job = self.hub.send(request)
        self._progress()

    def _progress(self) -> None:
        if self._asked is None:
            return
        work = self.hub.work
        if self.hub.running and self.waits_for_runs:
            self.note.say(f"{self._how}\nA run is going on; this begins when it has ended.")
        elif work.what and work.share is not None:
            left = f", about {time_left(work.seconds_left)} left" if work.seconds_left else ""
            self.bar.setRange(0, _STEPS)
            self.bar.setValue(round(_STEPS * work.share))
            self.note.say(f"{self._how}\n{work.what}{left}.")

    def _answered(self, event: Any) -> None:
        if event.asked == self._asked:
            self._asked = None
            self._say("", "")
            self.again.hide()
            self.show_answer(event)

    def _failed(self, problem: Problem) -> None:
        if self._asked is not None and problem.job in (self._job, ENGINE):
            self._end("That didn't work.", problem.sentence)
            self.hub.solved.emit(problem)  # it is said here, and no business of the window behind

    def _stop(self) -> None:
        self.hub.stop(self._job)
        self._end(self._question, self.stopped)

    def _end(self, sentence: str, why: str) -> None:
        self._asked = None
        self._say(sentence, why)
        self.show_nothing()

    def _say(self, sentence: str, note: str) -> None:
        self.headline.say(sentence)
        self.note.say(note)
        self.bar.setVisible(self._asked is not None)
        self.stop.setVisible(self._asked is not None)
        self.again.setVisible(self._asked is None)

    def reject(self) -> None:
        if self._asked is not None:
            self._stop()
        super().reject()
