"""Saying which of two fields of a sheet holds the new answers, with the first record of both in view."""

from __future__ import annotations

from PySide6.QtWidgets import QButtonGroup, QDialog, QDialogButtonBox, QPushButton, QRadioButton, QVBoxLayout, QWidget

from editview.domain.events import FactsPreviewed
from editview.ui.look.labels import Sentence, Words
from editview.ui.look.theme import BODY, LARGE, SMALL, theme

MEANING = {
    "answers": "The right answer: the edit teaches the model what is true. The authors of MEMIT read these sheets so.",
    "alt": "A wrong answer: the edit makes the model say something else than before. EasyEdit reads these sheets so.",
}
"""What it means to take a field for the new answers."""


class NewAnswerDialog(QDialog):
    """After `exec`, `columns` says what was chosen. Nothing is chosen in advance unless it was before."""

    def __init__(self, preview: FactsPreviewed, chosen: str | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("The new answers of the fact sheet")
        px = theme().px
        first = dict(zip(preview.columns, preview.rows[0], strict=True)) if preview.rows else {}
        asked = "; ".join(text for name, text in first.items() if name not in preview.new_answers and text)
        self.choices = {name: QRadioButton(f"“{first.get(name) or 'empty'}”", self) for name in preview.new_answers}
        self._group = QButtonGroup(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(px(24), px(24), px(24), px(16))
        layout.setSpacing(px(8))
        layout.addWidget(
            Sentence("This sheet has two answers to each question. Which is the new one?", LARGE, parent=self)
        )
        layout.addSpacing(px(8))
        layout.addWidget(Words("Its first record", SMALL, "muted", parent=self))
        layout.addWidget(Sentence(asked, BODY, parent=self))
        for name, choice in self.choices.items():
            meaning = MEANING.get(name, "")
            choice.setFont(theme().font(BODY, True))
            choice.setAccessibleDescription(meaning)
            choice.setChecked(name == chosen)
            choice.toggled.connect(self._check)
            self._group.addButton(choice)
            layout.addSpacing(px(8))
            layout.addWidget(choice)
            layout.addWidget(Sentence(f"{meaning} (In the file: {name})", SMALL, "muted", parent=self))
        layout.addStretch(1)
        self.go = QPushButton("Open the sheet", self)
        self.go.setProperty("role", "primary")
        buttons = QDialogButtonBox(self)
        buttons.addButton(self.go, QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.addButton("Cancel", QDialogButtonBox.ButtonRole.RejectRole)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout.addWidget(buttons)
        self.resize(px(560), px(360))
        self._check()

    @property
    def columns(self) -> tuple[tuple[str, str], ...]:
        return tuple(("target_new", name) for name, choice in self.choices.items() if choice.isChecked())

    def _check(self) -> None:
        self.go.setEnabled(bool(self.columns))
