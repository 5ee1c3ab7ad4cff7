"""A picture of the window, drawn as large as its place allows: for eyes at the other end of a room."""

from __future__ import annotations

from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from editview.ui.look.pictures import Picture
from editview.ui.look.theme import SMALL, theme

_TRIES = 4  # words that wrap make the height that a picture needs follow from its width


class Enlarged(QWidget):
    """`show_picture` takes a picture that isn't shown itself, only painted. Its type grows to `most` pixels."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.picture: Picture | None = None
        self.most = float(SMALL)
        self.scale = 1.0  # how many times larger than in the window it is drawn
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def show_picture(self, picture: Picture | None) -> None:
        self.picture = picture
        self.setVisible(picture is not None)
        self.fit()

    def fit(self) -> None:
        if self.picture is not None:
            self.scale = self.most / theme().px(SMALL)
            for _ in range(_TRIES):
                self.picture.resize(int(self.width() / self.scale), int(self.height() / self.scale))
                least = self.picture.minimumSizeHint()
                room = min(self.width() / max(least.width(), 1), self.height() / max(least.height(), 1))
                if room >= self.scale:
                    break
                self.scale = max(0.1, room)
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.picture is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.scale(self.scale, self.scale)
        painter.setFont(theme().font(SMALL))
        self.picture.paint(painter)
