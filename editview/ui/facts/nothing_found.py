"""What an empty table says: which filters left nothing, and a button that clears them."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QPushButton, QTableView, QVBoxLayout, QWidget

from editview.ui.facts.grid import FactsGrid
from editview.ui.facts.query import Filter
from editview.ui.facts.words import group_name
from editview.ui.look.labels import Sentence
from editview.ui.look.theme import BODY, theme


def nothing_found(shown: Filter, grid: FactsGrid) -> str:
    """'No fact matches “zzz” among *lost in step 2*.'"""
    among = shown.category.label if shown.category else group_name(shown.group, grid) if shown.group else ""
    if search := shown.search.strip():
        return f"No fact matches “{search}”" + (f" among *{among}*." if among else ".")
    return f"There is no fact under *{among}* now."


class NothingFound(QWidget):
    """Lies over a table while it has no rows, its header included, so that a low one has room for it."""

    clear = Signal()

    def __init__(self, over: QTableView) -> None:
        super().__init__(over)
        self._over = over
        self.setProperty("surface", "raised")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._sentence, button = Sentence(size=BODY, role="muted"), QPushButton("Clear the filters")
        self._sentence.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        button.clicked.connect(self.clear)
        layout = QVBoxLayout(self)
        layout.setSpacing(theme().px(12))
        layout.addStretch(1)
        layout.addWidget(self._sentence)
        layout.addWidget(button, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(2)
        self.hide()
        whole = QVBoxLayout(over)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self)

    def say(self, shown: Filter, rows: int, grid: FactsGrid) -> None:
        empty = len(grid) > 0 and not rows
        if empty:
            self._sentence.say(nothing_found(shown, grid))
        policy = Qt.ScrollBarPolicy.ScrollBarAlwaysOff if empty else Qt.ScrollBarPolicy.ScrollBarAsNeeded
        self._over.setHorizontalScrollBarPolicy(policy)
        self.setVisible(empty)
