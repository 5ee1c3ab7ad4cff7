"""The plan as a list: what its rows say, and moves that go through the hub and can be undone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QAbstractItemModel, QModelIndex
from PySide6.QtTest import QAbstractItemModelTester

from editview.domain.events import FactsOpened, Forecast
from editview.domain.operations import FullFineTune, Lora, Memit
from editview.domain.plan import Plan
from editview.ui.hub import Hub
from editview.ui.plan.model import NOWHERE, OPERATION, STATE, PlanModel
from tests import sample

PLAN = Plan(operations=(Memit(id="a"), Lora(id="b"), FullFineTune(id="c"), Memit(id="d")))


@pytest.fixture
def hub(qapp: object) -> Hub:
    return Hub(PLAN, lambda request: None)


@pytest.fixture
def model(hub: Hub) -> Iterator[PlanModel]:
    made = PlanModel(hub)
    tester = QAbstractItemModelTester(made, QAbstractItemModelTester.FailureReportingMode.Fatal)
    yield made
    del tester


def ids(model: QAbstractItemModel) -> list[str]:
    return [model.index(row, 0, QModelIndex()).data(OPERATION).id for row in range(1, model.rowCount())]


@pytest.mark.parametrize(
    ("row", "before", "expected"),
    [
        (1, 3, ["b", "a", "c", "d"]),
        (1, 5, ["b", "c", "d", "a"]),
        (4, 1, ["d", "a", "b", "c"]),
        (3, 2, ["a", "c", "b", "d"]),
        (2, 0, ["b", "a", "c", "d"]),  # the checkpoint stays first
    ],
)
def test_a_card_moves_and_undo_brings_it_back(
    hub: Hub, model: PlanModel, row: int, before: int, expected: list[str]
) -> None:
    moves: list[tuple[int, int]] = []
    model.rowsMoved.connect(lambda parent, first, last, to, at: moves.append((first, at)))
    assert model.moveRows(NOWHERE, row, 1, NOWHERE, before)
    assert ids(model) == expected == [operation.id for operation in hub.plan.operations]
    hub.undo()
    assert ids(model) == ["a", "b", "c", "d"]
    hub.redo()
    assert ids(model) == expected
    assert len(moves) == 3


@pytest.mark.parametrize(("row", "before"), [(0, 3), (1, 1), (1, 2), (1, 0), (9, 1)])
def test_what_is_no_move_is_refused(hub: Hub, model: PlanModel, row: int, before: int) -> None:
    assert not model.moveRows(NOWHERE, row, 1, NOWHERE, before)
    assert hub.plan == PLAN


def test_every_kind_of_change_reaches_the_rows(hub: Hub, model: PlanModel) -> None:
    hub.change_plan(hub.plan.added(Lora(id="e"), 1))
    assert ids(model) == ["a", "e", "b", "c", "d"]
    hub.change_plan(hub.plan.removed("b"))
    assert ids(model) == ["a", "e", "c", "d"]
    hub.change_plan(hub.plan.duplicated("d"))
    assert len(ids(model)) == 5
    hub.change_plan(Plan(operations=(Lora(id="x"), Memit(id="y"))))
    assert ids(model) == ["x", "y"]
    hub.undo()
    hub.undo()
    hub.undo()
    hub.undo()
    assert ids(model) == ["a", "b", "c", "d"]


def test_rows_follow_sheet_forecast_and_run(hub: Hub, model: PlanModel) -> None:
    hub.change_plan(sample.plan())
    first = model.index(1)
    assert first.data() == "Edit the facts"
    hub.take([FactsOpened("demo", sample.sheet()), Forecast(hub.plan, (False, True), (25.0, 9.0), 25.0, 1, 2)])
    assert first.data() == "Edit 10 facts"
    assert first.data(STATE).words == "will run · 25 s"
    assert model.index(2).data(STATE).words == "reused"
    hub.take(sample.events(sample.plan(), sample.sheet()))
    assert first.data(STATE).words == "done in 12 s"
