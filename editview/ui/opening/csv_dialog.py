"""Naming the columns of a CSV sheet, with its first rows in view."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from editview.domain.events import FactsPreviewed
from editview.ui.look.labels import Sentence, Words
from editview.ui.look.rows_out import Lines, offer_rows
from editview.ui.look.theme import BODY, LARGE, SMALL, theme

OURS = {
    "subject": ("Subject", "what the fact is about", True),
    "prompt": ("Prompt", "the beginning of a sentence that names the subject", True),
    "target_true": ("True answer", "what the model should say before any edit", True),
    "target_new": ("New answer", "what it should say after the edit; empty for a control", False),
    "paraphrases": ("Paraphrases", "other wordings of the prompt, separated by |", False),
    "neighbours": ("Neighbours", "prompts on other subjects that must stay as they are, separated by |", False),
}
"""Our columns as the fact sheets name them: title, help, whether a sheet can't do without."""

_NONE = "– none –"


class CsvDialog(QDialog):
    """After `exec`, `columns` pairs our names with the file's."""

    def __init__(self, preview: FactsPreviewed, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Columns of the fact sheet")
        px = theme().px
        suggested = dict(preview.suggested)
        self.choices: dict[str, QComboBox] = {}
        grid = QGridLayout()
        grid.setHorizontalSpacing(px(16))
        grid.setVerticalSpacing(px(4))
        for row, (name, (title, help_text, needed)) in enumerate(OURS.items()):
            choice = QComboBox(self)
            choice.addItems(([] if needed and name in suggested else [_NONE]) + list(preview.columns))
            choice.setCurrentText(suggested.get(name, _NONE))
            choice.setMinimumWidth(px(176))
            choice.setAccessibleName(title)
            choice.setAccessibleDescription(help_text)
            choice.currentTextChanged.connect(self._check)
            self.choices[name] = choice
            grid.addWidget(Words(title, BODY, bold=needed, parent=self), row, 0)
            grid.addWidget(choice, row, 1)
            grid.addWidget(Words(help_text, SMALL, "muted", parent=self), row, 2)
        grid.setColumnStretch(2, 1)
        self.table = _table(preview, self)
        self.sentence = Sentence("", LARGE, parent=self)
        rows: Lines = [[*cells] for cells in preview.rows]
        offer_rows(self.table, lambda numbers: [[*preview.columns], *(rows[at] for at in numbers)], self.sentence.say)
        self.go = QPushButton("Open the sheet", self)
        self.go.setProperty("role", "primary")
        buttons = QDialogButtonBox(self)
        buttons.addButton(self.go, QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.addButton("Cancel", QDialogButtonBox.ButtonRole.RejectRole)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(px(24), px(24), px(24), px(16))
        layout.setSpacing(px(16))
        layout.addWidget(self.sentence)
        layout.addLayout(grid)
        layout.addWidget(Words("The first rows of the file", SMALL, "muted", parent=self))
        layout.addWidget(self.table, 1)
        layout.addWidget(buttons)
        self.resize(px(760), px(640))
        self._check()

    @property
    def columns(self) -> tuple[tuple[str, str], ...]:
        chosen = ((name, choice.currentText()) for name, choice in self.choices.items())
        return tuple((name, column) for name, column in chosen if column != _NONE)

    def _check(self) -> None:
        named = dict(self.columns)
        missing = [title.lower() for name, (title, _, needed) in OURS.items() if needed and name not in named]
        if missing:
            self.sentence.say(f"Which column holds the {' and the '.join(missing)}?")
        else:
            self.sentence.say("Is each column what it is taken for?")
        self.go.setEnabled(not missing)


def _table(preview: FactsPreviewed, parent: QWidget) -> QTableWidget:
    table = QTableWidget(len(preview.rows), len(preview.columns), parent)
    table.setAccessibleName("The first rows of the file")
    table.setHorizontalHeaderLabels(list(preview.columns))
    table.verticalHeader().hide()
    table.horizontalHeader().setStretchLastSection(True)
    table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    table.horizontalHeader().setDefaultSectionSize(theme().px(160))
    table.setShowGrid(False)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    for row, cells in enumerate(preview.rows):
        for column, cell in enumerate(cells):
            table.setItem(row, column, QTableWidgetItem(cell))
    return table
