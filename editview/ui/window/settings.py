"""What the window remembers between starts: where it stood, how its panels were shared out, the look, the tour."""

from __future__ import annotations

from PySide6.QtCore import QByteArray
from PySide6.QtWidgets import QDialog, QMainWindow, QSplitter

from editview.ui.look.theme import Mode, theme
from editview.ui.remembered import store as _store


def restore_look() -> None:
    """Set mode and scale as they were, then dress the application."""
    store = _store()
    mode, scale = str(store.value("look/mode", Mode.SYSTEM)), store.value("look/scale", 1.0)
    theme().remember(Mode(mode) if mode in list(Mode) else Mode.SYSTEM, _number(scale, 1.0))


def save_look() -> None:
    store = _store()
    store.setValue("look/mode", str(theme().mode))
    store.setValue("look/scale", theme().scale)


def restore_layout(window: QMainWindow, splitters: dict[str, QSplitter], kept_as: str = "window") -> bool:
    """Put the window and its panels back; False where nothing was remembered."""
    store = _store()
    geometry = store.value(f"{kept_as}/geometry")
    restored = isinstance(geometry, QByteArray) and window.restoreGeometry(geometry)
    for name, splitter in splitters.items():
        state = store.value(f"{kept_as}/{name}")
        if isinstance(state, QByteArray):
            splitter.restoreState(state)
    return restored


def save_layout(window: QMainWindow, splitters: dict[str, QSplitter], kept_as: str = "window") -> None:
    store = _store()
    store.setValue(f"{kept_as}/geometry", window.saveGeometry())
    for name, splitter in splitters.items():
        store.setValue(f"{kept_as}/{name}", splitter.saveState())


def restore_dialog(dialog: QDialog) -> None:
    """As large as it was, and where."""
    geometry = _store().value(f"{type(dialog).__name__}/geometry")
    if isinstance(geometry, QByteArray):
        dialog.restoreGeometry(geometry)


def save_dialog(dialog: QDialog) -> None:
    _store().setValue(f"{type(dialog).__name__}/geometry", dialog.saveGeometry())


def tour_seen() -> bool:
    """Whether the tour was begun at an earlier start."""
    return _store().value("tour/seen") is not None


def remember_tour() -> None:
    _store().setValue("tour/seen", 1)


def _number(value: object, otherwise: float) -> float:
    try:
        return float(str(value))
    except ValueError:
        return otherwise
