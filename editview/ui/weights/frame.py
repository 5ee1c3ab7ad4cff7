"""Where things lie in the weights picture, for one size of it."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRectF


@dataclass(frozen=True)
class Frame:
    """One column a layer, bars above, one band a kind below, one row in it a step."""

    left: float
    column: float
    bars: QRectF
    cells_top: float
    row: float
    gap: float
    steps: int
    columns: int
    apart: float  # how far the last column stands from the others: it is outside the layers; 0: it is one of them

    def column_left(self, at: int) -> float:
        return self.left + at * self.column + (self.apart if at == self.columns - 1 else 0)

    def column_at(self, x: float) -> int | None:
        lefts = ((at, self.column_left(at)) for at in range(self.columns))
        return next((at for at, left in lefts if left <= x < left + self.column), None)

    def band_top(self, kind: int) -> float:
        return self.cells_top + kind * (self.row * self.steps + self.gap)

    def cell(self, kind: int, layer: int, step: int) -> QRectF:
        apart = min(self.gap / 3, self.column * 0.12)
        top = self.band_top(kind) + step * self.row
        return QRectF(self.column_left(layer), top, self.column - apart, self.row - 1)
