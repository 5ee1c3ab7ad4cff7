"""Pointing at what a picture shows, one way for all: by mouse or arrow keys, told in words, chosen by click or key."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, TypeVar

from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent

from editview.ui.look.pictures import Picture
from editview.ui.look.theme import theme
from editview.ui.look.word_help import word_help

Spot = TypeVar("Spot")
"""What can be pointed at in a picture: the number of a point, or the row and the column of a cell."""

_FAR = 10**9  # as far as Home and End go
_ARROWS = {
    Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1),
    Qt.Key.Key_Home: (-_FAR, 0), Qt.Key.Key_End: (_FAR, 0),
}  # fmt: skip
_CHOOSE = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space)


def nearest(places: Iterable[float], to: float) -> int | None:
    """Which of some places is nearest; None: there are none."""
    far = [abs(place - to) for place in places]
    return min(range(len(far)), key=far.__getitem__) if far else None


class PointedPicture(Picture, Generic[Spot]):
    """Subclasses say what lies where and paint a mark at `at`, the spot that is pointed at; None: at nothing."""

    at: Spot | None = None

    def spot_at(self, where: QPointF) -> Spot | None:
        """The spot at a place."""
        raise NotImplementedError

    def first_spot(self) -> Spot | None:
        """Where the keys begin; None: there is nothing to point at."""
        raise NotImplementedError

    def next_spot(self, at: Spot, across: int, down: int) -> Spot:
        """The spot so many columns and rows further, no further than the edges."""
        raise NotImplementedError

    def spot_words(self, at: Spot) -> str:
        raise NotImplementedError

    def spot_place(self, at: Spot) -> QPointF:
        """Where its words belong when it was reached by keys."""
        raise NotImplementedError

    def can_choose(self, at: Spot) -> bool:
        return False

    def choose_spot(self, at: Spot) -> None:
        """A click, Enter or Space on a spot that can be chosen."""

    def point_at(self, at: Spot | None, where: QPointF | None = None) -> None:
        """Mark a spot and tell it beside a place, or beside itself."""
        if at != self.at:
            self.at = at
            self.update()
        if at is None:
            self.tell(QPointF(), "")
        else:
            self.tell((where or self.spot_place(at)) + QPointF(0, theme().px(8)), self.spot_words(at))

    # ---- mouse and keys --------------------------------------------------------------------------------------

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        found = self.spot_at(event.position())
        chosen = found is not None and self.can_choose(found)
        self.setCursor(Qt.CursorShape.PointingHandCursor if chosen else Qt.CursorShape.ArrowCursor)
        self.point_at(found, event.position())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        found = self.spot_at(event.position())
        if event.button() is Qt.MouseButton.LeftButton and found is not None and self.can_choose(found):
            self.choose_spot(found)
            self.point_at(found, event.position())

    def leaveEvent(self, event: QEvent) -> None:
        self.at = None
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """A key that leads nowhere is left to what holds the picture."""
        key, at = Qt.Key(event.key()), self.at
        word_help().hide()
        if key in _ARROWS and (begin := self.first_spot()) is not None:
            ends = key in (Qt.Key.Key_Home, Qt.Key.Key_End)
            to = begin if at is None and not ends else self.next_spot(begin if at is None else at, *_ARROWS[key])
            if to != at:
                self.point_at(to)
                return
        elif key in _CHOOSE and at is not None and self.can_choose(at):
            self.choose_spot(at)
            self.point_at(at)
            return
        super().keyPressEvent(event)
