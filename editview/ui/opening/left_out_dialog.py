"""The records of a sheet that aren't used, by reason, and what can be chosen of them."""

from __future__ import annotations

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from editview.domain.left_out import Keep, LeftOut, Why, as_rows, listed
from editview.domain.sentences import left_out_words
from editview.ui.look.icons import icon
from editview.ui.look.labels import Sentence, Words
from editview.ui.look.rows_out import Lines, save_rows
from editview.ui.look.theme import BODY, LARGE, theme

KEEPS = {Keep.NONE: "leave all out", Keep.FIRST: "keep the first", Keep.LAST: "keep the last"}


class LeftOutDialog(QDialog):
    """Accepted when the sheet is to be read anew as `keep` says."""

    def __init__(self, left_out: tuple[LeftOut, ...], keep: Keep, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Records left out")
        self._left_out, self._keep_now = left_out, keep
        self.headline = Sentence(f"{left_out_words(left_out)}; the rest is used.", LARGE, parent=self)
        self.note = Sentence("", BODY, parent=self)  # why rows weren't saved
        self.note.hide()
        self.reasons = QComboBox(self)
        self.reasons.setAccessibleName("Reason")
        self.reasons.addItem(f"All reasons ({len(left_out):,})", None)
        for why in Why:
            if count := sum(one.why is why for one in left_out):
                self.reasons.addItem(f"{why} ({count:,})", why)
        self.text = QPlainTextEdit(self)
        self.text.setReadOnly(True)
        self.text.setAccessibleName("Records left out")
        self.reasons.currentIndexChanged.connect(self._list)
        self.choice = QComboBox(self)
        self.choice.setAccessibleName(str(Why.CONTRADICTS))
        for one, words in KEEPS.items():
            self.choice.addItem(words, one)
        self.choice.setCurrentIndex(list(KEEPS).index(keep))
        self.choice.currentIndexChanged.connect(self._check)
        self.again = QPushButton("Read the sheet so", self)
        self.again.setProperty("role", "primary")
        copy = QPushButton(icon("copy"), "Copy", self)
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.text.toPlainText()))
        save = QPushButton("Save…", self)
        save.clicked.connect(lambda: save_rows(self.text, self._lines(), self._not_saved))
        buttons = QDialogButtonBox(self)
        buttons.addButton(self.again, QDialogButtonBox.ButtonRole.AcceptRole)
        for button in (copy, save):
            buttons.addButton(button, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.addButton("Close", QDialogButtonBox.ButtonRole.RejectRole)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        choosing = QWidget(self)
        row = QHBoxLayout(choosing)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(Words("Of edits that contradict each other", BODY, parent=choosing))
        row.addWidget(self.choice)
        row.addStretch(1)
        contradictory = any(one.why is Why.CONTRADICTS for one in left_out)
        choosing.setVisible(contradictory)
        self.again.setVisible(contradictory)
        layout = QVBoxLayout(self)
        px = theme().px
        layout.setContentsMargins(px(24), px(24), px(24), px(16))
        layout.setSpacing(px(16))
        layout.addWidget(self.headline)
        layout.addWidget(self.note)
        layout.addWidget(self.reasons)
        layout.addWidget(self.text, 1)
        layout.addWidget(choosing)
        layout.addWidget(buttons)
        self.resize(px(720), px(480))
        self._list()
        self._check()

    @property
    def keep(self) -> Keep:
        return Keep(self.choice.currentData())

    def _list(self) -> None:
        self.text.setPlainText(listed(self._left_out, self.reasons.currentData()))

    def _lines(self) -> Lines:
        return [list(line) for line in as_rows(self._left_out, self.reasons.currentData())]

    def _not_saved(self, sentence: str) -> None:
        self.note.say(sentence)
        self.note.show()

    def _check(self) -> None:
        self.again.setEnabled(self.keep is not self._keep_now)
