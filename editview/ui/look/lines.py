"""Words in two lines where one has no room for them."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetrics


def in_two_lines(text: str, measure: QFontMetrics, width: int) -> list[str]:
    """One line or two, broken between words; what doesn't fit even so is elided."""
    words = text.split()
    fits = max(1, sum(measure.horizontalAdvance(" ".join(words[: n + 1])) <= width for n in range(len(words))))
    lines = [" ".join(words[:fits]), " ".join(words[fits:])]
    return [measure.elidedText(line, Qt.TextElideMode.ElideRight, width) for line in lines if line]
