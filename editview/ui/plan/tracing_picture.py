"""The picture of a tracing: two maps, layer by part of the prompt, and the layers that it suggests to edit."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QLinearGradient, QPainter
from PySide6.QtWidgets import QWidget

from editview.domain.tracing import TOKENS, Token, Tracing, layers_said, told
from editview.ui.look.layer_axis import paint_layers
from editview.ui.look.pictures import mixed, pen, write
from editview.ui.look.pointing import PointedPicture
from editview.ui.look.theme import SMALL, theme

ROWS = len(TOKENS)
MEMORY, STATES = 0, 1  # the two maps, from above
_Cell = tuple[int, int, int]  # map, layer, row
STRONGEST = 0.92  # how much of the text's colour the largest effect shows


@dataclass(frozen=True)
class _Frame:
    """Where things lie, for one size of the picture."""

    left: float
    column: float
    row: float
    tops: tuple[float, float]  # of the first row of each map

    def cell(self, which: int, layer: int, row: int) -> QRectF:
        apart = min(2.0, 0.12 * self.column)
        return QRectF(
            self.left + layer * self.column, self.tops[which] + row * self.row, self.column - apart, self.row - 2
        )


class TracingPicture(PointedPicture[_Cell]):
    """Hovering and the arrow keys tell a cell in words. Without a tracing it shows the empty maps."""

    def __init__(self, failed: Callable[[str], None], parent: QWidget | None = None) -> None:
        super().__init__("Where facts are looked up", failed, parent)
        self._tracing: Tracing | None = None
        self._suggested: tuple[int, ...] = ()

    def show_tracing(self, tracing: Tracing | None, suggested: tuple[int, ...] = ()) -> None:
        """`suggested` are the layers to mark, one after the other."""
        self._tracing, self._suggested, self.at = tracing, suggested, None
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(theme().px(672), self.minimumSizeHint().height())

    def minimumSizeHint(self) -> QSize:
        return QSize(theme().px(400), math.ceil(self._beside_the_rows() + 2 * ROWS * self._least_row()))

    # ---- pointing --------------------------------------------------------------------------------------------

    def spot_at(self, where: QPointF) -> _Cell | None:
        frame = self._frame()
        layer = math.floor((where.x() - frame.left) / frame.column)
        for which, top in enumerate(frame.tops):
            row = math.floor((where.y() - top) / frame.row)
            if self._tracing and 0 <= row < ROWS and 0 <= layer < self._tracing.layers:
                return which, layer, row
        return None

    def first_spot(self) -> _Cell | None:
        return (MEMORY, self._tracing.peak or 0, TOKENS.index(Token.LAST_OF_SUBJECT)) if self._tracing else None

    def next_spot(self, at: _Cell, across: int, down: int) -> _Cell:
        assert self._tracing is not None
        which, layer, row = at
        line = min(max(which * ROWS + row + down, 0), 2 * ROWS - 1)
        return line // ROWS, min(max(layer + across, 0), self._tracing.layers - 1), line % ROWS

    def spot_words(self, at: _Cell) -> str:
        assert self._tracing is not None
        which, layer, row = at
        return told(self._tracing, layer, row, memory=which == MEMORY)

    def spot_place(self, at: _Cell) -> QPointF:
        return self._frame().cell(*at).bottomRight()

    # ---- painting --------------------------------------------------------------------------------------------

    def _least_row(self) -> float:
        return max(theme().px(18), QFontMetricsF(theme().font(SMALL)).height() + theme().px(2))

    def _beside_the_rows(self) -> float:
        """The height of two headings, the words under the first map and the axis under the second."""
        return 4 * QFontMetricsF(theme().font(SMALL)).height() + theme().px(8 + 24 + 4)

    def _frame(self) -> _Frame:
        px, metrics = theme().px, QFontMetricsF(theme().font(SMALL))
        line, room = metrics.height(), (self.height() - self._beside_the_rows()) / (2 * ROWS)
        row = min(max(room, self._least_row()), px(32))
        left = max(metrics.horizontalAdvance(token.value) for token in TOKENS) + px(12)
        first = line + px(8)
        second = first + ROWS * row + 2 * line + px(24)
        columns = self._tracing.layers if self._tracing else 12
        return _Frame(left, (self.width() - left - px(2)) / columns, row, (first, second))

    def paint(self, painter: QPainter) -> None:
        frame, tracing = self._frame(), self._tracing
        window = tracing.window if tracing else 1
        together = f", {window} layers together" if window > 1 else ""
        self._paint_map(painter, frame, MEMORY, f"What the memory (MLP) writes{together}")
        self._paint_map(painter, frame, STATES, "The whole state after a layer")
        if tracing is None:
            return
        self._paint_layers(painter, frame, tracing)
        if self._suggested:
            self._paint_suggestion(painter, frame, self._suggested)
        if self.at is not None:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(pen(theme().roles.text, 1.5))
            painter.drawRect(frame.cell(*self.at).adjusted(-0.5, -0.5, 0.5, 0.5))

    def _paint_map(self, painter: QPainter, frame: _Frame, which: int, title: str) -> None:
        roles, px, tracing = theme().roles, theme().px, self._tracing
        top, line = frame.tops[which], QFontMetricsF(painter.font()).height()
        effects = None if tracing is None else tracing.memory if which == MEMORY else tracing.states
        largest = max((effect for row in effects or () for effect in row if effect and effect > 0), default=0.0)
        heading = QRectF(frame.left, top - line - px(6), self.width() - frame.left, line)
        scale = self._paint_scale(painter, heading, largest) if largest else 0.0
        write(painter, heading.adjusted(0, 0, -scale - px(8), 0), title, roles.text)
        for row, token in enumerate(TOKENS):
            label = QRectF(0, top + row * frame.row, frame.left - px(8), frame.row - 2)
            strong = token is Token.LAST_OF_SUBJECT
            write(painter, label, token.value, roles.text if strong else roles.muted, Qt.AlignmentFlag.AlignRight)
            for layer in range(len(effects) if effects else 12):
                effect = effects[layer][row] if effects else 0.0
                painter.fillRect(frame.cell(which, layer, row), _shade(effect, largest))

    def _paint_scale(self, painter: QPainter, heading: QRectF, largest: float) -> float:
        """What the depth of a colour stands for, at the right of the heading; returns its width."""
        roles, px = theme().roles, theme().px
        figure = 100 * largest
        end = f"{figure:.0f}" if figure >= 10 else f"{float(f'{figure:.2g}')}"
        words = f"brings back {end} points"
        width = QFontMetricsF(painter.font()).horizontalAdvance(words)
        text = QRectF(heading.right() - width - 1, heading.top(), width + 1, heading.height())
        ramp = QRectF(text.left() - px(8) - px(48), heading.center().y() - px(4), px(48), px(8))
        colours = QLinearGradient(ramp.topLeft(), ramp.topRight())
        colours.setColorAt(0, _shade(0, 1))
        colours.setColorAt(1, _shade(1, 1))
        painter.fillRect(ramp, colours)
        nothing = QRectF(ramp.left() - px(6) - px(16), heading.top(), px(16), heading.height())
        write(painter, nothing, "0", roles.muted, Qt.AlignmentFlag.AlignRight)
        write(painter, text, words, roles.muted)
        return heading.right() - nothing.left()

    def _paint_layers(self, painter: QPainter, frame: _Frame, tracing: Tracing) -> None:
        """The axis between the maps, which both share."""
        middles = [(frame.cell(0, layer, 0).center().x(), layer) for layer in range(tracing.layers)]
        paint_layers(painter, middles, frame.left, self.width(), frame.tops[STATES] + ROWS * frame.row + theme().px(2))

    def _paint_suggestion(self, painter: QPainter, frame: _Frame, layers: tuple[int, ...]) -> None:
        """A frame around the cells that it rests on, and a bracket under the map that says which layers they are."""
        px, accent = theme().px, theme().roles.accent
        metrics = QFontMetricsF(painter.font())
        row = TOKENS.index(Token.LAST_OF_SUBJECT)
        box = frame.cell(MEMORY, layers[0], row).united(frame.cell(MEMORY, layers[-1], row))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(pen(accent, 2))
        painter.drawRect(box.adjusted(-1.5, -1.5, 1.5, 1.5))
        bottom = frame.tops[MEMORY] + ROWS * frame.row + px(4)
        painter.drawPolyline([
            QPointF(box.left(), bottom - px(4)), QPointF(box.left(), bottom),
            QPointF(box.right(), bottom), QPointF(box.right(), bottom - px(4)),
        ])  # fmt: skip
        words = f"suggested: {layers_said(layers)}"
        width = metrics.horizontalAdvance(words) + 2
        left = min(max(box.center().x() - width / 2, frame.left), self.width() - width)
        write(painter, QRectF(left, bottom + px(2), width, metrics.height()), words, accent)


def _shade(effect: float | None, largest: float) -> QColor:
    """From the ground of an empty cell to the text's colour; nothing at all where there is no such token."""
    roles = theme().roles
    if effect is None:
        return QColor(roles.background)
    share = STRONGEST * max(0.0, effect) / largest if largest else 0.0
    return mixed(roles.sunken, roles.text, share)
