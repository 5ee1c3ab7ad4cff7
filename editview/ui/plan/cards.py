"""Draws a card of the plan like a recipe: icon, verb and object, method in muted type, state at the right, grip."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QAbstractItemView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from editview.domain.look import State
from editview.ui.look.colours import operation_colour
from editview.ui.look.icons import paint_icon
from editview.ui.look.lines import in_lines
from editview.ui.look.theme import BODY, SMALL, theme
from editview.ui.plan.card_states import CardState
from editview.ui.plan.model import ICON, METHOD, OPERATION, STATE

Index = QModelIndex | QPersistentModelIndex


class CardDelegate(QStyledItemDelegate):
    """`slides` moves rows from where they were while they slide into their new place: row -> pixels."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.slides: dict[int, float] = {}

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """As high as the title asks for that stands in one line or two."""
        look = theme()
        title, small = QFontMetrics(look.font(BODY, bold=True)), QFontMetrics(look.font(SMALL))
        view = option.widget
        width = view.viewport().width() if isinstance(view, QAbstractItemView) else look.px(160)
        lines = in_lines(str(index.data()), title, _words(_card(QRect(0, 0, width, 0))).width())
        return QSize(look.px(160), len(lines) * title.height() + small.height() + look.px(4 + 12 + 12 + 8))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        look, roles = theme(), theme().roles
        operation = index.data(OPERATION)
        faint = operation is not None and not operation.enabled
        state: CardState = index.data(STATE)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.translate(0, self.slides.get(index.row(), 0.0))
        card = _card(option.rect)
        self._ground(painter, card, option, fixed=operation is None)

        inner, words = _inner(card), _words(card)
        box = QRect(inner.left(), 0, look.px(_ICON), look.px(_ICON))
        box.moveTop(card.center().y() - box.height() // 2)
        self._picture(painter, box, index)

        if operation is not None:
            grip = look.px(_GRIP)
            self._grip(painter, QRect(inner.right() - grip, inner.top(), grip, inner.height()))
        title_font, small_font = look.font(BODY, bold=True), look.font(SMALL)
        title, small = QFontMetrics(title_font), QFontMetrics(small_font)

        painter.setFont(title_font)
        painter.setPen(QColor(roles.muted if faint else roles.text))
        lines = in_lines(str(index.data()), title, words.width())
        first = QRect(words.left(), words.top(), words.width(), len(lines) * title.height())
        painter.drawText(first, Qt.AlignmentFlag.AlignVCenter, "\n".join(lines))

        second = QRect(words.left(), first.bottom() + look.px(4), words.width(), small.height())
        painter.setFont(small_font)
        painter.setPen(QColor(_colour(state.role)))
        said = small.elidedText(state.words, _ELIDE, second.width())
        painter.drawText(second, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, said)
        second.setRight(second.right() - small.horizontalAdvance(said) - look.px(8))
        painter.setPen(QColor(roles.muted))
        painter.drawText(
            second, Qt.AlignmentFlag.AlignVCenter, small.elidedText(str(index.data(METHOD)), _ELIDE, second.width())
        )
        if state.share is not None:
            self._progress(painter, card, state.share)
        painter.restore()

    def _ground(self, painter: QPainter, card: QRect, option: QStyleOptionViewItem, *, fixed: bool) -> None:
        look, roles = theme(), theme().roles
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        focused = bool(option.state & QStyle.StateFlag.State_HasFocus)
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        edge = roles.accent if selected else roles.faint if hovered and not fixed else roles.line
        painter.setPen(QPen(QColor(edge), 2 if selected and focused else 1))
        painter.setBrush(QColor(roles.background if fixed else roles.raised))
        painter.drawRoundedRect(QRectF(card).adjusted(0.5, 0.5, -0.5, -0.5), look.px(8), look.px(8))

    def _picture(self, painter: QPainter, box: QRect, index: Index) -> None:
        """The icon on a ground in the operation's own colour, the one it has in every plot."""
        look, roles = theme(), theme().roles
        operation = index.data(OPERATION)
        coloured = operation is not None and operation.enabled
        colour = operation_colour(operation.id) if coloured else QColor(roles.muted)
        ground = QColor(colour)
        ground.setAlpha(36)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawRoundedRect(QRectF(box), look.px(6), look.px(6))
        margin = look.px(6)
        paint_icon(painter, box.adjusted(margin, margin, -margin, -margin), index.data(ICON), colour.name())

    def _grip(self, painter: QPainter, rect: QRect) -> None:
        look = theme()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(look.roles.faint))
        dot, gap = look.px(2), look.px(5)
        top = rect.center().y() - gap - dot // 2
        for row in range(3):
            for column in range(2):
                painter.drawEllipse(QRect(rect.left() + column * gap, top + row * gap, dot, dot))

    def _progress(self, painter: QPainter, card: QRect, share: float) -> None:
        look, roles = theme(), theme().roles
        track = QRectF(card.left() + look.px(12), card.bottom() - look.px(6), card.width() - look.px(24), look.px(3))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(roles.line))
        painter.drawRoundedRect(track, 1.5, 1.5)
        painter.setBrush(QColor(roles.accent_fill))
        track.setWidth(track.width() * share)
        painter.drawRoundedRect(track, 1.5, 1.5)


_ICON, _GRIP = 32, 8  # pixels at scale 1


def _card(row: QRect) -> QRect:
    return row.adjusted(1, 0, -1, -theme().px(8))


def _inner(card: QRect) -> QRect:
    px = theme().px
    return card.adjusted(px(12), px(12), -px(8), -px(12))


def _words(card: QRect) -> QRect:
    """Where title, method and state stand: between icon and grip."""
    px = theme().px
    return _inner(card).adjusted(px(_ICON) + px(12), 0, -px(_GRIP) - px(8), 0)


_ELIDE = Qt.TextElideMode.ElideRight


def _colour(role: str) -> str:
    colour = getattr(theme().roles, role)
    return colour.ink if isinstance(colour, State) else colour
