"""Help a hover away: point at a word that has a help page, and a bubble says what it means and opens the page.

Labels of `look.labels` have it by themselves. Everything else that shows words is handed to `explain` once. What a
widget's own tooltip says comes first in the bubble.
"""

from __future__ import annotations

import html
from collections.abc import Callable
from functools import cache

from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QCursor,
    QFontMetrics,
    QGuiApplication,
    QHelpEvent,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QTextDocument,
    QTextOption,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QFrame,
    QHeaderView,
    QLabel,
    QTabBar,
    QToolTip,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from editview.domain.help import Page, page_at
from editview.ui.look.theme import SMALL, theme

LOOK_EVERY = 120  # milliseconds between two looks whether the pointer has gone
WIDTH, REACH = 320, 12  # pixels at scale 1: of the bubble; how far from the word the pointer may stray

Shown = tuple[str, int | None]
"""What is shown at a place, and the letter there where that is known."""

Words = Callable[[QWidget, QPoint], Shown]


class WordHelp(QObject):
    """One for the process. `wanted` names the page that a person wants to read."""

    wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__(QApplication.instance())
        self._bubble: Bubble | None = None

    @property
    def bubble(self) -> Bubble | None:
        """The one that is shown. It goes by itself, or with the window it belongs to."""
        there = self._bubble is not None and isValid(self._bubble) and self._bubble.isVisible()
        return self._bubble if there else None

    @property
    def page(self) -> str:
        """The page on the word that is pointed at; '' while none is."""
        return self.bubble.page.name if self.bubble is not None else ""

    def show(self, page: Page, own: str, window: QWidget, place: QPoint) -> None:
        if self.page != page.name:
            self.hide()
            self._bubble = Bubble(page, own, window)
            self._bubble.more.connect(self.read)
            self._bubble.show_at(place)

    def is_about(self, pointer: QPoint) -> bool:
        """Whether a word is explained there; one that the pointer has left is no longer."""
        if self.bubble is not None:
            self.bubble.leave(pointer)
        return self.bubble is not None

    def hide(self) -> None:
        if self.bubble is not None:
            self.bubble.close()

    def read(self, name: str) -> None:
        self.hide()
        self.wanted.emit(name)


@cache
def word_help() -> WordHelp:
    return WordHelp()


class Explained(QObject):
    """Watches one widget for a pointer that rests on a word, and goes with it."""

    def __init__(self, widget: QWidget, words: Words) -> None:
        super().__init__(widget)
        self._words = words
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if not (isinstance(event, QHelpEvent) and event.type() is QEvent.Type.ToolTip and isinstance(watched, QWidget)):
            return False
        page = page_at(*self._words(watched, event.pos()))
        if page is None:
            return False
        word_help().show(page, _own_words(watched, event.pos()), watched.window(), event.globalPos())
        return True


def _shown_words(widget: QWidget, at: QPoint) -> Shown:
    """What a label, a button, a tab or a table's header shows at a place."""
    if isinstance(widget, QLabel):
        return _letter_of_label(widget, at)
    if isinstance(widget, QTabBar):
        return widget.tabText(widget.tabAt(at)), None
    header = widget.parent()
    if isinstance(header, QHeaderView):
        section = header.logicalIndexAt(at)
        return str(header.model().headerData(section, header.orientation()) or ""), None
    return widget.accessibleName() or str(widget.property("text") or ""), None


def _letter_of_label(label: QLabel, at: QPoint) -> Shown:
    """A label tells only which link is pointed at, so its words are laid out once more to see which letter is."""
    laid, room = QTextDocument(), label.contentsRect()
    laid.setDocumentMargin(0)
    laid.setDefaultFont(label.font())
    laid.setDefaultTextOption(QTextOption(label.alignment() & Qt.AlignmentFlag.AlignHorizontal_Mask))
    if label.textFormat() is Qt.TextFormat.RichText:
        laid.setHtml(label.text())
    else:
        laid.setPlainText(label.text())
    laid.setTextWidth(room.width() if label.wordWrap() else max(room.width(), laid.idealWidth()))
    spare = room.height() - laid.size().height()
    vertical = label.alignment() & Qt.AlignmentFlag.AlignVertical_Mask
    top = spare / 2 if vertical == Qt.AlignmentFlag.AlignVCenter else spare * (vertical == Qt.AlignmentFlag.AlignBottom)
    place = QPointF(at - room.topLeft()) - QPointF(0, top)
    letter = laid.documentLayout().hitTest(place, Qt.HitTestAccuracy.ExactHit)
    return (laid.toPlainText(), letter) if letter >= 0 else ("", None)


