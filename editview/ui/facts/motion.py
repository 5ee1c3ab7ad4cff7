"""Chips that turn: for a moment a chip that changed passes from its old colours to its new ones."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QVariantAnimation
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QWidget

from editview.ui.facts.grid import Chip, Numbers
from editview.ui.look.theme import theme


class Turning(QVariantAnimation):
    """Redraws a view while chips turn, at once where the system asks for no motion."""

    def __init__(self, viewport: QWidget) -> None:
        super().__init__(viewport)
        self.setStartValue(0.0)
        self.setEndValue(1.0)
        self._was: dict[tuple[int, int], Chip] = {}  # by place on the sheet and stage
        self.valueChanged.connect(lambda _: viewport.update())
        self.finished.connect(self._was.clear)

    def turn(self, before: Numbers, after: Numbers, places: Iterable[int]) -> None:
        """Chips [facts, stages] before and after; `places` on the sheet of the facts in sight."""
        if before.shape != after.shape:
            return
        turned = {
            (place, stage): Chip(before[place, stage])
            for place in places
            for stage in (before[place] != after[place]).nonzero()[0].tolist()
        }
        if turned and (moment := theme().motion()):
            self._was.clear()
            self._was.update(turned)
            self.setDuration(moment)
            self.stop()
            self.start()

    def colour(self, colours: dict[Chip, QColor], place: int, stage: int, chip: Chip) -> QColor:
        """A chip's colour now."""
        was = self._was.get((place, stage))
        return colours[chip] if was is None else _between(colours[was], colours[chip], float(self.currentValue()))


def _between(one: QColor, other: QColor, share: float) -> QColor:
    red, green, blue = (
        a + (b - a) * share
        for a, b in ((one.redF(), other.redF()), (one.greenF(), other.greenF()), (one.blueF(), other.blueF()))
    )
    return QColor.fromRgbF(red, green, blue)
