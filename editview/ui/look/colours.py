"""One colour an operation, in every picture and in every order: it goes by the card, not by the card's place."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from itertools import count

from PySide6.QtGui import QColor

from editview.domain.operations import Edit, Operation
from editview.ui.look.theme import theme


@cache
def _places() -> dict[str, int]:
    return {}


def give_colours(operations: Iterable[Operation]) -> None:
    """Each operation of a plan that has no colour takes the first free one of its kind: a plan that is opened again,
    or one with the same steps in another order, looks as it did."""
    places, plan = _places(), list(operations)
    taken = {places.get(operation.id) for operation in plan}
    for operation in plan:
        if operation.id not in places:
            start = 0 if isinstance(operation, Edit) else 1
            places[operation.id] = next(place for place in count(start, 2) if place not in taken)
            taken.add(places[operation.id])


def operation_colour(operation_id: str) -> QColor:
    """The colour of an operation in the look of the moment."""
    return theme().operation_colour(_places().get(operation_id, 0))
