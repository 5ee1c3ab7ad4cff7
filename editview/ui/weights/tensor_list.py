"""The tensors behind a place of the weights picture, by name, for the specialist: to be read and copied."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QListWidget, QListWidgetItem, QWidget

from editview.domain.weight_map import percent
from editview.domain.weights import TensorChange
from editview.ui.look.theme import SMALL, theme


class TensorList(QListWidget):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._changes: list[TensorChange] = []
        self.setAccessibleName("Tensors")
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFrameShape(QListWidget.Shape.NoFrame)
        copy = QAction("Copy", self)
        copy.setShortcut(QKeySequence.StandardKey.Copy)
        copy.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        copy.triggered.connect(self.copy)
        self.addAction(copy)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        theme().follow(self._dress)

    def show_changes(self, changes: Iterable[TensorChange]) -> None:
        self._changes = list(changes)
        self.clear()
        for change in self._changes:
            shape = " × ".join(f"{size:,}" for size in change.shape)
            figures = f"{percent(change.relative)} · ‖ΔW‖ {change.norm_change:.4g} of ‖W‖ {change.norm_before:.4g}"
            item = QListWidgetItem(f"{change.name}\n{shape} · {figures}")
            item.setToolTip(f"{change.name}, {shape}: {figures}")
            self.addItem(item)

    def copy(self) -> None:
        """The chosen rows, or all when none is, as a table with exact figures."""
        rows = sorted(index.row() for index in self.selectedIndexes()) or range(len(self._changes))
        lines = ["tensor\tshape\tnorm before\tnorm of change\trelative change"]
        for change in (self._changes[row] for row in rows):
            shape = "x".join(str(size) for size in change.shape)
            lines.append(f"{change.name}\t{shape}\t{change.norm_before!r}\t{change.norm_change!r}\t{change.relative!r}")
        QGuiApplication.clipboard().setText("\n".join(lines))

    def _dress(self) -> None:
        self.setFont(theme().font(SMALL))
        self.setMinimumHeight(theme().px(96))
        self.setSpacing(theme().px(2))
