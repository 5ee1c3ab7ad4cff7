"""The plan panel by keyboard, menu and mouse: everything can be undone."""

from __future__ import annotations

import os

import pytest
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from editview.domain.events import FactsOpened, Forecast
from editview.domain.operations import METHODS, Lora
from editview.domain.plan import Plan
from editview.ui.hub import Hub
from editview.ui.look.word_help import word_help
from editview.ui.plan.chooser import StepChooser
from editview.ui.plan.form import OperationForm
from editview.ui.plan.model import METHOD
from editview.ui.window.main_window import MainWindow
from tests import sample
from tests.ui.pointer import rest_on


@pytest.fixture
def window(qtbot: QtBot) -> MainWindow:
    made = MainWindow(Hub(sample.plan(), lambda request: None))
    qtbot.addWidget(made)
    made.resize(1280, 800)
    made.show()
    made.activateWindow()
    made.plan.view.setFocus()
    made.plan.view.select(1)
    return made


def ids(window: MainWindow) -> list[str]:
    return [operation.id for operation in window.hub.plan.operations]


def test_alt_and_arrows_reorder_and_the_card_stays_chosen(window: MainWindow, qtbot: QtBot) -> None:
    view = window.plan.view
    qtbot.keyClick(view, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert ids(window) == ["tune", "edit"]
    assert view.selected is not None
    assert view.selected.id == "edit"
    qtbot.keyClick(view, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert ids(window) == ["tune", "edit"]
    qtbot.keyClick(view, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert ids(window) == ["edit", "tune"]
    qtbot.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert ids(window) == ["tune", "edit"]


def test_a_card_is_duplicated_switched_off_and_removed_by_key(window: MainWindow, qtbot: QtBot) -> None:
    view, hub = window.plan.view, window.hub
    qtbot.keyClick(view, Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier)
    assert len(ids(window)) == 3
    assert view.selected is not None
    assert view.selected.id == hub.plan.operations[1].id
    qtbot.keyClick(view, Qt.Key.Key_Space)
    assert [operation.enabled for operation in hub.plan.operations] == [True, False, True]
    qtbot.keyClick(view, Qt.Key.Key_Delete)
    assert ids(window) == ["edit", "tune"]
    for _ in range(3):
        hub.undo()
    assert hub.plan == sample.plan()


def test_the_checkpoint_can_not_be_moved_or_removed(window: MainWindow, qtbot: QtBot) -> None:
    window.plan.view.select(0)
    qtbot.keyClick(window.plan.view, Qt.Key.Key_Delete)
    qtbot.keyClick(window.plan.view, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert window.hub.plan == sample.plan()
    assert not window.actions_table.by_id["remove-step"].isEnabled()


def test_a_method_is_added_after_the_chosen_card(window: MainWindow) -> None:
    def choose() -> None:
        chooser = QApplication.activeModalWidget()
        assert isinstance(chooser, StepChooser)
        assert {card.method for card in chooser.cards} == set(METHODS)
        next(card for card in chooser.cards if card.method is Lora).click()

    QTimer.singleShot(50, choose)
    window.plan.add_button.click()
    assert [type(operation) for operation in window.hub.plan.operations][1] is Lora
    assert window.plan.selected is window.hub.plan.operations[1]


def test_edits_are_put_last_and_compared_in_one_step(window: MainWindow) -> None:
    hub, wanted, action = window.hub, list[tuple[Plan, ...]](), window.actions_table.by_id["edits-last"]
    hub.comparison_wanted.connect(wanted.append)
    assert not action.isEnabled()
    assert action.toolTip() == "The fact sheet is being read."
    hub.take([FactsOpened("demo", sample.sheet())])
    assert action.isEnabled()
    action.trigger()
    assert ids(window) == ["tune", "edit"]
    assert wanted == [(sample.plan(), hub.plan)]
    assert not action.isEnabled()
    assert action.toolTip() == "The edits come last already."
    hub.undo()
    assert hub.plan == sample.plan()


def test_the_card_says_what_protects_edits(window: MainWindow) -> None:
    tune = window.hub.plan.operations[1].model_copy(update={"replay": 0.1, "projection": True, "teach": 0.05})
    window.hub.change_plan(window.hub.plan.replaced(tune))
    said = window.plan.model.index(2).data(METHOD)
    assert said == "All weights · protected: replay 10 %, directions; teaches facts 5 %"


def test_the_words_of_a_card_are_explained(window: MainWindow) -> None:
    view = window.plan.view
    card = view.visualRect(view.model().index(1))
    left, middle = card.left() + card.width() // 3, card.center().y()
    found = [rest_on(view.viewport(), QPoint(left, middle + down)) for down in (-8, 8)]
    word_help().hide()
    assert found == ["edit", "editing-methods"]


def test_enter_opens_the_form_and_apply_changes_the_card(window: MainWindow, qtbot: QtBot) -> None:
    window.plan.view.select(2)

    def fill() -> None:
        form = QApplication.activeModalWidget()
        assert isinstance(form, OperationForm)
        form.fields["steps"].write(7)
        form.accept()

    QTimer.singleShot(50, fill)
    qtbot.keyClick(window.plan.view, Qt.Key.Key_Return)
    assert window.hub.plan.operations[1].content()["steps"] == 7
    window.hub.undo()
    assert window.hub.plan == sample.plan()


def test_before_run_the_panel_says_what_would_happen(window: MainWindow) -> None:
    hub = window.hub
    hub.take([FactsOpened("demo", sample.sheet()), Forecast(hub.plan, (True, False), (1.0, 25.0), 25.0, 1, 2)])
    assert window.plan.sentence.accessibleName() == "1 of 2 steps is reused; 1 will run, about 25 s."
    hub.start_run()
    assert window.plan.sentence.accessibleName() == "Starting…"
    hub.take(list(sample.events(hub.plan, sample.sheet()))[:12])
    assert window.plan.sentence.accessibleName().startswith("Step 1 of 2: Finding")


def test_cards_are_drawn_in_every_state(window: MainWindow) -> None:
    """Paint each state once: a delegate that fails would print and be caught."""
    hub = window.hub
    events = list(sample.events(hub.plan, sample.sheet()))
    for at in (1, 20, 45, 120, len(events)):
        hub.take(events[:at] if at == 1 else events[1:at])
        assert not window.plan.view.grab().isNull()
        hub.session.runs.clear()
        hub.take(events[:1])
    hub.change_plan(hub.plan.switched("tune"))
    assert not window.plan.view.grab().isNull()


@pytest.mark.skipif(os.environ.get("QT_QPA_PLATFORM") == "offscreen", reason="a real drag needs a display")
def test_a_card_is_dragged_below_another(qtbot: QtBot) -> None:
    assert QGuiApplication.platformName() == "xcb"
    plan = Plan(operations=(*sample.plan().operations, Lora(id="third")))
    window = MainWindow(Hub(plan, lambda request: None))
    qtbot.addWidget(window)
    window.resize(1280, 800)
    window.show()
    qtbot.waitExposed(window)
    view = window.plan.view
    viewport = view.viewport()
    start = view.visualRect(window.plan.model.index(1)).center()
    end = view.visualRect(window.plan.model.index(3)).bottomLeft() + QPoint(40, -2)
    for step in range(1, 11):
        at = start + (end - start) * (step / 10)
        QTimer.singleShot(200 + 40 * step, lambda at=at: QTest.mouseMove(viewport, at))  # type: ignore[misc]
    QTimer.singleShot(
        900, lambda: QTest.mouseRelease(viewport, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, end)
    )
    QTest.mousePress(viewport, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, start)
    QTest.mouseMove(viewport, start + QPoint(0, 12))
    QTest.mouseMove(viewport, start + QPoint(0, 30))
    qtbot.waitUntil(lambda: ids(window) == ["tune", "third", "edit"], timeout=4000)
    window.hub.undo()
    assert ids(window) == ["edit", "tune", "third"]


def test_a_long_title_stands_in_two_lines_until_there_is_room(window: MainWindow, qtbot: QtBot) -> None:
    view, model = window.plan.view, window.plan.model

    def heights() -> list[int]:
        return [view.visualRect(model.index(row)).height() for row in range(model.rowCount())]

    view.setFixedWidth(240)
    qtbot.waitUntil(lambda: heights()[0] < heights()[2])  # 'Fine-tune on support tickets'
    assert heights()[0] == heights()[1]
    view.setFixedWidth(480)
    qtbot.waitUntil(lambda: heights()[2] == heights()[1])
