"""A fact sheet asked of both checkpoints: the window's table of facts, those answered differently first."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from editview.domain.answers_of_both import headline, sentence
from editview.domain.plan import Plan
from editview.domain.sentences import time_left
from editview.domain.session import RunState
from editview.domain.two_checkpoints import differing_answers
from editview.ui.checkpoints.pair import Pair
from editview.ui.facts.grid import FactsGrid, Numbers
from editview.ui.facts.headline import Sayings
from editview.ui.facts.panel import FactsPanel
from editview.ui.look.labels import Sentence
from editview.ui.look.theme import BODY, LARGE, SMALL, theme

QUESTION = "Which facts do they answer differently?"
HOW = "Every fact of *{}* is asked of both, in all its wordings, and the answers are laid side by side."
NO_SHEET = "Open a fact sheet in the main window, or drop one there. Its facts can then be asked of both."
_STEPS = 1000  # of the progress bar


def differing_first(grid: FactsGrid) -> Numbers:
    """Sorts facts: those that both answer differently, those answered only in other words, then all others."""
    key: Numbers = np.full(len(grid), 2)
    if grid.run is not None:
        differing = [grid.sheet.position[fact_id] for fact_id in differing_answers(grid.run)]
        key[differing] = grid.gives[differing, 0] == grid.gives[differing, 1]
    return key


def said_of_both(grid: FactsGrid, plan: Plan) -> Sayings:
    """The sentence over the table: how many are answered differently, and who gives which answers."""
    run, stage = grid.run, grid.current
    if run is None or stage is None:
        return Sayings("", "Asking the first checkpoint")
    known = [int(grid.known[:, at].sum()) for at in range(2)]
    if known[1] < len(grid):
        stopped = run.state in (RunState.STOPPED, RunState.FAILED)
        which = "second" if known[0] == len(grid) else "first"
        counts = f"{known[0]:,} of {len(grid):,} facts asked of the first, {known[1]:,} of the second."
        return Sayings("", "Stopped" if stopped else f"Asking the {which} checkpoint", counts)
    return Sayings("", headline(run), sentence(run))


class FactsPage(QWidget):
    """`sheet_wanted`: another fact sheet is to be opened."""

    sheet_wanted = Signal()

    def __init__(self, pair: Pair, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pair = pair
        self.question, self.how = Sentence(QUESTION, LARGE), Sentence("", BODY, "muted")
        self.ask = QPushButton("Ask both")
        self.ask.setProperty("role", "primary")
        self.other = QPushButton("Open another fact sheet…")
        self.facts = FactsPanel(pair.both, say=said_of_both, order=differing_first)
        self.note = Sentence("", SMALL, "muted")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("How far it is")
        self.stop, self.again = QPushButton("Stop"), QPushButton("Ask again")
        self._lay_out()
        self.ask.clicked.connect(self._begin)
        self.again.clicked.connect(self._begin)
        self.stop.clicked.connect(pair.stop_asking)
        self.other.clicked.connect(self.sheet_wanted)
        pair.asking_changed.connect(self.draw)
        pair.both.run_changed.connect(self._progress)
        for signal in (pair.hub.sheet_changed, pair.changed):
            signal.connect(self.draw)
        for signal in (pair.hub.engine_changed, pair.hub.run_changed, pair.hub.run_started):
            signal.connect(self._progress)
        theme().follow(self._dress)
        self.draw()

    def _lay_out(self) -> None:
        empty, table = QWidget(), QWidget()
        self._empty, self._table, self._foot = QVBoxLayout(empty), QVBoxLayout(table), QHBoxLayout()
        buttons = QHBoxLayout()
        for button in (self.ask, self.other):
            buttons.addWidget(button)
        buttons.addStretch(1)
        self._empty.addWidget(self.question)
        self._empty.addWidget(self.how)
        self._empty.addLayout(buttons)
        self._empty.addStretch(1)
        for widget, stretch in ((self.note, 1), (self.bar, 1), (self.stop, 0), (self.again, 0)):
            self._foot.addWidget(widget, stretch)
        self._table.addWidget(self.facts, 1)
        self.pages = QStackedWidget()
        self.pages.addWidget(empty)
        self.pages.addWidget(table)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.pages, 1)
        layout.addLayout(self._foot)

    def _dress(self) -> None:
        px = theme().px
        self._empty.setContentsMargins(px(16), px(16), px(16), px(16))
        self._empty.setSpacing(px(12))
        self._table.setContentsMargins(0, 0, 0, 0)
        self._foot.setContentsMargins(px(16), 0, px(16), px(8))
        self._foot.setSpacing(px(12))

    def _begin(self) -> None:
        if self._pair.hub.sheet is not None:
            self._pair.ask(self._pair.hub.sheet)

    def draw(self) -> None:
        pair, sheet = self._pair, self._pair.hub.sheet
        ready = sheet is not None and pair.first is not None and pair.second is not None
        self.how.say(HOW.format(sheet.name) if sheet else NO_SHEET)
        self.ask.setVisible(not pair.asking)
        self.ask.setEnabled(ready)
        self.other.setEnabled(not pair.asking)
        begun = pair.asked is not None
        self.pages.setCurrentIndex(1 if begun else 0)
        self.stop.setVisible(pair.asking)
        other_sheet = begun and sheet is not None and pair.asked is not None and pair.asked.sheet.facts != sheet.facts
        stopped = begun and pair.asked is not None and pair.asked.state is not RunState.FINISHED
        self.again.setText(f"Ask {sheet.name}" if other_sheet and sheet else "Ask again")
        self.again.setVisible(not pair.asking and bool(other_sheet or stopped))
        self._progress()

    def _progress(self) -> None:
        pair, work = self._pair, self._pair.hub.work
        self.bar.setVisible(pair.asking)
        self.note.setVisible(pair.asking)
        if not pair.asking:
            return
        stage = next((stage for stage in pair.asked.stages if stage.progress), None) if pair.asked else None
        progress = stage.progress if stage else None
        self.bar.setRange(0, 0)
        if pair.hub.running:
            self.note.say("A run is going on; this begins when it has ended.")
        elif progress is not None and progress.total:
            left = f", about {time_left(progress.seconds_left)} left" if progress.seconds_left else ""
            self.bar.setRange(0, _STEPS)
            self.bar.setValue(round(_STEPS * progress.done / progress.total))
            which = "first" if progress.stage == 0 else "second"
            self.note.say(f"{progress.what}, of the {which} checkpoint{left}.")
        elif work.what:
            self.note.say(f"{work.what}.")
        else:
            self.note.say("Waiting for the model.")
