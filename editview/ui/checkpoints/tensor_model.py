"""The tensors of two checkpoints as a table's model: searched and sorted by an array of row numbers held here."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from editview.domain.difference import Difference
from editview.domain.two_checkpoints import TensorRow, tensor_rows, told_of
from editview.ui.look.rows_out import Lines

Index = QModelIndex | QPersistentModelIndex
NO_INDEX = QModelIndex()


class Column(IntEnum):
    WHERE = 0
    CHANGE = 1
    SHARE = 2
    RANK = 3


TITLES = {
    Column.WHERE: "Where",
    Column.CHANGE: "Changed by",
    Column.SHARE: "Share of the change",
    Column.RANK: "Effective rank",
}
_HELP = {
    Column.WHERE: "What the weights do in the model (memory: the feed-forward part); their name in its files is below",
    Column.CHANGE: "How large the change is beside the weights that were there",
    Column.SHARE: "How much of everything that changed lies here",
    Column.RANK: "In how many directions it changed: a knowledge edit changes few, a fine-tune of all weights many",
}
_KEYS: dict[Column, Callable[[TensorRow], float]] = {
    Column.WHERE: lambda row: row.place,
    Column.CHANGE: lambda row: -1.0 if row.relative is None else row.relative,
    Column.SHARE: lambda row: -1.0 if row.share is None else row.share,
    Column.RANK: lambda row: -1.0 if row.rank is None else row.rank,
}
_WORDS = (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole)


class TensorModel(QAbstractTableModel):
    """`shown` are the rows in the order of the table: without a choice, most of the change first."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._all: list[TensorRow] = []
        self._haystack: dict[str, str] = {}  # by tensor's name
        self._search, self._only_changed = "", False
        self._sorted_by: tuple[Column, bool] | None = None  # column, descending
        self.shown: list[TensorRow] = []

    def show(self, found: Difference | None) -> None:
        self._all = tensor_rows(found) if found else []
        self._haystack = {row.name: f"{row.where} {row.name} {row.became}".casefold() for row in self._all}
        self._arrange()

    def search(self, words: str) -> None:
        """Keep the rows in which every word begins one; empty: all."""
        self._search = words
        self._arrange()

    def set_only_changed(self, only: bool) -> None:
        self._only_changed = only
        self._arrange()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        self._sorted_by = (Column(column), order is Qt.SortOrder.DescendingOrder) if column >= 0 else None
        self._arrange()

    @property
    def count(self) -> int:
        """All rows, shown or not."""
        return len(self._all)

    def row_of(self, name: str) -> int | None:
        """Where a tensor is shown."""
        return next((at for at, row in enumerate(self.shown) if row.name == name), None)

    def _arrange(self) -> None:
        wanted = [re.compile(rf"(?<![a-z0-9]){re.escape(word)}") for word in self._search.casefold().split()]
        self.beginResetModel()
        self.shown = [
            row
            for row in self._all
            if (row.changed or not self._only_changed) and all(word.search(self._haystack[row.name]) for word in wanted)
        ]
        if self._sorted_by is not None:
            column, descending = self._sorted_by
            self.shown.sort(key=_KEYS[column], reverse=descending)
        self.endResetModel()

    # ---- what Qt asks ----------------------------------------------------------------------------------------

    def rowCount(self, parent: Index = NO_INDEX) -> int:
        return 0 if parent.isValid() else len(self.shown)

    def columnCount(self, parent: Index = NO_INDEX) -> int:
        return 0 if parent.isValid() else len(Column)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return TITLES[Column(section)]
        if role == Qt.ItemDataRole.TextAlignmentRole and section != Column.WHERE:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return _HELP[Column(section)] if role == Qt.ItemDataRole.ToolTipRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.ToolTipRole:
            return told_of(self.shown[index.row()]).replace("*", "")
        return self.words(index.row(), Column(index.column())) if role in _WORDS else None

    def words(self, row: int, column: Column) -> str:
        shown = self.shown[row]
        match column:
            case Column.WHERE:
                return shown.where
            case Column.CHANGE:
                return shown.by_how_much
            case Column.SHARE:
                return shown.share_words
            case _:
                return shown.rank_words

    def lines(self, rows: Sequence[int]) -> Lines:
        """Rows with exact figures, headings first."""
        lines: Lines = [["where", "tensor", "relative change", "share of the change", "effective rank"]]
        return lines + [
            [row.where, row.name, row.relative, row.share, row.rank] for row in (self.shown[at] for at in rows)
        ]
