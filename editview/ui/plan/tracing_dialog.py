"""Finding the layers to edit: the plan's model is traced on its facts; what comes out is shown and can be used."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QProgressBar, QPushButton, QVBoxLayout, QWidget

from editview.domain.events import Traced
from editview.domain.requests import TraceFacts
from editview.domain.sentences import duration
from editview.domain.tracing import ADVICE, Tracing, basis, headline, traced_facts
from editview.ui.hub import Hub
from editview.ui.look.labels import Sentence
from editview.ui.look.theme import BODY, LARGE, SMALL, theme
from editview.ui.plan.tracing_picture import TracingPicture
from editview.ui.problem import ENGINE, Problem

LOOKING = "Where does the model look up these facts?"
STOPPED = "Stopped: nothing was found out."
HOW = (
    "The subject of each fact is blurred, so that its answer is lost. Then one part of the model is put back to what "
    "it was: where the answer returns, the fact was looked up."
)


class TracingDialog(QDialog):
    """Begins at once. After `exec` said yes, `layers` are the ones to edit, counted from 0."""

    def __init__(self, hub: Hub, only: tuple[str, ...] = (), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._hub, self._only = hub, only
        self.layers: tuple[int, ...] = ()
        self._tracing: Tracing | None = None
        self._asked: TraceFacts | None = None  # under way
        self._job: int | None = None
        self.setWindowTitle("Find layers to edit")
        self.headline = Sentence("", LARGE, parent=self)
        self.basis = Sentence("", BODY, parent=self)
        self.advice = Sentence(ADVICE, SMALL, "muted", self)
        self.picture = TracingPicture(lambda sentence: self.basis.say(sentence), self)
        self.bar = QProgressBar(self)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("How far the search is")
        self.use = QPushButton("Use these layers", self)
        self.use.setProperty("role", "primary")
        self.use_one = QPushButton("Use one layer", self)
        self.use_one.setToolTip("For methods that write into a single layer, as ROME does")
        self.again = QPushButton("Try again", self)
        self.stop = QPushButton("Stop", self)
        self.buttons = QDialogButtonBox(self)
        for button in (self.use, self.use_one, self.again, self.stop):
            self.buttons.addButton(button, QDialogButtonBox.ButtonRole.ActionRole)
        self.close_button = self.buttons.addButton("Close", QDialogButtonBox.ButtonRole.RejectRole)
        self.use.clicked.connect(lambda: self._choose(self._tracing.suggested if self._tracing else ()))
        self.use_one.clicked.connect(self._choose_one)
        self.again.clicked.connect(self._begin)
        self.stop.clicked.connect(self._stop)
        self.buttons.rejected.connect(self.reject)
        hub.traced.connect(self._told)
        hub.problem.connect(self._failed)
        hub.engine_changed.connect(self._progress)
        hub.run_changed.connect(self._progress)
        self._lay_out()
        self._begin()

    def _lay_out(self) -> None:
        px = theme().px
        layout = QVBoxLayout(self)
        layout.setContentsMargins(px(24), px(24), px(24), px(16))
        layout.setSpacing(px(8))
        layout.addWidget(self.headline)
        layout.addWidget(self.basis)
        layout.addWidget(self.bar)
        layout.addSpacing(px(8))
        layout.addWidget(self.picture, 1)
        layout.addWidget(self.advice)
        layout.addSpacing(px(8))
        layout.addWidget(self.buttons)
        for sentence in (self.headline, self.basis, self.advice):
            sentence.setMinimumWidth(px(600))  # else they ask for the height of a narrow guess
        self.resize(px(760), px(640))

    # ---- looking ---------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        sheet = self._hub.sheet
        if sheet is None:
            self._end("There is no fact sheet yet.", "Open one: the model is traced on its facts.")
            return
        self._asked = TraceFacts(self._hub.plan.checkpoint, traced_facts(sheet, self._only), self._hub.plan.seed)
        self._show(LOOKING, HOW)
        self.bar.setRange(0, 0)
        self._job = self._hub.send(self._asked)
        self._progress()

    def _progress(self) -> None:
        if self._asked is None:
            return
        work = self._hub.work
        if self._hub.running:
            self.basis.say(f"{HOW}\nA run is going on; this begins when it has ended.")
        elif work.what and work.share is not None:
            left = f", about {duration(work.seconds_left)} left" if work.seconds_left else ""
            self.bar.setRange(0, 1000)
            self.bar.setValue(round(1000 * work.share))
            self.basis.say(f"{HOW}\n{work.what}{left}.")

    def _told(self, event: Traced) -> None:
        if event.asked != self._asked:
            return
        self._asked, self._tracing = None, event.tracing
        self._show(headline(event.tracing), basis(event.tracing))

    def _failed(self, problem: Problem) -> None:
        if self._asked is None or problem.job not in (self._job, ENGINE):
            return
        self._end("The layers couldn't be found.", problem.sentence)
        self._hub.solved.emit(problem)  # it is said here, and no business of the window behind

    def _stop(self) -> None:
        self._hub.stop(self._job)
        self._end(LOOKING, STOPPED)

    def _end(self, sentence: str, why: str) -> None:
        self._asked = None
        self._show(sentence, why)

    def _show(self, sentence: str, below: str) -> None:
        """Show what is known now: a tracing, work under way, or neither."""
        tracing = self._tracing if self._asked is None else None
        suggested = tracing.suggested if tracing else ()
        self.headline.say(sentence)
        self.basis.say(below)
        self.picture.show_tracing(tracing)
        self.bar.setVisible(self._asked is not None)
        self.advice.setVisible(bool(suggested))
        self.use.setVisible(bool(suggested))
        self.use_one.setVisible(len(suggested) > 1)
        self.again.setVisible(self._asked is None and tracing is None and self._hub.sheet is not None)
        self.stop.setVisible(self._asked is not None)
        if suggested:
            first, last = suggested[0] + 1, suggested[-1] + 1
            self.use.setText(f"Use layer {last}" if first == last else f"Use layers {first}–{last}")
            self.use_one.setText(f"Use layer {last} alone")
            self.use.setDefault(True)
            self.use.setFocus(Qt.FocusReason.OtherFocusReason)

    # ---- ending ----------------------------------------------------------------------------------------------

    def _choose(self, layers: tuple[int, ...]) -> None:
        self.layers = layers
        self.accept()

    def _choose_one(self) -> None:
        if self._tracing is not None and self._tracing.peak is not None:
            self._choose((self._tracing.peak,))

    def reject(self) -> None:
        if self._asked is not None:
            self._stop()
        super().reject()
