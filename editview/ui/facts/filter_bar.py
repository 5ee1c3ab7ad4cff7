"""The bar over the table: whose facts, what became of them, and words to search for."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QButtonGroup,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QWidget,
)

from editview.domain.facts import Group
from editview.ui.facts.grid import GROUPS, FactsGrid
from editview.ui.facts.query import Filter, categories
from editview.ui.facts.words import Category, group_name
from editview.ui.look.labels import Words
from editview.ui.look.theme import SMALL, theme
from editview.ui.look.word_help import explain

_ONE_ROW = 960  # width from which everything stands in one row
_EVERYTHING, _EVERYTHING_OF_TWO = "All changes", "All answers"


class FilterBar(QWidget):
    changed = Signal(object)  # Filter

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._groups: dict[Group | None, QPushButton] = {group: QPushButton() for group in (None, *GROUPS)}
        self._buttons = QButtonGroup(self)
        self._category: Category | None = None
        self._fates = QComboBox()
        self._fates.setAccessibleName("What became of the facts")
        self._fates.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._fates.setMinimumContentsLength(18)
        self._fates.activated.connect(self._chose)
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search facts and answers")
        self.search.setAccessibleName("Search facts and answers")
        self.search.setToolTip("Subject, question, wanted answer or what the model says (Ctrl+F)")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._tell)
        self._count = Words(size=SMALL, role="muted")
        self._lay_out()

    def _lay_out(self) -> None:
        px = theme().px
        groups, below, self._rows = QHBoxLayout(), QHBoxLayout(), QBoxLayout(QBoxLayout.Direction.TopToBottom, self)
        self._places = QGridLayout()
        self._places.setSpacing(px(4))
        for group, button in self._groups.items():
            button.setCheckable(True)
            button.setChecked(group is None)
            explain(button)
            button.setMinimumWidth(1)  # they stand in two rows where one is too short
            self._buttons.addButton(button)
        groups.addLayout(self._places)
        self._buttons.buttonClicked.connect(self._tell)
        groups.addStretch(1)
        groups.addWidget(self._count)
        groups.setSpacing(px(4))
        below.setSpacing(px(8))
        below.addWidget(self._fates, 1)
        below.addWidget(self.search, 1)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(px(8))
        self._rows.addLayout(groups)
        self._rows.addLayout(below, 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        width, shown = self.width(), [button for button in self._groups.values() if not button.isHidden()]
        needed = sum(button.sizeHint().width() + self._places.spacing() for button in shown)
        in_a_row = len(self._groups) if needed <= width else 2
        for place, button in enumerate(self._groups.values()):
            self._places.addWidget(button, place // in_a_row, place % in_a_row)
        wide = width >= theme().px(_ONE_ROW)
        self._rows.setDirection(QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom)

    @property
    def filter(self) -> Filter:
        group = next(group for group, button in self._groups.items() if button.isChecked())
        return Filter(group, self._category, self.search.text())

    def clear(self) -> None:
        """Show everything again."""
        self._category = None
        self._groups[None].setChecked(True)
        quiet = QSignalBlocker(self.search)
        self.search.clear()
        quiet.unblock()
        self._tell()

    def forget_category(self) -> None:
        """Another run: what became of its facts is not known yet."""
        self._category = None

    def count(self, grid: FactsGrid, shown: int) -> None:
        """Say anew what occurs, how often, and how many facts are shown."""
        for group, button in self._groups.items():
            facts = len(grid) if group is None else int((grid.group == GROUPS.index(group)).sum())
            button.setText(f"{group_name(group, grid) if group else 'All'} {facts:,}")
            button.setVisible(group is None or facts > 0)
        self._arrange()
        self._count.setText("" if shown == len(grid) else f"{shown:,} shown")
        everything = _EVERYTHING_OF_TWO if grid.of_two else _EVERYTHING
        self._offer(everything, categories(grid, self.filter.group))

    def _offer(self, everything: str, found: list[tuple[Category, int]]) -> None:
        if self._fates.view().isVisible():
            return  # someone is choosing
        if self._category is not None and self._category not in dict(found):
            found = [(self._category, 0), *found]
        entries = [(everything, None), *((f"{category.label} ({count:,})", category) for category, count in found)]
        if [(self._fates.itemText(i), self._fates.itemData(i)) for i in range(self._fates.count())] == entries:
            return
        self._fates.clear()
        for label, category in entries:
            self._fates.addItem(label, category)
        self._fates.setCurrentIndex(next(i for i, entry in enumerate(entries) if entry[1] == self._category))

    def _chose(self, index: int) -> None:
        self._category = self._fates.itemData(index)
        self._tell()

    def _tell(self) -> None:
        if self._category is not None and self.filter.group not in (None, self._category.group):
            self._category = None
        self.changed.emit(self.filter)
