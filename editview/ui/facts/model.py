"""The table's model: a row a fact, a column a stage, over the columns of numbers of `facts_grid`.

Filters and sorts are one array of row numbers held here; a proxy model would cost a second each at 10,000 facts.
When rows come, go or move the model is reset, and the view restores its selection by fact.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from editview.domain.facts import Fact, FactSheet, Group
from editview.domain.plan import Plan
from editview.domain.session import Run
from editview.domain.survival import percent
from editview.ui.facts.grid import Chip, FactsGrid, Numbers
from editview.ui.facts.query import Filter, Haystack, SortKey, fate_key, rows
from editview.ui.facts.words import GROUP_WORDS, MARKS, became, chip_words, headings, says_now
from editview.ui.look.rows_out import Lines
from editview.ui.look.stage_header import OPERATION

Index = QModelIndex | QPersistentModelIndex


class Kind(Enum):
    FACT = "Fact"
    STAGE = "Stage"
    BECAME = "What became of it"
    SAYS = "Says now"
    WANTED = "Wanted"


@dataclass(frozen=True, slots=True)
class Column:
    kind: Kind
    title: str
    stage: int = 0


def columns(grid: FactsGrid) -> tuple[Column, ...]:
    of_stages = [Column(Kind.STAGE, heading, stage) for stage, heading in enumerate(headings(grid))]
    titles = _TITLES_OF_TWO if grid.of_two else {}
    rest = [Column(kind, titles.get(kind, kind.value)) for kind in (Kind.BECAME, Kind.SAYS, Kind.WANTED)]
    return (Column(Kind.FACT, Kind.FACT.value), *of_stages, *rest)


class FactsModel(QAbstractTableModel):
    """`grid` and `row_at` are for the delegate, which draws cells from them directly.

    `order` sorts the rows until a column is chosen; None: the order of the sheet.
    """

    def __init__(self, parent: QObject | None = None, order: SortKey | None = None) -> None:
        super().__init__(parent)
        self._usual = order
        self._filter, self._descending = Filter(), False
        self._sorted_by: tuple[Kind, int] | None = None  # kind and stage of a column; None: the usual order
        self._show(FactsGrid(FactSheet("", ()), Plan(), None))

    def _show(self, grid: FactsGrid) -> None:
        self.grid = grid
        self.columns = columns(grid)
        self._haystack = Haystack(grid)
        self._order = self._wanted_order()

    # ---- what is shown ---------------------------------------------------------------------------------------

    def show(self, sheet: FactSheet, plan: Plan, run: Run | None, shown: Filter) -> None:
        """Another sheet, plan or run, in the order chosen before where its column is still there."""
        self.beginResetModel()
        self._filter = shown
        self._show(FactsGrid(sheet, plan, run))
        self.endResetModel()

    @property
    def filter(self) -> Filter:
        return self._filter

    def set_filter(self, shown: Filter) -> None:
        if shown != self._filter:
            self._filter = shown
            self._rearrange()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """By a column, or for -1 in the usual order."""
        chosen = self.columns[column] if 0 <= column < len(self.columns) else None
        self._sorted_by = (chosen.kind, chosen.stage) if chosen else None
        self._descending = order is Qt.SortOrder.DescendingOrder
        self._rearrange()

    @property
    def sorted_by(self) -> tuple[int, Qt.SortOrder]:
        """The column it is sorted by, -1 for none, and which way."""
        kinds = [(column.kind, column.stage) for column in self.columns]
        at = kinds.index(self._sorted_by) if self._sorted_by in kinds else -1
        return at, Qt.SortOrder.DescendingOrder if self._descending else Qt.SortOrder.AscendingOrder

    def read(self, first: int, last: int) -> None:
        """Take in what the run has gained; `first` to `last` are the rows in sight, the only ones told anew."""
        if not self.grid.read():
            return
        if not self._rearrange() and (bottom := min(last, len(self._order) - 1)) >= first:
            self.dataChanged.emit(self.index(first, 0), self.index(bottom, len(self.columns) - 1))

    def _wanted_order(self) -> Numbers:
        at, _ = self.sorted_by
        key = self._sort_key(self.columns[at]) if at >= 0 else self._usual
        return rows(self.grid, self._haystack, self._filter, key, self._descending and at >= 0)

    def _rearrange(self) -> bool:
        order = self._wanted_order()
        if np.array_equal(order, self._order):
            return False
        self.beginResetModel()
        self._order = order
        self.endResetModel()
        return True

    def _sort_key(self, column: Column) -> SortKey:
        match column:
            case Column(kind=Kind.STAGE, stage=stage):
                return lambda grid: -grid.chips[:, stage] * 10**9 + grid.lost_step[:, stage]  # worst first
            case Column(kind=Kind.BECAME):
                return fate_key
            case Column(kind=Kind.SAYS):
                return lambda grid: [says_now(grid, row).casefold() for row in range(len(grid))]
            case Column(kind=Kind.WANTED):
                return lambda grid: [fact.wanted.casefold() for fact in grid.sheet]
            case _:
                return lambda grid: [(fact.subject or fact.prompt).casefold() for fact in grid.sheet]

    # ---- which fact where ------------------------------------------------------------------------------------

    def row_at(self, row: int) -> int:
        """The place on the sheet of the fact shown in a row."""
        return int(self._order[row])

    def fact(self, row: int) -> Fact:
        return self.grid.sheet.facts[self._order[row]]

    def rows_of(self, fact_ids: Iterable[str]) -> list[int]:
        """The rows in which these facts are shown, ascending; those filtered out are left out."""
        position = self.grid.sheet.position
        places = [position[fact_id] for fact_id in fact_ids if fact_id in position]
        return np.flatnonzero(np.isin(self._order, places)).tolist() if places else []

    # ---- Qt --------------------------------------------------------------------------------------------------

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._order)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is Qt.Orientation.Horizontal and 0 <= section < len(self.columns):
            column = self.columns[section]
            if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
                return column.title
            if role == OPERATION:
                return self.grid.operation_id(column.stage)
            if role == Qt.ItemDataRole.ToolTipRole:
                own = _HELP_OF_TWO if self.grid.of_two else {}
                return own.get(column.kind, _HELP[column.kind]).format(column.title)
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.DisplayRole:
            return self.text(index.row(), index.column())
        if role == Qt.ItemDataRole.AccessibleTextRole:
            column = self.columns[index.column()]
            return f"{column.title}: {self.text(index.row(), index.column()) or 'nothing yet'}"
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tip(index.row(), self.columns[index.column()])
        return None

    def text(self, row: int, column: int) -> str:
        """A cell in words, as it is copied and read aloud."""
        at, shown = self.row_at(row), self.columns[column]
        match shown.kind:
            case Kind.FACT:
                return self.grid.sheet.facts[at].prompt
            case Kind.STAGE:
                return chip_words(self.grid, at, shown.stage)
            case Kind.SAYS:
                return says_now(self.grid, at)
            case Kind.WANTED:
                return self.grid.sheet.facts[at].wanted
            case Kind.BECAME:
                return became(self.grid, at)

    def _tip(self, row: int, column: Column) -> str:
        at = self.row_at(row)
        if column.kind is Kind.SAYS and self.grid.provisional_now[at]:
            begins = "How its answer begins at the latest look. " if self.grid.said_live[at] else ""
            return f"{begins}Before this training it said “{self.grid.said[at]}”; it is asked in full when that ends."
        if column.kind is Kind.FACT:
            fact = self.grid.sheet.facts[at]
            group = "" if self.grid.of_two and fact.group is Group.EDITED else f"{GROUP_WORDS[fact.group]}; "
            return f"{fact.prompt}\n{group}wanted: {fact.wanted}"
        if column.kind is not Kind.STAGE:
            return self.text(row, self.columns.index(column))
        fact, run = self.grid.sheet.facts[at], self.grid.run
        words = f"{column.title}: {chip_words(self.grid, at, column.stage)}."
        check = run.stages[column.stage].checks.get(fact.id) if run else None
        if check is None:
            return words
        answer = check.answers[0]
        words += f"\nSays “{' '.join(answer.said.split())}”; “{fact.wanted}” is {percent(answer.p_wanted)} likely"
        if fact.other is not None and answer.p_other is not None:
            words += f", “{fact.other}” {percent(answer.p_other)}"
        return words + "."

    def lines(self, shown_rows: Sequence[int]) -> Lines:
        """Rows in words under the columns' titles."""
        lines: Lines = [[column.title for column in self.columns]]
        return lines + [[self.text(row, column) for column in range(len(self.columns))] for row in shown_rows]


