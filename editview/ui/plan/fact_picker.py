"""Which of a sheet's facts an edit writes: all of them, or those that are ticked."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from editview.domain.facts import FactSheet, Group
from editview.ui.look.theme import theme


class FactPicker(QWidget):
    """Its value are the ids of the ticked facts; none stands for all. Ids that the sheet lacks stay until unticked."""

    changed = Signal()

    def __init__(self, sheet: FactSheet | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._facts = sheet.group(Group.EDITED) if sheet else ()
        count = f" ({len(self._facts):,})" if sheet else ""
        self.all = QCheckBox(f"All edited facts of the sheet{count}", self)
        self.search = QLineEdit(self)
        self.search.setPlaceholderText("Search facts")
        self.search.setAccessibleName("Search facts")
        self.list = QListWidget(self)
        self.list.setObjectName("ticks")
        self.list.setAccessibleName("Facts to edit")
        self.list.setUniformItemSizes(True)
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setFixedHeight(theme().px(176))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for widget in (self.all, self.search, self.list):
            layout.addWidget(widget)
        self.all.toggled.connect(self._show_list)
        self.search.textChanged.connect(self._filter)
        self.list.itemChanged.connect(lambda item: self.changed.emit())

    def value(self) -> tuple[str, ...]:
        if self.all.isChecked():
            return ()
        return tuple(item.data(Qt.ItemDataRole.UserRole) for item in self._items() if _ticked(item))

    def set_value(self, ids: Sequence[str]) -> None:
        self.list.blockSignals(True)
        self.list.clear()
        listed = {fact.id: f"{fact.prompt} → {fact.wanted}" for fact in self._facts}
        for fact_id in (*listed, *(fact_id for fact_id in ids if fact_id not in listed)):
            item = QListWidgetItem(listed.get(fact_id, f"{fact_id}: not on this sheet"), self.list)
            item.setData(Qt.ItemDataRole.UserRole, fact_id)
            item.setToolTip(item.text())
            item.setCheckState(Qt.CheckState.Checked if fact_id in ids else Qt.CheckState.Unchecked)
        self.list.blockSignals(False)
        self.all.setChecked(not ids)
        self._show_list()

    def complaint(self) -> str:
        return "" if self.all.isChecked() or self.value() else "Tick the facts that this step edits, or all of them."

    def _items(self) -> list[QListWidgetItem]:
        return [self.list.item(row) for row in range(self.list.count())]

    def _show_list(self) -> None:
        for widget in (self.search, self.list):
            widget.setVisible(not self.all.isChecked())
        self.changed.emit()

    def _filter(self, typed: str) -> None:
        words = typed.casefold().split()
        for item in self._items():
            item.setHidden(not all(word in item.text().casefold() for word in words))


def _ticked(item: QListWidgetItem) -> bool:
    return item.checkState() is Qt.CheckState.Checked
