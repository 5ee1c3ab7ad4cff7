"""The axis of a picture whose columns are layers: their numbers, counted from 1, as many as there is room for."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter

from editview.ui.look.pictures import legible, write
from editview.ui.look.theme import theme

_PACES = (1, 2, 5, 10, 20, 50, 100, 1000)


def paint_layers(
    painter: QPainter, columns: Sequence[tuple[float, int | None]], left: float, right: float, top: float
) -> None:
    """`columns` are their middles and layers, counted from 0 (None: outside the layers); they begin at `left`, and
    nothing is written beyond `right`."""
    px, roles, metrics = theme().px, theme().roles, QFontMetricsF(painter.font())
    write(painter, QRectF(0, top, left - px(8), metrics.height()), "layer", roles.muted, Qt.AlignmentFlag.AlignRight)
    wide = metrics.horizontalAdvance(str(len(columns))) + px(8)
    apart = columns[1][0] - columns[0][0] if len(columns) > 1 else wide
    pace = next((pace for pace in _PACES if pace * apart >= wide), _PACES[-1])
    ends = (0, len(columns) - 1)
    ticks = [
        (middle, "rest" if layer is None else str(layer + 1))
        for at, (middle, layer) in enumerate(columns)
        if layer is None or at in ends or (layer + 1) % pace == 0
    ]
    for middle, words in legible(ticks, metrics.horizontalAdvance, px(6)):
        width = metrics.horizontalAdvance(words) + 1
        box = QRectF(min(middle - width / 2, right - width), top, width, metrics.height())
        write(painter, box, words, roles.muted, Qt.AlignmentFlag.AlignHCenter)
