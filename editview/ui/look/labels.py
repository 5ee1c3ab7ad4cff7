"""Words on the window: labels that follow the theme's sizes and ranks, and sentences with their *emphasis*."""

from __future__ import annotations

import html
import re

from PySide6.QtCore import Qt
from PySide6.QtGui import QEnterEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from editview.ui.look.theme import BODY, LARGE, theme
from editview.ui.look.word_help import Explained, explain


def rich(sentence: str) -> str:
    """A sentence as HTML: `*Title*` becomes emphasised, lines stay lines, a number keeps its unit."""
    together = re.sub(r"(?<=\d) (?=(?:%|s|min|h|[kMGT]?B)\b|%)", "\N{NO-BREAK SPACE}", sentence)
    return re.sub(r"\*([^*]+)\*", r"<b>\1</b>", html.escape(together, quote=False)).replace("\n", "<br>")


class Words(QLabel):
    """Plain words at one of the four sizes. `role` is a rank of the style sheet: 'muted', 'accent', a state."""

    def __init__(
        self, text: str = "", size: int = BODY, role: str = "", bold: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__(text, parent)
        self._size, self._bold = size, bold
        self._help: Explained | None = None
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("role", role)
        theme().follow(self._dress)

    def enterEvent(self, event: QEnterEvent) -> None:
        self._help = self._help or explain(self)  # not before: most labels are never pointed at
        super().enterEvent(event)

    def _dress(self) -> None:
        self.setFont(theme().font(self._size, self._bold))

    def set_role(self, role: str) -> None:
        self.setProperty("role", role)
        self.style().polish(self)


class Sentence(Words):
    """The sentence that leads a panel: wraps, can be selected, shows `*Title*` emphasised."""

    def __init__(self, text: str = "", size: int = LARGE, role: str = "", parent: QWidget | None = None) -> None:
        super().__init__("", size, role, parent=parent)
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setWordWrap(True)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        self.say(text)

    def say(self, sentence: str) -> None:
        self.setText(rich(sentence))
        self.setAccessibleName(sentence.replace("*", ""))
