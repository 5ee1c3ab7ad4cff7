"""What the model will see of a fine-tune's data: rows token by token, the learnt part marked, and what is left out."""

from __future__ import annotations

import html
from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QHBoxLayout,
    QPlainTextEdit,
    QPushButton,
    QSpinBox,
    QTabWidget,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from editview.domain.events import TrainingPreviewed
from editview.domain.left_out import listed
from editview.domain.operations import FineTune
from editview.domain.requests import PreviewTraining
from editview.domain.training_preview import SeenExample, TrainingPreview, basis, headline
from editview.ui.hub import Hub
from editview.ui.look.labels import Words
from editview.ui.look.theme import BODY, SMALL, theme
from editview.ui.plan.inquiry import Inquiry

QUESTION = "What will the model see of this data?"
HOW = "The data is read and cut into tokens as the fine-tune will do it. No weights are needed for it."
LEGEND = "Underlined and tinted: learnt. Plain: read only. In italics: special tokens. · is a space, ⏎ a line's end."
_SIGNS = str.maketrans({" ": "·", "\n": "⏎", "\t": "⇥", "\r": "␍"})
_GAP = "\u200a"  # between tokens: as narrow as can be, and lines may break there
_LISTED = 2000  # rows that are left out, of which a list shows the first ones
_END_SHOWN = 500  # tokens at either end of a row, of which those between aren't shown


class TrainingDialog(Inquiry):
    """Shows some rows at a time, from any row on. It asks for the settings of an operation that needn't be applied."""

    waits_for_runs = False

    def __init__(self, hub: Hub, operation: FineTune, parent: QWidget | None = None) -> None:
        super().__init__(hub, "What the model will see", QUESTION, HOW, hub.replies.training_seen, parent)
        self._request = PreviewTraining(hub.plan.checkpoint, operation)
        self._preview: TrainingPreview | None = None
        self.text = QTextBrowser(self)
        self.text.setAccessibleName("Rows as the model reads them")
        self.previous = QPushButton("&Previous rows", self)
        self.next = QPushButton("&Next rows", self)
        self.row = QSpinBox(self)
        self.row.setAccessibleName("First row shown")
        self.row.setGroupSeparatorShown(True)
        self.row.setKeyboardTracking(False)
        self.of = Words("", BODY, "muted", parent=self)
        self.left_out = QPlainTextEdit(self)
        self.left_out.setReadOnly(True)
        self.left_out.setAccessibleName("Rows left out")
        self.tabs = QTabWidget(self)
        self.tabs.addTab(self._rows_page(), "Rows")
        self.tabs.addTab(self.left_out, "Left out")
        self.previous.clicked.connect(lambda: self._turn(-1))
        self.next.clicked.connect(lambda: self._turn(1))
        self.row.valueChanged.connect(self._leaf)
        self.lay_out(self.tabs, buttons=())
        theme().follow(self._draw)
        self.begin()

    def _rows_page(self) -> QWidget:
        page = QWidget(self)
        bar = QHBoxLayout()
        for widget in (self.previous, Words("From row", BODY, parent=page), self.row, self.of, self.next):
            bar.addWidget(widget)
        bar.addStretch(1)
        layout = QVBoxLayout(page)
        layout.setContentsMargins(0, theme().px(8), 0, 0)
        layout.addWidget(self.text, 1)
        layout.addWidget(Words(LEGEND, SMALL, "muted", parent=page))
        layout.addLayout(bar)
        return page

    def request(self) -> PreviewTraining:
        return self._request

    def show_nothing(self) -> None:
        self._show(None)

    def show_answer(self, event: TrainingPreviewed) -> None:
        self.headline.say(headline(event.preview))
        self.note.say(basis(event.preview))
        self._show(event.preview)
        if not self.row.hasFocus():
            self.text.setFocus(Qt.FocusReason.OtherFocusReason)

    def _answered(self, event: TrainingPreviewed) -> None:
        if event.asked == self._asked and not event.preview.rows:  # the first rows; the rest is still being read
            self._show(event.preview)
        else:
            super()._answered(event)

    def _turn(self, pages: int) -> None:
        if self._preview is not None:
            self.row.setValue(self.row.value() + pages * self._preview.page)

    def _leaf(self, row: int) -> None:
        """Show the rows from this one on, counted from 1. They are at hand: what is shown stays until they come."""
        if self._preview is not None and row - 1 != self._request.first:
            self._request = self._asked = replace(self._request, first=row - 1)
            self._job = self.hub.send(self._request)

    def _show(self, preview: TrainingPreview | None) -> None:
        before, self._preview = self._preview, preview
        self.tabs.setVisible(preview is not None)
        if preview is None:
            return
        self.row.setRange(1, max(preview.rows, 1))
        self.row.setEnabled(preview.rows > 0)
        self.of.setText(f"of {preview.rows:,}" if preview.rows else "")
        self.previous.setEnabled(preview.first > 0)
        self.next.setEnabled(preview.first + len(preview.shown) < preview.rows)
        if before is None or not before.rows:
            self._list(preview)
        if before is None or (before.first, before.shown) != (preview.first, preview.shown):
            self._draw()

    def _list(self, preview: TrainingPreview) -> None:
        left_out = preview.left_out
        more = f"\n\nAnd {len(left_out) - _LISTED:,} more." if len(left_out) > _LISTED else ""
        text = listed(left_out[:_LISTED]) + more
        self.left_out.setPlainText(text or "Every row of the data is used.")
        self.tabs.setTabText(1, f"Left out ({len(left_out):,})" if preview.rows else "Left out")
        self.tabs.setTabEnabled(1, preview.rows > 0)

    def _draw(self) -> None:
        if self._preview is None:
            return
        rows = enumerate(self._preview.shown, start=self._preview.first + 1)
        self.text.setHtml("".join(_row(number, row, self._preview.max_length) for number, row in rows))


