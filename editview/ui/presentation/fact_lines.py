"""A few facts, a line each: what the model is asked, what it says, what was wanted, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter
from PySide6.QtWidgets import QWidget

from editview.domain.presentation import MOST_LINES, Line
from editview.ui.look.pictures import Picture, write
from editview.ui.look.theme import BODY, SMALL, state_of, theme

_GLYPH, _SAYS = 28, 0.58  # pixels at scale 1; where what the model says begins, of the width


class FactLines(Picture):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Some facts", lambda sentence: None, parent)
        self._lines: tuple[Line, ...] = ()

    def show_lines(self, lines: Sequence[Line]) -> None:
        self._lines = tuple(lines)
        self.update()

    def minimumSizeHint(self) -> QSize:
        return QSize(theme().px(560), round(self._row() * MOST_LINES))

    def _row(self) -> float:
        body, small = (QFontMetricsF(theme().font(size)).height() for size in (BODY, SMALL))
        return body + small + theme().px(8)

    def _says(self, width: float) -> float:
        """Where what the model says begins: further right where questions need it and answers don't."""
        usual, (body, small) = width * _SAYS, (QFontMetricsF(theme().font(size)) for size in (BODY, SMALL))
        if not self._lines:
            return usual
        asked = max(body.horizontalAdvance(f"{line.prompt} …") for line in self._lines) + theme().px(24)
        said = max(
            max(body.horizontalAdvance(line.said), small.horizontalAdvance(f"wanted: {line.wanted}"))
            for line in self._lines
        )
        return max(usual, min(asked, width - said - theme().px(_GLYPH + 8)))

    def paint(self, painter: QPainter) -> None:
        px, roles, width = theme().px, theme().roles, float(self.width())
        tall, low = (QFontMetricsF(theme().font(size)).height() for size in (BODY, SMALL))
        says = self._says(width)
        for place, line in enumerate(self._lines):
            top = place * self._row()
            state = state_of(line.mark)
            painter.fillRect(QRectF(0, top - px(4), width, 1), QColor(roles.line))
            painter.setFont(theme().font(BODY))
            box = QRectF(0, top, says - px(16), tall)
            write(painter, box, f"{line.prompt} …", roles.text)
            glyph = QRectF(says, top, px(_GLYPH), tall)
            write(painter, glyph, line.mark.glyph, state.ink, Qt.AlignmentFlag.AlignLeft)
            said = QRectF(says + px(_GLYPH), top, width - says - px(_GLYPH), tall)
            write(painter, said, line.said or "nothing", state.ink)
            painter.setFont(theme().font(SMALL))
            write(painter, QRectF(0, top + tall, says - px(16), low), line.lost, roles.muted)
            wanted = QRectF(said.left(), top + tall, said.width(), low)
            write(painter, wanted, f"wanted: {line.wanted}", roles.muted)
