"""The list of cards: drag by mouse, Alt+Up and Alt+Down by keyboard, cards that slide into their new place."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, Qt, QVariantAnimation, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QWidget

from editview.domain.operations import Operation
from editview.ui.look.theme import theme
from editview.ui.look.word_help import Shown, explain
from editview.ui.plan.cards import CardDelegate
from editview.ui.plan.model import METHOD, NOWHERE, OPERATION, STATE, PlanModel

Index = QModelIndex | QPersistentModelIndex


class PlanView(QListView):
    """`chosen` comes with the selected operation, or None; `opened` when a card is to be edited."""

    chosen = Signal(object)
    opened = Signal(object)

    def __init__(self, model: PlanModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._cards = CardDelegate(self)
        self._slide = QVariantAnimation(self, startValue=1.0, endValue=0.0)
        self._slide.valueChanged.connect(self._slid)
        self._offsets: dict[int, float] = {}
        self.setModel(model)
        self.setItemDelegate(self._cards)
        self.setAccessibleName("Steps of the plan")
        self.setAccessibleDescription("Alt+Up and Alt+Down move a step, Enter edits it, Delete removes it")
        self.setFrameShape(QListView.Shape.NoFrame)
        self.setMouseTracking(True)
        self.setResizeMode(QListView.ResizeMode.Adjust)  # how high a card is follows from its width
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setDefaultDropAction(Qt.DropAction.MoveAction)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.viewport().setAutoFillBackground(False)
        explain(self.viewport(), self._words_at)
        self.activated.connect(self._activated)
        self.selectionModel().selectionChanged.connect(lambda *_: self.chosen.emit(self.selected))
        model.modelReset.connect(lambda: self.chosen.emit(self.selected))
        model.rowsMoved.connect(self._moved)
        theme().follow(self._dress)

    def _words_at(self, viewport: QWidget, at: QPoint) -> Shown:
        """A card's title above; below it the method, and the state at the right."""
        index = self.indexAt(at)
        if not index.isValid():
            return "", None
        middle = self.visualRect(index).center()
        if at.y() < middle.y():
            return str(index.data()), None
        return (index.data(STATE).words if at.x() > middle.x() else str(index.data(METHOD))), None

    @property
    def selected(self) -> Operation | None:
        rows = self.selectionModel().selectedIndexes() if self.selectionModel() else []
        return rows[0].data(OPERATION) if rows else None

    def select(self, row: int) -> None:
        self.setCurrentIndex(self._model.index(row))

    def move_step(self, by: int) -> None:
        """Move the selected card up (-1) or down (1)."""
        operation = self.selected
        if operation is None:
            return
        row = self._model.row_of(operation.id)
        to = row + by if by < 0 else row + by + 1
        if 1 <= to <= self._model.rowCount():
            self._model.moveRows(NOWHERE, row, 1, NOWHERE, to)
            self.scrollTo(self.currentIndex())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._activated(self.currentIndex())
        elif event.modifiers() & Qt.KeyboardModifier.AltModifier and event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            event.accept()  # a card that can't move further: the choice mustn't wander off instead
        else:
            super().keyPressEvent(event)

    def _activated(self, index: Index) -> None:
        operation = index.data(OPERATION) if index.isValid() else None
        if operation is not None:
            self.opened.emit(operation)

    def _dress(self) -> None:
        self.scheduleDelayedItemsLayout()

    # ---- motion ----------------------------------------------------------------------------------------------

    def _moved(self, parent: Index, first: int, last: int, destination_parent: Index, before: int) -> None:
        """The moved card comes from its old place; those between make room."""
        milliseconds = theme().motion()
        if not milliseconds:
            return
        now = before if before < first else before - 1
        step = 1 if now > first else -1
        others = range(first, now, step)
        heights = {row: float(self.visualRect(self._model.index(row)).height()) for row in (now, *others)}
        self._offsets = dict.fromkeys(others, step * heights[now])
        self._offsets[now] = -step * sum(heights[row] for row in others)
        self._slide.stop()
        self._slide.setDuration(milliseconds)
        self._slide.start()

    def _slid(self, share: float) -> None:
        self._cards.slides = {row: offset * share**2 for row, offset in self._offsets.items()} if share else {}
        self.viewport().update()
