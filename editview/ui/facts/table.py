"""The table of facts as a person moves in it: selection that stays with the facts, opening, copying, column widths."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QItemSelection, QItemSelectionModel, QModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QTableView, QWidget

from editview.domain.facts import FactSheet
from editview.domain.plan import Plan
from editview.domain.session import Run
from editview.ui.facts.delegate import FactsDelegate, row_height, stage_width
from editview.ui.facts.model import FactsModel, Index, Kind
from editview.ui.facts.motion import Turning
from editview.ui.facts.query import Filter
from editview.ui.look.table import Table
from editview.ui.look.theme import theme
from editview.ui.look.word_help import explain

_FACT, _SAYS = (120, 160, 320), (96, 128, 176)  # narrowest, as wide as reads well, widest
_STAGE = 132  # widest
_IF_ROOM = {Kind.WANTED: 136, Kind.BECAME: 272}  # left out, the last first, where it spares scrolling sideways
_WANTED = 176  # as wide as most answers are


class FactsTable(Table):
    opened = Signal(str)  # fact id
    went_to = Signal(str)

    def __init__(self, model: FactsModel, parent: QWidget | None = None) -> None:
        about = "A row a fact, a column a stage. Enter opens a fact, Ctrl+C copies the selection."
        super().__init__(model, "Facts", about, parent)
        self._model = model
        self._kept: tuple[list[str], str | None, int, bool] = ([], None, 0, False)
        self._turning = Turning(self.viewport())
        self.setItemDelegate(FactsDelegate(self._turning, self))
        self.setHorizontalScrollMode(QTableView.ScrollMode.ScrollPerPixel)
        self.setCornerWidget(QWidget())
        self.head.sortIndicatorChanged.connect(lambda *_: self.scrollTo(self.currentIndex()))
        self.offer("Open this fact", "", self._open_current)
        self.offer("Select all", QKeySequence.StandardKey.SelectAll, self.selectAll)
        model.modelAboutToBeReset.connect(self._keep)
        model.modelReset.connect(self._restore)
        explain(self.viewport(), self._words_at)
        self.activated.connect(self._opened)
        self.clicked.connect(self._clicked)
        theme().follow(self.dress)

    def row_height(self) -> int:
        return row_height()

    # ---- what is shown ---------------------------------------------------------------------------------------

    def show_facts(self, sheet: FactSheet, plan: Plan, run: Run | None, shown: Filter) -> None:
        self._model.show(sheet, plan, run, shown)
        self.head.setSortIndicator(*self._model.sorted_by)
        self.share_out()

    def read(self) -> None:
        """Take in what the run has gained, and draw the rows in sight."""
        first, last = max(self.rowAt(0), 0), self.rowAt(self.viewport().height() - 1)
        last = last if last >= 0 else self._model.rowCount() - 1
        before, places = self._model.grid.chips, [self._model.row_at(row) for row in range(first, last + 1)]
        self._model.read(first, last)
        self._turning.turn(before, self._model.grid.chips, places)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if 0 <= self.visualRect(self.currentIndex()).top() < event.oldSize().height():
            self.scrollTo(self.currentIndex())  # what was in sight stays in sight

    def share_out(self) -> None:
        """Fact, stages and what the model says come first; where these alone don't fit, all is there to scroll to."""
        px, grid, room = theme().px, self._model.grid, self.viewport().width()
        stages = [stage_width(grid, stage) for stage in range(len(grid.titles))]
        widths, left = {kind: px(width) for kind, width in _IF_ROOM.items()}, room - sum(stages)
        if left >= px(_FACT[0] + _SAYS[0]):
            spare = left - px(_FACT[1] + _SAYS[1])
            for kind, width in list(widths.items()):
                spare -= width
                if spare < 0:
                    del widths[kind]
            if Kind.WANTED in widths:
                widths[Kind.WANTED] = min(widths[Kind.WANTED] + max(spare, 0), px(_WANTED))
        left -= sum(widths.values())
        says = min(max(14 * left // 25, px(_SAYS[0])), px(_SAYS[2]))  # its words are the longer ones
        fact = min(max(left - says, px(_FACT[0])), px(_FACT[2]))
        says = max(min(says, left - fact), px(_SAYS[0]))
        more = max(left - says - fact, 0) // len(stages)
        widths |= {Kind.FACT: fact, Kind.SAYS: says}
        for place, column in enumerate(self._model.columns):
            least = stages[column.stage]
            widths[Kind.STAGE] = min(least + more, max(least, px(_STAGE)))
            self.setColumnHidden(place, column.kind not in widths)
            self.setColumnWidth(place, widths.get(column.kind, 0))
        self.head.fit()
        self.setMinimumHeight(self.head.height() + 2 * row_height())

    def _words_at(self, viewport: QWidget, at: QPoint) -> tuple[str, int | None]:
        """A chip, or what became of a fact, in words; what the model is asked and says is nobody's help page."""
        index = self.indexAt(at)
        if not index.isValid() or self._model.columns[index.column()].kind not in (Kind.STAGE, Kind.BECAME):
            return "", None
        return self._model.text(index.row(), index.column()), None

    # ---- selection -------------------------------------------------------------------------------------------

    def selected_rows(self) -> list[int]:
        parts = self.selectionModel().selection().toList()
        return sorted(row for part in parts for row in range(part.top(), part.bottom() + 1))

    def _keep(self) -> None:
        """Before rows move: which facts are selected, where the table is scrolled to, and whether one is in sight."""
        current = self.currentIndex()
        self._kept = (
            [self._model.fact(row).id for row in self.selected_rows()],
            self._model.fact(current.row()).id if current.isValid() else None,
            self.verticalScrollBar().value(),
            self.viewport().rect().intersects(self.visualRect(current)),
        )

    def _restore(self) -> None:
        selected, current, scrolled, in_sight = self._kept
        last, choice = self._model.columnCount() - 1, QItemSelection()
        for first, end in _runs(self._model.rows_of(selected)):
            choice.select(self._model.index(first, 0), self._model.index(end, last))
        chooser = self.selectionModel()
        blocked = self.blockSignals(True)
        for row in self._model.rows_of([current] if current else []):
            chooser.setCurrentIndex(self._model.index(row, 0), QItemSelectionModel.SelectionFlag.NoUpdate)
        chooser.select(choice, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        self.blockSignals(blocked)
        self.verticalScrollBar().setValue(scrolled)
        if in_sight:
            self.scrollTo(self.currentIndex())

    def currentChanged(self, current: Index, previous: Index) -> None:
        super().currentChanged(current, previous)
        if current.isValid():
            self.went_to.emit(self._model.fact(current.row()).id)

    def _opened(self, index: QModelIndex) -> None:
        self.opened.emit(self._model.fact(index.row()).id)

    def _open_current(self) -> None:
        if self.currentIndex().isValid():
            self._opened(self.currentIndex())

    def _clicked(self, index: QModelIndex) -> None:
        if len(self.selected_rows()) == 1:
            self._opened(index)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._open_current()
        else:
            super().keyPressEvent(event)


def _runs(rows: Sequence[int]) -> list[tuple[int, int]]:
    """Ascending numbers as stretches without a gap: first and last of each."""
    stretches: list[tuple[int, int]] = []
    for row in rows:
        if stretches and stretches[-1][1] == row - 1:
            stretches[-1] = (stretches[-1][0], row)
        else:
            stretches.append((row, row))
    return stretches