def _own_words(widget: QWidget, at: QPoint) -> str:
    """What the widget's own tooltip would have said."""
    view, role = widget.parent(), Qt.ItemDataRole.ToolTipRole
    if isinstance(view, QHeaderView):
        return str(view.model().headerData(view.logicalIndexAt(at), view.orientation(), role) or "")
    if isinstance(view, QAbstractItemView):
        return str(view.indexAt(at).data(role) or "")
    return widget.toolTip() or widget.accessibleDescription()  # which is what a picture told


class Bubble(QFrame):
    """What a word means, beside the pointer. Goes when the pointer leaves the word and the bubble; F1 reads on."""

    more = Signal(str)

    def __init__(self, page: Page, own: str, window: QWidget) -> None:
        super().__init__(window, Qt.WindowType.ToolTip)
        self.page = page
        self._word = QRect()
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        roles, px = theme().roles, theme().px
        self.words = QLabel(self)
        self.words.setFont(theme().font(SMALL))
        self.words.setWordWrap(True)
        own = f"<p>{html.escape(own)}</p>".replace("\n", "<br>") if own else ""
        self.words.setText(
            f"{own}<p><b>{html.escape(page.title)}</b>. {html.escape(page.meaning)} "
            f"<a href='{page.name}' style='color:{roles.accent}'>More…</a></p>"
        )
        self.words.linkActivated.connect(self.more)
        self.words.setFixedWidth(px(WIDTH))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(px(12), px(8), px(12), px(8))
        layout.addWidget(self.words)
        self._look = QTimer(self, interval=LOOK_EVERY)
        self._look.timeout.connect(lambda: self.leave(QCursor.pos()))
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        application.focusWindowChanged.connect(self.close)
        application.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """In any window: dialogs have no actions with keys, and the main window's F1 begins at the first page."""
        if not (isinstance(event, QKeyEvent) and event.type() is QEvent.Type.ShortcutOverride):
            return False
        if event.key() != Qt.Key.Key_F1:
            return False
        event.accept()
        self.more.emit(self.page.name)
        return True

    def show_at(self, place: QPoint) -> None:
        """Below the pointer, or above where the screen ends."""
        reach = theme().px(REACH)
        self._word = QRect(place, QSize(1, 1)).adjusted(-4 * reach, -reach, 4 * reach, reach)
        self.adjustSize()
        screen = (QGuiApplication.screenAt(place) or QGuiApplication.primaryScreen()).availableGeometry()
        below = place.y() + reach + self.height() <= screen.bottom()
        top = place.y() + reach if below else place.y() - reach - self.height()
        QToolTip.hideText()  # what it said is in the bubble
        self.move(max(screen.left(), min(place.x() - 2 * reach, screen.right() - self.width())), top)
        self.show()
        self._look.start()

    def leave(self, pointer: QPoint) -> None:
        """Close unless the pointer is about the word or on the bubble; they touch."""
        if not (self._word.contains(pointer) or self.geometry().contains(pointer)):
            self.close()

    def paintEvent(self, event: QPaintEvent) -> None:
        roles = theme().roles
        painter = QPainter(self)
        painter.setPen(QColor(roles.line))
        painter.setBrush(QColor(roles.raised))
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))


def as_wide(sentence: str) -> str:
    """A sentence for Qt's own tooltips, which would be a single line, no wider than a bubble."""
    if QFontMetrics(theme().font(SMALL)).horizontalAdvance(sentence) <= theme().px(WIDTH):
        return sentence
    return (
        f"<table width='{theme().px(WIDTH)}'><tr><td>{html.escape(sentence).replace(' %', '&nbsp;%')}</td></tr></table>"
    )


def explain(widget: QWidget, words: Words = _shown_words) -> Explained:
    """Give the words that a widget shows their help; `words` finds them where it paints them itself."""
    return Explained(widget, words)
