"""Draws a card of the plan like a recipe: icon, verb and object, method in muted type, state at the right, grip."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from editview.domain.look import State
from editview.ui.look.colours import operation_colour
from editview.ui.look.icons import paint_icon
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
        look = theme()
        title, small = QFontMetrics(look.font(BODY, bold=True)), QFontMetrics(look.font(SMALL))
        return QSize(look.px(160), title.height() + small.height() + look.px(4 + 12 + 12 + 8))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        look, roles = theme(), theme().roles
        operation = index.data(OPERATION)
        faint = operation is not None and not operation.enabled
        state: CardState = index.data(STATE)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.translate(0, self.slides.get(index.row(), 0.0))
        card = QRect(option.rect).adjusted(1, 0, -1, -look.px(8))
        self._ground(painter, card, option, fixed=operation is None)

        inner = card.adjusted(look.px(12), look.px(12), -look.px(8), -look.px(12))
        box = QRect(inner.left(), 0, look.px(32), look.px(32))
        box.moveTop(card.center().y() - box.height() // 2)
        self._picture(painter, box, index)

        grip = QRect(inner.right() - look.px(8), inner.top(), look.px(8), inner.height())
        if operation is not None:
            self._grip(painter, grip)
        words = QRect(inner)
        words.setLeft(box.right() + look.px(12))
        words.setRight(grip.left() - look.px(8))
        title_font, small_font = look.font(BODY, bold=True), look.font(SMALL)
        title, small = QFontMetrics(title_font), QFontMetrics(small_font)

        painter.setFont(title_font)
        painter.setPen(QColor(roles.muted if faint else roles.text))
        first = QRect(words.left(), words.top(), words.width(), title.height())
        text = str(index.data())
        painter.drawText(first, Qt.AlignmentFlag.AlignVCenter, title.elidedText(text, _ELIDE, first.width()))

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


_ELIDE = Qt.TextElideMode.ElideRight


def _colour(role: str) -> str:
    colour = getattr(theme().roles, role)
    return colour.ink if isinstance(colour, State) else colour
