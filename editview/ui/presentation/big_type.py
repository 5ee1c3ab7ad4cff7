"""Words as large as a room needs them."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from editview.ui.look.labels import rich
from editview.ui.look.theme import theme


class Type(QLabel):
    """Words whose size the presentation sets."""

    def __init__(self, size: int, role: str = "", bold: bool = False) -> None:
        super().__init__()
        self._size, self._bold = size, bold
        self.setProperty("role", role)
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setWordWrap(True)

    def say(self, sentence: str) -> None:
        self.setText(rich(sentence))
        self.setVisible(bool(sentence))

    def grow(self, scale: float) -> None:
        font = theme().font(bold=self._bold)
        font.setPixelSize(max(9, round(self._size * scale)))
        self.setFont(font)

    def needs(self, width: int) -> int:
        self.setMinimumHeight(0)  # else it needs what it was given the last time
        return self.heightForWidth(width) if self.text() else 0
