"""The changes of the weights as a drawing: bars or points for whole layers, and layers by kinds of matrix below."""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup

from editview.domain.plots import legible
from editview.domain.weight_map import Place, WeightMap, percent, scale, told
from editview.formats.report.drawing import LINE, WIDTH, Drawing, wide

_FAINTEST = 0.16  # how much of an operation's colour the smallest change shows
_BARS = 104.0  # their height
_ROW, _GAP = 14.0, 6.0


class _Picture:
    def __init__(self, drawn: WeightMap, places: Mapping[str, int]) -> None:
        self.map = drawn
        self.looks = {stage: f"op{places[drawn.operations[stage]] % 6}" for stage in drawn.stages}
        self.bars, self.cells = scale(drawn.figures(bars=True), True), scale(drawn.figures(bars=False), False)
        self.left = max([wide(kind.value) for kind in drawn.kinds] + [wide("100 %")]) + 12
        self.apart = 12.0 if drawn.layers[-1] is None else 0.0
        self.column = (WIDTH - self.left - 4 - self.apart) / len(drawn.layers)
        legend = LINE * len(drawn.stages) + 6
        self.top = legend + LINE + 12
        self.bottom = self.top + _BARS
        self.cells_top = self.bottom + LINE + 20
        self.band = _ROW * len(drawn.stages) + _GAP
        self.drawing = Drawing("Changes of the weights", self.cells_top + self.band * len(drawn.kinds) + 2 * LINE)

    def draw(self) -> Markup:
        self._legend()
        self._axes()
        self._wholes()
        self._kinds()
        self._depths()
        return self.drawing.markup

    def _x(self, index: int) -> float:
        return self.left + index * self.column + (self.apart if self.map.layers[index] is None else 0.0)

    def _legend(self) -> None:
        for i, stage in enumerate(self.map.stages):
            y = 9 + LINE * i
            self.drawing.rect(0, y - 5, 16, 10, self.looks[stage])
            self.drawing.text(24, y, self.map.titles[stage], "text")

    def _axes(self) -> None:
        draw = self.drawing
        assert self.bars is not None
        draw.text(0, self.top - LINE - 2, f"change relative to the matrices{', log scale' if self.bars.log else ''}")
        for value in self.bars.ticks:
            y = self.bottom - self.bars.share(value) * _BARS
            draw.line((self.left, y), (WIDTH - 4, y), "grid")
            draw.text(self.left - 8, y, f"{100 * value:,.10g} %", anchor="end")
        layers = self.map.layers
        needed = wide(str(len(layers))) + 6
        pace = next(pace for pace in (1, 2, 5, 10, 20, 50, 100, 1000) if pace * self.column >= needed or pace == 1000)
        ticks = [
            (self._x(i) + self.column / 2, "rest" if layer is None else str(layer + 1))
            for i, layer in enumerate(layers)
            if layer is None or i == 0 or (layer + 1) % pace == 0
        ]
        draw.text(self.left - 8, self.bottom + 14, "layer", anchor="end")
        for x, words in legible(ticks, wide, 4):
            draw.text(x, self.bottom + 14, words, anchor="middle")

    def _wholes(self) -> None:
        assert self.bars is not None
        pad = min(4.0, self.column * 0.15)
        width = (self.column - 2 * pad) / len(self.map.stages)
        for i, layer in enumerate(self.map.layers):
            for step, stage in enumerate(self.map.stages):
                place = Place(stage, layer, None)
                if not (figure := self.map.relative(place)):
                    continue
                height = self.bars.share(figure) * _BARS
                look, sentence = self.looks[stage], told(self.map, place)
                if self.bars.log:  # a bar would need a zero
                    self.drawing.circle((self._x(i) + self.column / 2, self.bottom - height), 3.5, look, sentence)
                else:
                    left = self._x(i) + pad + step * width
                    self.drawing.rect(left, self.bottom - height, max(width - 1, 1), height, look, sentence)

    def _kinds(self) -> None:
        for k, kind in enumerate(self.map.kinds):
            top = self.cells_top + k * self.band
            self.drawing.text(self.left - 8, top + (self.band - _GAP) / 2, kind.value, "text", "end")
            for i, layer in enumerate(self.map.layers):
                if (layer, kind) not in self.map.exists:
                    continue
                for step, stage in enumerate(self.map.stages):
                    place = Place(stage, layer, kind)
                    figure = self.map.relative(place)
                    box = (self._x(i) + 0.5, top + step * _ROW + 0.5, self.column - 1, _ROW - 1)
                    if figure and self.cells:
                        depth = _FAINTEST + (1 - _FAINTEST) * self.cells.share(figure)
                        self.drawing.rect(*box, self.looks[stage], told(self.map, place), depth)
                    else:
                        self.drawing.rect(*box, "sunken", told(self.map, place))
                    if place in self.map.beside:  # what no shade can show
                        (x, y), (right, bottom) = box[:2], (box[0] + box[2], box[1] + box[3])
                        self.drawing.line((x, bottom), (right, y), "cross")
                        self.drawing.line((x, y), (right, bottom), "cross")

    def _depths(self) -> None:
        """What the depth of a colour stands for."""
        if self.cells is None:
            return
        y = self.cells_top + self.band * len(self.map.kinds) + 14
        steps = 8
        for i in range(steps):
            depth = _FAINTEST + (1 - _FAINTEST) * i / (steps - 1)
            self.drawing.rect(5 * i, y - 5, 5, 10, "ink", depth=depth)
        low, high = percent(self.cells.low).removesuffix(" %"), percent(self.cells.high)
        log = ", log scale" if self.cells.log else ""
        self.drawing.text(5 * steps + 8, y, f"stronger is more: {low} to {high}{log}")


def weights_picture(drawn: WeightMap, places: Mapping[str, int]) -> Markup | None:
    """The map of a run; None where nothing is known to have changed. `places` are the operations' colours."""
    return _Picture(drawn, places).draw() if drawn.figures(bars=True) else None
