"""A pointer that rests on something, for tests of what is explained there."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QPointF
from PySide6.QtGui import QEnterEvent, QHelpEvent
from PySide6.QtWidgets import QApplication, QWidget

from editview.ui.look.word_help import word_help


def rest_on(widget: QWidget, at: QPoint) -> str:
    """The page that is explained after the pointer has rested there; '' where there is none."""
    word_help().hide()
    place = QPointF(at)
    QApplication.sendEvent(widget, QEnterEvent(place, place, QPointF(widget.mapToGlobal(at))))
    QApplication.sendEvent(widget, QHelpEvent(QEvent.Type.ToolTip, at, widget.mapToGlobal(at)))
    return word_help().page
