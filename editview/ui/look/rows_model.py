"""A table's model over a list of rows: what Qt asks of it, and the order that a click on a heading asks for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

Index = QModelIndex | QPersistentModelIndex
NO_INDEX = QModelIndex()
Row = TypeVar("Row")

_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_WORDS = (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole)


class RowsModel(QAbstractTableModel, Generic[Row]):
    """`shown` are the rows in the order of the table. Subclasses say what there is, and `arrange` when it changes."""

    columns = 0  # how many
    figures = 0  # the first column of figures, which stand at the right as all after it do

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._sorted_by: tuple[int, bool] | None = None  # column, descending
        self.shown: list[Row] = []

    def wanted(self) -> Iterable[Row]:
        """The rows that are to be seen, in the order they have until one is asked for."""
        raise NotImplementedError

    def title(self, column: int) -> str:
        raise NotImplementedError

    def title_help(self, column: int) -> str:
        """What a heading means, for its tooltip."""
        return ""

    def words(self, row: Row, column: int) -> str:
        """A cell, as it is read aloud."""
        raise NotImplementedError

    def told(self, row: Row) -> str:
        """A row in sentences, for its tooltip."""
        raise NotImplementedError

    def key(self, row: Row, column: int) -> Any:
        """What a column sorts by."""
        return self.words(row, column).casefold()

    def arrange(self) -> None:
        self.beginResetModel()
        self.shown = list(self.wanted())
        if self._sorted_by is not None:
            column, descending = self._sorted_by
            self.shown.sort(key=lambda row: self.key(row, column), reverse=descending)
        self.endResetModel()

    # ---- what Qt asks ----------------------------------------------------------------------------------------

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        self._sorted_by = (column, order is Qt.SortOrder.DescendingOrder) if column >= 0 else None
        self.arrange()

    def rowCount(self, parent: Index = NO_INDEX) -> int:
        return 0 if parent.isValid() else len(self.shown)

    def columnCount(self, parent: Index = NO_INDEX) -> int:
        return 0 if parent.isValid() else self.columns

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.title(section)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if section >= self.figures else _LEFT
        return self.title_help(section) or None if role == Qt.ItemDataRole.ToolTipRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self.shown[index.row()]
        if role == Qt.ItemDataRole.ToolTipRole:
            return self.told(row)
        return self.words(row, index.column()) if role in _WORDS else None
