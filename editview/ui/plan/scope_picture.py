"""A picture of the model on which layers and kinds of matrix to train are picked."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import QWidget

from editview.domain.weights import MatrixKind, TensorInfo
from editview.ui.look.layer_axis import paint_layers
from editview.ui.look.pictures import pen, write
from editview.ui.look.pointing import PointedPicture
from editview.ui.look.theme import SMALL, theme

_NAMES = _NUMBERS = -1  # the column of the kinds' names, the row of the layers' numbers
_At = tuple[int, int]  # column, row


class ScopePicture(PointedPicture[_At]):
    """A column a layer, a row a kind of matrix; what is trained is filled. A click on a column takes the layer in or
    out, dragging does it for many, a click on a name takes the kind. By keyboard: arrows, and Space on what they reach.
    """

    layer_set = Signal(int, bool)  # layer, whether it is to be trained
    kind_set = Signal(object, bool)  # MatrixKind

    def __init__(
        self, tensors: Sequence[TensorInfo], edited: Collection[int], failed: Callable[[str], None],
        parent: QWidget | None = None,
    ) -> None:  # fmt: skip
        """`tensors` are all that could be trained, `edited` the layers to mark."""
        super().__init__("Layers and kinds of matrix to train", failed, parent)
        self._exists = {(tensor.layer, tensor.kind) for tensor in tensors}
        layers = sorted({layer for layer, _ in self._exists if layer is not None})
        self._columns = [*layers, *([None] if any(layer is None for layer, _ in self._exists) else [])]
        self._rows = [kind for kind in MatrixKind if any(kind is other for _, other in self._exists)]
        self._edited = edited
        self._trained: Collection[tuple[int | None, MatrixKind]] = ()
        self._kinds: Collection[MatrixKind] = ()
        self._dragged: bool | None = None  # what dragging sets layers to

    def show_trained(self, trained: Collection[tuple[int | None, MatrixKind]], kinds: Collection[MatrixKind]) -> None:
        """Fill these places, (layer, kind), and tick these kinds."""
        self._trained, self._kinds = trained, kinds
        self.update()

    # ---- sizes -----------------------------------------------------------------------------------------------

    def sizeHint(self) -> QSize:
        return QSize(theme().px(440), math.ceil(self._top + len(self._rows) * self._row + theme().px(4)))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme().px(280), self.sizeHint().height())

    @property
    def _line(self) -> float:
        return QFontMetricsF(theme().font(SMALL)).height()

    @property
    def _row(self) -> float:
        return self._line + theme().px(4)

    @property
    def _top(self) -> float:
        """The height of the numbers, and of the marks above them where there are any."""
        return (2 if self._edited else 1) * self._line + theme().px(4)

    @property
    def _left(self) -> float:
        metrics = QFontMetricsF(theme().font(SMALL))
        return (
            self._box + max((metrics.horizontalAdvance(kind.value) for kind in self._rows), default=0) + theme().px(20)
        )

    @property
    def _box(self) -> float:
        return float(theme().px(12))

    @property
    def _column(self) -> float:
        return min((self.width() - self._left - theme().px(4)) / max(len(self._columns), 1), theme().px(40))

    def _cell(self, column: int, row: int) -> QRectF:
        gap = min(theme().px(2), self._column / 6)
        box = QRectF(self._left + column * self._column, self._top + row * self._row, self._column, self._row)
        return box.adjusted(gap, gap, -gap, -gap)

    def _reach(self, at: _At) -> QRectF:
        """All that a click there changes: a row or a column, with its name."""
        column, row = at
        if column == _NAMES:
            line = self._cell(0, row).united(self._cell(len(self._columns) - 1, row))
            return QRectF(0.5, line.top() - 1, line.right() + 1, line.height() + 2)
        cells = self._cell(column, 0).united(self._cell(column, len(self._rows) - 1)).adjusted(-1, 0, 1, 1)
        cells.setTop(self._top - self._line - theme().px(2))
        return cells

    # ---- pointing --------------------------------------------------------------------------------------------

    def spot_at(self, where: QPointF) -> _At | None:
        column = _NAMES if where.x() < self._left else math.floor((where.x() - self._left) / self._column)
        row = _NUMBERS if where.y() < self._top else math.floor((where.y() - self._top) / self._row)
        inside = column < len(self._columns) and row < len(self._rows) and (column, row) != (_NAMES, _NUMBERS)
        return (column, row) if inside else None

    def first_spot(self) -> _At | None:
        return (0, _NUMBERS) if self._columns else None

    def next_spot(self, at: _At, across: int, down: int) -> _At:
        column = min(max(at[0] + across, _NAMES), len(self._columns) - 1)
        row = min(max(at[1] + down, _NUMBERS), len(self._rows) - 1)
        return at if (column, row) == (_NAMES, _NUMBERS) else (column, row)

    def spot_place(self, at: _At) -> QPointF:
        return self._reach(at).bottomLeft()

    def can_choose(self, at: _At) -> bool:
        return at[0] == _NAMES or self._columns[at[0]] is not None

    def choose_spot(self, at: _At) -> None:
        column, row = at
        if column == _NAMES:
            self.kind_set.emit(self._rows[row], self._rows[row] not in self._kinds)
        elif (layer := self._columns[column]) is not None:
            self._dragged = not self._is_trained(layer)
            self.layer_set.emit(layer, self._dragged)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        found = self.spot_at(event.position())
        layer = self._columns[found[0]] if found and found[0] != _NAMES else None
        if self._dragged is not None and layer is not None and self._is_trained(layer) is not self._dragged:
            self.layer_set.emit(layer, self._dragged)
        super().mouseMoveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._dragged = None

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            event.ignore()  # that applies the form
        else:
            super().keyPressEvent(event)
        self._dragged = None

    def _is_trained(self, layer: int) -> bool:
        return any(layer == other for other, _ in self._trained)

    def spot_words(self, at: _At) -> str:
        column, row = at
        if column == _NAMES:
            kind = self._rows[row]
            if [*self._kinds] == [kind]:
                return f"{kind.value}: the only kind of matrix that is trained, so it stays."
            return f"{kind.value}: {_state(kind in self._kinds)}. Click to change that in all layers."
        layer = self._columns[column]
        if layer is None:
            return "Outside the layers: trained where the whole model is to be."
        edited = ", edited by this plan" if layer in self._edited else ""
        return f"Layer {layer + 1} (index {layer}){edited}: {_state(self._is_trained(layer))}. Click to change that."

    # ---- painting --------------------------------------------------------------------------------------------

    def paint(self, painter: QPainter) -> None:
        self._paint_numbers(painter)
        for row in range(len(self._rows)):
            self._paint_row(painter, row)
        if self.at is not None and self.can_choose(self.at):
            painter.setPen(pen(theme().roles.text))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(self._reach(self.at), 3, 3)

    def _paint_numbers(self, painter: QPainter) -> None:
        roles, px, line = theme().roles, theme().px, self._line
        top = self._top - line - px(2)
        if self._edited:
            write(painter, QRectF(0, 0, self._left - px(8), line), "edited by this plan", roles.muted, _RIGHT)
            for column, layer in enumerate(self._columns):
                if layer in self._edited:
                    cell = self._cell(column, 0)
                    painter.fillRect(QRectF(cell.left(), line / 2 - px(2), cell.width(), px(4)), QColor(roles.text))
        middles = [(self._cell(column, 0).center().x(), layer) for column, layer in enumerate(self._columns)]
        paint_layers(painter, middles, self._left, self.width(), top)

    def _paint_row(self, painter: QPainter, row: int) -> None:
        roles, px, kind = theme().roles, theme().px, self._rows[row]
        top, ticked = self._top + row * self._row, kind in self._kinds
        box = QRectF(px(2), top + (self._row - self._box) / 2, self._box, self._box)
        painter.setPen(pen(roles.accent_fill if ticked else roles.faint))
        painter.setBrush(QColor(roles.accent_fill if ticked else roles.raised))
        painter.drawRoundedRect(box, 3, 3)
        if ticked:
            painter.setPen(pen(roles.on_accent, 1.6))
            painter.drawPolyline([
                QPointF(box.left() + box.width() * x, box.top() + box.height() * y)
                for x, y in ((0.22, 0.52), (0.43, 0.72), (0.78, 0.3))
            ])  # fmt: skip
        name = QRectF(box.right() + px(6), top, self._left - box.right() - px(6), self._row)
        write(painter, name, kind.value, roles.text if ticked else roles.muted)
        for column, layer in enumerate(self._columns):
            if (layer, kind) in self._exists:
                filled = (layer, kind) in self._trained
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(roles.accent_fill if filled else roles.line))
                painter.drawRoundedRect(self._cell(column, row), 2, 2)


_RIGHT = Qt.AlignmentFlag.AlignRight


def _state(trained: bool) -> str:
    return "trained" if trained else "not trained"
