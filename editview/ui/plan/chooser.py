"""Adding a step: each method as a card that says what it does and when it is the right one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from editview.domain.operations import METHODS, Edit, FineTune, Operation, Reverse, UndoEdit, new_id
from editview.ui.look.icons import icon
from editview.ui.look.labels import Sentence, Words
from editview.ui.look.theme import BODY, LARGE, SMALL, theme

_GROUPS = (("Edit facts", Edit, "edit"), ("Fine-tune", FineTune, "tune"), ("Take back", UndoEdit | Reverse, "undo"))


class MethodCard(QPushButton):
    """One method; pressing it chooses it."""

    def __init__(self, method: type[Operation], picture: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.method = method
        self.setProperty("role", "card")
        self.setAutoDefault(True)
        title = method.label[:1].upper() + method.label[1:]
        self.setAccessibleName(title)
        self.setAccessibleDescription(method.about)
        look = theme()
        image = QLabel(self)
        image.setPixmap(icon(picture, "accent").pixmap(QSize(look.px(20), look.px(20))))
        words = QVBoxLayout()
        words.setSpacing(look.px(4))
        about = Words(method.about, SMALL, "muted", parent=self)
        about.setWordWrap(True)
        words.addWidget(Words(title, BODY, bold=True, parent=self))
        words.addWidget(about)
        self._line = line = QHBoxLayout(self)
        line.setContentsMargins(look.px(12), look.px(10), look.px(12), look.px(10))
        line.setSpacing(look.px(12))
        line.addWidget(image, 0, Qt.AlignmentFlag.AlignTop)
        line.addLayout(words, 1)
        for widget in self.findChildren(QLabel):
            widget.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def sizeHint(self) -> QSize:
        """As high as the words need at this width; a button would ask for a line."""
        width = max(self.width(), theme().px(320))
        return QSize(width, self._line.heightForWidth(width))

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        self.setFixedHeight(self.sizeHint().height())


class StepChooser(QDialog):
    """After `exec`, `chosen` is the new operation, or None. `edits`: whether there is an edit to take back."""

    def __init__(self, parent: QWidget | None = None, *, edits: bool = False) -> None:
        super().__init__(parent)
        self.chosen: type[Operation] | None = None
        self.setWindowTitle("Add a step")
        look = theme()
        self.repair = QCheckBox("Repair: write only the facts that fail at that point of the plan", self)
        page = QWidget(self)
        inside = QVBoxLayout(page)
        inside.setContentsMargins(look.px(24), look.px(8), look.px(24), look.px(16))
        inside.setSpacing(look.px(8))
        self.cards: list[MethodCard] = []
        for title, kind, picture in _GROUPS:
            methods = [method for method in METHODS if issubclass(method, kind)]
            heading = Words(title, LARGE, bold=True, parent=page)
            heading.setContentsMargins(0, look.px(8), 0, 0)
            inside.addWidget(heading)
            if kind is Edit:
                inside.addWidget(self.repair)
            for method in methods:
                card = MethodCard(method, picture, page)
                card.clicked.connect(partial(self._choose, method))
                inside.addWidget(card)
                self.cards.append(card)
                if method is UndoEdit and not edits:
                    card.setEnabled(False)
                    card.setToolTip("There is no edit in the plan yet.")
        inside.addStretch(1)
        scroll = QScrollArea(self, widgetResizable=True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(page)
        top = QVBoxLayout()
        top.setContentsMargins(look.px(24), look.px(24), look.px(24), look.px(4))
        top.addWidget(Sentence("What is to be done with the model next?", parent=self))
        buttons = QDialogButtonBox(self)
        buttons.addButton("Cancel", QDialogButtonBox.ButtonRole.RejectRole)
        buttons.rejected.connect(self.reject)
        below = QVBoxLayout()
        below.setContentsMargins(look.px(24), look.px(8), look.px(24), look.px(16))
        below.addWidget(buttons)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(top)
        layout.addWidget(scroll, 1)
        layout.addLayout(below)
        self.resize(look.px(520), look.px(680))
        self.cards[0].setFocus()

    def _choose(self, method: type[Operation]) -> None:
        self.chosen = method
        self.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Up and down go from card to card."""
        by = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()))
        usable = [card for card in self.cards if card.isEnabled()]
        if by is None or not any(card.hasFocus() for card in usable):
            super().keyPressEvent(event)
            return
        at = next(i for i, card in enumerate(usable) if card.hasFocus())
        usable[max(0, min(at + by, len(usable) - 1))].setFocus()


def first_of(method: type[Operation], repair: bool, edits: Sequence[str], start: Edit | None = None) -> Operation:
    """A new step as it is added: a repair where that was asked, taking back the last of the `edits` before it.

    `start` holds the settings that are known for the plan's model.
    """
    if issubclass(method, UndoEdit):
        return UndoEdit(edit=edits[-1] if edits else "")
    if issubclass(method, Edit):
        return (start or method()).model_copy(update={"id": new_id(), "failing": repair})  # type: ignore[return-value]
    return method()
