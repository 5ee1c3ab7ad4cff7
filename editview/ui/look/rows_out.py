"""Rows of a table out of the window: copied as tab-separated text, or saved as CSV or JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QFileDialog, QWidget

from editview.domain.errors import EditViewError
from editview.domain.files import write_atomically

Cell = str | float | None
Lines = list[list[Cell]]
"""The columns' titles, then a line a row; figures as they are, not as they are shown."""

_CSV, _JSON = "Table (*.csv)", "JSON (*.json)"


def offer_rows(
    table: QAbstractItemView, lines: Callable[[Sequence[int]], Lines], failed: Callable[[str], None]
) -> None:
    """Put copying and saving into the menu of a table or list: of the selected rows, or of all that are shown.

    `lines` gives rows by their numbers; `failed` is told in a sentence when a file couldn't be written.
    """

    def copy() -> None:
        copy_rows(lines(_rows(table)))

    def save() -> None:
        save_rows(table, lines(_rows(table)), failed)

    for words, keys, act in (("Copy rows", QKeySequence.StandardKey.Copy, copy), ("Save rows…", "", save)):
        action = QAction(words, table)
        action.setShortcut(QKeySequence(keys))
        action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        action.triggered.connect(act)
        table.addAction(action)
    table.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)


def copy_rows(lines: Lines) -> None:
    told = [["" if cell is None else " ".join(str(cell).split()) for cell in line] for line in lines]
    QGuiApplication.clipboard().setText("".join("\t".join(line) + "\n" for line in told))


def save_rows(table: QWidget, lines: Lines, failed: Callable[[str], None]) -> None:
    """Ask where, and whether as CSV or as JSON; the file is called as the table is."""
    name = table.accessibleName().lower().replace(" ", "-")
    path, kind = QFileDialog.getSaveFileName(table, "Save rows", f"{name}.csv", f"{_CSV};;{_JSON}")
    if not path:
        return
    as_json = path.lower().endswith(".json") or (kind == _JSON and not path.lower().endswith(".csv"))
    target = Path(path) if Path(path).suffix else Path(f"{path}.{'json' if as_json else 'csv'}")
    try:
        write_atomically(target, (as_objects(lines) if as_json else as_csv(lines)).encode())
    except EditViewError as error:
        failed(str(error))


def as_csv(lines: Lines) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows(lines)
    return written.getvalue()


def as_objects(lines: Lines) -> str:
    """JSON: a list with an object a row, by the columns' titles."""
    titles, *rows = lines
    return json.dumps([dict(zip(titles, row, strict=True)) for row in rows], ensure_ascii=False, indent=1) + "\n"


def _rows(table: QAbstractItemView) -> list[int]:
    parts = table.selectionModel().selection().toList()
    chosen = sorted({row for part in parts for row in range(part.top(), part.bottom() + 1)})
    return chosen or list(range(table.model().rowCount()))
