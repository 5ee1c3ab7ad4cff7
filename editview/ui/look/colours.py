"""One colour an operation, in every picture and in every order: it goes by the card, not by the card's place."""

from __future__ import annotations

from functools import cache

from PySide6.QtGui import QColor

from editview.ui.look.theme import theme


@cache
def _seen() -> dict[str, int]:
    return {}


def operation_colour(operation_id: str) -> QColor:
    """The colour of an operation in the look of the moment. Cards take the theme's colours as they are first seen."""
    seen = _seen()
    return theme().operation_colour(seen.setdefault(operation_id, len(seen)))
