"""Why were facts lost? What a fine-tune of the shown run did where edits had written, and whether that explains it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QStackedWidget,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from editview.domain.events import InterferenceMeasured
from editview.domain.interference import (
    CAPTION,
    HEADINGS,
    MEASURES,
    Interference,
    basis,
    exact,
    figures,
    headline,
    weights_sentence,
)
from editview.domain.losses import fine_tunes, question
from editview.domain.requests import MeasureInterference
from editview.domain.sentences import stage_titles
from editview.ui.hub import Hub
from editview.ui.look.labels import Sentence
from editview.ui.look.rows_out import Lines, offer_rows
from editview.ui.look.theme import SMALL, theme
from editview.ui.plan.inquiry import Inquiry
from editview.ui.plan.interference_picture import InterferencePicture

QUESTION = "Why were facts lost?"
HOW = (
    "The facts are read by the model just before the fine-tune and by the model just after it. Where it changed what "
    "the edits wrote, and how far the facts that it lost moved beside those that it kept, is shown layer by layer."
)


class InterferenceDialog(Inquiry):
    """Of the run that is shown when it opens; `stage` is the fine-tune to begin with (None: the last after an edit)."""

    def __init__(self, hub: Hub, stage: int | None = None, parent: QWidget | None = None) -> None:
        super().__init__(hub, QUESTION.rstrip("?"), QUESTION, HOW, hub.replies.interference_known, parent)
        self._run = hub.run
        self._found: Interference | None = None
        self.stage = QComboBox(self)
        self.stage.setAccessibleName("Fine-tune")
        self.measure = QComboBox(self)
        self.measure.setAccessibleName("What is measured of each fact")
        self.measure.addItems([f"of each fact: {measure}" for measure in MEASURES])
        self.picture = InterferencePicture(self.note.say, self)
        self.table = _table(self)
        offer_rows(self.table, self._lines, self.note.say)
        self.pages = QStackedWidget(self)
        self.pages.addWidget(self.picture)
        self.pages.addWidget(self.table)
        self.basis = Sentence("", SMALL, "muted", self)
        self.details = QPushButton("Figures", self)
        self.details.setCheckable(True)
        self.lay_out(self._body(), self.basis, buttons=(self.details,))
        self._offer_fine_tunes(stage)
        self.stage.currentIndexChanged.connect(self._ask_anew)
        self.measure.currentIndexChanged.connect(self._show)
        self.details.toggled.connect(self._show)
        self.begin()

    def _body(self) -> QWidget:
        body = QWidget(self)
        choices = QHBoxLayout()
        choices.addWidget(self.stage)
        choices.addWidget(self.measure)
        choices.addStretch(1)
        layout = QVBoxLayout(body)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme().px(8))
        layout.addLayout(choices)
        layout.addWidget(self.pages, 1)
        return body

    def _offer_fine_tunes(self, stage: int | None) -> None:
        choice = fine_tunes(self._run.plan) if self._run else ()
        for at in choice:
            self.stage.addItem(stage_titles(self._run)[at] if self._run else "", at)
        self.stage.setCurrentIndex(choice.index(stage) if stage in choice else len(choice) - 1)
        self.stage.setVisible(len(choice) > 1)

    def request(self) -> MeasureInterference | str:
        return question(self._run, self.stage.currentData())

    def show_nothing(self) -> None:
        self._found = None
        self._show()

    def show_answer(self, event: InterferenceMeasured) -> None:
        self._found = event.interference
        self.headline.say(headline(self._found))
        self.note.say(weights_sentence(self._found))
        self._show()
        self.picture.setFocus()

    def _lines(self, rows: Sequence[int]) -> Lines:
        titles, *layers = exact(self._found) if self._found else [[]]
        return [titles, *(layers[row] for row in rows)]

    def _ask_anew(self) -> None:
        if self._asked is not None:
            self._stop()
        self.begin()

    def _show(self) -> None:
        found, detailed = self._found, self.details.isChecked()
        self.picture.show_interference(found, MEASURES[self.measure.currentIndex()])
        rows = figures(found) if found else []
        self.table.setRowCount(len(rows))
        for row, cells in enumerate(rows):
            for column, words in enumerate(cells):
                item = QTableWidgetItem(words)
                item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                self.table.setItem(row, column, item)
        self.pages.setCurrentWidget(self.table if detailed else self.picture)
        self.measure.setVisible(found is not None and not detailed)
        self.details.setVisible(found is not None)
        self.basis.say("" if found is None else CAPTION if detailed else basis(found))
        self.basis.setVisible(found is not None)


def _table(parent: QWidget) -> QTableWidget:
    table = QTableWidget(0, len(HEADINGS), parent)
    table.setAccessibleName("Figures by layer")
    table.setHorizontalHeaderLabels([heading[:1].upper() + heading[1:] for heading in HEADINGS])
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setTabKeyNavigation(False)
    table.setShowGrid(False)
    table.verticalHeader().hide()
    table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    table.horizontalHeader().setStretchLastSection(True)
    table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    return table
