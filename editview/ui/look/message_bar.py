"""What went wrong, or is worth knowing, in one sentence over the content; details one click deeper. Never blocks."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QTimer
from PySide6.QtGui import QColor, QGuiApplication, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QHBoxLayout,
    QPlainTextEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from editview.ui.look.icons import icon
from editview.ui.look.labels import Sentence, Words
from editview.ui.look.theme import BODY, LARGE, theme
from editview.ui.problem import Problem

NOTE_STAYS = 9000  # milliseconds; problems stay until they are closed


class Details(QDialog):
    """The sentence and everything that is known, to read and to copy."""

    def __init__(self, problem: Problem, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Details")
        self._problem = problem
        text = QPlainTextEdit(problem.details or "There are no further details.", self)
        text.setReadOnly(True)
        text.setAccessibleName("Details")
        buttons = QDialogButtonBox(self)
        self.copy = QPushButton(icon("copy"), "Copy", self)
        self.copy.clicked.connect(self._copy)
        buttons.addButton(self.copy, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.addButton("Close", QDialogButtonBox.ButtonRole.RejectRole)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        px = theme().px
        layout.setContentsMargins(px(24), px(24), px(24), px(16))
        layout.setSpacing(px(16))
        layout.addWidget(Sentence(problem.sentence, LARGE, parent=self))
        layout.addWidget(text, 1)
        layout.addWidget(buttons)
        self.resize(px(640), px(400))

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(f"{self._problem.sentence}\n\n{self._problem.details}".strip())


class MessageBar(QFrame):
    """Shows the latest problem or note. A note leaves by itself, unless it is `lasting`, and never covers a problem."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.problem: Problem | None = None
        self._glyph = Words("", BODY, bold=True, parent=self)
        self.sentence = Sentence("", BODY, parent=self)
        self.details = QPushButton("Details", self)
        self.details.setProperty("role", "quiet")
        self.details.clicked.connect(self._show_details)
        self.then = QPushButton("Go on", self)
        self.then.setProperty("role", "quiet")
        self.then.clicked.connect(self._go_on)
        self.then.hide()
        self._next: Callable[[], object] | None = None  # what that button does
        self.dismiss = QToolButton(self)
        self.dismiss.setIcon(icon("close"))
        self.dismiss.setAccessibleName("Close this message")
        self.dismiss.setToolTip("Close this message")
        self.dismiss.clicked.connect(self._close)
        self._leave = QTimer(self, singleShot=True, interval=NOTE_STAYS)
        self._leave.timeout.connect(self._close)
        self._layout = QHBoxLayout(self)
        self._layout.addWidget(self._glyph)
        self._layout.addWidget(self.sentence, 1)
        self._layout.addWidget(self.then)
        self._layout.addWidget(self.details)
        self._layout.addWidget(self.dismiss)
        theme().follow(self._dress)
        self.hide()

    def show_problem(self, problem: Problem) -> None:
        self._leave.stop()
        self.problem = problem
        self._glyph.setText("✗")
        self._glyph.set_role("fails")
        self._say(problem.sentence)
        self._offer(None)
        self.details.setVisible(bool(problem.details))

    def withdraw(self, problem: Problem) -> None:
        """Close the message on a problem that isn't one any more."""
        if self.problem is problem:
            self._close()

    def show_note(
        self, sentence: str, lasting: bool = False, then: tuple[str, Callable[[], object]] | None = None
    ) -> None:
        """`then` is what can be done about it: the words of a button, and what it does."""
        if self.problem is None:
            self._glyph.setText("i")
            self._glyph.set_role("accent")
            self._say(sentence)
            self._offer(then)
            self.details.hide()
            if lasting:
                self._leave.stop()
            else:
                self._leave.start()

    def withdraw_note(self, sentence: str) -> None:
        """Close the message if it is this note."""
        if self.problem is None and self.accessibleName() == sentence:
            self._close()

    def _say(self, sentence: str) -> None:
        self.sentence.say(sentence)
        self.setAccessibleName(sentence)
        self.show()
        self.update()

    def _offer(self, then: tuple[str, Callable[[], object]] | None) -> None:
        self._next = then[1] if then else None
        if then:
            self.then.setText(then[0])
        self.then.setVisible(bool(then))

    def _go_on(self) -> None:
        if self._next is not None:
            self._next()
        self._close()

    def _close(self) -> None:
        self.problem = None
        self.hide()

    def _show_details(self) -> None:
        if self.problem is not None:
            details = Details(self.problem, self.window())
            details.exec()
            details.deleteLater()

    def _dress(self) -> None:
        px = theme().px
        self._layout.setContentsMargins(px(16), px(4), px(8), px(4))
        self._layout.setSpacing(px(12))

    def paintEvent(self, event: QPaintEvent) -> None:
        roles = theme().roles
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QColor(roles.fails.mark if self.problem else roles.line))
        painter.setBrush(QColor(roles.fails.tint if self.problem else roles.raised))
        painter.drawRoundedRect(self.rect().adjusted(0, 0, -1, -1), theme().px(8), theme().px(8))
