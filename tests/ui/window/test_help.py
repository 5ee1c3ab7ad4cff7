"""Help that is made from what the window really has."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt, QTimer, QUrl
from PySide6.QtGui import QTextDocument
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QTextBrowser
from pytestqt.qtbot import QtBot

from editview.domain.help import pages
from editview.ui.hub import Hub
from editview.ui.look.chips import Popover
from editview.ui.window.main_window import MainWindow
from tests import sample

MARKDOWN = QTextDocument.ResourceType.MarkdownResource
pytestmark = pytest.mark.qt_log_ignore("does not support raise", extend=True)  # without a display


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


def test_help_opens_on_a_page_and_follows_its_links(window: MainWindow, qtbot: QtBot) -> None:
    window.actions_table.by_id["words"].trigger()
    browser = window.help.browser
    assert browser is not None
    assert "subject" in browser.text.toPlainText()
    browser.open_page("verdict")
    for word in ("✓ holds", "~ weak", "✗ fails", "– not asked"):
        assert word in browser.text.toPlainText()
    browser.text.setSource(browser.text.source().resolved(QUrl("weak.md")), MARKDOWN)
    assert browser.text.toPlainText().startswith("Weak")
    assert browser.list.currentItem().text() == "Weak"
    assert browser.back.isEnabled()
    browser.back.click()
    assert browser.text.toPlainText().startswith("Verdict")
    with qtbot.waitSignal(browser.destroyed):
        browser.close()
    assert window.help.browser is None


def test_every_page_is_shown_with_links_that_lead_on(window: MainWindow) -> None:
    window.help.show()
    browser = window.help.browser
    assert browser is not None
    for page in pages().values():
        browser.open_page(page.name)
        assert browser.text.toPlainText().startswith(page.title)
        assert "](" not in browser.text.toPlainText()
        assert "<!--" not in browser.text.toPlainText()
        for link in page.links:
            browser.text.setSource(browser.text.source().resolved(QUrl(link)), MARKDOWN)
            assert browser.text.toPlainText().startswith(pages()[link.removesuffix(".md")].title)


def test_typing_finds_a_page(window: MainWindow) -> None:
    window.help.show()
    browser = window.help.browser
    assert browser is not None
    QTest.keyClicks(browser.search, "flip rate")
    assert browser.text.toPlainText().startswith("Edit flip rate")
    QTest.keyClick(browser.search, Qt.Key.Key_Return)
    assert browser.isVisible()
    browser.search.setText("zzz")
    assert browser.nothing.isVisible()
    assert not browser.list.isVisible()


def test_a_chip_opens_its_sentence_with_what_can_be_done(window: MainWindow, qtbot: QtBot) -> None:
    window.header.sheet.click()
    popover = window.header.sheet.findChild(Popover)
    assert popover is not None
    assert popover.choices == ["Open fact sheet…"]  # nothing was left out, so nothing offers to show it
    popover.close()
