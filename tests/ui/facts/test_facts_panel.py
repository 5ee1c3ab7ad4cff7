"""The centre of the window, used as a person does: run, filter, search, open, copy, close."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible, QGuiApplication
from PySide6.QtWidgets import QAbstractItemView, QApplication, QComboBox, QPushButton, QScrollArea, QToolButton
from pytestqt.qtbot import QtBot

from editview.domain.events import FactsOpened, Failed
from editview.domain.facts import Group
from editview.domain.run_events import Checked, LiveChecked, RunEvent
from editview.domain.sentences import summary
from editview.domain.verdicts import Change
from editview.ui.facts.panel import FactsPanel
from editview.ui.facts.query import Filter
from editview.ui.hub import Hub
from editview.ui.look.labels import Sentence
from editview.ui.look.theme import Mode, theme
from tests import sample

SHEET, PLAN = sample.sheet(), sample.plan()


def story() -> Iterator[RunEvent]:
    return sample.events(PLAN, SHEET)


@pytest.fixture
def hub(qtbot: QtBot) -> Hub:
    return Hub(PLAN, send=lambda request: None)


@pytest.fixture
def panel(hub: Hub, qtbot: QtBot) -> FactsPanel:
    made = FactsPanel(hub)
    qtbot.addWidget(made)
    made.resize(600, 700)
    made.show()
    hub.take([FactsOpened(PLAN.facts, SHEET)])
    return made


def button(panel: FactsPanel, start: str) -> QPushButton:
    return next(found for found in panel.filters.findChildren(QPushButton) if found.text().startswith(start))


def fates(panel: FactsPanel) -> QComboBox:
    return panel.filters.findChildren(QComboBox)[0]


def choose(box: QComboBox, start: str) -> None:
    at = next(i for i in range(box.count()) if box.itemText(i).startswith(start))
    box.setCurrentIndex(at)
    box.activated.emit(at)


def ids(panel: FactsPanel) -> list[str]:
    return [panel.model.fact(row).id for row in range(panel.model.rowCount())]


def test_without_facts_it_says_what_to_do(qtbot: QtBot) -> None:
    hub = Hub(PLAN, send=lambda request: 1)
    panel = FactsPanel(hub)
    qtbot.addWidget(panel)
    hub.look_up()
    assert panel.headline.said.big == "Reading the facts"
    hub.take([Failed(1, "There is no file 'demo'.")])
    assert panel.headline.said.big == "No facts yet"
    assert "Open a fact sheet" in panel.headline.said.rest


def test_before_a_run_it_says_what_to_press_and_shows_the_stages_to_come(panel: FactsPanel) -> None:
    assert panel.headline.said.big == "10 edits to make"
    assert "Press *Run*" in panel.headline.said.rest
    assert [column.title for column in panel.model.columns[1:4]] == [
        "Checkpoint",
        "1 Edit 10 facts",
        "2 Fine-tune on support tickets",
    ]


def test_a_plan_changed_before_the_run_changes_the_stages(panel: FactsPanel, hub: Hub) -> None:
    hub.change_plan(PLAN.moved("tune", 0))
    assert panel.model.columns[2].title == "1 Fine-tune on support tickets"


def test_the_headline_is_the_summary_with_its_uncertainty(panel: FactsPanel, hub: Hub) -> None:
    hub.take(story())
    assert hub.run is not None
    said, whole = panel.headline.said, summary(hub.run, 2)
    assert whole.startswith(said.big)
    assert said.big == f"{whole.split(' edits')[0]} edits stand"
    assert "were lost during *Fine-tune on support tickets*" in said.rest
    assert "95 % interval" in said.certainty
    assert said.caption == "After *Fine-tune on support tickets*"


def test_while_training_it_says_so_far(panel: FactsPanel, hub: Hub) -> None:
    events = []
    for event in story():
        events.append(event)
        if isinstance(event, LiveChecked) and event.check.step == 40:
            break
    hub.take(events)
    assert panel.headline.said.caption == "So far, at training step 40 of 60 of *Fine-tune on support tickets*"
    lost = [row for row in range(10) if panel.model.grid.lost_step_now[row]]
    assert lost
    assert all(panel.model.text(row, 4).endswith("so far") for row in lost)
    for event in story():
        if isinstance(event, Checked) and event.stage == 2:
            hub.take([event])
            break
    assert panel.headline.said.caption.startswith("So far, 16 of 40 facts asked")


def test_groups_and_fates_filter_with_counts(panel: FactsPanel, hub: Hub, qtbot: QtBot) -> None:
    hub.take(story())
    assert hub.run is not None
    lost = [fact.id for fact in SHEET if hub.run.change(fact, 2) is Change.LOST]
    qtbot.mouseClick(button(panel, "Edited 10"), Qt.MouseButton.LeftButton)
    assert ids(panel) == [fact.id for fact in SHEET.group(Group.EDITED)]
    choose(fates(panel), f"lost in step 2 ({len(lost)})")
    assert ids(panel) == lost
    qtbot.mouseClick(button(panel, "Neighbours 10"), Qt.MouseButton.LeftButton)
    assert ids(panel) == [fact.id for fact in SHEET.group(Group.NEIGHBOURS)]  # a fate of edits is forgotten there
    qtbot.mouseClick(button(panel, "All 40"), Qt.MouseButton.LeftButton)
    assert len(ids(panel)) == 40


def test_ctrl_f_searches_subjects_questions_and_answers(panel: FactsPanel, hub: Hub, qtbot: QtBot) -> None:
    hub.take(story())
    qtbot.keyClick(panel.table, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(panel.filters.search.hasFocus)
    qtbot.keyClicks(panel.filters.search, "land 3")
    assert ids(panel) == ["e3"]
    panel.filters.search.setText("wood")
    assert ids(panel) == [fact.id for fact in SHEET.group(Group.CONTROL)]


def test_the_selection_stays_with_its_facts(panel: FactsPanel, hub: Hub, qtbot: QtBot) -> None:
    panel.table.selectRow(12)
    chosen = panel.model.fact(12).id
    panel.table.sortByColumn(0, Qt.SortOrder.DescendingOrder)
    for event in story():
        hub.take([event])
    panel.filters.search.setText("near")
    assert [panel.model.fact(row).id for row in panel.table.selected_rows()] == [chosen]
    assert panel.model.fact(panel.table.currentIndex().row()).id == chosen
    panel.filters.search.setText("land")
    assert panel.table.selected_rows() == []


def test_enter_opens_the_fact_and_escape_closes_it(panel: FactsPanel, hub: Hub, qtbot: QtBot) -> None:
    hub.take(story())
    assert hub.run is not None
    lost = next(row for row, fact in enumerate(SHEET) if hub.run.change(fact, 2) is Change.LOST)
    panel.table.setCurrentIndex(panel.model.index(lost, 0))
    panel.table.setFocus()
    assert not panel.detail.isVisible()
    qtbot.keyClick(panel.table, Qt.Key.Key_Return)
    assert panel.detail.isVisible()
    assert hub.selected_fact == SHEET.facts[lost].id
    assert panel.detail.said.accessibleName().startswith(f"{SHEET.facts[lost].subject} · Lost between steps")
    qtbot.keyClick(panel.table, Qt.Key.Key_Down)
    assert hub.selected_fact == SHEET.facts[lost + 1].id
    panel.detail.answers.setFocus()
    qtbot.keyClick(panel.detail.answers, Qt.Key.Key_Escape)
    assert not panel.detail.isVisible()


def test_a_click_opens_the_fact_and_it_stays_in_sight(panel: FactsPanel, hub: Hub, qtbot: QtBot) -> None:
    hub.take(story())
    low = panel.table.visualRect(panel.model.index(9, 0)).center()
    qtbot.mouseClick(panel.table.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(40, low.y()))
    assert panel.detail.isVisible()
    qtbot.waitUntil(lambda: panel.table.viewport().rect().contains(panel.table.visualRect(panel.model.index(9, 0))))


def in_sight(panel: FactsPanel) -> bool:
    return panel.table.viewport().rect().contains(panel.table.visualRect(panel.table.currentIndex()).center())


def test_the_opened_fact_stays_in_sight_where_rows_move(panel: FactsPanel, hub: Hub, qtbot: QtBot) -> None:
    hub.take(story())
    panel.table.setCurrentIndex(panel.model.index(0, 0))
    qtbot.keyClick(panel.table, Qt.Key.Key_Return)
    panel.table.sortByColumn(0, Qt.SortOrder.DescendingOrder)
    assert panel.table.currentIndex().row() > 10
    assert in_sight(panel)
    panel.table.verticalScrollBar().setValue(0)
    assert not in_sight(panel)
    panel.table.sortByColumn(0, Qt.SortOrder.AscendingOrder)
    assert in_sight(panel)


@pytest.mark.parametrize("scale", [1.0, 1.5])
def test_where_it_is_low_an_opened_fact_takes_the_place_of_the_table(
    panel: FactsPanel, hub: Hub, qtbot: QtBot, scale: float
) -> None:
    hub.take(story())
    try:
        theme().set_scale(scale)
        panel.resize(theme().px(360), theme().px(480))
        panel.table.activated.emit(panel.model.index(0, 0))
        close = panel.detail.findChild(QToolButton)
        assert not panel.table.isVisible()
        for part in (panel.detail.said, close, panel.detail.answers):
            assert not part.visibleRegion().isEmpty()
        said, rest = panel.detail.said, panel.detail.findChild(QScrollArea)
        assert said.height() >= said.heightForWidth(said.width())
        assert rest.y() >= said.geometry().bottom()
        qtbot.waitUntil(lambda: panel.detail.answers.height() >= panel.detail.answers.sizeHint().height())
        qtbot.keyClick(panel, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
        qtbot.waitUntil(panel.filters.search.hasFocus)
        panel.table.activated.emit(panel.model.index(0, 0))
        qtbot.mouseClick(close, Qt.MouseButton.LeftButton)
        assert panel.table.isVisible()
        assert panel.filters.isVisible()
        assert not panel.detail.isVisible()
    finally:
        theme().set_scale(1.0)


def test_where_nothing_is_found_it_says_so_and_clears_the_filters(panel: FactsPanel, hub: Hub, qtbot: QtBot) -> None:
    hub.take(story())
    clear = panel.table.findChild(QPushButton)
    assert not clear.isVisible()
    choose(fates(panel), "lost in step 2")
    panel.filters.search.setText("zzz")
    sentence = panel.table.findChild(Sentence)
    assert sentence.accessibleName() == "No fact matches “zzz” among lost in step 2."
    panel.table.resize(320, panel.table.minimumHeight())
    qtbot.waitUntil(lambda: clear.height() >= clear.sizeHint().height())
    assert sentence.height() >= sentence.heightForWidth(sentence.width())
    qtbot.mouseClick(clear, Qt.MouseButton.LeftButton)
    assert not clear.isVisible()
    assert panel.table.horizontalScrollBarPolicy() is Qt.ScrollBarPolicy.ScrollBarAsNeeded
    assert panel.filters.filter == Filter()
    assert len(ids(panel)) == 40
    qtbot.mouseClick(button(panel, "Controls"), Qt.MouseButton.LeftButton)
    panel.filters.search.setText("zzz")
    assert sentence.accessibleName() == "No fact matches “zzz” among Controls."
    panel.filters.search.clear()
    assert not clear.isVisible()


def test_a_result_of_another_plan_than_the_cards_says_so(panel: FactsPanel, hub: Hub) -> None:
    hub.take(story())
    hub.change_plan(PLAN.moved("tune", 0))
    assert panel.headline.said.caption == "Result of *Edit → Fine-tune*, not of the plan as it is now"
    hub.change_plan(hub.plan.model_copy(update={"name": "Other"}))
    hub.undo()
    hub.undo()
    assert panel.headline.said.caption == "After *Fine-tune on support tickets*"


def test_what_is_selected_is_copied_or_else_all_that_is_shown(panel: FactsPanel, hub: Hub, qtbot: QtBot) -> None:
    hub.take(story())
    panel.table.setFocus()
    qtbot.keyClick(panel.table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert len(QGuiApplication.clipboard().text().splitlines()) == 41
    panel.table.setSelectionMode(QAbstractItemView.SelectionMode.MultiSelection)
    panel.table.selectRow(4)
    panel.table.selectRow(1)
    qtbot.keyClick(panel.table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert [line.split("\t")[0] for line in QGuiApplication.clipboard().text().splitlines()] == [
        "Fact",
        "The capital of Land 1 is",
        "The capital of Land 4 is",
    ]


def test_another_sheet_is_shown_without_the_old_run(panel: FactsPanel, hub: Hub) -> None:
    hub.take(story())
    hub.open_facts("other.json")
    hub.take([FactsOpened("other.json", sample.sheet(3, 0, 5))])
    assert panel.model.rowCount() == 8
    assert panel.headline.said.big == "3 edits to make"
    assert panel.model.text(0, 4) == ""


def test_it_draws_in_both_looks_and_every_size(panel: FactsPanel, hub: Hub) -> None:
    hub.take(story())
    panel.table.setCurrentIndex(panel.model.index(0, 0))
    panel.table.activated.emit(panel.model.index(0, 0))
    try:
        for mode in (Mode.DARK, Mode.LIGHT):
            theme().set_mode(mode)
            ground = panel.table.grab().toImage().pixelColor(2, panel.table.height() - 40)
            assert (ground.lightness() < 128) is (mode is Mode.DARK)
        theme().set_scale(2.0)
        assert panel.table.verticalHeader().defaultSectionSize() == 64
        panel.grab()
    finally:
        theme().set_mode(Mode.SYSTEM)
        theme().set_scale(1.0)


def test_a_screen_reader_is_told_each_cell_with_its_column(panel: FactsPanel, hub: Hub) -> None:
    hub.take(story())
    table = QAccessible.queryAccessibleInterface(panel.table)
    assert table.text(QAccessible.Text.Name) == "Facts"
    width = panel.model.columnCount() + 1  # the row's own header counts as a cell
    assert table.child(4).text(QAccessible.Text.Name) == "2 Fine-tune on support tickets"
    cell = table.child(width + 4)
    assert cell.text(QAccessible.Text.Name) == f"2 Fine-tune on support tickets: {panel.model.text(0, 3)}"


def test_the_tab_key_goes_from_top_to_bottom(panel: FactsPanel, hub: Hub, qtbot: QtBot) -> None:
    hub.take(story())
    button(panel, "All").setFocus()
    stations = []
    for _ in range(7):
        stations.append(QApplication.focusWidget())
        qtbot.keyClick(stations[-1], Qt.Key.Key_Tab)
    assert stations.index(fates(panel)) < stations.index(panel.filters.search) < stations.index(panel.table)
