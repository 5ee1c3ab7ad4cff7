"""The head of the comparison: the two checkpoints, the button between them, how far it is, and what was found."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QToolButton, QVBoxLayout, QWidget

from editview.domain.difference import headline, remarks
from editview.domain.plan import Checkpoint
from editview.domain.sentences import time_left
from editview.ui.checkpoints import choosing
from editview.ui.checkpoints.pair import Pair
from editview.ui.checkpoints.side import Side
from editview.ui.look.icons import icon
from editview.ui.look.labels import Sentence
from editview.ui.look.theme import BODY, LARGE, SMALL, theme
from editview.ui.opening.recognise import checkpoints_of
from editview.ui.problem import Problem

CHOOSE = "Choose two versions of one model"
HOW = (
    "The one before and the one after: two folders, models in the Hugging Face cache, or a base and an adapter. "
    "You can drop both here at once. What was done to the weights is shown, and which facts both answer differently. "
    "The edited one alone is enough to inspect it: which facts it was made to change is then found from its weights."
)
ONE_AFTER = "Choose the one after, too"
IT_ALONE = "Or inspect this one alone, if it is the edited one and the original isn't at hand."
ONE_BEFORE = "Choose the one before, too"
ALONE = "If it isn't at hand: *Inspect* looks at what stands out in the weights of the one after alone."
WITHOUT = "Inspected without the one before"
SURER = "Choose it too where it is at hand: what is found is surer then."
READY = "Press *Compare* to see what lies between them."
FAILED = "These two couldn't be compared."
KIND_UNDER_WAY = "What kind of update it was is being found out."
NO_CHECKPOINT = "'{}' is no checkpoint: drop a folder with a model in it, or with an adapter."
_STEPS = 1000  # of the progress bar


class Head(QWidget):
    """`alone_wanted`: one checkpoint is to be inspected without its original."""

    alone_wanted = Signal()

    def __init__(self, pair: Pair, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pair = pair
        self.first, self.second = Side("Before"), Side("After")
        self.swap = QToolButton()
        self.swap.setIcon(icon("swap"))
        self.swap.setToolTip("Swap the two")
        self.swap.setAccessibleName("Swap the two")
        self.button = QPushButton("Compare")
        self.button.setProperty("role", "primary")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("How far it is")
        self.work = Sentence("", SMALL, "muted")
        self.headline = Sentence(CHOOSE, LARGE)
        self.evidence = Sentence("", BODY, "muted")
        self.remarks = Sentence("", SMALL, "muted")
        self.alone = QPushButton("Inspect one alone…")
        self._lay_out()
        for at, side in enumerate((self.first, self.second)):
            side.chosen.connect(lambda checkpoint, at=at: self.take(at, [checkpoint]))
            side.wanted.connect(lambda at=at: self.ask(at))
            side.folder_wanted.connect(lambda at=at: self.take(at, choosing.by_folder(self, self._base(at)) or []))
            side.dropped.connect(lambda paths, at=at: self.drop(paths, at))
        self.swap.clicked.connect(self.swapped)
        self.button.clicked.connect(self.pressed)
        self.alone.clicked.connect(self.alone_wanted)
        for signal in (pair.changed, pair.inspecting_changed):
            signal.connect(self.draw)
        pair.progressed.connect(self._progress)
        theme().follow(self._dress)
        self.draw()

    def _lay_out(self) -> None:
        self._sides, self._work, self._layout = QHBoxLayout(), QHBoxLayout(), QVBoxLayout(self)
        self._sides.addWidget(self.first, 1)
        self._sides.addWidget(self.swap)
        self._sides.addWidget(self.second, 1)
        self._sides.addWidget(self.button)
        self._work.addWidget(self.work, 1)
        self._work.addWidget(self.bar, 1)
        self._layout.addLayout(self._sides)
        self._layout.addLayout(self._work)
        for sentence in (self.headline, self.evidence, self.remarks):
            self._layout.addWidget(sentence)
        self._layout.addWidget(self.alone, 0, Qt.AlignmentFlag.AlignLeft)

    def _dress(self) -> None:
        px = theme().px
        self._layout.setContentsMargins(px(16), px(12), px(16), px(4))
        self._layout.setSpacing(px(8))
        self._sides.setSpacing(px(8))
        self._work.setSpacing(px(16))
        self.swap.setIconSize(QSize(px(16), px(16)))
        self.button.setFont(theme().font(bold=True))
        self.button.setIconSize(QSize(px(16), px(16)))
        self.button.setMinimumWidth(px(136))

    # ---- which two -------------------------------------------------------------------------------------------

    def take(self, at: int, found: Sequence[Checkpoint]) -> None:
        """Put one checkpoint at a side, or two at both, which are then compared at once."""
        pair = self._pair
        if len(found) >= 2:
            pair.choose(found[0], found[1])
        elif found:
            pair.choose(*((found[0], pair.second) if at == 0 else (pair.first, found[0])))
        else:
            return
        if len(found) >= 2:
            pair.compare()

    def ask(self, at: int) -> None:
        """Let a person choose a side in the dialog."""
        start = (self._pair.first, self._pair.second)[at]
        found = choosing.by_dialog(self._pair.hub, start or self._base(at), self)
        if found is not None:
            self.take(at, [found])

    def drop(self, paths: Sequence[Path], at: int | None = None) -> None:
        """What was dropped on a side, or anywhere (None): then one goes where there is none yet."""
        if at is None:
            at = 0 if self._pair.first is None else 1
        found = checkpoints_of(paths, self._base(at))
        if found is None:
            self._pair.problem.emit(Problem(NO_CHECKPOINT.format(paths[0].name if paths else ""), ""))
        else:
            self.take(at, found)

    def _base(self, at: int) -> Checkpoint:
        """What an adapter is laid on that is chosen for a side: the other side's model, or the plan's."""
        other = self._pair.first if at else self._pair.second
        return other.model_copy(update={"adapter": None}) if other else self._pair.hub.plan.checkpoint

    def swapped(self) -> None:
        pair, known = self._pair, self._pair.found is not None
        pair.choose(pair.second, pair.first)
        if known:
            pair.compare()

    def pressed(self) -> None:
        if self._pair.comparing:
            self._pair.stop()
        elif self._pair.saving:
            self._pair.stop_saving()
        else:
            self._pair.compare()

    # ---- what is shown ---------------------------------------------------------------------------------------

    def draw(self) -> None:
        pair = self._pair
        for side, checkpoint in ((self.first, pair.first), (self.second, pair.second)):
            side.show_checkpoint(checkpoint)
            side.offers = choosing.offers(pair.hub.plan.checkpoint)
        both = pair.first is not None and pair.second is not None
        self.swap.setEnabled(pair.first is not None or pair.second is not None)
        self.button.setEnabled(both)
        lead, evidence, more = CHOOSE, HOW, ""
        if pair.first is None and pair.second is not None:
            looked = pair.inspecting or pair.inspection is not None
            lead, evidence = (WITHOUT, SURER) if looked else (ONE_BEFORE, ALONE)
        elif pair.first is not None and pair.second is None:
            lead, evidence = ONE_AFTER, IT_ALONE
        self.alone.setVisible(pair.second is None)
        self.alone.setText("Inspect one alone…" if pair.first is None else "Inspect it alone")
        if pair.found is not None:
            for checkpoint in (pair.found.second, pair.found.first):
                choosing.remember(checkpoint)
            said = headline(pair.found)
            more = " ".join(remarks(pair.found))
            if pair.judgement is not None:
                lead, evidence = pair.judgement.sentence, " ".join(pair.judgement.evidence)
                more = f"{said} {more}" if pair.found.changed else more
            else:
                lead, evidence = said, KIND_UNDER_WAY if pair.comparing else ""
        elif pair.comparing:
            lead, evidence = "Comparing the two", ""
        elif both:
            lead, evidence = FAILED if pair.failed else READY, ""
        for sentence, words in ((self.headline, lead), (self.evidence, evidence), (self.remarks, more)):
            sentence.say(words)
            sentence.setVisible(bool(words))
        self._progress()

    def _progress(self) -> None:
        pair, work = self._pair, self._pair.work
        busy = pair.comparing or pair.saving
        self.button.setText("Stop" if busy else "Compare")
        self.button.setIcon(icon("stop" if busy else "compare", "on_accent" if self.button.isEnabled() else "faint"))
        self.bar.setVisible(busy)
        self.work.setVisible(busy)
        if busy and work is not None:
            left = f", about {time_left(work.seconds_left)} left" if work.seconds_left else ""
            self.work.say(f"{work.what}{left}.")
            self.bar.setRange(0, _STEPS if work.share else 0)
            self.bar.setValue(round(_STEPS * work.share))
        elif busy:
            self.work.say("Waiting until what reads models is loaded." if pair.hub.engine is None else "Beginning.")
            self.bar.setRange(0, 0)
