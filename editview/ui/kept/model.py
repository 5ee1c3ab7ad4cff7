"""The runs so far, comparisons and inspections as a table: searched, sorted, with notes to be edited in place."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from editview.domain.history import RunEntry
from editview.domain.history_words import about, matches, outcome, when
from editview.ui.look.rows_out import Lines

Index = QModelIndex | QPersistentModelIndex
NO_INDEX = QModelIndex()
WHEN, WHAT, OUTCOME, NOTE = range(4)
COLUMNS = ("When", "What", "What came of it", "Note")
ENTRY = Qt.ItemDataRole.UserRole


class RunsModel(QAbstractTableModel):
    """`rows` are what is shown, in the order in which it is."""

    noted = Signal(str, str)  # id, note

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._entries: tuple[RunEntry, ...] = ()
        self._typed = ""
        self._sorted = (WHEN, Qt.SortOrder.DescendingOrder)
        self.rows: list[RunEntry] = []

    def show_runs(self, entries: Sequence[RunEntry]) -> None:
        self._entries = tuple(entries)
        self._fill()

    def search(self, typed: str) -> None:
        self._typed = typed
        self._fill()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        self._sorted = (column, order)
        self._fill()

    def row_of(self, entry: str) -> int | None:
        return next((row for row, one in enumerate(self.rows) if one.id == entry), None)

    def _fill(self) -> None:
        column, order = self._sorted
        self.beginResetModel()
        found = [entry for entry in self._entries if matches(entry, self._typed)]
        self.rows = sorted(
            found, key=lambda entry: _value(entry, column), reverse=order is Qt.SortOrder.DescendingOrder
        )
        self.endResetModel()

    # ---- what a view asks ------------------------------------------------------------------------------------

    def rowCount(self, parent: Index = NO_INDEX) -> int:
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = NO_INDEX) -> int:
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        named = orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole
        return COLUMNS[section] if named else None

    def flags(self, index: Index) -> Qt.ItemFlag:
        editable = Qt.ItemFlag.ItemIsEditable if index.column() == NOTE else Qt.ItemFlag.NoItemFlags
        return super().flags(index) | editable

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole, Qt.ItemDataRole.ToolTipRole, ENTRY):
            return None
        entry = self.rows[index.row()]
        if role == ENTRY:
            return entry
        if role == Qt.ItemDataRole.ToolTipRole:
            return _told(entry, index.column())
        words = (when(entry.began, time.time()), entry.name, outcome(entry).replace("*", ""), entry.note)
        return words[index.column()]

    def lines(self, rows: Sequence[int]) -> Lines:
        """Rows with all that is listed of each, headings first."""
        lines: Lines = [["begun", "kind", "state", "name", "steps", "checkpoint", "what came of it", "note"]]
        for entry in (self.rows[at] for at in rows):
            begun = datetime.fromtimestamp(entry.began).astimezone().isoformat(timespec="seconds")
            came = outcome(entry).replace("*", "")
            said = (entry.kind.value, entry.state.value, entry.name, entry.steps, entry.checkpoint, came, entry.note)
            lines.append([begun, *said])
        return lines

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        note = " ".join(str(value).split())
        if index.column() != NOTE or role != Qt.ItemDataRole.EditRole or note == self.rows[index.row()].note:
            return False
        entry = replace(self.rows[index.row()], note=note)
        self.rows[index.row()] = entry
        self._entries = tuple(entry if other.id == entry.id else other for other in self._entries)
        self.dataChanged.emit(index, index)
        self.noted.emit(entry.id, note)
        return True


def _value(entry: RunEntry, column: int) -> Any:
    return (entry.began, entry.name.casefold(), (entry.state.value, outcome(entry)), entry.note.casefold())[column]


def _told(entry: RunEntry, column: int) -> str:
    if column == WHEN:
        return f"Begun from the {entry.door}"
    if column == WHAT:
        return "\n".join((entry.name, about(entry), entry.checkpoint))
    return outcome(entry).replace("*", "") if column == OUTCOME else entry.note or "F2: write a note"