def _row(number: int, examples: tuple[SeenExample, ...], longest: int) -> str:
    roles, px = theme().roles, theme().px
    packed = len(examples) > 1
    parts = []
    for place, example in enumerate(examples, start=1):
        learnt = len(example.tokens) - example.learnt_from
        told = [f"line {example.line:,}", f"learns {learnt:,} of {len(example.tokens):,} tokens"]
        if packed:
            told.insert(0, f"example {place} of {len(examples)}")
        if example.cut:
            told.append(f"✂ cut at {longest:,} tokens")
        name = f"<b>Row {number:,}</b>" if place == 1 else ""
        parts.append(
            f"<p style='margin: {px(16 if place == 1 else 8)}px 0 {px(4)}px 0'>{name}"
            f" <span style='color: {roles.muted}; font-size: {px(SMALL)}px'>{' · '.join(told)}</span></p>"
            f"<p style='margin: 0; line-height: 150%; white-space: pre-wrap'>{_tokens(example)}</p>"
        )
    return "".join(parts)


def _tokens(example: SeenExample) -> str:
    roles = theme().roles
    read = f"color: {roles.muted}; background: {roles.sunken}"
    learnt = f"color: {roles.text}; background: {roles.accent_tint}; text-decoration: underline"
    shown, tokens = [], list(zip(example.tokens, example.special, strict=True))
    for place, (token, special) in enumerate(tokens):
        if _END_SHOWN <= place < len(tokens) - _END_SHOWN:
            if place == _END_SHOWN:
                shown.append(f"<b> … {len(tokens) - 2 * _END_SHOWN:,} more tokens … </b>")
            continue
        style = (learnt if place >= example.learnt_from else read) + ("; font-style: italic" if special else "")
        after = "<br>" if token.endswith("\n") else _GAP
        shown.append(f"<span style='{style}'>{html.escape(token.translate(_SIGNS))}</span>{after}")
    return "".join(shown)
