"""Presentation: the shown run full screen, one message a screen, live while the run goes on."""

from __future__ import annotations

import time

from PySide6.QtCore import QPoint, QRect, Qt, QTimer
from PySide6.QtGui import QAction, QContextMenuEvent, QKeyEvent, QKeySequence, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QLayout, QMenu, QVBoxLayout, QWidget

from editview.domain.events import OrdersRecalled
from editview.domain.history_words import when
from editview.domain.presentation import WAITING, Screen, Shows, Story, newest, next_place, waiting
from editview.domain.requests import RecallOrders
from editview.domain.session import Run, RunState
from editview.ui.hub import Hub
from editview.ui.look.drawing import Drawing
from editview.ui.look.theme import theme
from editview.ui.presentation.big_type import Type
from editview.ui.presentation.enlarged import Enlarged
from editview.ui.presentation.pictures import Pictures

PACE_MS = 150  # between two drawings
FULL = 1600, 900  # pixels of the screen that the sizes of type are meant for; they follow the real one
MESSAGE, REST, CAPTION, SMALL, PICTURE = 72, 34, 28, 24, 30
LEAST = 0.4  # of those sizes, where a message is long

_WIDE = (Shows.FACTS, Shows.DIFFERENCE)  # drawn under the words, all else beside them
_WORDS, _PICTURE = 4, 5  # shares of the width

_ON = (Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_Space, Qt.Key.Key_PageDown, Qt.Key.Key_Return, Qt.Key.Key_Enter)
_BACK = (Qt.Key.Key_Left, Qt.Key.Key_Up, Qt.Key.Key_PageUp, Qt.Key.Key_Backspace)


