"""One stage's answer on a quiet card: who says it, the prompt in muted words, the answer, what differs underlined."""

from __future__ import annotations

import html

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from editview.domain.differing import Marked
from editview.ui.look.theme import BODY, SMALL, theme


class AnswerCard(QLabel):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title, self._path, self._prompt, self._words, self._hint = "", "", "", Marked(), ""
        self.setProperty("surface", "background")
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setWordWrap(True)
        self.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        theme().follow(self._dress)

    def show_answer(self, title: str, path: str, prompt: str, words: Marked) -> None:
        """`title` is the stage that answers, `path` what was done to it in which order."""
        self._title, self._path, self._prompt, self._words, self._hint = title, path, prompt, words, ""
        said = " ".join(word for word, _ in words)
        self.setAccessibleName(title)
        self.setAccessibleDescription(f"{prompt} … {said or 'nothing'}")
        self._dress()

    def show_hint(self, hint: str) -> None:
        """What stands there while there is no answer."""
        self._hint = hint
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
            path = f"<br>{muted.format(html.escape(self._path))}" if self._path else ""
            head = f'<p style="font-size:{px(SMALL)}px"><b>{html.escape(self._title)}</b>{path}</p>'
            self.setText(f"{head}<p>{muted.format(html.escape(self._prompt))} {said}</p>")
