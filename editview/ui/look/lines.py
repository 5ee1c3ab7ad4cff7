"""Words in a few lines where one has no room for them."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetrics


def in_lines(text: str, measure: QFontMetrics, width: int, most: int = 2) -> list[str]:
    """As few lines as it takes, at most so many, broken between words; what doesn't fit even so is elided."""
    lines, words = [""], text.split()
    for at, word in enumerate(words):
        longer = f"{lines[-1]} {word}".strip()
        if not lines[-1] or measure.horizontalAdvance(longer) <= width:
            lines[-1] = longer
        elif len(lines) < most:
            lines.append(word)
        else:
            lines[-1] = " ".join((lines[-1], *words[at:]))
            break
    # Qt elides by fractions of a pixel: a line that fits to the pixel is left whole, as it was measured.
    return [
        line
        if measure.horizontalAdvance(line) <= width
        else measure.elidedText(line, Qt.TextElideMode.ElideRight, width)
        for line in lines
    ]
