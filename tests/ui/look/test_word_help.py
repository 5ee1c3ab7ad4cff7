"""A word is explained where it stands: in sentences, buttons, tabs, headers and chips of the table."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QTextDocument
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from editview.domain.events import FactsOpened
from editview.ui.facts.panel import FactsPanel
from editview.ui.hub import Hub
from editview.ui.look.labels import Sentence, Words
from editview.ui.look.word_help import Explained, word_help
from editview.ui.window.main_window import MainWindow
from tests import sample
from tests.ui.pointer import rest_on

pytestmark = pytest.mark.qt_log_ignore("does not support raise", extend=True)  # without a display


@pytest.fixture(autouse=True)
def no_bubble_stays() -> Iterator[None]:
    yield
    word_help().hide()


def shown(label: Words, qtbot: QtBot, width: int = 400) -> Words:
    qtbot.addWidget(label)
    label.resize(width, 80)
    label.show()
    return label


def middle_of(label: Words, word: str) -> QPoint:
    """Where a word of a label in one line stands."""
    before = label.text()[: label.text().index(word)]
    measure = label.fontMetrics()
    return QPoint(measure.horizontalAdvance(before) + measure.horizontalAdvance(word) // 2, label.height() // 2)


def test_the_word_under_the_pointer_is_explained_and_no_other(qtbot: QtBot) -> None:
    label = shown(Words("The neighbours and 9 controls are there"), qtbot)
    assert rest_on(label, middle_of(label, "neighbours")) == "neighbour"
    assert rest_on(label, middle_of(label, "controls")) == "control"
    assert rest_on(label, middle_of(label, "there")) == ""
    assert rest_on(label, QPoint(390, 40)) == ""


def test_in_a_sentence_that_wraps_each_line_counts(qtbot: QtBot) -> None:
    label = shown(Sentence("31 of 40 edits hold; 9 were lost during *Fine-tune on support tickets*."), qtbot, 130)
    label.resize(130, label.heightForWidth(130))
    found = {
        rest_on(label, QPoint(x, y)) for y in range(4, label.height(), 8) for x in range(2, 130, 6)
    }  # fmt: skip
    assert found == {"", "edit", "holds", "lost", "fine-tune"}
    assert rest_on(label, QPoint(120, label.height() - 2)) in ("", "fine-tune")


def test_the_bubble_says_what_the_word_means_and_opens_its_page(qtbot: QtBot) -> None:
    label = shown(Words("A checkpoint"), qtbot)
    label.setToolTip("From here & there")
    assert rest_on(label, middle_of(label, "checkpoint")) == "checkpoint"
    bubble = word_help().bubble
    assert bubble is not None
    text = QTextDocument()
    text.setHtml(bubble.words.text())
    said = text.toPlainText()
    assert said.startswith("From here & there")
    assert "as it lies on the disk" in said
    with qtbot.waitSignal(word_help().wanted) as wanted:
        bubble.words.linkActivated.emit("checkpoint")
    assert wanted.args == ["checkpoint"]
    assert word_help().page == ""


def test_the_bubble_stays_under_the_pointer_and_goes_with_it(qtbot: QtBot) -> None:
    label = shown(Words("A checkpoint"), qtbot)
    at = middle_of(label, "checkpoint")
    rest_on(label, at)
    bubble = word_help().bubble
    assert bubble is not None
    for inside in (label.mapToGlobal(at), bubble.geometry().center()):
        bubble.leave(inside)
        assert bubble.isVisible()
    bubble.leave(label.mapToGlobal(at) + QPoint(bubble.width() * 3 // 4, 0))
    assert word_help().page == ""


def test_a_label_that_was_pointed_at_often_has_one_helper(qtbot: QtBot) -> None:
    label = shown(Words("A checkpoint"), qtbot)
    for _ in range(3):
        rest_on(label, middle_of(label, "checkpoint"))
    assert len(label.findChildren(Explained)) == 1


@pytest.fixture
def window(qtbot: QtBot) -> MainWindow:
    hub = Hub(sample.plan(), lambda request: None)
    made = MainWindow(hub)
    qtbot.addWidget(made)
    made.furnish(FactsPanel(hub))
    made.hang_pictures({name: QWidget() for name in made.panel_names})
    made.show()
    sheet = sample.sheet()
    hub.take([FactsOpened("demo", sheet), *sample.events(sample.plan(), sheet)])
    return made


def test_everything_in_the_window_that_shows_words_has_it(window: MainWindow) -> None:
    facts = window.centre
    assert isinstance(facts, FactsPanel)
    header = facts.table.horizontalHeader()
    tabs = window.tabs.tabBar()
    neighbours = next(b for b in facts.filters._buttons.buttons() if b.text().startswith("Neighbours"))
    assert rest_on(window.header.checkpoint, QPoint(9, 9)) == "checkpoint"
    assert rest_on(window.header.sheet, QPoint(9, 9)) == "fact-sheet"
    assert rest_on(tabs, tabs.tabRect(0).center()) == "weights"
    assert rest_on(tabs, tabs.tabRect(1).center()) == "survival"
    assert rest_on(neighbours, QPoint(9, 9)) == "neighbour"
    assert rest_on(header.viewport(), QPoint(header.sectionViewportPosition(1) + 9, 9)) == "checkpoint"


def test_a_chip_of_the_table_is_explained_after_what_it_says(window: MainWindow) -> None:
    facts = window.centre
    assert isinstance(facts, FactsPanel)
    last = facts.model.columnCount() - 4
    chip = facts.model.text(0, last).partition(",")[0].split()[0]
    place = facts.table.visualRect(facts.model.index(0, last)).center()
    assert rest_on(facts.table.viewport(), place) == chip
    bubble = word_help().bubble
    assert bubble is not None
    assert "likely" in bubble.words.text()
    assert rest_on(facts.table.viewport(), facts.table.visualRect(facts.model.index(0, 0)).center()) == ""


def test_f1_opens_the_page_of_the_word_that_is_pointed_at(window: MainWindow) -> None:
    rest_on(window.tabs.tabBar(), window.tabs.tabBar().tabRect(1).center())
    QTest.keyClick(window, Qt.Key.Key_F1)
    assert window.help.browser is not None
    assert window.help.browser.text.toPlainText().startswith("Survival")
