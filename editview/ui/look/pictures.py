"""Pictures that panels paint: one base that follows the theme and can be copied, or saved as PNG or SVG.

Painted directly rather than by a plotting library: their axes (stages and training steps on one line, layers by kinds
of matrix) are their own, one paint costs a millisecond or two, and the drawing that is saved is the one that is seen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QCursor,
    QFocusEvent,
    QFontMetricsF,
    QImage,
    QPaintDevice,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QMenu, QToolTip, QWidget

from editview.domain.plots import legible as legible
from editview.domain.plots import spread as spread
from editview.ui.look.drawing import Drawing
from editview.ui.look.theme import SMALL, theme
from editview.ui.look.word_help import Shown, as_wide, explain, word_help

_RIGHT, _MIDDLE = Qt.AlignmentFlag.AlignRight, Qt.AlignmentFlag.AlignHCenter


class Picture(QWidget):
    """Subclasses override `paint`. Right click or the menu key copies or saves; `failed` is told in a sentence when a
    file couldn't be written."""

    def __init__(self, name: str, failed: Callable[[str], None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._failed = failed
        self._by_keyboard = False  # reached by the Tab key: show where the focus is
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._open_menu)
        explain(self, lambda _, at: self.written_at(at))
        theme().follow(self._dress)

    def paint(self, painter: QPainter) -> None:
        raise NotImplementedError

    def _dress(self) -> None:
        self.updateGeometry()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme().font(SMALL))
        self.paint(painter)
        if self._by_keyboard:
            painter.setPen(pen(theme().roles.accent))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), theme().px(4), theme().px(4))

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._by_keyboard = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._by_keyboard = False
        self.update()

    def tell(self, at: QPointF, sentence: str) -> None:
        """Say a sentence beside a point, to the eye and to a screen reader."""
        self.setAccessibleDescription(sentence)
        if not word_help().is_about(QCursor.pos()):  # the bubble says it, too
            QToolTip.showText(self.mapToGlobal(at.toPoint()), as_wide(sentence), self)

    def written_at(self, at: QPoint) -> Shown:
        """Painted once more, for the words alone: they are looked for only where a pointer rests."""
        listener = _Listener(QImage(1, 1, QImage.Format.Format_Mono), QPointF(at))
        listener.setWindow(self.rect())
        listener.setViewport(self.rect())
        listener.setFont(theme().font(SMALL))
        self.paint(listener)
        listener.end()
        return listener.heard

    # ---- out of the window -----------------------------------------------------------------------------------

    def image(self) -> QImage:
        """The picture as it is now, at twice its size with a margin, on the panel's ground."""
        return self.drawing().image()

    def svg(self) -> bytes:
        return self.drawing().svg()

    def drawing(self) -> Drawing:
        return Drawing(self.accessibleName(), self._paper().size(), self._paint_on)

    def _paper(self) -> QRect:
        margin = theme().px(16)
        return self.rect().adjusted(-margin, -margin, margin, margin)

    def _paint_on(self, device: QPaintDevice) -> None:
        painter = QPainter(device)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme().font(SMALL))
        painter.translate(-self._paper().topLeft())
        painter.fillRect(self._paper(), QColor(theme().roles.raised))
        self.paint(painter)
        painter.end()

    def menu(self) -> QMenu:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Copy picture", lambda: self.drawing().copy())
        menu.addAction("Save picture…", lambda: self.drawing().save(self, self._failed))
        return menu

    def _open_menu(self, at: QPoint) -> None:
        self.menu().popup(self.mapToGlobal(at))


class _Listener(QPainter):
    """Hears the words that `write` puts at one place: `heard` are they, and the letter there."""

    def __init__(self, paper: QImage, at: QPointF) -> None:
        super().__init__(paper)
        self._paper, self._at = paper, at
        self.heard: Shown = "", None

    def hear(self, rect: QRectF, words: str, align: Qt.AlignmentFlag) -> None:
        measure = QFontMetricsF(self.font())
        spare = rect.width() - measure.horizontalAdvance(words)
        x = self._at.x() - rect.left() - spare * {_RIGHT: 1.0, _MIDDLE: 0.5}.get(align, 0.0)
        if x >= 0 and abs(self._at.y() - rect.center().y()) <= measure.height() / 2:
            ends = (measure.horizontalAdvance(words[: at + 1]) for at in range(len(words)))
            letter = next((at for at, end in enumerate(ends) if x < end), None)
            self.heard = self.heard if letter is None else (words, letter)


# ---- what pictures draw with --------------------------------------------------------------------------------------


def pen(colour: str | QColor, width: float = 1.0, dash: Sequence[float] = ()) -> QPen:
    """A pen in the theme's measure; `dash` in multiples of its width."""
    made = QPen(QColor(colour), width * theme().px(100) / 100)
    made.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    made.setCapStyle(Qt.PenCapStyle.FlatCap)
    if dash:
        made.setDashPattern(list(dash))
    return made


def mixed(ground: str | QColor, colour: str | QColor, strength: float) -> QColor:
    """A colour laid over a ground: 0 is the ground, 1 the colour."""
    one, other = QColor(ground), QColor(colour)
    pairs = (one.redF(), other.redF()), (one.greenF(), other.greenF()), (one.blueF(), other.blueF())
    return QColor.fromRgbF(*(first + (last - first) * strength for first, last in pairs))


def write(
    painter: QPainter, rect: QRectF, words: str, colour: str, align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft
) -> None:
    """One line of words in a rectangle, elided where it doesn't fit."""
    shown = QFontMetricsF(painter.font()).elidedText(words, Qt.TextElideMode.ElideRight, rect.width() + 0.5)
    if isinstance(painter, _Listener):
        painter.hear(rect, shown, align)
    painter.setPen(QColor(colour))
    painter.drawText(rect, align | Qt.AlignmentFlag.AlignVCenter, shown)
