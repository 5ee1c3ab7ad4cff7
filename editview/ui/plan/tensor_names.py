"""The exact tensors that a fine-tune trains, by name: to be searched, copied and saved."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QLineEdit,
    QListWidget,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from editview.ui.look.labels import Sentence
from editview.ui.look.rows_out import Cell, Lines, offer_rows, save_rows
from editview.ui.look.theme import BODY, SMALL, theme


class TensorNames(QDialog):
    """`told` leads: how many they are, and how many weights."""

    def __init__(self, told: str, names: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._told, self._names = told, names
        self.setWindowTitle("Tensors that are trained")
        self.search = QLineEdit(self)
        self.search.setPlaceholderText("Search names")
        self.search.setAccessibleName("Search names")
        self.list = QListWidget(self)
        self.list.setAccessibleName("Tensors that are trained")
        self.list.setFont(theme().font(SMALL))
        self.list.setUniformItemSizes(True)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.addItems(list(names))
        self.told = Sentence(told, BODY, parent=self)
        offer_rows(self.list, self._lines, self._not_saved)
        buttons = QDialogButtonBox(self)
        copy, save = QPushButton("Copy names", self), QPushButton("Save names…", self)
        copy.clicked.connect(self.copy)
        save.clicked.connect(lambda: save_rows(self.list, self._lines(range(self.list.count())), self._not_saved))
        for button in (copy, save):
            buttons.addButton(button, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.addButton("Close", QDialogButtonBox.ButtonRole.RejectRole)
        buttons.rejected.connect(self.reject)
        px = theme().px
        layout = QVBoxLayout(self)
        layout.setContentsMargins(px(24), px(24), px(24), px(16))
        layout.setSpacing(px(8))
        for widget in (self.told, self.search, self.list, buttons):
            layout.addWidget(widget)
        self.search.textChanged.connect(self._filter)
        self.resize(px(480), px(480))

    def shown(self) -> list[str]:
        """The names that match what is searched for."""
        words = self.search.text().casefold().split()
        return [name for name in self._names if all(word in name.casefold() for word in words)]

    def copy(self) -> None:
        """All that are shown, and nothing else: to be pasted where names are wanted."""
        QGuiApplication.clipboard().setText("\n".join(self.shown()))

    def _lines(self, rows: Sequence[int]) -> Lines:
        names, lines = self.shown(), list[list[Cell]]([["tensor"]])
        return lines + [[names[row]] for row in rows]

    def _not_saved(self, sentence: str) -> None:
        self.told.say(f"{self._told}\n{sentence}")

    def _filter(self) -> None:
        self.list.clear()
        self.list.addItems(self.shown())


def show_tensors(told: str, names: Sequence[str], parent: QWidget) -> None:
    dialog = TensorNames(told, names, parent)
    dialog.exec()
    dialog.deleteLater()
