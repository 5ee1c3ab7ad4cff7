"""Help that is made from what the window really has."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QDialog, QTextBrowser
from pytestqt.qtbot import QtBot

from editview.ui.hub import Hub
from editview.ui.look.chips import Popover
from editview.ui.window.main_window import MainWindow
from tests import sample


@pytest.fixture
def window(qtbot: QtBot) -> MainWindow:
    made = MainWindow(Hub(sample.plan(), lambda request: None))
    qtbot.addWidget(made)
    made.show()
    return made


def shown_by(window: MainWindow, action: str) -> str:
    """The text of the dialog that an action opens; closes it."""
    texts: list[str] = []

    def read() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, QDialog)
        browser = dialog.findChild(QTextBrowser)
        assert browser is not None
        texts.append(browser.toPlainText())
        dialog.reject()

    QTimer.singleShot(20, read)
    window.actions_table.by_id[action].trigger()
    return texts[0]


def test_every_key_is_listed(window: MainWindow) -> None:
    text = shown_by(window, "keys")
    for row in window.actions_table.rows:
        if row.key:
            assert row.title.rstrip("…") in text


def test_words_explain_the_marks(window: MainWindow) -> None:
    text = shown_by(window, "words")
    for word in ("✓ holds", "~ weak", "✗ fails", "↺ recovered", "– not asked", "Neighbours", "Checkpoint"):
        assert word in text


def test_a_chip_opens_its_sentence_with_what_can_be_done(window: MainWindow, qtbot: QtBot) -> None:
    window.header.sheet.click()
    popover = window.header.sheet.findChild(Popover)
    assert popover is not None
    assert popover.choices == ["Open fact sheet…"]  # nothing was left out, so nothing offers to show it
    popover.close()
