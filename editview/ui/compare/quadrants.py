"""What two orders keep, as a two by two: both, only the first, only the second, neither."""

from __future__ import annotations

import math
from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QResizeEvent
from PySide6.QtWidgets import QWidget

from editview.domain.look import State
from editview.domain.orders import Kept, tiles
from editview.domain.survival import NAMES
from editview.ui.look.pictures import pen, write
from editview.ui.look.pointing import PointedPicture
from editview.ui.look.theme import HEADLINE, SMALL, theme


class Quadrants(PointedPicture[int]):
    """Draws a `Kept` under the names of both orders. The tiles' bars are shares of all facts counted."""

    def __init__(self, failed: Callable[[str], None], parent: QWidget | None = None) -> None:
        super().__init__("Kept by both orders", failed, parent)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._kept: Kept | None = None
        self._names = ("", "")

    def show_kept(self, kept: Kept | None, names: tuple[str, str]) -> None:
        self._kept, self._names, self.at = kept, names, None
        self.updateGeometry()
        self.setAccessibleDescription(" ".join(self.spot_words(tile) for tile in range(4)))
        self.update()

    def sizeHint(self) -> QSize:
        tall, line = (QFontMetricsF(theme().font(size)).height() for size in (HEADLINE, SMALL))
        tile = tall + line + theme().px(28)
        return QSize(theme().px(368), math.ceil(self._top() + 2 * tile + theme().px(8)))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme().px(280), self.sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.updateGeometry()

    def _lines(self) -> list[str]:
        """What each order is called and keeps in all."""
        kept = self._kept
        if kept is None:
            return []
        ends = zip(self._names, (kept.first, kept.second), strict=True)
        return [f"{name}: {stand:,} of {kept.count:,} {NAMES[kept.group]} kept" for name, stand in ends]

    def _line_boxes(self) -> list[QRectF]:
        """Where those lines stand, wrapped to the width."""
        metrics, boxes, top = QFontMetricsF(theme().font(SMALL)), list[QRectF](), 0.0
        left = metrics.horizontalAdvance("second  ")
        for words in self._lines():
            room = QRectF(0, 0, self.width() - left, 1000)
            height = metrics.boundingRect(room, Qt.TextFlag.TextWordWrap, words).height()
            boxes.append(QRectF(left, top, room.width(), height))
            top += height + theme().px(2)
        return boxes

    def _top(self) -> float:
        return max((box.bottom() for box in self._line_boxes()), default=0.0) + theme().px(8)

    def _tiles(self) -> list[tuple[str, int, str, State]]:
        """Glyphs, count, words and colours of the four tiles, row by row."""
        if self._kept is None:
            return []
        return [(*words, getattr(theme().roles, role)) for *words, role in tiles(self._kept)]

    def _boxes(self) -> list[QRectF]:
        gap, top = theme().px(8), self._top()
        width, height = (self.width() - gap) / 2, (self.height() - top - gap) / 2
        return [QRectF(x * (width + gap), top + y * (height + gap), width, height) for y in (0, 1) for x in (0, 1)]

    # ---- pointing --------------------------------------------------------------------------------------------

    def spot_at(self, where: QPointF) -> int | None:
        inside = [at for at, box in enumerate(self._boxes()) if box.contains(where)]
        return inside[0] if inside and self._kept else None

    def first_spot(self) -> int | None:
        return 0 if self._kept else None

    def next_spot(self, at: int, across: int, down: int) -> int:
        row, column = divmod(at, 2)
        return 2 * min(max(row + down, 0), 1) + min(max(column + across, 0), 1)

    def spot_place(self, at: int) -> QPointF:
        return self._boxes()[at].center()

    def spot_words(self, at: int) -> str:
        if self._kept is None:
            return ""
        count, noun = self._tiles()[at][1], NAMES[self._kept.group]
        first, second = self._names
        how = (
            f"stand at the end of both {first} and {second}",
            f"stand at the end of {first}, but not of {second}",
            f"stand at the end of {second}, but not of {first}",
            f"stand at the end of neither {first} nor {second}",
        )[at]
        return f"{count:,} of {self._kept.count:,} {noun} {how}."

    # ---- painting --------------------------------------------------------------------------------------------

    def paint(self, painter: QPainter) -> None:
        px, roles = theme().px, theme().roles
        big, small = theme().font(HEADLINE), theme().font(SMALL)
        tall, line = QFontMetricsF(big).height(), QFontMetricsF(small).height()
        for which, words, box in zip(("first", "second"), self._lines(), self._line_boxes(), strict=False):
            write(painter, QRectF(0, box.top(), box.left(), line), which, roles.muted)
            painter.setPen(QColor(roles.text))
            painter.drawText(box, Qt.TextFlag.TextWordWrap, words)
        for (glyphs, count, words, state), box in zip(self._tiles(), self._boxes(), strict=False):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(state.tint))
            painter.drawRoundedRect(box, px(6), px(6))
            inner = box.adjusted(px(12), px(4), -px(12), -px(10))
            painter.setFont(big)
            write(painter, QRectF(inner.left(), inner.top(), inner.width(), tall), f"{count:,}", roles.text)
            painter.setFont(small)
            glyph_box = QRectF(inner.left(), inner.top(), inner.width(), tall)
            write(painter, glyph_box, glyphs, state.ink, Qt.AlignmentFlag.AlignRight)
            write(painter, QRectF(inner.left(), inner.top() + tall, inner.width(), line), words, state.ink)
            track = QRectF(inner.left(), inner.bottom() - px(4), inner.width(), px(4))
            painter.fillRect(track, QColor(roles.raised))
            if self._kept is not None:
                track.setWidth(track.width() * count / self._kept.count)
                painter.fillRect(track, QColor(state.mark))
        if self.at is not None:
            painter.setPen(pen(roles.text, 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(self._boxes()[self.at], px(6), px(6))
