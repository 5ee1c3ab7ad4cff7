"""The tensors behind a place of the weights picture, by name, for the specialist: to be read, copied and saved."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QListWidget, QListWidgetItem, QWidget

from editview.domain.weight_map import percent
from editview.domain.weights import TensorChange
from editview.ui.look.rows_out import Lines, offer_rows
from editview.ui.look.theme import SMALL, theme


class TensorList(QListWidget):
    """`failed` is told in a sentence when rows couldn't be saved."""

    def __init__(self, failed: Callable[[str], None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._changes: list[TensorChange] = []
        self.setAccessibleName("Tensors")
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFrameShape(QListWidget.Shape.NoFrame)
        offer_rows(self, self.lines, failed)
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

    def lines(self, rows: Sequence[int]) -> Lines:
        """Rows with exact figures."""
        lines: Lines = [["tensor", "shape", "norm before", "norm of change", "relative change"]]
        for change in (self._changes[row] for row in rows):
            shape = "x".join(map(str, change.shape))
            lines.append([change.name, shape, change.norm_before, change.norm_change, change.relative])
        return lines

    def _dress(self) -> None:
        self.setFont(theme().font(SMALL))
        self.setMinimumHeight(theme().px(96))
        self.setSpacing(theme().px(2))
