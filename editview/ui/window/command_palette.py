"""Ctrl+K: type a few letters of what you want to do, press Enter."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, QPoint, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QKeyEvent, QKeySequence, QPainter
from PySide6.QtWidgets import (
    QDialog,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from editview.ui.look.icons import paint_icon
from editview.ui.look.labels import Words
from editview.ui.look.theme import BODY, SMALL, theme
from editview.ui.window.actions import Action, Actions

Index = QModelIndex | QPersistentModelIndex

_ROW = Qt.ItemDataRole.UserRole
_KEYS = _ROW + 1


def ranked(rows: tuple[Action, ...], typed: str) -> list[Action]:
    """The rows whose title or menu holds every typed word; those with a word that begins so come first."""
    words = typed.casefold().split()

    def text(row: Action) -> str:
        return f"{row.title} {row.menu}".replace("&", "").casefold()

    def begins(row: Action) -> int:
        return sum(any(part.startswith(word) for part in text(row).split()) for word in words)

    return sorted((row for row in rows if all(word in text(row) for word in words)), key=begins, reverse=True)


class _Rows(QStyledItemDelegate):
    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(0, QFontMetrics(theme().font(BODY)).height() + theme().px(16))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        look, roles, row = theme(), theme().roles, index.data(_ROW)
        rect = option.rect
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(roles.accent_tint))
            painter.drawRoundedRect(rect, look.px(6), look.px(6))
        box = rect.adjusted(look.px(8), 0, 0, 0)
        box.setSize(QSize(look.px(16), look.px(16)))
        box.moveTop(rect.center().y() - box.height() // 2)
        if row.icon:
            paint_icon(painter, box, row.icon, roles.muted)
        words = rect.adjusted(look.px(36), 0, -look.px(12), 0)
        painter.setFont(look.font(BODY))
        painter.setPen(QColor(roles.text))
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter, row.title)
        painter.setFont(look.font(SMALL))
        painter.setPen(QColor(roles.muted))
        right = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        painter.drawText(words, right, index.data(_KEYS) or row.menu.replace("&", ""))
        painter.restore()


class CommandPalette(QDialog):
    """Lists what is possible now. Lives while it is open."""

    def __init__(self, actions: Actions, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._actions = actions
        self.field = QLineEdit(self)
        self.field.setPlaceholderText("What do you want to do?")
        self.field.setAccessibleName("Command")
        self.list = QListWidget(self)
        self.list.setFrameShape(QListWidget.Shape.NoFrame)
        self.list.setItemDelegate(_Rows(self.list))
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setAccessibleName("Commands")
        self.list.itemClicked.connect(lambda item: self._run())
        self.nothing = Words("No command of that name", BODY, "muted", parent=self)
        self.nothing.setMargin(theme().px(8))
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.field.textChanged.connect(self._filter)
        self.field.returnPressed.connect(self._run)
        self.field.installEventFilter(self)
        layout = QVBoxLayout(self)
        margin = theme().px(8)
        layout.setContentsMargins(margin, margin, margin, margin)
        layout.addWidget(self.field)
        layout.addWidget(self.nothing)
        layout.addWidget(self.list)
        self.resize(theme().px(480), theme().px(400))
        self.move(parent.mapToGlobal(QPoint((parent.width() - self.width()) // 2, theme().px(88))))
        self._filter("")
        self.field.setFocus()

    def _filter(self, typed: str) -> None:
        self.list.clear()
        for row in ranked(self._actions.rows, typed):
            action = self._actions.by_id[row.id]
            if action.isEnabled():
                item = QListWidgetItem(row.title, self.list)
                item.setData(_ROW, row)
                item.setData(_KEYS, action.shortcut().toString(QKeySequence.SequenceFormat.NativeText))
        self.list.setCurrentRow(0)
        self.list.setVisible(bool(self.list.count()))
        self.nothing.setVisible(not self.list.count())

    def _run(self) -> None:
        item = self.list.currentItem()
        if item is not None:
            action = self._actions.by_id[item.data(_ROW).id]
            self.close()
            action.trigger()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Up and Down walk the list while the typing goes on in the field."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            by = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()))
            if by is not None:
                self.list.setCurrentRow(min(max(self.list.currentRow() + by, 0), self.list.count() - 1))
                return True
        return super().eventFilter(watched, event)
