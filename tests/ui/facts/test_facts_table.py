"""The table as it is drawn: cells keep what they say, and a narrow window cuts off nothing that leads."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QFontMetrics, QImage
from pytestqt.qtbot import QtBot

from editview.domain.operations import FullFineTune
from editview.domain.session import Session
from editview.domain.verdicts import Change
from editview.ui.facts.delegate import stage_width
from editview.ui.facts.model import FactsModel, Kind
from editview.ui.facts.query import Filter
from editview.ui.facts.table import FactsTable
from editview.ui.look.theme import BODY, theme
from tests import sample

NARROW = 524
"""What a window of 1280 pixels leaves for the rows of the table."""

USUAL = 112
"""How wide 'the Ajanta Caves' is in a usual font."""


@pytest.fixture
def table(qtbot: QtBot) -> FactsTable:
    made = FactsTable(FactsModel())
    qtbot.addWidget(made)
    made.resize(NARROW + made.verticalScrollBar().sizeHint().width(), 400)
    made.show()
    show(made, sample.session())
    return made


def show(table: FactsTable, session: Session) -> None:
    run = session.latest
    assert run is not None
    table.show_facts(run.sheet, run.plan, run, Filter())


def model(table: FactsTable) -> FactsModel:
    found = table.model()
    assert isinstance(found, FactsModel)
    return found


def shown(table: FactsTable) -> list[Kind]:
    columns = model(table).columns
    return [column.kind for place, column in enumerate(columns) if not table.isColumnHidden(place)]


def drawn(table: FactsTable, row: int, column: int) -> QImage:
    """A cell without the line around it."""
    cell: QRect = table.visualRect(model(table).index(row, column))
    return table.viewport().grab(cell.adjusted(2, 2, -2, -3)).toImage().convertToFormat(QImage.Format.Format_RGB32)


def has(picture: QImage, colour: str) -> bool:
    wanted = QColor(colour).rgb()
    return any(picture.pixel(x, y) == wanted for x in range(picture.width()) for y in range(picture.height()))


@pytest.mark.parametrize("column", [0, 2])
def test_a_cell_that_is_clicked_says_what_it_said(table: FactsTable, qtbot: QtBot, column: int) -> None:
    roles = theme().roles
    at = table.visualRect(model(table).index(1, column)).center()
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=at)
    cell = drawn(table, 1, column)
    assert cell.pixelColor(cell.width() - 2, 2) == QColor(roles.accent_tint)  # selected, and not painted over
    assert has(cell, roles.text if column == 0 else roles.holds.tint)


def test_three_stages_fit_without_scrolling_sideways(table: FactsTable, qtbot: QtBot) -> None:
    assert shown(table) == [Kind.FACT, Kind.STAGE, Kind.STAGE, Kind.STAGE, Kind.SAYS]
    assert table.horizontalScrollBar().maximum() == 0
    grid, measure = model(table).grid, QFontMetrics(theme().font(BODY))
    wider = max(1.0, measure.horizontalAdvance("the Ajanta Caves") / USUAL)
    table.resize(round(wider * NARROW) + table.verticalScrollBar().width(), 400)
    for place, column in enumerate(model(table).columns):
        if column.kind is Kind.STAGE:
            assert table.columnWidth(place) >= stage_width(grid, column.stage)
        elif column.kind in (Kind.FACT, Kind.SAYS):
            longest = "the Ajanta Caves" if column.kind is Kind.FACT else "keyboard instruments"
            assert table.columnWidth(place) >= measure.horizontalAdvance(longest) + theme().px(8)
    table.resize(760, 400)
    assert shown(table)[-2:] == [Kind.SAYS, Kind.WANTED]
    table.resize(1100, 400)
    assert shown(table)[4:] == [Kind.BECAME, Kind.SAYS, Kind.WANTED]
    assert table.horizontalScrollBar().maximum() == 0


def test_many_stages_are_scrolled_to_with_all_that_belongs_to_them(table: FactsTable) -> None:
    plan = sample.plan()
    plan = plan.model_copy(update={"operations": plan.operations + tuple(FullFineTune(id=f"t{i}") for i in range(4))})
    session = Session()
    for event in sample.events(plan, sample.sheet()):
        session.apply(event)
    show(table, session)
    assert table.horizontalScrollBar().maximum() > 0
    assert shown(table)[-3:] == [Kind.BECAME, Kind.SAYS, Kind.WANTED]


def test_the_step_that_lost_a_fact_stays_on_its_chip_when_the_run_is_over(table: FactsTable) -> None:
    run = model(table).grid.run
    assert run is not None
    lost = next(row for row, fact in enumerate(run.sheet) if run.change(fact, 2) is Change.LOST)
    told = drawn(table, lost, 3)
    step = model(table).grid.lost_step[lost, 2]
    model(table).grid.lost_step[lost, 2] = 0
    plain = drawn(table, lost, 3)
    assert step
    assert chip_width(told) > chip_width(plain)


def chip_width(cell: QImage) -> int:
    tint, y = QColor(theme().roles.fails.tint).rgb(), cell.height() // 2
    return sum(cell.pixel(x, y) == tint for x in range(cell.width()))
