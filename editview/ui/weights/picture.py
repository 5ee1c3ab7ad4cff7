"""The weights picture: bars a layer for the whole, and under them layer by kind of matrix, the steps side by side."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import product

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QLinearGradient, QPainter
from PySide6.QtWidgets import QSizePolicy, QWidget

from editview.domain.weight_map import Place, Scale, WeightMap, percent, scale, told
from editview.domain.weights import MatrixKind
from editview.ui.look.colours import operation_colour
from editview.ui.look.layer_axis import paint_layers
from editview.ui.look.legend import legend_height, paint_legend
from editview.ui.look.pictures import mixed, pen, write
from editview.ui.look.pointing import PointedPicture
from editview.ui.look.theme import SMALL, theme
from editview.ui.weights.frame import Frame

_Cell = tuple[int, int, int]  # layer, kind (-1: the bars) and step, as places in the map
FAINTEST = 0.16  # how much of an operation's colour the smallest change shows


class WeightsPicture(PointedPicture[_Cell]):
    """Draws a `WeightMap`. Hovering and the arrow keys tell a place in words; a click or Enter chooses it."""

    chosen = Signal(object)  # Place

    def __init__(self, failed: Callable[[str], None], parent: QWidget | None = None) -> None:
        super().__init__("Changes of the weights", failed, parent)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self._map: WeightMap | None = None
        self._bars: Scale | None = None
        self._cells: Scale | None = None
        self.place: Place | None = None  # the chosen one

    def show_map(self, drawn: WeightMap | None) -> None:
        self._map, self.at = drawn, None
        self._bars = scale(drawn.figures(bars=True), round_ends=True) if drawn else None
        self._cells = scale(drawn.figures(bars=False), round_ends=False) if drawn else None
        self.updateGeometry()
        self.update()

    def choose(self, place: Place | None) -> None:
        self.place = place
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(theme().px(368), math.ceil(self._least().band_top(self._bands()) + theme().px(40)))

    def minimumSizeHint(self) -> QSize:
        words = QFontMetricsF(theme().font(SMALL)).horizontalAdvance(self._ramp_words())
        return QSize(max(theme().px(272), math.ceil(self._ramp_end() + words)), self.sizeHint().height())

    # ---- pointing --------------------------------------------------------------------------------------------

    def _place(self, at: _Cell) -> Place:
        assert self._map is not None
        layer, kind, step = at
        return Place(self._map.stages[step], self._map.layers[layer], self._map.kinds[kind] if kind >= 0 else None)

    def spot_at(self, where: QPointF) -> _Cell | None:
        if self._map is None or not self._map.stages:
            return None
        frame, steps = self._frame(), len(self._map.stages)
        layer = frame.column_at(where.x())
        if layer is None:
            return None
        if frame.bars.top() <= where.y() <= frame.bars.bottom():
            inside = (where.x() - frame.column_left(layer)) / frame.column
            return layer, -1, min(int(inside * steps), steps - 1)
        kind = math.floor((where.y() - frame.cells_top) / (frame.row * steps + frame.gap))
        if not 0 <= kind < len(self._map.kinds):
            return None
        step = math.floor((where.y() - frame.band_top(kind)) / frame.row)
        at = (layer, kind, step)
        return at if 0 <= step < steps and self.can_choose(at) else None

    def first_spot(self) -> _Cell | None:
        return (0, -1, 0) if self._map and self._map.stages else None

    def next_spot(self, at: _Cell, across: int, down: int) -> _Cell:
        assert self._map is not None
        (layer, kind, step), steps = at, len(self._map.stages)
        line = min(max((kind + 1) * steps + step + down, 0), (len(self._map.kinds) + 1) * steps - 1)
        return min(max(layer + across, 0), len(self._map.layers) - 1), line // steps - 1, line % steps

    def spot_words(self, at: _Cell) -> str:
        assert self._map is not None
        place = self._place(at)
        if not self.can_choose(at):
            return f"There is no such matrix here: {place.kind}."
        index = "" if place.layer is None else f" (layer index {place.layer})"
        return told(self._map, place) + index

    def spot_place(self, at: _Cell) -> QPointF:
        frame, (layer, kind, step) = self._frame(), at
        y = frame.bars.bottom() if kind < 0 else frame.band_top(kind) + (step + 1) * frame.row
        return QPointF(frame.column_left(layer) + frame.column / 2, y)

    def can_choose(self, at: _Cell) -> bool:
        place = self._place(at)
        assert self._map is not None
        return place.kind is None or (place.layer, place.kind) in self._map.exists

    def choose_spot(self, at: _Cell) -> None:
        self.chosen.emit(self._place(at))

    # ---- painting --------------------------------------------------------------------------------------------

    def _bands(self) -> int:
        return len(self._map.kinds) if self._map else 4

    def _frame(self) -> Frame:
        """In a picture that is higher than it must be, bars and cells are, too."""
        least, spare = self._least(), max(0, self.height() - self.sizeHint().height())
        if self._bars is None:  # nothing to be seen larger yet
            return least
        more = 0.4 * spare
        row = least.row + (spare - more) / max(1, self._bands() * least.steps)
        return replace(least, bars=least.bars.adjusted(0, 0, 0, more), cells_top=least.cells_top + more, row=row)

    def _least(self) -> Frame:
        px, metrics = theme().px, QFontMetricsF(theme().font(SMALL))
        line, steps = metrics.height(), max(1, len(self._map.stages) if self._map else 1)
        kinds = self._map.kinds if self._map else tuple(MatrixKind)[1:5]
        words = [kind.value for kind in kinds] or ["memory: writing"]
        left = max(metrics.horizontalAdvance(word) for word in words) + px(12)
        columns = max(1, len(self._map.layers) if self._map else 6)
        apart = px(12) if self._map and self._map.layers and self._map.layers[-1] is None else 0
        above = legend_height(len(self._map.stages) if self._map else 0)
        if self._bars:  # no room for what isn't known yet
            above += line + px(12)
        bars = QRectF(left, above, self.width() - left - px(4), px(104) if self._bars else 0)
        row = max(px(12), (line + px(4)) / steps)
        column = (bars.width() - apart) / columns
        return Frame(left, column, bars, bars.bottom() + line + px(24), row, px(6), steps, columns, apart)

    def paint(self, painter: QPainter) -> None:
        frame = self._frame()
        self._paint_axes(painter, frame)
        if self._map is None:
            for kind, column in product(range(4), range(6)):
                painter.fillRect(frame.cell(kind, column, 0), QColor(theme().roles.sunken))
            return
        operations = [(self._map.operations[stage], self._map.titles[stage]) for stage in self._map.stages]
        paint_legend(painter, operations, self.width())
        self._paint_bars(painter, frame)
        self._paint_cells(painter, frame)
        self._paint_ramp(painter, frame)

    def _paint_axes(self, painter: QPainter, frame: Frame) -> None:
        px, roles, bars = theme().px, theme().roles, frame.bars
        metrics = QFontMetricsF(painter.font())
        line = metrics.height()
        drawn = self._map
        if self._bars:
            title = f"change relative to the matrices{', log scale' if self._bars.log else ''}"
            write(painter, QRectF(0, bars.top() - line - px(12), self.width(), line), title, roles.muted)
            for value in self._bars.ticks:
                y = bars.bottom() - self._bars.share(value) * bars.height()
                painter.setPen(pen(roles.line))
                painter.drawLine(QPointF(bars.left(), y), QPointF(bars.right(), y))
                box = QRectF(0, y - line / 2, bars.left() - px(8), line)
                write(painter, box, f"{100 * value:,.10g} %", roles.muted, Qt.AlignmentFlag.AlignRight)
        layers = drawn.layers if drawn else ()
        middles = [(frame.column_left(i) + frame.column / 2, layer) for i, layer in enumerate(layers)]
        paint_layers(painter, middles, bars.left(), self.width(), bars.bottom() + px(8))
        for i, kind in enumerate(drawn.kinds if drawn else tuple(MatrixKind)[1:5]):
            box = QRectF(0, frame.band_top(i), bars.left() - px(8), frame.row * frame.steps)
            write(painter, box, kind.value, roles.text, Qt.AlignmentFlag.AlignRight)

    def _colour(self, stage: int) -> QColor:
        assert self._map is not None
        return operation_colour(self._map.operations[stage])

    def _paint_bars(self, painter: QPainter, frame: Frame) -> None:
        assert self._map is not None
        if self._bars is None:
            return
        pad = min(theme().px(4), frame.column * 0.15)
        width = (frame.column - 2 * pad) / len(self._map.stages)
        for i, layer in enumerate(self._map.layers):
            for step, stage in enumerate(self._map.stages):
                place = Place(stage, layer, None)
                figure = self._map.relative(place)
                if not figure:
                    continue
                height = self._bars.share(figure) * frame.bars.height()
                left = frame.column_left(i) + pad + step * width
                bar = QRectF(left, frame.bars.bottom() - height, max(width - 1, 1), height)
                if self._bars.log:
                    bar = self._paint_point(painter, frame.column_left(i) + frame.column / 2, bar, self._colour(stage))
                else:
                    painter.fillRect(bar, self._colour(stage))
                if self._marked(place, (i, -1, step)):
                    self._paint_mark(painter, bar)

    def _paint_point(self, painter: QPainter, x: float, bar: QRectF, colour: QColor) -> QRectF:
        """What a log scale has in place of a bar, which would need a zero; returns its box."""
        radius = theme().px(3)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawEllipse(QPointF(x, bar.top()), radius, radius)
        return QRectF(x - radius, bar.top() - radius, 2 * radius, 2 * radius)

    def _paint_cells(self, painter: QPainter, frame: Frame) -> None:
        assert self._map is not None
        for k, kind in enumerate(self._map.kinds):
            for i, layer in enumerate(self._map.layers):
                if (layer, kind) not in self._map.exists:
                    continue
                for step, stage in enumerate(self._map.stages):
                    place = Place(stage, layer, kind)
                    cell = frame.cell(k, i, step)
                    painter.fillRect(cell, self._shade(stage, self._map.relative(place)))
                    if place in self._map.beside:  # what no shade can show
                        painter.setPen(pen(theme().roles.text))
                        painter.drawLine(cell.bottomLeft(), cell.topRight())
                        painter.drawLine(cell.topLeft(), cell.bottomRight())
                    if self._marked(place, (i, k, step)):
                        self._paint_mark(painter, cell)

    def _shade(self, stage: int, figure: float | None) -> QColor:
        roles = theme().roles
        assert self._map is not None
        if not figure or self._cells is None:
            ground = QColor(roles.sunken)
            if stage not in self._map.known:
                ground.setAlphaF(0.5)
            return ground
        return mixed(roles.raised, self._colour(stage), FAINTEST + (1 - FAINTEST) * self._cells.share(figure))

    def _marked(self, place: Place, at: _Cell) -> bool:
        return place == self.place or at == self.at

    def _paint_mark(self, painter: QPainter, box: QRectF) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(pen(theme().roles.text, 1.5))
        painter.drawRect(box.adjusted(-0.5, -0.5, 0.5, 0.5))

    def _ramp_end(self) -> float:
        """Where the words beside the ramp begin."""
        return theme().px(32) + theme().px(8)

    def _ramp_words(self) -> str:
        """What the depth of a colour stands for; empty: nothing is drawn that has one."""
        if self._cells is None:
            return ""
        low, high = percent(self._cells.low).removesuffix(" %"), percent(self._cells.high)
        log = ", log scale" if self._cells.log else ""
        return f"{'brighter' if theme().roles.dark else 'darker'} is more: {low} to {high}{log}"

    def _paint_ramp(self, painter: QPainter, frame: Frame) -> None:
        assert self._map is not None
        if self._cells is None:
            return
        px, roles = theme().px, theme().roles
        line = QFontMetricsF(painter.font()).height()
        top = frame.band_top(len(self._map.kinds)) + px(12)
        box = QRectF(0, top + line / 2 - px(4), px(32), px(8))
        ramp = QLinearGradient(box.topLeft(), box.topRight())
        ramp.setColorAt(0, mixed(roles.raised, roles.text, FAINTEST))
        ramp.setColorAt(1, QColor(roles.text))
        painter.fillRect(box, ramp)
        words = QRectF(self._ramp_end(), top, self.width() - self._ramp_end(), line)
        write(painter, words, self._ramp_words(), roles.muted)
