"""The picture that goes with a screen: those of the panels, and two that only a room gets to see."""

from __future__ import annotations

from functools import cached_property
from typing import TypeVar

from PySide6.QtWidgets import QWidget

from editview.domain.presentation import Screen, Shows
from editview.domain.session import Run
from editview.domain.survival import Survival
from editview.domain.weight_map import weight_map
from editview.ui.compare.quadrants import Quadrants
from editview.ui.look.pictures import Picture
from editview.ui.presentation.difference import Difference
from editview.ui.presentation.fact_lines import FactLines
from editview.ui.survival.picture import SurvivalPicture
from editview.ui.weights.picture import WeightsPicture

_P = TypeVar("_P", bound=Picture)


class Pictures:
    """Made once they are needed, and kept hidden in `place`, which paints them."""

    def __init__(self, place: QWidget) -> None:
        self._place = place

    def of(self, screen: Screen, run: Run | None, survival: Survival | None) -> Picture | None:
        match screen.shows:
            case Shows.SURVIVAL if run is not None:
                self._survival.show_survival(run.plan, run.sheet, survival)
                return self._survival
            case Shows.WEIGHTS if run is not None:
                self._weights.show_map(weight_map(run))
                return self._weights
            case Shows.ORDERS:
                self._quadrants.show_kept(screen.kept[0], screen.names)
                return self._quadrants
            case Shows.DIFFERENCE:
                self._difference.show_difference(screen.kept, screen.names)
                return self._difference
            case Shows.FACTS:
                self._lines.show_lines(screen.lines)
                return self._lines
            case _:
                return None

    def _hidden(self, picture: _P) -> _P:
        picture.setParent(self._place)
        picture.hide()
        return picture

    @cached_property
    def _survival(self) -> SurvivalPicture:
        return self._hidden(SurvivalPicture(lambda sentence: None))

    @cached_property
    def _weights(self) -> WeightsPicture:
        return self._hidden(WeightsPicture(lambda sentence: None))

    @cached_property
    def _quadrants(self) -> Quadrants:
        return self._hidden(Quadrants(lambda sentence: None))

    @cached_property
    def _difference(self) -> Difference:
        return self._hidden(Difference())

    @cached_property
    def _lines(self) -> FactLines:
        return self._hidden(FactLines())
