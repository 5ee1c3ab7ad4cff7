"""Icons: line drawings from the resources, coloured by the theme and redrawn sharp at any scale."""

from __future__ import annotations

from functools import cache

from PySide6.QtCore import QByteArray, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QIconEngine, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from editview.domain import places
from editview.ui.look.theme import theme


@cache
def _renderer(name: str, colour: str) -> QSvgRenderer:
    drawing = (places.resources() / "icons" / f"{name}.svg").read_bytes()
    return QSvgRenderer(QByteArray(drawing.replace(b"currentColor", colour.encode())))


def paint_icon(painter: QPainter, rect: QRect, name: str, colour: str) -> None:
    _renderer(name, colour).render(painter, QRectF(rect))


class _Engine(QIconEngine):
    """Asks the theme for its colour each time it paints, so that no icon has to be made again."""

    def __init__(self, name: str, role: str) -> None:
        super().__init__()
        self._name, self._role = name, role

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        role = "faint" if mode is QIcon.Mode.Disabled else self._role
        paint_icon(painter, rect, self._name, getattr(theme().roles, role))

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        pixmap = QPixmap(size)
        pixmap.fill(QColor(Qt.GlobalColor.transparent))
        painter = QPainter(pixmap)
        self.paint(painter, QRect(QPoint(0, 0), size), mode, state)
        painter.end()
        return pixmap

    def clone(self) -> QIconEngine:
        return _Engine(self._name, self._role)


def icon(name: str, role: str = "text") -> QIcon:
    """The icon `resources/icons/<name>.svg` in a colour role of the theme."""
    return QIcon(_Engine(name, role))
