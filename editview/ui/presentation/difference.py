"""The difference of two orders, a line a group: how far the second is from the first, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter
from PySide6.QtWidgets import QWidget

from editview.domain.orders import Kept
from editview.domain.survival import NAMES
from editview.ui.look.pictures import Picture, pen, write
from editview.ui.look.theme import BODY, SMALL, theme


class Difference(Picture):
    """Points are percentage points; zero, no difference at all, is always on the axis."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Difference of the orders", lambda sentence: None, parent)
        self._kept: tuple[Kept, ...] = ()
        self._names = ("", "")

    def show_difference(self, kept: Sequence[Kept], names: tuple[str, str]) -> None:
        self._kept, self._names = tuple(kept), names
        self.update()

    def minimumSizeHint(self) -> QSize:
        return QSize(theme().px(560), round(self._top() + self._row() * max(3, len(self._kept)) + self._row()))

    def _row(self) -> float:
        return QFontMetricsF(theme().font(BODY)).height() + theme().px(12)

    def _top(self) -> float:
        return QFontMetricsF(theme().font(SMALL)).height() + theme().px(8)

    @property
    def reach(self) -> float:
        """How far the axis goes to either side: the next tenth beyond the furthest limit."""
        furthest = max((max(-one.difference.low, one.difference.high) for one in self._kept), default=0.1)
        return min(1.0, max(0.1, math.ceil(10 * furthest) / 10))

    def paint(self, painter: QPainter) -> None:
        px, roles, row, top = theme().px, theme().roles, self._row(), self._top()
        counts = [f"{one.first:,} and {one.second:,} of {one.count:,}" for one in self._kept]
        wide = max(map(QFontMetricsF(theme().font(BODY)).horizontalAdvance, counts), default=0.0)
        left, right = px(112), self.width() - wide - px(28)
        middle, half = (left + right) / 2, (right - left) / 2
        bottom = top + row * len(self._kept)

        def x(points: float) -> float:
            return middle + half * points / self.reach

        first, second = QRectF(0, 0, middle - px(12), top), QRectF(middle + px(12), 0, self.width() - middle, top)
        write(painter, first, f"← more in {self._names[0]}", roles.muted, Qt.AlignmentFlag.AlignRight)
        write(painter, second, f"more in {self._names[1]} →", roles.muted)
        for points in (-self.reach, 0.0, self.reach):
            painter.setPen(pen(roles.faint if points == 0 else roles.line, 1.5 if points == 0 else 1))
            painter.drawLine(QPointF(x(points), top), QPointF(x(points), bottom))
            words = "no difference" if points == 0 else f"{100 * abs(points):.0f} points"
            box = QRectF(x(points) - px(80), bottom + px(4), px(160), row)
            write(painter, box, words, roles.muted, Qt.AlignmentFlag.AlignHCenter)
        for place, (one, count) in enumerate(zip(self._kept, counts, strict=True)):
            y = top + row * (place + 0.5)
            ink = QColor(roles.text if one.clear else roles.muted)
            painter.setFont(theme().font(BODY))
            box = QRectF(0, y - row / 2, left - px(12), row)
            write(painter, box, NAMES[one.group], ink.name(), Qt.AlignmentFlag.AlignRight)
            write(painter, QRectF(right + px(12), y - row / 2, wide + px(16), row), count, ink.name())
            painter.setFont(theme().font(SMALL))
            painter.setPen(pen(ink, 3))
            painter.drawLine(QPointF(x(one.difference.low), y), QPointF(x(one.difference.high), y))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(ink)
            painter.drawEllipse(QPointF(x(one.difference.estimate), y), px(6), px(6))
