"""A picture of the model on which layers and kinds of matrix to train are picked."""

from __future__ import annotations

import math
from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import QWidget

from editview.domain.scope import Parts
from editview.domain.weights import MatrixKind
from editview.ui.look.pictures import Picture, pen
from editview.ui.look.theme import SMALL, theme

_OUTSIDE = None  # the column of what lies outside the layers


class ScopePicture(Picture):
    """A column a layer, a row a kind of matrix; what is trained is filled. A click on a column toggles the layer,
    dragging does it for many, a click on a name toggles the kind. By keyboard: arrows, and Space on what they reach."""

    layer_set = Signal(int, bool)  # layer, whether it is to be trained
    kind_set = Signal(object, bool)  # MatrixKind

    def __init__(self, parts: Parts, failed: Callable[[str], None], parent: QWidget | None = None) -> None:
        super().__init__("Layers and kinds of matrix to train", failed, parent)
        self._parts = parts
        exists = {(tensor.layer, tensor.kind) for tensor in parts.tensors}
        layers = sorted({layer for layer, _ in exists if layer is not None})
        self._columns: list[int | None] = [*layers, *([_OUTSIDE] if any(layer is None for layer, _ in exists) else [])]
        self._rows = [kind for kind in MatrixKind if any(kind is other for _, other in exists)]
        self._exists = exists
        self._trained: set[tuple[int | None, MatrixKind]] = set()
        self._at = (0, -1)  # column (-1: the names), row (-1: the numbers), where the keyboard is
        self._dragged: bool | None = None  # what dragging sets layers to

    def show_trained(self, trained: set[tuple[int | None, MatrixKind]]) -> None:
        """Fill these places, (layer, kind)."""
        self._trained = trained
        self.update()

    # ---- sizes -----------------------------------------------------------------------------------------------

    def sizeHint(self) -> QSize:
        return QSize(theme().px(440), math.ceil(self._top + len(self._rows) * self._row + theme().px(4)))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme().px(280), self.sizeHint().height())

    @property
    def _row(self) -> float:
        return QFontMetricsF(theme().font(SMALL)).height() + theme().px(4)

    @property
    def _top(self) -> float:
        return 2 * QFontMetricsF(theme().font(SMALL)).height() + theme().px(4)

    @property
    def _left(self) -> float:
        metrics = QFontMetricsF(theme().font(SMALL))
        return max(metrics.horizontalAdvance(kind.value) for kind in self._rows) + theme().px(12)

    @property
    def _column(self) -> float:
        return min((self.width() - self._left) / max(len(self._columns), 1), theme().px(40))

    def _cell(self, column: int, row: int) -> QRectF:
        gap = min(theme().px(2), self._column / 6)
        box = QRectF(self._left + column * self._column, self._top + row * self._row, self._column, self._row)
        return box.adjusted(gap, gap, -gap, -gap)

    # ---- pointing --------------------------------------------------------------------------------------------

    def _find(self, where: QPointF) -> tuple[int, int] | None:
        column = -1 if where.x() < self._left else math.floor((where.x() - self._left) / self._column)
        row = -1 if where.y() < self._top else math.floor((where.y() - self._top) / self._row)
        inside = column < len(self._columns) and row < len(self._rows) and (column, row) != (-1, -1)
        return (column, row) if inside else None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        found = self._find(event.position())
        if event.button() is Qt.MouseButton.LeftButton and found:
            self._at = found
            self._toggle(found)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        found = self._find(event.position())
        layer = self._columns[found[0]] if found and found[0] >= 0 else _OUTSIDE
        if self._dragged is not None and layer is not None and self._is_trained(layer) is not self._dragged:
            self.layer_set.emit(layer, self._dragged)
        self.setCursor(Qt.CursorShape.PointingHandCursor if found else Qt.CursorShape.ArrowCursor)
        self.tell(event.position() + QPointF(0, theme().px(8)), self._words(found) if found else "")

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._dragged = None

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1)}
        if event.key() == Qt.Key.Key_Space:
            self._toggle(self._at)
            self._dragged = None
        elif step := steps.get(Qt.Key(event.key())):
            column = min(max(self._at[0] + step[0], -1), len(self._columns) - 1)
            row = min(max(self._at[1] + step[1], -1), len(self._rows) - 1)
            if (column, row) != (-1, -1):
                self._at = (column, row)
                self.tell(self._cell(max(column, 0), max(row, 0)).bottomLeft(), self._words(self._at))
                self.update()
        else:
            super().keyPressEvent(event)

    def _toggle(self, at: tuple[int, int]) -> None:
        column, row = at
        if column < 0:
            kind = self._rows[row]
            self.kind_set.emit(kind, not any(kind is other for _, other in self._trained))
        elif (layer := self._columns[column]) is not None:
            self._dragged = not self._is_trained(layer)
            self.layer_set.emit(layer, self._dragged)

    def _is_trained(self, layer: int) -> bool:
        return any(layer == other for other, _ in self._trained)

    def _words(self, at: tuple[int, int]) -> str:
        column, row = at
        if column < 0:
            return f"{self._rows[row].value}: click to train this kind of matrix, or not"
        layer = self._columns[column]
        if layer is None:
            return "Outside the layers: trained when the whole model is"
        state = "trained" if self._is_trained(layer) else "not trained"
        edited = ", edited by this plan" if layer in self._parts.edited else ""
        return f"Layer {layer + 1} (index {layer}){edited}: {state}. Click to change that"

    # ---- painting --------------------------------------------------------------------------------------------

    def paint(self, painter: QPainter) -> None:
        roles, line = theme().roles, QFontMetricsF(theme().font(SMALL)).height()
        every = max(1, math.ceil(theme().px(18) / self._column))
        for column, layer in enumerate(self._columns):
            box = QRectF(self._left + column * self._column, 0, self._column, line)
            if layer in self._parts.edited:
                painter.setPen(QColor(roles.text))
                painter.drawText(box, Qt.AlignmentFlag.AlignCenter, "✎")
            if layer is None or layer % every == 0:
                painter.setPen(QColor(roles.muted))
                wide = box.translated(0, line).adjusted(-self._column, 0, self._column, 0)
                painter.drawText(wide, Qt.AlignmentFlag.AlignCenter, "rest" if layer is None else str(layer + 1))
        for row, kind in enumerate(self._rows):
            on = any(kind is other for _, other in self._trained)
            painter.setPen(QColor(roles.text if on else roles.muted))
            name = QRectF(0, self._top + row * self._row, self._left, self._row)
            painter.drawText(name, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, kind.value)
            for column, layer in enumerate(self._columns):
                if (layer, kind) in self._exists:
                    trained = (layer, kind) in self._trained
                    painter.setPen(pen(roles.accent_fill if trained else roles.line))
                    painter.setBrush(QColor(roles.accent_fill if trained else roles.background))
                    painter.drawRoundedRect(self._cell(column, row), 2, 2)
        if self._by_keyboard:
            painter.setPen(pen(roles.text))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            column, row = self._at
            at = self._cell(max(column, 0), max(row, 0))
            if column < 0:
                at.setLeft(0)
                at.setRight(self._left - theme().px(4))
            if row < 0:
                at.moveBottom(self._top)
            painter.drawRect(at)
