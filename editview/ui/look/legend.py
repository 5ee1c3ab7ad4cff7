"""Which colour is which operation: a swatch and its title, painted into the picture so that it is saved too."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF
from PySide6.QtGui import QFontMetricsF, QPainter

from editview.ui.look.colours import operation_colour
from editview.ui.look.pictures import write
from editview.ui.look.theme import SMALL, theme


def legend_height(count: int) -> float:
    return count * _line() + theme().px(8) if count else 0.0


def paint_legend(painter: QPainter, operations: Sequence[tuple[str, str]], width: float) -> None:
    """Ids and titles, in order, from the top left corner."""
    px, line = theme().px, _line()
    for row, (operation_id, title) in enumerate(operations):
        top = row * line
        painter.fillRect(QRectF(0, top + (line - px(10)) / 2, px(10), px(10)), operation_colour(operation_id))
        write(painter, QRectF(px(18), top, width - px(18), line), title, theme().roles.text)


def _line() -> float:
    return QFontMetricsF(theme().font(SMALL)).height() + theme().px(4)
