"""The file in which the window keeps what it remembers between starts, and lists of what was opened lately."""

from __future__ import annotations

from PySide6.QtCore import QSettings

from editview.domain import places

MOST_RECENT = 8
OPENED = "opened/recent"


def store() -> QSettings:
    return QSettings(str(places.window_settings()), QSettings.Format.IniFormat)


def recent(name: str = OPENED) -> list[str]:
    """A list as it was kept, the latest first."""
    kept = store().value(name, [])
    return [str(entry) for entry in kept] if isinstance(kept, list) else [str(kept)]  # Qt keeps a list of one as one


def remember_recent(entry: str, name: str = OPENED) -> None:
    store().setValue(name, [entry, *(other for other in recent(name) if other != entry)][:MOST_RECENT])
