"""How strongly each direction of a matrix was changed: the singular values of ΔW, and what rounding alone could do."""

from __future__ import annotations

import math
from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPolygonF
from PySide6.QtWidgets import QWidget

from editview.domain.change_spectrum import ChangeSpectrum
from editview.domain.spectrum_scale import decades, power_words
from editview.ui.look.pictures import legible, pen, write
from editview.ui.look.pointing import PointedPicture
from editview.ui.look.theme import SMALL, theme

_POINTS = 120  # as many directions are drawn as points
_RIGHT = Qt.AlignmentFlag.AlignRight


class SpectrumPlot(PointedPicture[int]):
    """Strongest first, on a log scale. Mouse and arrow keys tell each direction."""

    def __init__(self, failed: Callable[[str], None], parent: QWidget | None = None) -> None:
        super().__init__("Spectrum of the change", failed, parent)
        self._spectrum: ChangeSpectrum | None = None
        self._empty = ""  # why there is none

    def show_spectrum(self, spectrum: ChangeSpectrum | None, empty: str) -> None:
        self._spectrum, self._empty, self.at = spectrum, empty, None
        self.setAccessibleDescription(self.spot_words(0) if self._count else empty)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(theme().px(400), theme().px(176))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme().px(240), theme().px(136))

    # ---- pointing --------------------------------------------------------------------------------------------

    @property
    def _count(self) -> int:
        return len(self._spectrum.values) if self._spectrum else 0

    def spot_at(self, where: QPointF) -> int | None:
        if not self._count:
            return None
        area = self._area()
        share = (where.x() - area.left()) / area.width()
        return self.next_spot(round(share * max(self._count - 1, 1)), 0, 0)

    def first_spot(self) -> int | None:
        return 0 if self._count else None

    def next_spot(self, at: int, across: int, down: int) -> int:
        return min(max(at + across, 0), self._count - 1)

    def spot_words(self, at: int) -> str:
        assert self._spectrum is not None
        spectrum = self._spectrum
        value, share = spectrum.values[at], (spectrum.values[at] / spectrum.norm) ** 2 if spectrum.norm else 0.0
        beside = "above" if value > spectrum.rounding else "no more than"
        return (
            f"Direction {at + 1:,} of {spectrum.directions:,}: {value:.3g}, {100 * share:.2g} % of this matrix's "
            f"change; {beside} what rounding alone could do."
        )

    def spot_place(self, at: int) -> QPointF:
        assert self._spectrum is not None
        return self._place(at, self._spectrum.values[at])

    # ---- painting --------------------------------------------------------------------------------------------

    def _area(self) -> QRectF:
        px, metrics = theme().px, QFontMetricsF(theme().font(SMALL))
        left, line = metrics.horizontalAdvance("10⁻¹⁰") + px(12), metrics.height()
        return QRectF(left, line + px(12), self.width() - left - px(20), self.height() - 3 * line - px(24))

    def _place(self, at: int, value: float) -> QPointF:
        assert self._spectrum is not None
        area, (low, high) = self._area(), decades(self._spectrum)
        power = math.log10(max(value, 10.0**low))
        x = area.left() + area.width() * at / max(len(self._spectrum.values) - 1, 1)
        return QPointF(x, area.bottom() - (power - low) / (high - low) * area.height())

    def paint(self, painter: QPainter) -> None:
        roles = theme().roles
        if self._spectrum is None or not self._count:
            box = QRectF(self.rect())
            painter.setPen(QColor(roles.muted))
            painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap), self._empty)
            return
        self._paint_axes(painter, self._spectrum)
        self._paint_rounding(painter, self._spectrum)
        points = [self._place(at, value) for at, value in enumerate(self._spectrum.values)]
        painter.setPen(pen(roles.text, 1.5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolyline(QPolygonF(points))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(roles.text))
        for at in range(len(points)) if len(points) <= _POINTS else (self.at,):
            if at is not None:
                painter.drawEllipse(
                    points[at], theme().px(4 if at == self.at else 2), theme().px(4 if at == self.at else 2)
                )

    def _paint_axes(self, painter: QPainter, spectrum: ChangeSpectrum) -> None:
        area, px, roles = self._area(), theme().px, theme().roles
        metrics = QFontMetricsF(painter.font())
        line, count = metrics.height(), len(spectrum.values)
        title = "strength of each direction of the change (singular value), log scale"
        write(painter, QRectF(0, 0, self.width(), line), title, roles.muted)
        low, high = decades(spectrum)
        pace = next(pace for pace in (1, 2, 3, 5, 10, 100) if area.height() / (high - low) * pace >= 1.4 * line)
        for power in range(high, low - 1, -pace):
            y = self._place(0, 10.0**power).y()
            painter.setPen(pen(roles.line))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            write(painter, QRectF(0, y - line / 2, area.left() - px(8), line), power_words(power), roles.muted, _RIGHT)
        places = sorted({round(share * (count - 1)) for share in (0.0, 0.25, 0.5, 0.75, 1.0)})
        ticks = [(self._place(at, 1.0).x(), f"{at + 1:,}") for at in places]
        for x, words in legible(ticks, metrics.horizontalAdvance, px(8)):
            box = QRectF(x - px(40), area.bottom() + px(4), px(80), line)
            write(painter, box, words, roles.muted, Qt.AlignmentFlag.AlignHCenter)
        rest = "" if count == spectrum.directions else f", the {count:,} strongest of {spectrum.directions:,}"
        name = QRectF(area.left(), area.bottom() + px(6) + line, area.width(), line)
        write(painter, name, f"directions, strongest first{rest}", roles.muted, Qt.AlignmentFlag.AlignHCenter)

    def _paint_rounding(self, painter: QPainter, spectrum: ChangeSpectrum) -> None:
        """The line that rounding alone stays under, named where there is room."""
        area, px, roles = self._area(), theme().px, theme().roles
        y = self._place(0, spectrum.rounding).y() if spectrum.rounding > 0 else area.bottom() + 1
        if y > area.bottom():
            return
        painter.setPen(pen(roles.accent, 1.5, (4, 3)))
        painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
        line = QFontMetricsF(painter.font()).height()
        top = y - line - px(2) if y - line - px(2) > area.top() else y + px(2)
        write(painter, QRectF(area.left(), top, area.width(), line), "rounding alone stays below", roles.accent, _RIGHT)
