"""Finding the layers to edit: the plan's model is traced on its facts; what comes out is shown and can be used."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QWidget

from editview.domain.events import Traced
from editview.domain.requests import TraceFacts
from editview.domain.tracing import ADVICE, Tracing, basis, headline, traced_facts
from editview.ui.hub import Hub
from editview.ui.look.labels import Sentence
from editview.ui.look.theme import SMALL
from editview.ui.plan.inquiry import Inquiry
from editview.ui.plan.tracing_picture import TracingPicture

QUESTION = "Where does the model look up these facts?"
HOW = (
    "The subject of each fact is blurred, so that its answer is lost. Then one part of the model is put back to what "
    "it was: where the answer returns, the fact was looked up."
)


class TracingDialog(Inquiry):
    """After `exec` said yes, `layers` are the ones to edit, counted from 0; with `alone`, it is one.

    Traced are the facts with the ids of `only` (none: all that are edited), and the controls.
    """

    def __init__(
        self, hub: Hub, only: tuple[str, ...] = (), alone: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__(hub, "Find layers to edit", QUESTION, HOW, hub.replies.traced, parent)
        self._only, self._alone = only, alone
        self.layers: tuple[int, ...] = ()
        self._peak: tuple[int, ...] = ()
        self._suggested: tuple[int, ...] = ()
        self.picture = TracingPicture(self.note.say, self)
        self.advice = Sentence(ADVICE, SMALL, "muted", self)
        self.use = QPushButton(self)
        self.use.setProperty("role", "primary")
        self.use_one = QPushButton(self)
        self.use_one.setToolTip("For methods that write into a single layer, as ROME does")
        self.use.clicked.connect(lambda: self._choose(self._suggested))
        self.use_one.clicked.connect(lambda: self._choose(self._peak))
        self.lay_out(self.picture, self.advice, buttons=(self.use, self.use_one))
        self.begin()

    def request(self) -> TraceFacts | str:
        sheet, plan = self.hub.sheet, self.hub.plan
        if sheet is None:
            return "There is no fact sheet yet. Open one: the model is traced on its facts."
        return TraceFacts(plan.checkpoint, traced_facts(sheet, self._only), plan.seed)

    def show_nothing(self) -> None:
        self._show(None)

    def show_answer(self, event: Traced) -> None:
        self.headline.say(headline(event.tracing))
        self.note.say(basis(event.tracing))
        self._show(event.tracing)

    def _show(self, tracing: Tracing | None) -> None:
        self._peak = () if tracing is None or tracing.peak is None else (tracing.peak,)
        self._suggested = self._peak if self._alone or tracing is None else tracing.suggested
        self.picture.show_tracing(tracing, self._suggested)
        self.advice.setVisible(bool(self._suggested))
        self.use.setVisible(bool(self._suggested))
        self.use_one.setVisible(len(self._suggested) > 1)
        if self._suggested:
            first, last = self._suggested[0] + 1, self._suggested[-1] + 1
            self.use.setText(f"Use layer {last}" if first == last else f"Use layers {first}–{last}")
            self.use_one.setText(f"Use layer {last} alone")
            self.use.setDefault(True)
            self.use.setFocus(Qt.FocusReason.OtherFocusReason)

    def _choose(self, layers: tuple[int, ...]) -> None:
        self.layers = layers
        self.accept()
