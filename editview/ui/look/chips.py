"""A thing that the plan rests on, as a chip: its name at a glance, described in a sentence at a click."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtGui import QAction, QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QSizePolicy,
    QStyle,
    QStyleOptionToolButton,
    QStylePainter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from editview.ui.look.icons import icon
from editview.ui.look.labels import Sentence
from editview.ui.look.theme import BODY, theme
from editview.ui.look.word_help import explain


class Chip(QToolButton):
    """`describe` sets what it says short and in full; a click shows the sentence with what can be done."""

    def __init__(self, title: str, icon_name: str, actions: list[QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title, self._actions, self._full = title, actions, ""
        self.setIcon(icon(icon_name, "muted"))
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setProperty("role", "chip")
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.clicked.connect(self.open)
        explain(self)
        theme().follow(self._dress)

    def describe(self, short: str, full: str) -> None:
        self._full = full
        text = self.fontMetrics().elidedText(short, Qt.TextElideMode.ElideMiddle, theme().px(320))
        self.setText(text.replace("&", "&&"))
        self.setToolTip(full)
        self.setAccessibleName(f"{self._title}: {short}")
        self.setAccessibleDescription(full)

    def minimumSizeHint(self) -> QSize:
        return QSize(min(theme().px(88), self.sizeHint().width()), self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """As a button, but with words that end in … where there is less room than they need."""
        option = QStyleOptionToolButton()
        self.initStyleOption(option)
        lacking = self.sizeHint().width() - self.width()
        if lacking > 0:
            room = self.fontMetrics().horizontalAdvance(self.text()) - lacking
            option.text = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, room)
        QStylePainter(self).drawComplexControl(QStyle.ComplexControl.CC_ToolButton, option)

    def open(self) -> None:
        Popover(self._full, [action for action in self._actions if action.isEnabled()], self)

    def _dress(self) -> None:
        self.setFont(theme().font(BODY))
        self.setIconSize(QSize(theme().px(16), theme().px(16)))


class Popover(QFrame):
    """A sentence and some actions under a button; goes when something else is clicked."""

    def __init__(self, sentence: str, actions: list[QAction], button: QWidget) -> None:
        super().__init__(button, Qt.WindowType.Popup)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.choices = [action.text() for action in actions]
        px = theme().px
        words = Sentence(sentence, BODY, parent=self)
        words.setFixedWidth(px(360))
        row = QHBoxLayout()
        for action in actions:
            choice = QToolButton(self)
            choice.setText(action.text())
            choice.setIcon(action.icon())
            choice.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            choice.clicked.connect(self.close)
            choice.clicked.connect(action.trigger, Qt.ConnectionType.QueuedConnection)
            row.addWidget(choice)
        row.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(px(16), px(16), px(16), px(12))
        layout.setSpacing(px(12))
        layout.addWidget(words)
        layout.addLayout(row)
        self.adjustSize()
        self.move(button.mapToGlobal(QPoint(0, button.height() + px(4))))
        self.show()

    def paintEvent(self, event: QPaintEvent) -> None:
        roles = theme().roles
        painter = QPainter(self)
        painter.setPen(QColor(roles.line))
        painter.setBrush(QColor(roles.raised))
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