class Presentation(QWidget):
    """Belongs to a window, and goes when it is left. `actions` are those whose keys work here too."""

    def __init__(self, hub: Hub, actions: list[QAction], window: QWidget) -> None:
        super().__init__(window, Qt.WindowType.Window)
        self._hub = hub
        self._story: Story | None = None
        self._looked: set[str] = set()  # runs whose other orders were looked for
        self._earlier: dict[str, str] = {}  # when those were run
        self.screens: list[Screen] = []
        self.at = 0
        self._anew = True  # nobody stands anywhere yet
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setProperty("surface", "raised")
        self.setWindowTitle("Presentation – EditView")
        self.setMouseTracking(True)
        self.addActions(actions)
        self.caption, self.message = Type(CAPTION, "muted"), Type(MESSAGE, bold=True)
        self.rest, self.small = Type(REST), Type(SMALL, "muted")
        self.name, self.count = Type(SMALL, "muted"), Type(SMALL, "muted")
        self.picture = Enlarged(self)
        self._pictures = Pictures(self.picture)
        self._lay_out()
        self._soon = QTimer(self, singleShot=True, interval=PACE_MS)
        self._soon.timeout.connect(self.draw)
        hub.run_started.connect(self._begin)
        hub.replies.orders_recalled.connect(self._orders_recalled)
        for signal in (
            hub.run_changed, hub.runs_changed, hub.checks_changed, hub.live_changed, hub.weights_changed,
            hub.plan_changed, hub.sheet_changed,
        ):  # fmt: skip
            signal.connect(self._later)
        theme().follow(self._dress)
        self.draw()

    def _lay_out(self) -> None:
        foot = QHBoxLayout()
        foot.addWidget(self.name, 1)
        foot.addWidget(self.count)
        self._words = words = QVBoxLayout()
        words.addStretch(1)
        for label in (self.caption, self.message, self.rest):
            words.addWidget(label)
        words.addStretch(1)
        self._middle = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        self._middle.addLayout(words, _WORDS)
        self._middle.addWidget(self.picture, _PICTURE)
        self._layout = QVBoxLayout(self)
        self._layout.addLayout(self._middle, 1)
        self._layout.addWidget(self.small)
        self._layout.addLayout(foot)
        self._layout.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)  # the words fit the screen, not it them
        self.name.setWordWrap(False)
        self.count.setWordWrap(False)

    # ---- the story -------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        """Another run is shown: one that goes on is followed, wherever somebody stood in the story before."""
        self._anew = self._hub.run is not None and self._hub.run.state is RunState.RUNNING
        self._later()

    def _later(self, *_: object) -> None:
        if not self._soon.isActive():
            self._soon.start()

    def draw(self) -> None:
        """Tell what is known now."""
        hub, before = self._hub, self.screens
        if hub.run is None:
            self._story = None
            self.screens = [waiting(hub.plan.name, "" if hub.running else hub.obstacle)]
        else:
            if self._story is None or self._story.run is not hub.run:
                self._story = Story(hub.run)
            self._look_for_orders(hub.run)
            runs = hub.session.runs.values()
            self.screens = self._story.screens(runs, self._earlier) or [waiting(hub.run.plan.name)]
        self.at = self._first_place() if self._anew else next_place(before, self.at, self.screens)
        self._anew = self.screens[0].topic == WAITING
        self._show()

    def _look_for_orders(self, run: Run) -> None:
        """Whether another order of the same steps was run at an earlier time; asked once, when a run has ended."""
        if run.state is RunState.FINISHED and run.id not in self._looked:
            self._looked.add(run.id)
            self._hub.send(RecallOrders(run.id))

    def _orders_recalled(self, event: OrdersRecalled) -> None:
        """Heard before the session takes them in, so those that it lacks are of another time."""
        fresh = [one for one in event.runs if one.run.id not in self._hub.session.runs]
        self._earlier |= {one.run.id: when(one.entry.began, time.time()) for one in fresh}

    def _first_place(self) -> int:
        """A run that goes on is followed, one that has ended told from its beginning."""
        running = self._hub.run is not None and self._hub.run.state is RunState.RUNNING
        return newest(self.screens) if running else 0

    def go(self, to: int) -> None:
        self.at = min(max(to, 0), len(self.screens) - 1)
        self._show()

    def _show(self) -> None:
        screen, run = self.screens[self.at], self._hub.run
        for label, words in (
            (self.caption, screen.caption), (self.message, screen.message), (self.rest, screen.rest),
            (self.small, screen.small),
        ):  # fmt: skip
            label.say(words)
        going = " · the run goes on" if run is not None and run.state is RunState.RUNNING else ""
        self.name.say(f"{(run.plan if run else self._hub.plan).name}{going}")
        self.count.say(f"{self.at + 1} of {len(self.screens)}")
        said = ". ".join(part.rstrip(".") for part in (screen.caption, screen.message, screen.rest) if part)
        self.setAccessibleName(said.replace("*", ""))
        survival = self._story.survival if self._story else None
        self.picture.show_picture(self._pictures.of(screen, run, survival))
        self._fit()

    # ---- size ------------------------------------------------------------------------------------------------

    def _fit(self) -> None:
        """Type as large as the screen allows, smaller where a message is long, so that all of it is in sight."""
        across, down = self.width(), self.height()
        scale = min(across / FULL[0], down / FULL[1])
        edge, gap = round(across * 0.06), round(down * 0.02)
        wide, alone = self.screens[self.at].shows in _WIDE, self.picture.isHidden()
        self._layout.setContentsMargins(edge, edge, edge, round(edge * 0.6))
        self._layout.setSpacing(gap)
        self._words.setSpacing(gap)
        self._middle.setDirection(QBoxLayout.Direction.TopToBottom if wide else QBoxLayout.Direction.LeftToRight)
        self._middle.setSpacing(gap if wide else edge)
        self._middle.setStretch(0, 0 if wide else _WORDS)
        for label in (self.small, self.name, self.count):
            label.grow(scale)
        width, words = across - 2 * edge, (self.caption, self.message, self.rest)
        self.small.setFixedHeight(self.small.needs(width))
        foot = round(edge * 0.6) + self.name.needs(width) + self.small.height()
        room = (down - edge - foot - (len(words) + 2) * gap) * (0.45 if wide else 1)
        if not (wide or alone):
            width = (width - edge) * _WORDS // (_WORDS + _PICTURE)
        share = 1.0
        while True:
            for label in words:
                label.grow(scale * share)
            if share <= LEAST or sum(label.needs(width) for label in words) <= room:
                break
            share -= 0.05
        for label in words:
            label.setFixedHeight(label.needs(width))  # a layout within another takes a guess for wrapped words
        self.picture.most = PICTURE * scale
        self.picture.fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _dress(self) -> None:
        if self.screens:
            self._show()

    def present(self, screen: QRect) -> None:
        """Fill the screen with this geometry."""
        self.setGeometry(screen)
        self.showFullScreen()
        self.activateWindow()
        self.setFocus()

    # ---- going through it ------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        self.setCursor(Qt.CursorShape.BlankCursor)  # until the mouse is moved
        if key in _ON:
            self.go(self.at + 1)
        elif key in _BACK:
            self.go(self.at - 1)
        elif key == Qt.Key.Key_Home:
            self.go(0)
        elif key == Qt.Key.Key_End:
            self.go(len(self.screens) - 1)
        elif key in (Qt.Key.Key_Escape, Qt.Key.Key_F5):
            self.close()
        elif event.matches(QKeySequence.StandardKey.Copy):
            self.drawing().copy()
        elif event.matches(QKeySequence.StandardKey.Save):
            self.save()
        else:
            super().keyPressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.unsetCursor()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton:
            self.go(self.at + 1)

    # ---- out of the window -----------------------------------------------------------------------------------

    def drawing(self) -> Drawing:
        """The screen that is shown, words and picture."""
        return Drawing(f"Screen {self.at + 1}", self.size(), lambda paper: self.render(paper, QPoint()))

    def save(self) -> None:
        self.drawing().save(self, self._not_saved)

    def _not_saved(self, sentence: str) -> None:
        self.small.say(sentence)
        self._fit()

    def menu(self) -> QMenu:
        """All that can be done here, with its keys."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Next\t→", lambda: self.go(self.at + 1)).setEnabled(self.at + 1 < len(self.screens))
        menu.addAction("Back\t←", lambda: self.go(self.at - 1)).setEnabled(self.at > 0)
        menu.addActions(self.actions())
        menu.addSeparator()
        menu.addAction("Copy this screen\tCtrl+C", lambda: self.drawing().copy())
        menu.addAction("Save this screen…\tCtrl+S", self.save)
        menu.addSeparator()
        menu.addAction("Leave\tEsc", self.close)
        return menu

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.unsetCursor()
        self.menu().popup(event.globalPos())
