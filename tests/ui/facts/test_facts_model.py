"""The table's model: sound to Qt at every moment, tells little, loses nothing."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from editview.domain.facts import Group
from editview.domain.plan import Plan
from editview.domain.run_events import LiveChecked
from editview.domain.session import Session
from editview.ui.facts.model import FactsModel, Kind
from editview.ui.facts.query import Filter
from tests import sample


@pytest.fixture
def model(qtbot: QtBot) -> FactsModel:
    made = FactsModel()
    QAbstractItemModelTester(made, QAbstractItemModelTester.FailureReportingMode.Fatal, made)
    return made


def show_finished(model: FactsModel, shown: Filter = Filter()) -> None:  # noqa: B008
    run = sample.session().latest
    assert run is not None
    model.show(run.sheet, run.plan, run, shown)


def column(model: FactsModel, kind: Kind, stage: int = 0) -> int:
    return next(i for i, c in enumerate(model.columns) if c.kind is kind and c.stage == stage)


def test_sound_through_a_whole_run_filters_and_sorts(model: FactsModel) -> None:
    sheet, plan, session = sample.sheet(), sample.plan(), Session()
    model.show(sheet, plan, None, Filter())
    assert model.rowCount() == 40
    assert model.columnCount() == 1 + 3 + 3
    for place, event in enumerate(sample.events(plan, sheet)):
        run = session.apply(event)
        if place == 0:
            model.show(sheet, plan, run, Filter(search="new"))
            model.sort(column(model, Kind.STAGE, 2), Qt.SortOrder.DescendingOrder)
        model.read(0, 5)
        if place % 20 == 0:
            model.set_filter(Filter(group=list(Group)[place // 20 % 3]))
    assert model.grid.current == 2


def test_columns_are_the_stages_with_title_and_number(model: FactsModel) -> None:
    show_finished(model)
    titles = [model.headerData(i, Qt.Orientation.Horizontal) for i in range(model.columnCount())]
    assert titles[:4] == ["Fact", "Checkpoint", "1 Edit 10 facts", "2 Fine-tune on support tickets"]
    assert titles[4:] == ["What became of it", "Says now", "Wanted"]


def test_only_rows_in_sight_are_told_anew(model: FactsModel, qtbot: QtBot) -> None:
    sheet, plan, session = sample.sheet(), sample.plan(), Session()
    events = sample.events(plan, sheet)
    run = session.apply(next(events))
    model.show(sheet, plan, run, Filter())
    for event in events:
        session.apply(event)
        if isinstance(event, LiveChecked):
            break
    with qtbot.waitSignal(model.dataChanged) as told:
        model.read(3, 7)
    assert (told.args[0].row(), told.args[1].row()) == (3, 7)
    assert model.grid.live_step[2] == 10


def test_another_run_keeps_the_order_chosen_while_its_column_is_there(model: FactsModel) -> None:
    show_finished(model)
    listed = [fact.id for fact in model.grid.sheet]
    model.sort(column(model, Kind.BECAME), Qt.SortOrder.DescendingOrder)
    first = [model.fact(row).id for row in range(model.rowCount())]
    assert first != listed
    show_finished(model)
    assert [model.fact(row).id for row in range(model.rowCount())] == first
    assert model.sorted_by == (column(model, Kind.BECAME), Qt.SortOrder.DescendingOrder)
    model.sort(column(model, Kind.STAGE, 2))
    model.show(model.grid.sheet, Plan(), None, Filter())
    assert model.sorted_by[0] == -1
    assert [model.fact(row).id for row in range(model.rowCount())] == listed


def test_a_click_on_a_stage_brings_the_worst_to_the_top(model: FactsModel) -> None:
    show_finished(model)
    at = column(model, Kind.STAGE, 2)
    model.sort(at)
    words = [model.text(row, at).split(",")[0] for row in range(model.rowCount())]
    assert words[0] == "fails"
    assert words[-1] in ("holds", "recovered")


def test_a_cell_is_read_aloud_with_its_column(model: FactsModel) -> None:
    show_finished(model)
    at = column(model, Kind.STAGE, 2)
    aloud = model.data(model.index(0, at), Qt.ItemDataRole.AccessibleTextRole)
    assert aloud == f"2 Fine-tune on support tickets: {model.text(0, at)}"
    assert model.data(model.index(0, at), Qt.ItemDataRole.DecorationRole) is None


def test_rows_leave_the_window_under_their_titles(model: FactsModel) -> None:
    show_finished(model)
    lines = model.lines([0, 2])
    assert len(lines) == 3
    assert {len(line) for line in lines} == {model.columnCount()}
    assert lines[2][0] == "The capital of Land 2 is"


def test_rows_are_found_by_fact_and_filtered_ones_left_out(model: FactsModel) -> None:
    show_finished(model, Filter(group=Group.NEIGHBOURS))
    assert model.rowCount() == 10
    assert model.rows_of(["n3", "e1", "gone", "n0"]) == [0, 3]
    assert model.rowCount(model.index(0, 0)) == 0
    assert model.rowCount(QModelIndex()) == 10