_HELP = {
    Kind.FACT: "What the model is asked. Click to sort by subject.",
    Kind.STAGE: f"{{}}: what the model knows after it. {MARKS[Chip.HOLDS].glyph} holds in every wording, "
    f"{MARKS[Chip.WEAK].glyph} in some, {MARKS[Chip.FAILS].glyph} doesn't give the wanted answer.",
    Kind.SAYS: "What the model answers by itself at the last stage that was asked.",
    Kind.WANTED: "The new answer of an edited fact, the true one of all others.",
    Kind.BECAME: "What the steps did to this fact.",
}
_TITLES_OF_TWO = {Kind.BECAME: "What they answer", Kind.SAYS: "Says after"}
_HELP_OF_TWO = {
    Kind.STAGE: f"{{}}: which answer this checkpoint gives. {MARKS[Chip.HOLDS].glyph} the wanted one in every wording, "
    f"{MARKS[Chip.WEAK].glyph} in some, {MARKS[Chip.NOT_GIVEN].glyph} another; {MARKS[Chip.FAILS].glyph} another where "
    "it was right before. What differs is coloured.",
    Kind.SAYS: "What the checkpoint after answers by itself.",
    Kind.WANTED: "The new answer of a fact that has one on the sheet, the true one of all others.",
    Kind.BECAME: "Which of the two gives the wanted answer, or else the original one.",
}
