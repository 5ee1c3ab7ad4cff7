"""What the panels at the right share: margins, a scrolling body, and drawing at most ten times a second."""

from __future__ import annotations

from PySide6.QtCore import QElapsedTimer, QSize, Qt, QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from editview.ui.look.labels import Sentence
from editview.ui.look.theme import BODY, theme

PACE_MS = 100


class _Inside(QWidget):
    """Wrapped sentences ask for the height of a narrow guess; the height for the real width is what counts."""

    def minimumSizeHint(self) -> QSize:
        return QSize(super().minimumSizeHint().width(), 0)


class Panel(QWidget):
    """A panel led by `headline`, with `note` in muted words under it; subclasses add to `body` and override `draw`.

    `draw_soon` draws at once when the last time is long enough ago, else as soon as it is; a panel nobody sees waits
    until it is shown.
    """

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setProperty("surface", "raised")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.headline = Sentence()
        self.note = Sentence(size=BODY, role="muted")
        self.body = QVBoxLayout()
        self.body.addWidget(self.headline)
        self.body.addWidget(self.note)
        inside = _Inside()
        inside.setLayout(self.body)
        self._scroll = scrolling(inside)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._scroll)
        self._since = QElapsedTimer()
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._draw_now)
        self._stale = True
        theme().follow(self._dress)

    def draw(self) -> None:
        """Show what the hub knows now."""

    def draw_soon(self, *_: object) -> None:
        self._stale = True
        if self.isVisible() and not self._timer.isActive():
            waited = self._since.elapsed() if self._since.isValid() else PACE_MS
            self._timer.start(max(0, PACE_MS - waited))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._stale:
            self._draw_now()

    def _draw_now(self) -> None:
        if self.isVisible():
            self._stale = False
            self.draw()
            self._since.start()

    def say(self, headline: str, note: str = "") -> None:
        self.headline.say(headline)
        self.note.say(note)
        self.note.setVisible(bool(note))

    def _dress(self) -> None:
        px = theme().px
        self.body.setContentsMargins(px(16), px(16), px(16), px(16))
        self.body.setSpacing(px(8))


def scrolling(inside: QWidget) -> QScrollArea:
    """A view that scrolls up and down alone; the ground behind it shines through."""
    area = QScrollArea()
    area.setWidget(inside)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    inside.setAutoFillBackground(False)
    area.viewport().setAutoFillBackground(False)
    return area
