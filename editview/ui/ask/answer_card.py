"""One stage's answer on a quiet card: the prompt in muted words, then what the model says, what differs emphasised."""

from __future__ import annotations

import html

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from editview.domain.differing import Marked
from editview.ui.look.theme import BODY, theme


class AnswerCard(QLabel):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._prompt, self._words, self._hint = "", Marked(), ""
        self.setProperty("surface", "background")
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setWordWrap(True)
        self.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        theme().follow(self._dress)

    def show_answer(self, prompt: str, words: Marked) -> None:
        self._prompt, self._words, self._hint = prompt, words, ""
        said = " ".join(word for word, _ in words)
        self.setAccessibleDescription(f"{prompt} … {said or 'nothing'}")
        self._dress()

    def show_hint(self, hint: str) -> None:
        """What stands there while there is no answer."""
        self._prompt, self._words, self._hint = "", Marked(), hint
        self.setAccessibleDescription(hint)
        self._dress()

    def _dress(self) -> None:
        roles, px = theme().roles, theme().px
        self.setFont(theme().font(BODY))
        self.setMargin(px(12))
        self.setMinimumHeight(px(96))
        muted = f'<span style="color:{roles.muted}">{{}}</span>'
        if self._hint:
            self.setText(muted.format(html.escape(self._hint)))
        else:
            words = [f"<b><u>{html.escape(w)}</u></b>" if differs else html.escape(w) for w, differs in self._words]
            said = " ".join(words) or muted.format("(nothing)")
            self.setText(f"{muted.format(html.escape(self._prompt))} {said}")
