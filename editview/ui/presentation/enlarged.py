"""A picture of the window, drawn as large as its place allows: for eyes at the other end of a room."""

from __future__ import annotations

from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from editview.ui.look.pictures import Picture
from editview.ui.look.theme import SMALL, theme


class Enlarged(QWidget):
    """`show_picture` takes a picture that isn't shown itself, only painted. Its type grows to `most` pixels."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._picture: Picture | None = None
        self.most = float(SMALL)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def show_picture(self, picture: Picture | None) -> None:
        self._picture = picture
        self.setVisible(picture is not None)
        self.fit()

    @property
    def scale(self) -> float:
        """How many times larger than in the window it is drawn."""
        if self._picture is None:
            return 1.0
        least = self._picture.minimumSizeHint()
        room = min(self.width() / max(least.width(), 1), self.height() / max(least.height(), 1))
        return max(0.1, min(room, self.most / theme().px(SMALL)))

    def fit(self) -> None:
        if self._picture is not None:
            scale = self.scale
            self._picture.resize(int(self.width() / scale), int(self.height() / scale))
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._picture is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.scale(self.scale, self.scale)
        painter.setFont(theme().font(SMALL))
        self._picture.paint(painter)
