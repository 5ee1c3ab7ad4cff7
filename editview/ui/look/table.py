"""A table as the window has them: whole rows, no lines but one under each, a header with whole titles that sorts."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QAbstractItemModel, Qt
from PySide6.QtGui import QAction, QColor, QKeySequence, QPainter, QResizeEvent
from PySide6.QtWidgets import QHeaderView, QStyle, QStyleOptionViewItem, QTableView, QWidget

from editview.ui.look.stage_header import StageHeader
from editview.ui.look.theme import theme


class Table(QTableView):
    """What each table adds: how high its rows are, and how its columns share what room there is."""

    def __init__(self, model: QAbstractItemModel, name: str, about: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setModel(model)
        self.setAccessibleName(name)
        self.setAccessibleDescription(about)
        self.setFrameShape(QTableView.Shape.NoFrame)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.head = StageHeader(self)
        self.setHorizontalHeader(self.head)
        self.head.setSectionsClickable(True)
        self.head.setSortIndicatorClearable(True)
        self.head.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.setSortingEnabled(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)

    def row_height(self) -> int:
        raise NotImplementedError

    def share_out(self) -> None:
        raise NotImplementedError

    def offer(self, words: str, keys: QKeySequence.StandardKey | str, act: Callable[[], object]) -> None:
        """One thing to do with rows, in the menu of the table and by keys where it has the focus."""
        action = QAction(words, self)
        action.setShortcut(QKeySequence(keys))
        action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        action.triggered.connect(act)
        self.addAction(action)

    def dress(self) -> None:
        """With every look; a table follows the theme once it is whole."""
        self.verticalHeader().setDefaultSectionSize(self.row_height())
        self.share_out()
        self.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.share_out()


def paint_ground(painter: QPainter, option: QStyleOptionViewItem) -> None:
    """What lies under a cell: the selection, and the line below the row."""
    rect, roles = option.rect, theme().roles
    if option.state & QStyle.StateFlag.State_Selected:
        painter.fillRect(rect, QColor(roles.accent_tint))
    painter.fillRect(rect.left(), rect.bottom(), rect.width(), 1, QColor(roles.line))


def paint_focus(painter: QPainter, option: QStyleOptionViewItem) -> None:
    """The frame of the cell that has the keyboard."""
    if option.state & QStyle.StateFlag.State_HasFocus:
        painter.setPen(QColor(theme().roles.accent))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(option.rect.adjusted(0, 0, -1, -2))
