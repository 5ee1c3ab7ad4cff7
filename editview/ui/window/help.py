"""Help that is always at hand: the keys, made from the table of actions, and the words the window uses."""

from __future__ import annotations

import html

from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QTextBrowser, QVBoxLayout, QWidget

from editview.domain.look import NOT_ASKED, RECOVERED, mark_of
from editview.domain.verdicts import Verdict
from editview.ui.look.labels import Sentence
from editview.ui.look.theme import theme
from editview.ui.window.actions import Actions

_HOLDS, _WEAK, _FAILS = (mark_of(verdict) for verdict in Verdict)

WORDS = {
    "Checkpoint": "The model that the plan starts from, as it lies on the disk.",
    "Fact": "A subject, the beginning of a sentence about it, and the answer. A fact to edit also has a new answer.",
    "Neighbours": "Facts on other subjects, close to an edited one. They must stay as they are.",
    "Controls": "Facts that were known before and are never edited: the yardstick for ordinary forgetting.",
    "Paraphrase": "Another wording of the same prompt. An edit that holds gives the new answer in every wording.",
    "Edit": "Writes new answers into the weights of the model.",
    "Fine-tune": "Trains the model further on a file of examples.",
    "Step": "One card of the plan: an edit or a fine-tune. Steps are carried out from top to bottom.",
    "Stage": "The model after a step. The first stage is the checkpoint itself.",
    "Reused": "The same step on the same model was computed before. Its result is taken from the disk.",
    f"{_HOLDS.glyph} {_HOLDS.word}": "The model gives the wanted answer in every wording.",
    f"{_WEAK.glyph} {_WEAK.word}": "It gives the wanted answer to the prompt, and another one to a paraphrase.",
    f"{_FAILS.glyph} {_FAILS.word}": "It gives another answer to the prompt.",
    f"{RECOVERED.glyph} {RECOVERED.word}": "It was lost at an earlier stage and is given again.",
    f"{NOT_ASKED.glyph} {NOT_ASKED.word}": "The fact hasn't been asked at this stage.",
    "Lost": "An edit that stood after it was made and doesn't any more.",
    "Layer": "A language model works in layers, one after the other; each has its own weights.",
}


def show_words(parent: QWidget) -> None:
    _show("The words used here", list(WORDS.items()), parent)


def show_keys(actions: Actions, parent: QWidget) -> None:
    keys = [
        (actions.by_id[row.id].shortcut().toString(QKeySequence.SequenceFormat.NativeText), row.title.rstrip("…"))
        for row in actions.rows
        if row.key
    ]
    _show("Everything can be done from the keyboard", keys, parent)


def _show(title: str, rows: list[tuple[str, str]], parent: QWidget) -> None:
    dialog = QDialog(parent)
    dialog.setWindowTitle(title)
    px, roles = theme().px, theme().roles
    cells = "".join(
        f"<tr><td style='padding: {px(6)}px {px(24)}px {px(6)}px 0'><b>{html.escape(word)}</b></td>"
        f"<td style='padding: {px(6)}px 0; color: {roles.muted}'>{html.escape(meaning)}</td></tr>"
        for word, meaning in rows
    )
    text = QTextBrowser(dialog)
    text.setHtml(f"<table>{cells}</table>")
    text.setAccessibleName(title)
    text.setFrameShape(QTextBrowser.Shape.NoFrame)
    buttons = QDialogButtonBox(dialog)
    buttons.addButton("Close", QDialogButtonBox.ButtonRole.RejectRole)
    buttons.rejected.connect(dialog.reject)
    layout = QVBoxLayout(dialog)
    layout.setContentsMargins(px(24), px(24), px(24), px(16))
    layout.setSpacing(px(16))
    layout.addWidget(Sentence(title, parent=dialog))
    layout.addWidget(text, 1)
    layout.addWidget(buttons)
    dialog.resize(px(600), px(600))
    dialog.exec()
    dialog.deleteLater()
