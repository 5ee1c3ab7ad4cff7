"""The table of tensors as it is seen: words over the tensor's name, figures at the right, the share as a bar."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QAction, QColor, QFontMetrics, QGuiApplication, QKeySequence, QPainter, QResizeEvent
from PySide6.QtWidgets import QHeaderView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QTableView, QWidget

from editview.domain.two_checkpoints import TensorRow
from editview.ui.checkpoints.tensor_model import Column, TensorModel
from editview.ui.look.pictures import write
from editview.ui.look.stage_header import StageHeader
from editview.ui.look.theme import BODY, SMALL, theme

Index = QModelIndex | QPersistentModelIndex
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
        rect: QRect = option.rect
        state: QStyle.StateFlag = option.state
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, QColor(roles.accent_tint))
        painter.fillRect(rect.left(), rect.bottom(), rect.width(), 1, QColor(roles.line))
        inner = QRectF(rect).adjusted(px(8), px(3), -px(8), -px(3))
        row, column = model.shown[index.row()], Column(index.column())
        if column is Column.WHERE:
            self._paint_where(painter, inner, row)
        else:
            if column is Column.SHARE and row.share:
                self._paint_share(painter, inner, row.share)
            painter.setFont(theme().font(BODY))
            colour = roles.muted if column is Column.CHANGE and row.became else roles.text
            write(painter, inner, model.words(index.row(), column), colour, _RIGHT)
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QColor(roles.accent))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(rect.adjusted(0, 0, -1, -2))

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


class TensorTable(QTableView):
    """`went_to` names the tensor that the cursor has come to; the selection stays with it when rows move."""

    went_to = Signal(object)  # TensorRow, or None

    def __init__(self, model: TensorModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._name: str | None = None
        self.setModel(model)
        self.setItemDelegate(TensorDelegate(self))
        self.setAccessibleName("Tensors")
        self.setAccessibleDescription("A row a tensor. Ctrl+C copies the selection with exact figures.")
        self.setFrameShape(QTableView.Shape.NoFrame)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self._header = StageHeader(self)
        self.setHorizontalHeader(self._header)
        self._header.setSectionsClickable(True)
        self._header.setSortIndicatorClearable(True)
        self._header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.setSortingEnabled(True)
        for words, keys, act in (
            ("Copy rows", QKeySequence.StandardKey.Copy, self.copy),
            ("Select all", QKeySequence.StandardKey.SelectAll, self.selectAll),
        ):
            action = QAction(words, self)
            action.setShortcut(QKeySequence(keys))
            action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
            action.triggered.connect(act)
            self.addAction(action)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        model.modelAboutToBeReset.connect(self._keep)
        model.modelReset.connect(self._restore)
        theme().follow(self._dress)

    def currentChanged(self, current: Index, previous: Index) -> None:
        super().currentChanged(current, previous)
        self.went_to.emit(self._model.shown[current.row()] if current.isValid() else None)

    def copy(self) -> None:
        """The selected rows, or all that are shown."""
        rows = sorted({index.row() for index in self.selectedIndexes()}) or list(range(self._model.rowCount()))
        QGuiApplication.clipboard().setText(self._model.tsv(rows))

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

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._share_out()

    def _dress(self) -> None:
        self.verticalHeader().setDefaultSectionSize(row_height())
        self._share_out()
        self.setMinimumHeight(self._header.height() + 3 * row_height())
        self.viewport().update()

    def _share_out(self) -> None:
        figures = [column for column in Column if column is not Column.WHERE]
        for column in figures:
            self.setColumnWidth(column, theme().px(_FIGURE))
        room = self.viewport().width() - len(figures) * theme().px(_FIGURE)
        self.setColumnWidth(Column.WHERE, max(room, theme().px(_WHERE)))
        self._header.fit()

    def minimumSizeHint(self) -> QSize:
        bar = self.verticalScrollBar().sizeHint().width()
        return QSize(theme().px(_WHERE) + 3 * theme().px(_FIGURE) + bar, self.minimumHeight())
