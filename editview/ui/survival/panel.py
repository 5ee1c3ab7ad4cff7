"""Survival: how many of the facts that stood still stand, over stages and training steps, live."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QPushButton, QWidget

from editview.domain.session import RunState
from editview.domain.survival import DEFINITION, Survival, headline
from editview.ui.hub import Hub
from editview.ui.look.labels import Sentence
from editview.ui.look.panel import Panel
from editview.ui.look.theme import SMALL
from editview.ui.problem import Problem
from editview.ui.survival.picture import SurvivalPicture

EMPTY = "Nothing has run yet. {}"
NEXT = "Press *Run*: this shows live which facts survive."


class SurvivalPanel(Panel):
    """`asked_why` says that a person wants to know why facts were lost."""

    asked_why = Signal()

    def __init__(self, hub: Hub, parent: QWidget | None = None) -> None:
        super().__init__("Survival", parent)
        self._hub = hub
        self._survival: Survival | None = None
        self.picture = SurvivalPicture(lambda sentence: hub.problem.emit(Problem(sentence, "")))
        self.setFocusProxy(self.picture)
        self.definition = Sentence(DEFINITION + " The shaded band is the 95 % interval for the edits.", SMALL, "muted")
        self.body.addWidget(self.picture, 1)
        self.body.addWidget(self.definition)
        self.why = QPushButton("Why were facts lost?", self)
        self.why.setProperty("role", "quiet")
        self.why.clicked.connect(self.asked_why)
        self.body.addWidget(self.why, 0, Qt.AlignmentFlag.AlignLeft)
        for signal in (
            hub.run_started,
            hub.checks_changed,
            hub.live_changed,
            hub.run_changed,
            hub.plan_changed,
            hub.sheet_changed,
        ):
            signal.connect(self.draw_soon)

    def draw(self) -> None:
        run = self._hub.run
        if run is None:
            self._survival = None
            self.say(EMPTY.format(self._hub.to_do or NEXT))
        else:
            if self._survival is None or self._survival.run is not run:
                self._survival = Survival(run)
            self._survival.update()
            self.say(headline(self._survival) or "The checkpoint is being asked what it knows.", _state(run.state))
        self.why.setVisible(run is not None and run.state is not RunState.RUNNING)
        shown = run or self._hub
        self.picture.show_survival(shown.plan, shown.sheet, self._survival)


def _state(state: RunState) -> str:
    return {
        RunState.RUNNING: "The run goes on; this follows it.",
        RunState.FINISHED: "",
        RunState.STOPPED: "The run was stopped here.",
        RunState.FAILED: "The run ended here with an error.",
    }[state]
