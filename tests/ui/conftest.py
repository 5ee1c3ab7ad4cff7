"""Every window test runs without a display, and leaves no widget behind."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication, QWidget


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings and autosaved plans of a test stay in its own folder."""
    monkeypatch.setenv("EDITVIEW_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(autouse=True)
def nothing_left_behind(qapp: QApplication, home: Path) -> Iterator[None]:
    """Finds top-level widgets that a test made and didn't hand to `qtbot.addWidget` or close for good."""
    before = set(qapp.topLevelWidgets())

    def left() -> list[QWidget]:
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        return [widget for widget in qapp.topLevelWidgets() if widget not in before]

    gc.disable()  # a window that a test lets go of isn't collected while another is being made, which crashes Qt
    try:
        yield
    finally:
        gc.enable()
    if left():
        gc.collect()  # what only Python still holds goes now
    assert not left(), f"left behind: {left()}"
