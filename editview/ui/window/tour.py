"""The tour of a first start: a spotlight goes over the real window, a bubble beside it says what is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QSize, Qt, QVariantAnimation
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPainterPath, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from editview.ui.look.labels import Sentence, Words
from editview.ui.look.theme import BODY, LARGE, SMALL, theme

_NIGHT = 150  # of 255: how much of the window around the spotlight is taken away
_WIDTH = 312  # pixels at scale 1, of the bubble
_ON = (Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space)
_BACK = (Qt.Key.Key_Left, Qt.Key.Key_Up, Qt.Key.Key_Backspace)


@dataclass(frozen=True, slots=True)
class Stop:
    """What the light falls on, and what is said of it."""

    widgets: tuple[QWidget, ...]
    title: str
    words: str


class _Bubble(QFrame):
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QColor(theme().roles.accent))
        painter.setBrush(QColor(theme().roles.raised))
        painter.drawRoundedRect(self.rect().adjusted(0, 0, -1, -1), theme().px(6), theme().px(6))


class Tour(QWidget):
    """Lies over a window until it is gone through or skipped. Nothing behind it can be pressed meanwhile."""

    def __init__(self, stops: Sequence[Stop], window: QWidget) -> None:
        super().__init__(window)
        self.stops = tuple(stops)
        self.at = 0
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.light = QRect()
        self._moving = QVariantAnimation(self)
        self._moving.valueChanged.connect(self._lit)
        self.bubble = _Bubble(self)
        self.title, self.words = Words("", LARGE, bold=True), Sentence("", BODY)
        self.count = Words("", SMALL, "muted")
        self.skip, self.back, self.next = QPushButton("Skip"), QPushButton("Back"), QPushButton("Next")
        self.skip.setProperty("role", "quiet")
        self.next.setProperty("role", "primary")
        self.skip.clicked.connect(self.close)
        self.back.clicked.connect(lambda: self.go(self.at - 1))
        self.next.clicked.connect(lambda: self.go(self.at + 1))
        self._lay_out()
        window.installEventFilter(self)
        theme().follow(self._dress)
        self.setGeometry(window.rect())
        self.show()
        self.raise_()
        self.setFocus()
        self.go(0)

    def _lay_out(self) -> None:
        self._buttons = QHBoxLayout()
        self._buttons.addWidget(self.count)
        self._buttons.addStretch(1)
        for button in (self.skip, self.back, self.next):
            self._buttons.addWidget(button)
        self._layout = QVBoxLayout(self.bubble)
        self._layout.addWidget(self.title)
        self._layout.addWidget(self.words)
        self._layout.addLayout(self._buttons)

    def go(self, to: int) -> None:
        """To a stop; past the last the tour ends."""
        if to >= len(self.stops):
            self.close()
            return
        self.at = max(to, 0)
        stop, last = self.stops[self.at], self.at + 1 == len(self.stops)
        self.title.setText(stop.title)
        self.words.say(stop.words)
        self.count.setText(f"{self.at + 1} of {len(self.stops)}")
        self.back.setEnabled(self.at > 0)
        self.skip.setVisible(not last)
        self.next.setText("Done" if last else "Next")
        self.setAccessibleName(f"Tour, {self.count.text()}: {stop.title}")
        self.setAccessibleDescription(stop.words.replace("*", ""))
        self._place()

    # ---- light -----------------------------------------------------------------------------------------------

    def target(self) -> QRect:
        """What the light is to fall on, in the window."""
        around, found = theme().px(4), QRect()
        for widget in self.stops[self.at].widgets:
            found = found.united(QRect(widget.mapTo(self.window(), QPoint()), widget.size()))
        return found.adjusted(-around, -around, around, around).intersected(self.rect())

    def _place(self, moving: bool = True) -> None:
        """Light on the stop, the bubble beside it."""
        target, milliseconds = self.target(), theme().motion()
        self._moving.stop()
        if moving and milliseconds and self.light.isValid():
            self._moving.setStartValue(self.light)
            self._moving.setEndValue(target)
            self._moving.setDuration(milliseconds)
            self._moving.start()
        else:
            self._lit(target)
        self.bubble.setFixedWidth(min(theme().px(_WIDTH), self.width()))
        self._layout.activate()
        self.bubble.setFixedHeight(self._layout.totalHeightForWidth(self.bubble.width()))
        self.bubble.move(beside(target, self.bubble.size(), self.rect(), theme().px(12)))

    def _lit(self, light: QRect) -> None:
        self.light = light
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, radius = QPainter(self), theme().px(6)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        night, light = QPainterPath(), QPainterPath()
        night.addRect(self.rect())
        light.addRoundedRect(self.light, radius, radius)
        painter.fillPath(night - light, QColor(0, 0, 0, _NIGHT))
        painter.setPen(QColor(theme().roles.accent))
        painter.drawPath(light)

    # ---- staying where it belongs ----------------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Resize and isinstance(event, QResizeEvent):
            self.resize(event.size())
        elif event.type() is QEvent.Type.LayoutRequest and self.isVisible():
            self._place(moving=False)
        return False

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.title.text():
            self._place(moving=False)

    def _dress(self) -> None:
        px = theme().px
        self._layout.setContentsMargins(px(16), px(12), px(16), px(12))
        self._layout.setSpacing(px(8))
        self._buttons.setSpacing(px(4))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if key == Qt.Key.Key_Escape:
            self.close()
        elif key in _ON:
            self.go(self.at + 1)
        elif key in _BACK:
            self.go(self.at - 1)

    def focusNextPrevChild(self, next: bool) -> bool:
        """Tab stays with the tour."""
        stops = [self, *(b for b in (self.skip, self.back, self.next) if b.isVisible() and b.isEnabled())]
        now = next_of(stops, self.focusWidget(), 1 if next else -1)
        now.setFocus(Qt.FocusReason.TabFocusReason)
        return True


def next_of(widgets: Sequence[QWidget], now: QWidget | None, by: int) -> QWidget:
    at = widgets.index(now) if now in widgets else 0
    return widgets[(at + by) % len(widgets)]


def beside(target: QRect, size: QSize, room: QRect, gap: int) -> QPoint:
    """Where something of a size goes: right, left, below or above the target where it fits, else inside it, low."""
    middle = target.center() - QPoint(size.width() // 2, size.height() // 2)
    for place in (
        QPoint(target.right() + gap, middle.y()),
        QPoint(target.left() - gap - size.width(), middle.y()),
        QPoint(middle.x(), target.bottom() + gap),
        QPoint(middle.x(), target.top() - gap - size.height()),
    ):
        box = _within(QRect(place, size), room, gap)
        if not box.intersects(target):
            return box.topLeft()
    return _within(QRect(QPoint(middle.x(), target.bottom() - gap - size.height()), size), room, gap).topLeft()


def _within(box: QRect, room: QRect, gap: int) -> QRect:
    left = max(room.left() + gap, min(box.left(), room.right() - gap - box.width()))
    top = max(room.top() + gap, min(box.top(), room.bottom() - gap - box.height()))
    return QRect(QPoint(left, top), box.size())
