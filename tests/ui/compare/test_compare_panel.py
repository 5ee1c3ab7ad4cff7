"""The compare panel asks for the other order and lays both side by side."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QAbstractItemModelTester, QTest
from pytestqt.qtbot import QtBot

from editview.domain.events import Failed
from editview.domain.orders import order_name, orders
from editview.domain.requests import Request, RunPlan
from editview.domain.run_events import RunEvent, RunStarted, RunStopped
from editview.ui.compare.panel import ComparePanel
from editview.ui.compare.table import CompareModel
from editview.ui.hub import Hub
from tests import sample
from tests.ui.pointer import rest_on

pytestmark = pytest.mark.qt_log_ignore("does not support raise", extend=True)  # tooltips without a display

SHEET = sample.sheet(40, 40, 100)


def events(first: bool, run: str) -> list[RunEvent]:
    return list(sample.events(sample.plan(first), SHEET, run=run, seed=7))


def shown(qtbot: QtBot) -> tuple[Hub, ComparePanel, list[Request]]:
    sent: list[Request] = []

    def send(request: Request) -> None:
        sent.append(request)

    hub = Hub(sample.plan(), send)
    hub.sheet = SHEET
    panel = ComparePanel(hub)
    qtbot.addWidget(panel)
    panel.resize(400, 700)
    panel.show()
    qtbot.waitExposed(panel)
    return hub, panel, sent


def asked(sent: list[Request]) -> list[str]:
    return [order_name(request.plan) for request in sent if isinstance(request, RunPlan)]


def compared(qtbot: QtBot) -> tuple[Hub, ComparePanel]:
    hub, panel, _ = shown(qtbot)
    hub.take([*events(True, "one"), *events(False, "two")])
    qtbot.waitUntil(panel.table.isVisible)
    return hub, panel


def test_from_nothing_both_orders_are_asked_for(qtbot: QtBot) -> None:
    _, panel, sent = shown(qtbot)
    QTest.mouseClick(panel.button, Qt.MouseButton.LeftButton)
    assert asked(sent) == ["Edit → Fine-tune", "Fine-tune → Edit"]
    assert panel.headline.accessibleName() == "The comparison comes when both orders have run."
    assert panel.note.accessibleName() == "Edit → Fine-tune runs next. Fine-tune → Edit runs next."
    assert not panel.button.isVisible()


def test_after_one_order_only_the_other_is_asked_for(qtbot: QtBot) -> None:
    hub, panel, sent = shown(qtbot)
    hub.take(events(True, "one"))
    qtbot.waitUntil(lambda: "has run" in panel.headline.accessibleName())
    panel.button.click()
    assert asked(sent) == ["Fine-tune → Edit"]
    hub.take(events(False, "two")[:5])
    qtbot.waitUntil(lambda: panel.note.accessibleName() == "Fine-tune → Edit is running.")


def test_after_the_comparison_the_plans_own_run_is_shown(qtbot: QtBot) -> None:
    hub, panel, _ = shown(qtbot)
    panel.button.click()
    hub.take(events(True, "own"))
    own = hub.run
    hub.take(events(False, "other")[:-1])
    assert hub.run is not own  # it is watched while it runs
    hub.take(events(False, "other")[-1:])
    assert hub.run is own
    hub.take(events(False, "by hand"))
    assert hub.run is not own


def test_what_was_asked_for_is_forgotten_when_it_is_stopped_or_fails(qtbot: QtBot) -> None:
    hub, panel, _ = shown(qtbot)
    panel.button.click()
    hub.take([Failed(1, "It went wrong.")])
    qtbot.waitUntil(panel.button.isVisible)
    panel.button.click()
    hub.take([events(True, "one")[0], RunStopped("one")])
    qtbot.waitUntil(panel.button.isVisible)


def test_more_steps_offer_a_choice_of_orders(qtbot: QtBot) -> None:
    hub, panel, sent = shown(qtbot)
    plan = sample.plan().duplicated("tune")
    hub.change_plan(plan.replaced(plan.operations[2].model_copy(update={"steps": 9})))
    menu = panel.menu()
    assert len(menu.actions()) == 6
    menu.actions()[1].trigger()
    assert len(asked(sent)) == 2  # the plan's own order too: it has not run yet
    again = panel.menu()
    assert [action.isEnabled() for action in again.actions()] == [False, False, True, True, True, True]
    menu.close()
    again.close()


def test_one_step_says_what_is_needed(qtbot: QtBot) -> None:
    hub, panel, _ = shown(qtbot)
    hub.change_plan(sample.plan().removed("tune"))
    qtbot.waitUntil(lambda: "two different steps" in panel.headline.accessibleName())
    assert not panel.button.isVisible()


def test_both_orders_side_by_side(qtbot: QtBot) -> None:
    _, panel = compared(qtbot)
    assert panel.headline.accessibleName().startswith("Fine-tune → Edit keeps more edits than Edit → Fine-tune: ")
    assert "Neighbours: " in panel.note.accessibleName()
    assert "Controls: " in panel.note.accessibleName()
    assert panel.first.currentText().endswith(" of 40: Edit → Fine-tune")
    assert panel.model.rowCount() == len(SHEET)
    QTest.mouseMove(panel.picture, QPoint(20, 60))
    qtbot.waitUntil(lambda: "both Edit → Fine-tune and" in panel.picture.accessibleDescription())


def test_only_differences_hides_what_ends_alike(qtbot: QtBot) -> None:
    _, panel = compared(qtbot)
    panel.only.click()
    assert 0 < panel.model.rowCount() < len(SHEET)
    assert all(pair.first is not pair.second for pair in panel.model.shown)
    words = [[panel.model.index(row, column).data() for column in (1, 2)] for row in range(panel.model.rowCount())]
    assert all(first != second for first, second in words)


def test_the_same_order_twice_is_no_comparison(qtbot: QtBot) -> None:
    _, panel = compared(qtbot)
    panel.second.setCurrentIndex(0)
    panel.second.activated.emit(0)
    assert panel.headline.accessibleName() == "Choose two different orders to compare."


def test_a_changed_plan_that_never_ran_leaves_the_comparison_standing(qtbot: QtBot) -> None:
    hub, panel = compared(qtbot)
    hub.change_plan(sample.plan().duplicated("tune"))
    qtbot.waitUntil(panel.button.isVisible)
    assert panel.table.isVisible()


def test_the_model_is_a_sound_model(qtbot: QtBot) -> None:
    model = CompareModel()
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    _, panel = compared(qtbot)
    model.show_pairs(panel.model.shown, ("one", "two"))
    model.set_only_differences(True)
    assert model.rowCount() > 0
    assert "says '" in model.index(0, 1).data(Qt.ItemDataRole.ToolTipRole)


def test_a_late_run_is_shown_as_it_starts(qtbot: QtBot) -> None:
    hub, panel = compared(qtbot)
    started = events(True, "three")[0]
    assert isinstance(started, RunStarted)
    hub.take([started])
    qtbot.waitUntil(lambda: "Edit → Fine-tune is running." in panel.note.accessibleName())


def test_orders_with_long_names_are_called_first_and_second(qtbot: QtBot) -> None:
    hub, panel, _ = shown(qtbot)
    plan = sample.plan().duplicated("tune")
    plan = plan.replaced(plan.operations[2].model_copy(update={"data": "geography_lessons.jsonl"}))
    hub.change_plan(plan)
    for run, order in zip("abc", orders(plan), strict=False):
        hub.take(sample.events(order, SHEET, run=run, seed=7))
    qtbot.waitUntil(panel.table.isVisible)
    assert "the second order" in panel.headline.accessibleName().lower()
    assert "Fine-tune on geography lessons" in panel.picture.accessibleDescription()
    assert panel.first.isVisible()
    assert panel.first.count() == 3


def test_the_comparison_that_is_shown_can_be_saved_as_a_report(qtbot: QtBot) -> None:
    hub, panel = compared(qtbot)
    wanted: list[object] = []
    hub.report_wanted.connect(wanted.append)
    panel.report.click()
    assert wanted == [(hub.session.runs["one"], hub.session.runs["two"])]


def test_orders_asked_for_elsewhere_are_run_once(qtbot: QtBot) -> None:
    hub, _, sent = shown(qtbot)
    hub.take(events(True, "one"))
    hub.comparison_wanted.emit((sample.plan(), sample.plan(False)))
    assert asked(sent) == ["Fine-tune → Edit"]
    hub.comparison_wanted.emit((sample.plan(), sample.plan(False)))
    assert asked(sent) == ["Fine-tune → Edit"]


def test_chips_of_the_table_are_explained(qtbot: QtBot) -> None:
    _, panel = compared(qtbot)
    chip = panel.model.index(0, 1)
    assert rest_on(panel.table.viewport(), panel.table.visualRect(chip).center()) == chip.data()
