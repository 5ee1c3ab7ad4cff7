"""The list of runs: a sound model, found and sorted, opened and compared and noted from the keyboard."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QItemSelectionModel, QPoint, Qt
from PySide6.QtTest import QAbstractItemModelTester, QTest
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from editview.domain.events import Failed, Inspected, RunsListed
from editview.domain.history import EntryKind, RunEntry
from editview.domain.requests import (
    DeleteRuns,
    InspectCheckpoint,
    ListRuns,
    NoteRun,
    RecallFindings,
    RecallRuns,
    Request,
    RestoreRuns,
)
from editview.domain.session import RunState
from editview.ui.hub import Hub
from editview.ui.kept.model import NOTE, OUTCOME, WHAT, WHEN, RunsModel
from editview.ui.kept.runs_dialog import RunsDialog
from tests import sample, two


def entry(
    run: str, began: float, name: str = "Capitals", state: RunState = RunState.FINISHED, note: str = ""
) -> RunEntry:
    found = "9 of 10 edits hold."
    return RunEntry(run, began, began + 60, state, name, "demo", "Edit → Fine-tune", "Fine-tune", found, note=note)


def finding(entry: str, began: float, kind: EntryKind, steps: str = "") -> RunEntry:
    where, found = "/models/old → /models/new", "A knowledge edit of about 10 facts."
    return RunEntry(entry, began, began, RunState.FINISHED, "old → new", where, steps, "", found, kind=kind)


RUNS = (
    entry("c", 3e9, "Rivers", RunState.STOPPED),
    entry("b", 2e9, note="for the board"),
    entry("a", 1e9),
)


def opened(qtbot: QtBot, runs: tuple[RunEntry, ...] = RUNS, deleted: int = 0) -> tuple[RunsDialog, Hub, list[Request]]:
    sent: list[Request] = []
    hub = Hub(sample.plan(), lambda request: sent.append(request) or len(sent))
    dialog = RunsDialog(hub)
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.activateWindow()
    qtbot.waitUntil(dialog.table.hasFocus)
    assert sent == [ListRuns()]
    hub.take([RunsListed(runs, deleted)])
    return dialog, hub, sent


def shown(dialog: RunsDialog) -> list[str]:
    return [row.id for row in dialog.model.rows]


def choose(dialog: RunsDialog, *rows: int) -> None:
    dialog.table.clearSelection()
    for row in rows:
        flags = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
        dialog.table.selectionModel().select(dialog.model.index(row, 0), flags)


def test_the_model_is_a_sound_model(qtbot: QtBot) -> None:
    model = RunsModel()
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    model.show_runs(RUNS)
    model.search("capitals")
    model.sort(NOTE)
    assert [row.id for row in model.rows] == ["a", "b"]
    assert model.setData(model.index(0, NOTE), "  two\nlines ")
    assert model.index(0, NOTE).data() == "two lines"
    assert not model.setData(model.index(0, WHAT), "another name")
    model.search("two lines")
    assert [row.id for row in model.rows] == ["a"]
    assert "Begun from the window" in model.index(0, WHEN).data(Qt.ItemDataRole.ToolTipRole)


def test_it_is_searched_and_sorted(qtbot: QtBot) -> None:
    dialog, _, _ = opened(qtbot)
    assert shown(dialog) == ["c", "b", "a"]
    assert dialog.headline.accessibleName() == "3 runs so far"
    dialog.search.setText("board capitals")
    assert shown(dialog) == ["b"]
    assert dialog.headline.accessibleName() == "1 of 3 shown"
    dialog.search.setText("stopped")
    assert shown(dialog) == ["c"]
    assert dialog.model.index(0, OUTCOME).data() == "Stopped during Fine-tune. 9 of 10 edits hold."
    dialog.search.setText("zzz")
    assert dialog.pages.currentWidget() is dialog.empty
    assert "zzz" in dialog.empty.accessibleName()
    assert not dialog.open_run.isEnabled()
    dialog.search.clear()
    dialog.table.sortByColumn(WHAT, Qt.SortOrder.AscendingOrder)
    assert shown(dialog)[-1] == "c"


def test_an_empty_list_says_what_to_do(qtbot: QtBot) -> None:
    dialog, _, _ = opened(qtbot, ())
    assert dialog.empty.isVisible()
    assert "press Run" in dialog.empty.accessibleName()


def test_enter_opens_the_run(qtbot: QtBot) -> None:
    dialog, _, sent = opened(qtbot)
    QTest.keyClick(dialog.table, Qt.Key.Key_Down)
    QTest.keyClick(dialog.table, Qt.Key.Key_Return)
    assert sent[-1] == RecallRuns(("b",))


def test_a_double_click_opens_the_run(qtbot: QtBot) -> None:
    dialog, _, sent = opened(qtbot)
    place = dialog.table.visualRect(dialog.model.index(2, WHAT)).center()
    QTest.mouseClick(dialog.table.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(place))
    QTest.mouseDClick(dialog.table.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(place))
    assert sent[-1] == RecallRuns(("a",))


def test_two_are_compared_the_earlier_one_first(qtbot: QtBot) -> None:
    dialog, _, sent = opened(qtbot)
    assert not dialog.compare.isEnabled()
    choose(dialog, 0, 2)
    assert not dialog.open_run.isEnabled()
    dialog.compare.click()
    assert sent[-1] == RecallRuns(("a", "c"))


def test_comparisons_and_inspections_are_rows_beside_the_runs(qtbot: QtBot) -> None:
    compared = finding("x", 4e9, EntryKind.COMPARISON)
    dialog, hub, sent = opened(qtbot, (finding("y", 5e9, EntryKind.INSPECTION, "against old"), compared, *RUNS))
    assert dialog.headline.accessibleName() == "3 runs, 1 comparison and 1 inspection so far"
    told = [dialog.model.index(row, WHAT).data(Qt.ItemDataRole.ToolTipRole) for row in (0, 1, 2)]
    assert told[0] == "old → new\nInspection · against old\n/models/old → /models/new"
    assert told[1].splitlines()[1] == "Comparison"
    assert told[2].splitlines()[1] == "Run · Edit → Fine-tune · Demo model"
    choose(dialog, 1, 2)
    assert not dialog.compare.isEnabled()  # a run and something else
    dialog.search.setText("comparison knowledge")
    assert shown(dialog) == ["x"]
    dialog.open_run.click()
    assert sent[-1] == RecallFindings("x")
    dialog.search.setText("run")
    assert shown(dialog) == ["c", "b", "a"]
    hub.take([Inspected(InspectCheckpoint(two.AFTER), two.inspection())])
    assert sent[-1] == ListRuns()  # it may be a row by now


def test_delete_and_bring_back(qtbot: QtBot) -> None:
    dialog, hub, sent = opened(qtbot)
    assert not dialog.undo.isVisible()
    QTest.keyClick(dialog, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert sent == [ListRuns()]  # nothing is there to bring back
    choose(dialog, 0, 1)
    QTest.keyClick(dialog.table, Qt.Key.Key_Delete)
    assert sent[-1] == DeleteRuns(("c", "b"))
    hub.take([RunsListed(RUNS[2:], 2)])
    assert shown(dialog) == ["a"]
    assert [each.id for each in dialog.table.chosen()] == ["a"]
    assert dialog.undo.isVisible()
    QTest.keyClick(dialog, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert sent[-1] == RestoreRuns()


def test_a_note_is_written_in_place(qtbot: QtBot) -> None:
    dialog, hub, sent = opened(qtbot)
    dialog.table.setFocus()
    QTest.keyClick(dialog.table, Qt.Key.Key_F2)
    field = dialog.table.viewport().findChild(QLineEdit)
    assert field is not None
    QTest.keyClicks(field, "the good one")
    QTest.keyClick(field, Qt.Key.Key_Delete)  # belongs to the field, and not to the list
    QTest.keyClick(field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(sent) > 1)
    assert sent[1:] == [NoteRun("c", "the good one")]
    assert dialog.model.rows[0].note == "the good one"
    hub.take([RunsListed(RUNS)])
    assert [each.id for each in dialog.table.chosen()] == ["c"]  # what was chosen stays so


def test_a_run_that_ends_brings_the_list_up_to_date(qtbot: QtBot) -> None:
    _, hub, sent = opened(qtbot)
    hub.take(sample.events(sample.plan(), sample.sheet()))
    assert sent.count(ListRuns()) > 1


def test_what_goes_wrong_is_said_in_the_dialog(qtbot: QtBot) -> None:
    dialog, hub, sent = opened(qtbot)
    solved: list[object] = []
    hub.solved.connect(solved.append)
    QTest.keyClick(dialog.table, Qt.Key.Key_Return)
    hub.take([Failed(len(sent), "What was kept of this can't be read.")])
    assert dialog.note.accessibleName() == "What was kept of this can't be read."
    assert len(solved) == 1
    hub.take([Failed(999, "Somebody else's.")])
    assert len(solved) == 1


def test_a_list_that_cannot_be_read_says_so(qtbot: QtBot) -> None:
    hub = Hub(sample.plan(), lambda request: 1)
    dialog = RunsDialog(hub)
    qtbot.addWidget(dialog)
    dialog.show()
    hub.take([Failed(1, "The list of runs was made by a newer EditView.")])
    assert dialog.headline.accessibleName() == "The list of runs can't be shown."
    assert "newer EditView" in dialog.note.accessibleName()


@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_rows_are_drawn_at_any_size(qtbot: QtBot, scale: float) -> None:
    from editview.ui.look.theme import theme

    dialog, _, _ = opened(qtbot, (*RUNS, entry("d", 0.0, "A long name " * 30, note="words " * 80)))
    theme().set_scale(scale)
    assert not dialog.grab().isNull()
    theme().set_scale(1.0)
