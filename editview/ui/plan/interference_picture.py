"""The picture of interference: three strips over the layers, from the weights by the states to what they explain."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import quantiles

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter
from PySide6.QtWidgets import QWidget

from editview.domain.interference import Interference, Measure, told_compared, told_moved, told_reach
from editview.ui.look.layer_axis import paint_layers
from editview.ui.look.pictures import pen, write
from editview.ui.look.pointing import PointedPicture
from editview.ui.look.theme import SMALL, theme

REACH, MOVED, COMPARED = range(3)
TITLES = (
    "Change of what the memory (MLP) writes, times chance",
    "How far facts moved, % (median and middle half)",
    "Lost moved further than kept, % of pairs (95 % interval)",
)
EMPTY_LAYERS = 12
_Column = tuple[int, int]  # strip, layer


@dataclass(frozen=True)
class _Frame:
    """Where things lie, for one size of the picture."""

    left: float
    column: float
    strips: tuple[QRectF, QRectF, QRectF]

    def x(self, layer: int, aside: float = 0.0) -> float:
        """The middle of a layer's column, or a share of its width beside it."""
        return self.left + (layer + 0.5 + aside) * self.column


class InterferencePicture(PointedPicture[_Column]):
    """Hovering and the arrow keys tell a layer of a strip in words. Without figures it shows the empty strips."""

    def __init__(self, failed: Callable[[str], None], parent: QWidget | None = None) -> None:
        super().__init__("Interference of a fine-tune with edits", failed, parent)
        self._found: Interference | None = None
        self._measure = Measure.SUBJECT

    def show_interference(self, found: Interference | None, measure: Measure) -> None:
        """`measure` is what the two lower strips show."""
        self._found, self._measure, self.at = found, measure, None
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(theme().px(672), theme().px(384))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme().px(400), theme().px(272))

    # ---- pointing --------------------------------------------------------------------------------------------

    def spot_at(self, where: QPointF) -> _Column | None:
        frame = self._frame()
        layer = math.floor((where.x() - frame.left) / frame.column)
        inside = [strip for strip, area in enumerate(frame.strips) if area.top() <= where.y() <= area.bottom()]
        return (inside[0], layer) if self._found and inside and 0 <= layer <= self._last else None

    def first_spot(self) -> _Column | None:
        return (COMPARED, self._found.edited_layers[-1]) if self._found else None

    def next_spot(self, at: _Column, across: int, down: int) -> _Column:
        strip, layer = at
        return min(max(strip + down, REACH), COMPARED), min(max(layer + across, 0), self._last)

    def spot_words(self, at: _Column) -> str:
        assert self._found is not None
        strip, layer = at
        if strip == REACH:
            return told_reach(self._found, layer)
        return (told_moved if strip == MOVED else told_compared)(self._found, layer, self._measure)

    def spot_place(self, at: _Column) -> QPointF:
        frame, (strip, layer) = self._frame(), at
        return QPointF(frame.x(layer), frame.strips[strip].bottom())

    @property
    def _last(self) -> int:
        return len(self._found.layers) - 1 if self._found else EMPTY_LAYERS - 1

    # ---- painting --------------------------------------------------------------------------------------------

    def _frame(self) -> _Frame:
        px, metrics = theme().px, QFontMetricsF(theme().font(SMALL))
        line, left = metrics.height(), metrics.horizontalAdvance("layer 100") + px(8)
        width = self.width() - left - px(8)
        axis = 2 * line + px(8)  # numbers and the word under them
        high = (self.height() - axis) / 3
        strips = [QRectF(left, i * high + line + px(8), width, high - line - px(20)) for i in range(3)]
        return _Frame(left, width / (self._last + 1), (strips[0], strips[1], strips[2]))

    def paint(self, painter: QPainter) -> None:
        frame, found = self._frame(), self._found
        if found is not None:
            self._paint_ground(painter, frame, found)
        self._paint_reach(painter, frame)
        self._paint_moved(painter, frame)
        self._paint_compared(painter, frame)
        self._paint_layers(painter, frame)

    def _paint_ground(self, painter: QPainter, frame: _Frame, found: Interference) -> None:
        """The edited layers' columns, and the one that is pointed at."""
        for layer in found.edited_layers:
            for area in frame.strips:
                column = QRectF(frame.left + layer * frame.column, area.top(), frame.column, area.height())
                painter.fillRect(column, QColor(theme().roles.accent_tint))
        if self.at is not None:
            strip, layer = self.at
            area = frame.strips[strip]
            painter.setPen(pen(theme().roles.text))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRectF(frame.left + layer * frame.column, area.top(), frame.column, area.height()))

    def _paint_reach(self, painter: QPainter, frame: _Frame) -> None:
        area, roles = frame.strips[REACH], theme().roles
        reaches = {one.layer: one.reach for one in self._found.layers if one.reach} if self._found else {}
        top = _round_up(max((max(r.edited, r.controls or 0, r.chance[1]) for r in reaches.values()), default=2.0))
        self._paint_axis(painter, area, REACH, [0, 1, top], top)
        marks = [("●", "edited facts", roles.text), ("○", "controls", roles.muted), ("▬", "chance", roles.muted)]
        self._paint_legend(painter, area, marks)
        for layer, reach in reaches.items():
            low, high = (_y(area, value, top) for value in reach.chance)
            band = QRectF(frame.x(layer, -0.4), high, 0.8 * frame.column, max(low - high, 2.0))
            painter.fillRect(band, QColor(roles.muted))
            self._dot(painter, QPointF(frame.x(layer, -0.1), _y(area, reach.edited, top)), roles.text, True)
            if reach.controls is not None:
                self._dot(painter, QPointF(frame.x(layer, 0.1), _y(area, reach.controls, top)), roles.muted, False)

    def _paint_moved(self, painter: QPainter, frame: _Frame) -> None:
        area, roles = frame.strips[MOVED], theme().roles
        groups = (("✓ kept", roles.holds.ink), ("✗ lost", roles.fails.ink), ("○ controls", roles.muted))
        drawn = []
        for layer in range(self._last + 1 if self._found else 0):
            moved = self._found.moved(layer, self._measure) if self._found else None
            for at, values in enumerate((moved.kept, moved.lost, moved.controls) if moved else ()):
                if values:
                    drawn.append((layer, at, [100 * value for value in _quartiles(values)]))
        top = _round_up(max((values[2] for _, _, values in drawn), default=100.0))
        self._paint_axis(painter, area, MOVED, [0, top / 2, top], top)
        self._paint_legend(painter, area, [(*name.split(" "), colour) for name, colour in groups])  # type: ignore[misc]
        for layer, at, (low, middle, high) in drawn:
            x, colour = frame.x(layer, 0.25 * (at - 1)), groups[at][1]
            painter.setPen(pen(colour, 2))
            painter.drawLine(QPointF(x, _y(area, low, top)), QPointF(x, _y(area, high, top)))
            self._dot(painter, QPointF(x, _y(area, middle, top)), colour, at < 2)

    def _paint_compared(self, painter: QPainter, frame: _Frame) -> None:
        """Coloured where the interval leaves out one half: only there the comparison says something."""
        area, roles = frame.strips[COMPARED], theme().roles
        self._paint_axis(painter, area, COMPARED, [0, 50, 100], 100)
        half = _y(area, 50, 100)
        painter.setPen(pen(roles.muted, 1, (3, 3)))
        painter.drawLine(QPointF(area.left(), half), QPointF(area.right(), half))
        self._paint_legend(painter, area, [("●", "tells lost from kept", roles.accent), ("●", "doesn't", roles.muted)])
        for one in self._found.layers if self._found else ():
            interval = self._found.compared(one.layer, self._measure) if self._found else None
            if interval is None:
                continue
            colour = roles.muted if interval.low <= 0.5 <= interval.high else roles.accent
            x = frame.x(one.layer)
            painter.setPen(pen(colour, 2))
            low, high = (_y(area, 100 * value, 100) for value in (interval.low, interval.high))
            painter.drawLine(QPointF(x, low), QPointF(x, high))
            self._dot(painter, QPointF(x, _y(area, 100 * interval.estimate, 100)), colour, True)

    def _paint_axis(self, painter: QPainter, area: QRectF, strip: int, ticks: Sequence[float], top: float) -> None:
        px, roles, line = theme().px, theme().roles, QFontMetricsF(painter.font()).height()
        write(painter, QRectF(0, area.top() - line - px(6), self.width(), line), TITLES[strip], roles.text)
        last = -math.inf
        for value in sorted(ticks):
            y = _y(area, value, top)
            painter.setPen(pen(roles.line))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            if abs(y - last) < line and value != top:
                continue
            box = QRectF(0, y - line / 2, area.left() - px(8), line)
            words = "chance 1" if strip == REACH and value == 1 else f"{value:g}"
            write(painter, box, words, roles.muted, Qt.AlignmentFlag.AlignRight)
            last = y

    def _paint_legend(self, painter: QPainter, area: QRectF, marks: Sequence[tuple[str, str, str]]) -> None:
        """Sign and word, right-aligned beside the strip's title."""
        px, metrics = theme().px, QFontMetricsF(painter.font())
        right = area.right()
        for sign, word, colour in reversed(marks):
            words = f"{sign} {word}"
            width = metrics.horizontalAdvance(words) + 1
            box = QRectF(right - width, area.top() - metrics.height() - px(6), width, metrics.height())
            write(painter, box, words, colour)
            right -= width + px(12)

    def _paint_layers(self, painter: QPainter, frame: _Frame) -> None:
        """The axis that all strips share, with the edited layers named."""
        roles, px, metrics = theme().roles, theme().px, QFontMetricsF(painter.font())
        line, top = metrics.height(), frame.strips[-1].bottom() + px(6)
        paint_layers(painter, [(frame.x(i), i) for i in range(self._last + 1)], frame.left, self.width(), top)
        layers = self._found.edited_layers if self._found else ()
        if layers:
            width = metrics.horizontalAdvance("edited") + 2
            middle = (frame.x(layers[0]) + frame.x(layers[-1])) / 2
            left = min(max(middle - width / 2, frame.left), self.width() - width)
            write(painter, QRectF(left, top + line, width, line), "edited", roles.accent)

    def _dot(self, painter: QPainter, at: QPointF, colour: str, full: bool) -> None:
        painter.setPen(pen(colour, 1.5))
        painter.setBrush(QColor(colour if full else theme().roles.raised))
        radius = min(theme().px(3), max(0.12 * self._frame().column, 1.5))
        painter.drawEllipse(at, radius, radius)


def _y(area: QRectF, value: float, top: float) -> float:
    return area.bottom() - min(max(value / top, 0.0), 1.0) * area.height()


def _quartiles(values: Sequence[float]) -> list[float]:
    return quantiles(values, n=4, method="inclusive") if len(values) > 1 else [values[0]] * 3


def _round_up(value: float) -> float:
    """The smallest of 1, 1.5, 2, 3, 4, 6, 8, 10 times a power of ten that is not below."""
    power = 10.0 ** math.floor(math.log10(value)) if value > 0 else 1.0
    return next((lead * power for lead in (1, 1.5, 2, 3, 4, 6, 8) if lead * power >= value), 10 * power)
