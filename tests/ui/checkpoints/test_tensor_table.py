"""The table of tensors: a sound model, searched by words, sorted by figures, copied exactly; the spectrum beside it."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QAbstractItemModelTester, QTest
from pytestqt.qtbot import QtBot

from editview.domain.difference import Difference
from editview.domain.weight_map import Place
from editview.domain.weights import MatrixKind
from editview.ui.checkpoints.tensor_model import Column, TensorModel
from editview.ui.checkpoints.weights_page import NO_SPECTRUM, STOPPED, WAITING, WeightsPage
from editview.ui.look.theme import Mode, theme
from tests import two
from tests.ui.pointer import rest_on

pytestmark = pytest.mark.qt_log_ignore("does not support raise", extend=True)  # tooltips without a display


@pytest.fixture
def page(qtbot: QtBot) -> WeightsPage:
    made = WeightsPage(lambda sentence: None)
    qtbot.addWidget(made)
    made.resize(1200, 600)
    made.show()
    return made


def names(model: TensorModel) -> list[str]:
    return [row.name for row in model.shown]


def test_the_model_is_sound_whatever_is_searched_and_sorted(qtbot: QtBot) -> None:
    model = TensorModel()
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    for found in (two.difference(), None, Difference(two.BEFORE, two.AFTER, ()), two.difference(spectra=False)):
        model.show(found)
        for column in (-1, *Column):
            model.sort(column, Qt.SortOrder.DescendingOrder)
            model.search("layer" if column else "nothing of the kind")
    assert tester


def test_words_find_layers_parts_and_names_from_their_beginning() -> None:
    model = TensorModel()
    many = [two.tensor(f"h.{layer}.mlp.c_proj.weight", layer, MatrixKind.MLP_OUT, 0.1) for layer in range(14)]
    model.show(Difference(two.BEFORE, two.AFTER, tuple(many)))
    for words, layers in (
        ("layer 3,", [2]),
        ("LAYER 1,", [0]),
        ("c_proj h.4", [4]),
        ("proj 5", [4, 5]),
    ):
        model.search(words)
        assert sorted(row.tensor.layer for row in model.shown if row.tensor) == layers, words


def test_only_what_changed_leaves_out_the_rest() -> None:
    model = TensorModel()
    model.show(two.difference())
    model.set_only_changed(True)
    assert names(model) == [two.OUT, two.READ, "extra.scale"]


def test_a_click_on_a_heading_sorts_and_the_selection_stays_with_its_tensor(page: WeightsPage) -> None:
    page.show_difference(two.difference(), True, False)
    assert page.table.currentIndex().row() == 0
    at = names(page.model).index(two.NORM)
    page.table.selectRow(at)
    page.table.sortByColumn(Column.CHANGE, Qt.SortOrder.AscendingOrder)
    assert names(page.model)[-1] == two.OUT
    assert names(page.model)[page.table.currentIndex().row()] == two.NORM
    page.table.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
    assert names(page.model)[0] == two.OUT


def test_rows_are_copied_with_exact_figures(page: WeightsPage) -> None:
    page.show_difference(two.difference(), True, False)
    page.table.selectRow(0)
    next(action for action in page.table.actions() if action.text() == "Copy rows").trigger()
    head, row = QGuiApplication.clipboard().text().splitlines()
    assert head.startswith("where\ttensor\trelative change")
    shown = page.model.shown[0]
    assert row == f"{shown.where}\t{shown.name}\t{shown.relative!r}\t{shown.share!r}\t{shown.rank!r}"


def test_the_selected_row_shows_its_spectrum_or_why_there_is_none(page: WeightsPage) -> None:
    def told(spectra: bool, whole: bool, under_way: bool) -> str:
        page.show_difference(two.difference(spectra), whole, under_way)
        return page.plot.accessibleDescription()

    assert told(False, False, True) == WAITING
    assert told(False, False, False) == STOPPED
    assert told(True, True, False).startswith("Direction 1 of 16: 3, 75 % of this matrix's change; above what rounding")
    page.table.selectRow(names(page.model).index(two.NORM))
    assert page.plot.accessibleDescription() == NO_SPECTRUM
    page.show_difference(None, False, False)
    assert page.plot.accessibleDescription() == ""


def test_the_spectrum_is_told_direction_by_direction_from_the_keyboard(page: WeightsPage) -> None:
    page.show_difference(two.difference(), True, False)
    for _ in range(16):
        QTest.keyClick(page.plot, Qt.Key.Key_Right)
    last = page.plot.accessibleDescription()
    assert last.startswith("Direction 16 of 16")
    assert last.endswith("no more than what rounding alone could do.")
    QTest.mouseMove(page.plot, QPoint(page.plot.width() // 2, page.plot.height() // 2))
    assert page.plot.accessibleDescription().startswith("Direction 8 of 16")


def test_a_place_of_the_picture_shows_its_tensors_alone_until_another_search(page: WeightsPage) -> None:
    page.show_difference(two.difference(), True, False)
    page.picture.chosen.emit(Place(1, 1, MatrixKind.MLP_OUT))
    assert names(page.model) == [two.OUT]
    assert page.count.text() == "1 of 5"
    assert page.chosen.accessibleName() == "Update changed how layer 2 writes its memory by 35 %."
    page.search.setText("extra")
    assert names(page.model) == ["extra.scale"]
    assert page.picture.place is None


@pytest.mark.parametrize("mode", [Mode.LIGHT, Mode.DARK])
def test_it_paints_in_both_looks(page: WeightsPage, mode: Mode) -> None:
    before = theme().mode
    theme().set_mode(mode)
    page.show_difference(two.difference(), True, False)
    assert page.plot.svg().count(b"<") > 20
    assert not page.grab().isNull()
    theme().set_mode(before)


def test_what_weights_do_is_explained_in_the_table(page: WeightsPage) -> None:
    page.show_difference(two.difference(), True, False)
    table = page.table
    assert rest_on(table.viewport(), table.visualRect(page.model.index(0, Column.WHERE)).center()) == "memory"
    assert rest_on(table.viewport(), table.visualRect(page.model.index(0, Column.CHANGE)).center()) == ""
