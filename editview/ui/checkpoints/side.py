"""One of the two checkpoints, as a button: its name and where it lies. A click offers others, drops are taken."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QColor, QDragEnterEvent, QDropEvent, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QMenu, QPushButton, QStyle, QStyleOptionButton, QStylePainter, QWidget

from editview.domain.plan import Checkpoint
from editview.domain.two_checkpoints import name_of, places_of
from editview.ui.look.theme import BODY, SMALL, theme

CHOOSE = "Choose a checkpoint"


class Side(QPushButton):
    """`chosen` carries a Checkpoint, `wanted` that another one is to be looked for, `folder_wanted` in a folder."""

    chosen = Signal(object)
    wanted = Signal()
    folder_wanted = Signal()
    dropped = Signal(object)  # list of Paths

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = title
        self._checkpoint: Checkpoint | None = None
        self.offers: list[tuple[str, Sequence[Checkpoint]]] = []  # headings, and what stands under them
        self.setProperty("role", "card")
        self.setAcceptDrops(True)
        self.clicked.connect(self._open)
        theme().follow(self._dress)
        self.show_checkpoint(None)

    def show_checkpoint(self, checkpoint: Checkpoint | None) -> None:
        self._checkpoint = checkpoint
        name, place = self._words()
        self.setAccessibleName(f"{self._title}: {name}")
        self.setToolTip(place)
        self.update()

    def _words(self) -> tuple[str, str]:
        if self._checkpoint is None:
            return CHOOSE, "a folder, a model in the Hugging Face cache, or a base with an adapter"
        return name_of(self._checkpoint), places_of(self._checkpoint)

    def menu_of_others(self) -> QMenu:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setToolTipsVisible(True)
        menu.addAction("Choose a folder…", self.folder_wanted.emit)
        menu.addAction("Another checkpoint, or one with an adapter…", self.wanted.emit)
        metrics = QFontMetrics(theme().font(BODY))
        for heading, checkpoints in self.offers:
            if checkpoints:
                menu.addSeparator()
                menu.addAction(heading).setEnabled(False)
            for checkpoint in checkpoints:
                words = metrics.elidedText(places_of(checkpoint), Qt.TextElideMode.ElideMiddle, theme().px(440))
                action = menu.addAction(words.replace("&", "&&"), partial(self.chosen.emit, checkpoint))
                action.setToolTip(places_of(checkpoint))
        return menu

    def _open(self) -> None:
        self.menu_of_others().popup(self.mapToGlobal(self.rect().bottomLeft()))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self.dropped.emit([Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()])

    # ---- how it looks ----------------------------------------------------------------------------------------

    def _dress(self) -> None:
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        lines = QFontMetrics(theme().font(BODY)).height() + 2 * QFontMetrics(theme().font(SMALL)).height()
        return QSize(theme().px(320), lines + theme().px(20))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme().px(160), self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        option = QStyleOptionButton()
        self.initStyleOption(option)
        QStylePainter(self).drawControl(QStyle.ControlElement.CE_PushButton, option)
        px, roles = theme().px, theme().roles
        painter = QPainter(self)
        box = self.rect().adjusted(px(12), px(8), -px(12), -px(8))
        name, place = self._words()
        lines = (
            (self._title, SMALL, False, roles.muted),
            (name, BODY, True, roles.text if self._checkpoint else roles.accent),
            (place, SMALL, False, roles.muted),
        )
        for words, size, bold, colour in lines:
            painter.setFont(theme().font(size, bold))
            metrics = QFontMetrics(painter.font())
            painter.setPen(QColor(colour))
            shown = metrics.elidedText(words, Qt.TextElideMode.ElideMiddle, box.width())
            painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop, shown)
            box.setTop(box.top() + metrics.height() + px(2))
