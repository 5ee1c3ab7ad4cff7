"""Which facts did the change touch, without being told? Candidate subjects ranked, then asked of both checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from editview.domain.inspection import (
    Touched,
    headline,
    memory_sentence,
    remarks,
    touched_sentence,
    written_sentence,
)
from editview.domain.sentences import time_left
from editview.ui.checkpoints.pair import Pair
from editview.ui.checkpoints.touched_table import TouchedModel, TouchedTable
from editview.ui.look.labels import Sentence, Words
from editview.ui.look.rows_out import offer_rows
from editview.ui.look.theme import BODY, LARGE, SMALL, theme

QUESTION = "Which facts did the change touch?"
HOW = (
    "What was edited needn't be known: subjects are ranked by how strongly the change answers them, and those that it "
    "answers most are asked of both checkpoints."
)
PACKAGED = "packaged"
ALONE = (
    "Without the checkpoint before, what stands out in the weights of the one after takes the place of the change: "
    "which memories look edited, and which subjects they answer otherwise without that."
)
OWN = "A list of mine…"
_STEPS = 1000  # of the progress bar


class TouchedPage(QWidget):
    def __init__(self, pair: Pair, failed: Callable[[str], None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pair = pair
        self._list = ""  # the user's own
        self.headline, self.note = Sentence(QUESTION, LARGE), Sentence(HOW, BODY, "muted")
        self.source = QComboBox()
        self.source.setAccessibleName("Where candidate subjects come from")
        self.source.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.button = QPushButton("Look")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("How far it is")
        self.model = TouchedModel(self)
        self.table = TouchedTable(self.model)
        offer_rows(self.table, self.model.lines, failed)
        self.said = Sentence("", BODY)
        self.said.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._lay_out()
        self.source.activated.connect(self._chosen)
        self.button.clicked.connect(self._pressed)
        self.table.went_to.connect(self._went_to)
        for signal in (pair.inspecting_changed, pair.changed):
            signal.connect(self.draw)
        pair.hub.sheet_changed.connect(self._offer)
        for signal in (pair.hub.engine_changed, pair.hub.run_changed, pair.hub.run_started):
            signal.connect(self._progress)
        theme().follow(self._dress)
        self._offer()
        self.draw()

    def _lay_out(self) -> None:
        self._layout, self._tools = QVBoxLayout(self), QHBoxLayout()
        self._tools.addWidget(Words("Candidates:", SMALL, "muted"))
        self._tools.addWidget(self.source)
        self._tools.addWidget(self.button)
        self._tools.addWidget(self.bar, 1)
        self._tools.addStretch(0)
        self.found = QSplitter(Qt.Orientation.Vertical)
        self.found.setChildrenCollapsible(False)
        self.found.addWidget(self.table)
        self.found.addWidget(self.said)
        self.found.setStretchFactor(0, 1)
        self.found.setSizes([theme().px(400), theme().px(44)])  # two lines below the table
        self._layout.addWidget(self.headline)
        self._layout.addWidget(self.note)
        self._layout.addLayout(self._tools)
        self._layout.addWidget(self.found, 1)
        self._layout.addStretch(0)

    def _dress(self) -> None:
        px = theme().px
        self._layout.setContentsMargins(px(16), px(12), px(16), px(12))
        self._layout.setSpacing(px(8))
        self._tools.setSpacing(px(8))
        self.found.setHandleWidth(px(12))
        self.said.setMinimumWidth(px(480))  # else it asks for the height of a narrow guess

    # ---- which candidates ------------------------------------------------------------------------------------

    def _offer(self) -> None:
        sheet, chosen = self._pair.hub.sheet, self.source.currentData()
        self.source.clear()
        self.source.addItem("the packaged list", PACKAGED)
        if sheet is not None:
            self.source.addItem(f"the subjects of {sheet.name}", "sheet")
        if self._list:
            self.source.addItem(Path(self._list).name, "own")
        self.source.addItem(OWN, "choose")
        self.source.setCurrentIndex(max(self.source.findData(chosen), 0))

    def _chosen(self) -> None:
        if self.source.currentData() == "choose":
            path, _ = QFileDialog.getOpenFileName(self, "A list of subjects, one a line", "", "Lists (*.txt);;All (*)")
            self._list = path or self._list
            self._offer()
            self.source.setCurrentIndex(max(self.source.findData("own" if path else PACKAGED), 0))

    def _pressed(self) -> None:
        if self._pair.inspecting:
            self._pair.stop_inspecting()
        else:
            self.look()

    def look(self) -> None:
        """Inspect with the chosen candidates."""
        pair, chosen = self._pair, self.source.currentData()
        if chosen == "sheet" and pair.hub.sheet is not None:
            pair.inspect("", pair.hub.sheet.facts)
        else:
            pair.inspect(self._list if chosen == "own" else PACKAGED)

    # ---- what is shown ---------------------------------------------------------------------------------------

    def draw(self) -> None:
        pair = self._pair
        self.button.setText("Stop" if pair.inspecting else "Look again" if pair.inspection else "Look")
        self.button.setEnabled(pair.second is not None)
        self.source.setEnabled(not pair.inspecting)
        self.found.setVisible(bool(pair.inspection and pair.inspection.touched))
        self.headline.say(headline(pair.inspection) if pair.inspection else QUESTION)
        self.model.show(pair.inspection)
        self._progress()

    def _progress(self) -> None:
        pair, work = self._pair, self._pair.hub.work
        self.bar.setVisible(pair.inspecting)
        note = HOW if pair.first is not None else ALONE
        if pair.inspection is not None:
            edited = [memory_sentence(one) for one in pair.inspection.memories if one.looks_edited]
            said = (written_sentence(pair.inspection), " ".join(edited), " ".join(remarks(pair.inspection)))
            note = "\n".join(filter(None, said))
        if pair.inspecting:
            self.bar.setRange(0, _STEPS if work.share else 0)
            self.bar.setValue(round(_STEPS * (work.share or 0.0)))
            left = f", about {time_left(work.seconds_left)} left" if work.seconds_left else ""
            note = "A run is going on; this begins when it has ended." if pair.hub.running else ""
            note = note or (f"{work.what}{left}." if work.what else "Waiting for the model.")
        self.note.say(note)
        self.note.setVisible(bool(note))

    def _went_to(self, one: Touched | None) -> None:
        if one is None:
            self.said.say("")
            return
        others = [
            f"{said.prompt.strip()} … *{said.shown[0]}* before, *{said.shown[1]}* after."
            for said in one.said
            if said is not one.telling
        ]
        self.said.say("\n".join((touched_sentence(one), *others)))
