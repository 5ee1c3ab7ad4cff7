"""The picture of a spectrum: how strongly text uses each direction, and the threshold as a line to drag."""

from __future__ import annotations

import math
from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QKeyEvent, QMouseEvent, QPainter, QPolygonF
from PySide6.QtWidgets import QWidget

from editview.domain.spectrum import Spectrum, kept, warning
from editview.domain.spectrum_scale import power_words
from editview.ui.look.pictures import Picture, legible, mixed, pen, spread, write
from editview.ui.look.theme import SMALL, theme

DEEPEST = 1e-9  # of the largest value: below it lies rounding
STEP = 10 ** (1 / 20)  # one press of an arrow key
GRAB = 8  # pixels beside the line where it can be taken


class SpectrumPicture(Picture):
    """`moved` tells a threshold that was dragged, or moved by the arrow keys (Page keys: ten times as much)."""

    moved = Signal(float)

    def __init__(self, failed: Callable[[str], None], parent: QWidget | None = None) -> None:
        super().__init__("How strongly text uses each direction", failed, parent)
        self._spectra: tuple[Spectrum, ...] = ()
        self._points: list[list[tuple[float, float]]] = []
        self._decades = (-6, 0)  # the ends of the axis, as powers of ten
        self._dragged = False
        self.threshold = 1.0

    def show_spectra(self, spectra: tuple[Spectrum, ...], threshold: float) -> None:
        """One line a layer; none: the empty picture."""
        self._spectra, self.threshold = spectra, threshold
        self._points = [spectrum.points() for spectrum in spectra]
        largest = max((spectrum.values[-1] for spectrum in spectra), default=1.0) or 1.0
        smallest = min((spectrum.values[0] for spectrum in spectra), default=1e-6)
        low = math.floor(math.log10(max(smallest, DEEPEST * largest)))
        self._decades = low, max(math.ceil(math.log10(largest)), low + 1)
        if spectra:  # the line itself stays in sight, within reason
            wanted = math.log10(threshold)
            self._decades = (
                max(min(low, math.floor(wanted)), low - 3), min(max(self._decades[1], math.ceil(wanted)), low + 24)
            )  # fmt: skip
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(theme().px(672), theme().px(360))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme().px(400), theme().px(220))

    # ---- the line --------------------------------------------------------------------------------------------

    def _move(self, threshold: float) -> None:
        low, high = (10.0**power for power in self._decades)
        self.threshold = float(f"{min(max(threshold, low), high):.2g}")
        self.update()
        self.setAccessibleDescription(f"{kept(self._spectra, self.threshold)} {warning(self._spectra, self.threshold)}")
        self.moved.emit(self.threshold)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        near = abs(event.position().y() - self._y(self.threshold)) <= theme().px(GRAB)
        self._dragged = bool(self._spectra) and event.button() is Qt.MouseButton.LeftButton and near

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._dragged = False

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        near = bool(self._spectra) and abs(event.position().y() - self._y(self.threshold)) <= theme().px(GRAB)
        self.setCursor(Qt.CursorShape.SplitVCursor if near or self._dragged else Qt.CursorShape.ArrowCursor)
        if self._dragged:
            area, (low, high) = self._area(), self._decades
            self._move(10.0 ** (low + (area.bottom() - event.position().y()) / area.height() * (high - low)))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {
            Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1, Qt.Key.Key_PageUp: 10, Qt.Key.Key_PageDown: -10,
        }.get(Qt.Key(event.key()), 0)  # fmt: skip
        if self._spectra and steps:
            moved = float(f"{self.threshold * STEP**steps:.2g}")
            self._move(moved)
        else:
            super().keyPressEvent(event)

    # ---- painting --------------------------------------------------------------------------------------------

    def _area(self) -> QRectF:
        px, metrics = theme().px, QFontMetricsF(theme().font(SMALL))
        left, line = metrics.horizontalAdvance("0.000001") + px(12), metrics.height()
        right = metrics.horizontalAdvance("layer 100") + px(12)
        return QRectF(left, line + px(16), self.width() - left - right, self.height() - 3 * line - px(28))

    def _y(self, value: float) -> float:
        area, (low, high) = self._area(), self._decades
        power = math.log10(max(value, 10.0**low))
        return area.bottom() - (min(power, high) - low) / (high - low) * area.height()

    def paint(self, painter: QPainter) -> None:
        self._paint_axes(painter)
        if not self._spectra:
            return
        area, px = self._area(), theme().px
        ends = []
        for at, points in enumerate(self._points):
            painter.setPen(pen(self._colour(at), 1.8))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            line = [QPointF(area.left() + share * area.width(), self._y(value)) for share, value in points]
            painter.drawPolyline(QPolygonF(line))
            ends.append(line[-1].y())
        height = QFontMetricsF(painter.font()).height()
        for at, y in enumerate(spread(ends, height, area.top() - height / 2, area.bottom())):
            box = QRectF(area.right() + px(8), y - height / 2, self.width() - area.right() - px(8), height)
            write(painter, box, f"layer {self._spectra[at].layer + 1}", self._colour(at).name())
        self._paint_threshold(painter, area)

    def _colour(self, at: int) -> QColor:
        """Greys from the muted to the text's, first layer to last."""
        return mixed(theme().roles.muted, theme().roles.text, at / (len(self._spectra) - 1) if at else 0.0)

    def _paint_axes(self, painter: QPainter) -> None:
        area, px, roles = self._area(), theme().px, theme().roles
        metrics = QFontMetricsF(painter.font())
        line = metrics.height()
        title = "use of the direction by ordinary text (eigenvalue), log scale"
        write(painter, QRectF(0, 0, self.width(), line), title, roles.muted)
        low, high = self._decades
        pace = next(pace for pace in (1, 2, 3, 5, 10, 100) if area.height() / (high - low) * pace >= 1.6 * line)
        for power in range(low, high + 1, pace):
            y = self._y(10.0**power)
            painter.setPen(pen(roles.line))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            box = QRectF(0, y - line / 2, area.left() - px(8), line)
            write(painter, box, power_words(power), roles.muted, Qt.AlignmentFlag.AlignRight)
        directions = len(self._spectra[0].values) if self._spectra else 0
        shares = (0.0, 0.25, 0.5, 0.75, 1.0) if directions else ()
        ticks = [(area.left() + share * area.width(), f"{round(share * directions):,}") for share in shares]
        for x, words in legible(ticks, metrics.horizontalAdvance, px(8)):
            box = QRectF(x - px(40), area.bottom() + px(4), px(80), line)
            write(painter, box, words, roles.muted, Qt.AlignmentFlag.AlignHCenter)
        name = QRectF(area.left(), area.bottom() + px(8) + line, area.width(), line)
        write(painter, name, "directions, least used first", roles.muted, Qt.AlignmentFlag.AlignHCenter)

    def _paint_threshold(self, painter: QPainter, area: QRectF) -> None:
        """The line, its value and grip, what lies under it shaded, and a point where it meets each layer's line."""
        px, roles = theme().px, theme().roles
        y = self._y(self.threshold)
        free = QColor(roles.accent)
        free.setAlphaF(0.10)
        painter.fillRect(QRectF(area.left(), y, area.width(), area.bottom() - y), free)
        painter.setPen(pen(roles.accent, 2))
        painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
        painter.setBrush(QColor(roles.accent))
        for spectrum in self._spectra:
            share = spectrum.below(self.threshold) / len(spectrum.values)
            painter.drawEllipse(QPointF(area.left() + share * area.width(), y), px(3), px(3))
        self._name_threshold(painter, area, y)

    def _name_threshold(self, painter: QPainter, area: QRectF, y: float) -> None:
        """Where no layer's line passes: under it at the right, or above it at the left, as long as there is room."""
        px, line = theme().px, QFontMetricsF(painter.font()).height()
        shares = [spectrum.below(self.threshold) / len(spectrum.values) for spectrum in self._spectra]
        left = sum(shares) / len(shares) > 0.5
        above = (left and y - line - px(4) > area.top()) or y + line + px(4) > area.bottom()
        box = QRectF(area.left() + px(8), y - line - px(4) if above else y + px(4), area.width() - px(16), line)
        side = Qt.AlignmentFlag.AlignLeft if left else Qt.AlignmentFlag.AlignRight
        write(painter, box, f"threshold {self.threshold:g}: below it is free to be written", theme().roles.accent, side)
