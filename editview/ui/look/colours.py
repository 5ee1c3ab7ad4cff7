"""One colour an operation, in every picture and in every order: it goes by the card, not by the card's place."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from PySide6.QtGui import QColor

from editview.domain.look import give_places
from editview.domain.operations import Operation
from editview.ui.look.theme import theme


@cache
def _places() -> dict[str, int]:
    return {}


def give_colours(operations: Iterable[Operation]) -> None:
    """Each operation of a plan that has no colour takes one: a plan that is opened again, or one with the same steps in
    another order, looks as it did."""
    give_places(_places(), operations)


def operation_colour(operation_id: str) -> QColor:
    """The colour of an operation in the look of the moment."""
    return theme().operation_colour(_places().get(operation_id, 0))
