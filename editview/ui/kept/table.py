"""The table of runs as it is drawn: two lines a row, its state as a chip under its time."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QKeySequence, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLineEdit,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from editview.domain.history import RunEntry
from editview.domain.history_words import STATES, about
from editview.ui.kept.model import ENTRY, NOTE, OUTCOME, WHAT, WHEN, Index, RunsModel
from editview.ui.look.pictures import write
from editview.ui.look.table import Table, paint_focus, paint_ground
from editview.ui.look.theme import BODY, SMALL, state_of, theme

_WRAPPED = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter) | int(Qt.TextFlag.TextWordWrap)
_WHEN = 168  # as wide as the longest date
_SHARES = {WHAT: 0.29, NOTE: 0.21}  # of the rest; what came of it has what is left


class RunsDelegate(QStyledItemDelegate):
    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(theme().px(96), row_height())

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        entry, px, roles = index.data(ENTRY), theme().px, theme().roles
        painter.save()
        paint_ground(painter, option)
        inner = QRectF(option.rect).adjusted(px(8), px(6), -px(8), -px(6))
        upper = QRectF(inner.left(), inner.top(), inner.width(), inner.height() / 2)
        lower = upper.translated(0, inner.height() / 2)
        painter.setFont(theme().font(BODY))
        if index.column() == WHEN:
            write(painter, upper, index.data(), roles.text)
            _paint_state(painter, lower, entry)
        elif index.column() == WHAT:
            write(painter, upper, index.data(), roles.text)
            painter.setFont(theme().font(SMALL))
            write(painter, lower, about(entry), roles.muted)
        else:
            painter.setFont(theme().font(SMALL))
            _paint_lines(painter, inner, index.data(), roles.text if index.column() == OUTCOME else roles.muted)
        paint_focus(painter, option)
        painter.restore()

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        field = QLineEdit(parent)
        field.setAccessibleName("Note")
        field.setPlaceholderText("Note")
        return field

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: Index) -> None:
        height = editor.sizeHint().height()
        middle = option.rect.adjusted(0, 0, -theme().px(4), 0)
        middle.setTop(option.rect.center().y() - height // 2)
        middle.setHeight(height)
        editor.setGeometry(middle)


def row_height() -> int:
    return round(2 * QFontMetricsF(theme().font(BODY)).lineSpacing()) + theme().px(16)


def _paint_state(painter: QPainter, rect: QRectF, entry: RunEntry) -> None:
    mark = STATES[entry.state]
    painter.setFont(theme().font(SMALL))
    metrics, px = QFontMetricsF(painter.font()), theme().px
    words = f"{mark.glyph} {mark.word}"
    chip = QRectF(rect.left(), rect.top(), metrics.horizontalAdvance(words) + px(16), metrics.height() + px(2))
    chip.moveTop(rect.center().y() - chip.height() / 2)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(state_of(mark).tint))
    painter.drawRoundedRect(chip, chip.height() / 2, chip.height() / 2)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    write(painter, chip.adjusted(px(8), 0, 0, 0), words, state_of(mark).ink)


def _paint_lines(painter: QPainter, rect: QRectF, words: str, colour: str) -> None:
    """As many whole lines as there is room for; what is left out is behind dots."""
    metrics = QFontMetricsF(painter.font())
    shown = words
    while shown and metrics.boundingRect(QRectF(0, 0, rect.width(), 10_000), _WRAPPED, shown).height() > rect.height():
        shown = shown.removesuffix("…").rstrip()[:-1].rpartition(" ")[0] + "…"
        if shown == "…":
            break
    painter.setPen(QColor(colour))
    painter.drawText(rect, _WRAPPED, shown)


class RunsTable(Table):
    """Enter or a double click opens, Delete deletes, F2 edits the note."""

    deleted = Signal()

    def __init__(self, model: RunsModel, parent: QWidget | None = None) -> None:
        told = "A row a run, comparison or inspection. Enter opens one, F2 edits its note, Delete takes it off."
        super().__init__(model, "Runs so far", told, parent)
        self.setItemDelegate(RunsDelegate(self))
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.SelectedClicked)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.head.setStretchLastSection(False)
        self.head.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.head.setSectionResizeMode(OUTCOME, QHeaderView.ResizeMode.Stretch)
        self.head.setSortIndicatorClearable(False)
        self.head.setSortIndicator(WHEN, Qt.SortOrder.DescendingOrder)
        self.offer("Edit the note", "F2", self.edit_note)
        self.offer("Delete", QKeySequence.StandardKey.Delete, self.deleted.emit)
        theme().follow(self.dress)

    def chosen(self) -> list[RunEntry]:
        """From the top down."""
        rows = sorted(index.row() for index in self.selectionModel().selectedRows())
        return [self.model().index(row, WHEN).data(ENTRY) for row in rows]

    def edit_note(self) -> None:
        current = self.currentIndex()
        if current.isValid():
            self.edit(current.siblingAtColumn(NOTE))

    def row_height(self) -> int:
        return row_height()

    def share_out(self) -> None:
        first = theme().px(_WHEN)
        self.setColumnWidth(WHEN, first)
        for column, share in _SHARES.items():
            self.setColumnWidth(column, round(share * (self.viewport().width() - first)))
