"""The table of tensors as it is seen: words over the tensor's name, figures at the right, the share as a bar."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QKeySequence, QPainter
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem, QWidget

from editview.domain.two_checkpoints import TensorRow
from editview.ui.checkpoints.tensor_model import Column, TensorModel
from editview.ui.look.pictures import write
from editview.ui.look.rows_model import Index
from editview.ui.look.table import Table, paint_focus, paint_ground
from editview.ui.look.theme import BODY, SMALL, theme
from editview.ui.look.word_help import Shown, explain

_WHERE = 144  # least width of the words
_FIGURE = 96  # width of a column of figures
_RIGHT = Qt.AlignmentFlag.AlignRight


def row_height() -> int:
    look = theme()
    lines = QFontMetrics(look.font(BODY)).height() + QFontMetrics(look.font(SMALL)).height()
    return lines + look.px(8)


class TensorDelegate(QStyledItemDelegate):
    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        model = index.model()
        assert isinstance(model, TensorModel)
        px, roles = theme().px, theme().roles
        paint_ground(painter, option)
        inner = QRectF(option.rect).adjusted(px(8), px(3), -px(8), -px(3))
        row, column = model.shown[index.row()], Column(index.column())
        if column is Column.WHERE:
            self._paint_where(painter, inner, row)
        else:
            if column is Column.SHARE and row.share:
                self._paint_share(painter, inner, row.share)
            painter.setFont(theme().font(BODY))
            colour = roles.muted if column is Column.CHANGE and row.became else roles.text
            write(painter, inner, model.words(row, column), colour, _RIGHT)
        paint_focus(painter, option)

    def _paint_where(self, painter: QPainter, box: QRectF, row: TensorRow) -> None:
        roles = theme().roles
        painter.setFont(theme().font(BODY))
        line = QFontMetrics(painter.font()).height()
        write(painter, QRectF(box.left(), box.top(), box.width(), line), row.where, roles.text)
        painter.setFont(theme().font(SMALL))
        metrics = QFontMetrics(painter.font())
        below = QRectF(box.left(), box.top() + line, box.width(), metrics.height())
        name = metrics.elidedText(row.name, Qt.TextElideMode.ElideMiddle, int(box.width()))
        write(painter, below, name, roles.muted)

    def _paint_share(self, painter: QPainter, box: QRectF, share: float) -> None:
        px, roles = theme().px, theme().roles
        track = QRectF(box.left(), box.bottom() - px(4), box.width(), px(3))
        painter.fillRect(track, QColor(roles.sunken))
        painter.fillRect(QRectF(track.left(), track.top(), track.width() * share, track.height()), QColor(roles.muted))


class TensorTable(Table):
    """`went_to` names the tensor that the cursor has come to; the selection stays with it when rows move."""

    went_to = Signal(object)  # TensorRow, or None

    def __init__(self, model: TensorModel, parent: QWidget | None = None) -> None:
        about = "A row a tensor. Ctrl+C copies the selection with exact figures."
        super().__init__(model, "Tensors", about, parent)
        self._model = model
        self._name: str | None = None
        self.setItemDelegate(TensorDelegate(self))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        explain(self.viewport(), self._part_at)
        self.offer("Select all", QKeySequence.StandardKey.SelectAll, self.selectAll)
        model.modelAboutToBeReset.connect(self._keep)
        model.modelReset.connect(self._restore)
        theme().follow(self.dress)

    def currentChanged(self, current: Index, previous: Index) -> None:
        super().currentChanged(current, previous)
        self.went_to.emit(self._model.shown[current.row()] if current.isValid() else None)

    def _part_at(self, viewport: QWidget, at: QPoint) -> Shown:
        """What the weights do, in the column that says it; in which layer they do it is clear."""
        index = self.indexAt(at)
        said = str(index.data()) if index.isValid() and index.column() == Column.WHERE else ""
        return said.rpartition(", ")[2], None

    def _keep(self) -> None:
        at = self.currentIndex().row()
        self._name = self._model.shown[at].name if 0 <= at < len(self._model.shown) else None

    def _restore(self) -> None:
        at = self._model.row_of(self._name) if self._name else None
        if at is None and self._model.rowCount():
            at = 0  # there is always a row whose spectrum is shown
        if at is None:
            self.went_to.emit(None)
        else:
            self.selectRow(at)
            self.scrollTo(self.currentIndex())

    def row_height(self) -> int:
        return row_height()

    def dress(self) -> None:
        super().dress()
        self.setMinimumHeight(self.head.height() + 3 * row_height())

    def share_out(self) -> None:
        figures = [column for column in Column if column is not Column.WHERE]
        for column in figures:
            self.setColumnWidth(column, theme().px(_FIGURE))
        room = self.viewport().width() - len(figures) * theme().px(_FIGURE)
        self.setColumnWidth(Column.WHERE, max(room, theme().px(_WHERE)))
        self.head.fit()

    def minimumSizeHint(self) -> QSize:
        bar = self.verticalScrollBar().sizeHint().width()
        return QSize(theme().px(_WHERE) + 3 * theme().px(_FIGURE) + bar, self.minimumHeight())
