"""The window that compares two checkpoints: which two, how far it is, what was found, asked and saved."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QComboBox, QFileDialog, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from editview.domain.events import CheckpointsCompared, Comparing, Failed, Inspected, ReportSaved
from editview.domain.inspection import Memory, memory_sentence
from editview.domain.plan import Checkpoint
from editview.domain.requests import AskBoth, CompareCheckpoints, InspectCheckpoint, SaveComparison
from editview.domain.update_kind import judged
from editview.ui.checkpoints import choosing
from editview.ui.checkpoints.touched_table import Column, TouchedModel
from editview.ui.facts.grid import MARKS, Chip
from editview.ui.look.word_help import word_help
from tests import sample, two
from tests.ui.checkpoints.conftest import Desk

pytestmark = pytest.mark.qt_log_ignore("does not support raise", extend=True)


def folder(path: Path, *, adapter: bool = False) -> Path:
    path.mkdir(parents=True)
    (path / ("adapter_config.json" if adapter else "config.json")).write_text("{}")
    return path


def drop(window: object, *paths: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    event = QDropEvent(
        QPointF(5, 5), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    window.dropEvent(event)  # type: ignore[attr-defined]


# ---- which two ----------------------------------------------------------------------------------------------------


def test_the_menu_opens_it_empty_and_says_what_to_do(desk: Desk) -> None:
    desk.main.actions_table.by_id["compare-checkpoints"].trigger()
    window = desk.window
    assert window.isVisible()
    assert window.head.headline.accessibleName() == "Choose two versions of one model"
    assert not window.head.button.isEnabled()
    assert not window.tabs.isVisible()
    desk.main.actions_table.by_id["compare-checkpoints"].trigger()
    assert desk.window is window  # once, and brought to the front


def test_two_folders_dropped_on_the_main_window_are_compared_at_once(desk: Desk, tmp_path: Path) -> None:
    before, after = folder(tmp_path / "before"), folder(tmp_path / "after")
    drop(desk.main, before, after)
    assert desk.asked(CompareCheckpoints) == [
        CompareCheckpoints(Checkpoint(source=str(before)), Checkpoint(source=str(after)))
    ]
    assert desk.window.windowTitle() == "before and after compared – EditView"


def test_a_base_and_an_adapter_are_compared_whichever_is_dropped_first(desk: Desk, tmp_path: Path) -> None:
    base, adapter = folder(tmp_path / "base"), folder(tmp_path / "adapter", adapter=True)
    drop(desk.main, adapter, base)
    first = Checkpoint(source=str(base))
    assert desk.asked(CompareCheckpoints) == [
        CompareCheckpoints(first, first.model_copy(update={"adapter": str(adapter)}))
    ]


def test_what_is_dropped_one_by_one_fills_the_sides(desk: Desk, tmp_path: Path) -> None:
    desk.main.compare_checkpoints()
    window = desk.window
    drop(window, folder(tmp_path / "a"))
    drop(window, folder(tmp_path / "b"))
    assert [window.pair.first, window.pair.second] == [Checkpoint(source=str(tmp_path / name)) for name in "ab"]
    drop(window.head.first, folder(tmp_path / "c"))
    assert window.pair.first == Checkpoint(source=str(tmp_path / "c"))
    assert desk.asked(CompareCheckpoints) == []  # one by one they wait for the button
    (tmp_path / "notes.png").write_bytes(b"")
    drop(window, tmp_path / "notes.png")
    assert window.message.problem is not None
    assert "'notes.png' is no checkpoint" in window.message.problem.sentence


def test_what_was_compared_is_offered_again_and_the_plans_own(desk: Desk) -> None:
    desk.compare()
    menu = desk.window.head.first.menu_of_others()
    offered = [action.toolTip() for action in menu.actions()]
    assert offered.index("/models/after") > offered.index("Compared lately")
    assert "demo" in offered
    next(action for action in menu.actions() if action.toolTip() == "demo").trigger()
    assert desk.window.pair.first == Checkpoint()
    menu.close()
    menu.deleteLater()
    adapted = Checkpoint(source="base", adapter="thin")
    choosing.remember(adapted)
    assert choosing.recent()[0] == adapted


def test_a_folder_can_be_chosen(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.main.compare_checkpoints()
    chosen = folder(tmp_path / "chosen")
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(chosen))
    desk.window.head.second.folder_wanted.emit()
    assert desk.window.pair.second == Checkpoint(source=str(chosen))


def test_swapping_compares_the_other_way_round(desk: Desk) -> None:
    desk.compare()
    desk.window.head.swap.click()
    assert desk.asked(CompareCheckpoints)[-1] == CompareCheckpoints(two.AFTER, two.BEFORE)
    assert desk.window.pair.found is None  # what was found was of the other way round


# ---- while it goes on, and when it fails --------------------------------------------------------------------------


def test_progress_is_told_with_the_time_left_and_can_be_stopped(desk: Desk) -> None:
    desk.main.compare_checkpoints((two.BEFORE, two.AFTER))
    head, (request,) = desk.window.head, desk.asked(CompareCheckpoints)
    desk.hub.take([Comparing(request, "Comparing the weights", 0.25, 90.0)])
    assert head.work.accessibleName() == "Comparing the weights, about 1 min 30 s left."
    assert head.bar.value() == head.bar.maximum() / 4
    assert head.button.text() == "Stop"
    head.button.click()
    assert desk.stopped == [request]
    assert not head.bar.isVisible()
    assert head.button.text() == "Compare"
    desk.hub.take([CheckpointsCompared(request, two.difference(), whole=True)])
    assert desk.window.pair.found is None  # too late


def test_esc_and_closing_stop_what_is_under_way(desk: Desk, qtbot: QtBot) -> None:
    desk.main.compare_checkpoints((two.BEFORE, two.AFTER))
    qtbot.keyClick(desk.window, Qt.Key.Key_Escape)
    assert len(desk.stopped) == 1
    desk.window.head.button.click()
    desk.window.close()
    assert desk.stopped == desk.asked(CompareCheckpoints)
    qtbot.waitUntil(lambda: desk.main.checkpoints is None)


def test_why_two_cannot_be_compared_is_said_there_alone(desk: Desk) -> None:
    desk.main.compare_checkpoints((two.BEFORE, two.AFTER))
    desk.hub.take([Failed(len(desk.sent), "These are different models.", "details")])
    window = desk.window
    assert window.message.problem is not None
    assert window.message.problem.sentence == "These are different models."
    assert desk.main.message.problem is None
    assert window.head.headline.accessibleName() == "These two couldn't be compared."
    window.head.button.click()
    assert window.message.problem is None


def test_a_failure_of_something_else_is_no_business_of_it(desk: Desk) -> None:
    desk.main.compare_checkpoints((two.BEFORE, two.AFTER))
    desk.hub.take([Failed(999, "Something else.", "")])
    assert desk.window.message.problem is None
    assert desk.main.message.problem is not None


# ---- what was found -----------------------------------------------------------------------------------------------


def test_the_sentence_comes_first_then_its_evidence_and_what_differs_otherwise(desk: Desk) -> None:
    desk.compare(spectra=False)
    head, found = desk.window.head, two.difference()
    assert head.headline.accessibleName().startswith("2 of 4 tensors changed")
    assert desk.window.weights.model.count == 5
    (request,) = desk.asked(CompareCheckpoints)
    desk.hub.take([CheckpointsCompared(request, found, whole=True)])
    assert head.headline.accessibleName() == judged(found).sentence.replace("*", "")
    assert head.remarks.accessibleName().startswith("2 of 4 tensors changed")
    assert desk.window.tabs.currentWidget() is desk.window.weights
    assert "'wte.weight' has 90 rows in the first and 100 in the second" in head.remarks.accessibleName()
    assert "Only the second has 'extra.scale'" in head.remarks.accessibleName()


def test_a_sheet_is_asked_of_both_and_what_differs_stands_first(desk: Desk) -> None:
    desk.compare()
    page = desk.window.facts
    desk.window.tabs.setCurrentWidget(page)
    page.ask.click()
    assert desk.asked(AskBoth) == [AskBoth(two.BEFORE, two.AFTER, desk.hub.sheet)]
    assert page.stop.isVisible()
    desk.answer({"e0", "c0", "c1"}, {"e2", "c0"})
    said = page.facts.headline.said
    assert said.big == "3 of 8 facts are answered differently"
    assert said.rest.startswith("Of 4 new answers, 1 is given before only, 1 after only, 2 by neither. Of 4 original")
    shown = [page.facts.model.fact(row).id for row in range(8)]
    assert shown[:3] == ["e0", "e2", "c1"]
    titles = [page.facts.model.headerData(at, Qt.Orientation.Horizontal) for at in range(1, 5)]
    assert titles == ["Before", "After", "What they answer", "Says after"]
    cells = {fact: [page.facts.model.text(row, at) for at in (1, 2, 3)] for row, fact in enumerate(shown)}
    assert cells["e0"] == ["new answer", "original answer", "new answer before only"]
    assert cells["e2"] == ["original answer", "new answer", "new answer after only"]
    assert cells["e1"] == ["original answer", "original answer", "original answer by both"]
    assert cells["c1"] == ["right answer", "another answer", "right answer before only"]
    assert desk.hub.run is None  # it is no run of the plan's
    assert not page.stop.isVisible()


def test_where_nothing_differs_nothing_speaks_of_edits_and_nothing_is_red(desk: Desk) -> None:
    desk.compare()
    page = desk.window.facts
    desk.window.tabs.setCurrentWidget(page)
    page.ask.click()
    desk.answer({"n0", "n1", "c0", "c1"}, {"n0", "n1", "c0", "c1"})
    model, bar = page.facts.model, page.facts.filters
    assert {MARKS[Chip(chip)].role for chip in model.grid.chips.ravel()} == {"neutral"}
    assert not model.grid.bad_now.any()
    fates = bar.findChild(QComboBox)
    assert fates is not None
    offered = [fates.itemText(at) for at in range(fates.count())]
    assert offered == [
        "All answers", "new answer by neither (4)", "original answer by both (4)", "neighbours by both (2)",
        "controls by both (2)",
    ]  # fmt: skip
    page.facts.table.opened.emit("e0")
    page.facts.filters.search.setText("no such words")
    shown = [label.accessibleName() for label in page.findChildren(QLabel) if label.isVisible()]
    shown += [button.text() for button in page.findChildren(QPushButton) if button.isVisible()]
    said = " ".join((page.facts.headline.accessibleName(), *offered, *shown))
    assert "Both: “Old 0”, the original answer." in said
    assert not re.search(r"edit|hold|fail|took|lost|surviv|intact", said, re.IGNORECASE), said


def test_asking_can_be_stopped_and_begun_again(desk: Desk) -> None:
    desk.compare()
    page = desk.window.facts
    desk.window.tabs.setCurrentWidget(page)
    page.ask.click()
    page.stop.click()
    assert desk.stopped == desk.asked(AskBoth)
    assert page.ask.isVisible()
    page.ask.click()
    desk.answer(set(), set())
    assert page.facts.headline.said.big == "0 of 8 facts are answered differently"
    desk.hub.sheet = sample.sheet(2, 0, 0)
    desk.hub.sheet_changed.emit()
    assert page.again.text() == "Ask sample"
    page.again.click()
    desk.answer({"e0"}, {"e0", "e1"})
    assert page.facts.headline.said.big == "1 of 2 facts is answered differently"


def test_other_two_forget_what_was_asked(desk: Desk) -> None:
    desk.compare()
    desk.window.facts.ask.click()
    desk.answer({"e0"}, set())
    desk.window.head.take(1, [Checkpoint(source="another")])
    assert desk.window.pair.asked is None
    assert desk.window.facts.pages.currentIndex() == 0


def test_which_facts_were_touched_is_found_without_being_told(desk: Desk, qtbot: QtBot) -> None:
    desk.compare()
    page = desk.window.touched
    desk.window.tabs.setCurrentWidget(page)
    page.button.click()
    (request,) = desk.asked(InspectCheckpoint)
    assert request == InspectCheckpoint(two.AFTER, two.BEFORE, "packaged")
    desk.hub.take([Inspected(request, two.inspection())])
    assert [one.subject for one in page.model.shown] == ["Peru", "Chad"]
    assert "*" not in page.headline.accessibleName()
    assert page.said.accessibleName().startswith("The sea of Peru is … red before, blue now.")
    assert "Peru: … a land before, the same after." in page.said.accessibleName()
    page.table.sortByColumn(Column.TIMES, Qt.SortOrder.DescendingOrder)
    assert [one.subject for one in page.model.shown] == ["Chad", "Peru"]
    page.source.setCurrentIndex(page.source.findData("sheet"))
    page.button.click()
    assert desk.asked(InspectCheckpoint)[-1] == InspectCheckpoint(
        two.AFTER, two.BEFORE, "", desk.hub.sheet.facts, "demo"
    )
    page.button.click()
    assert desk.stopped == [desk.asked(InspectCheckpoint)[-1]]


def test_one_alone_can_be_looked_at_for_what_it_was_made_to_say(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.main.compare_checkpoints()
    window = desk.window
    window.head.take(1, [two.AFTER])
    assert window.head.headline.accessibleName() == "Choose the one before, too"
    assert [window.tabs.isTabEnabled(at) for at in range(3)] == [False, False, True]
    assert window.tabs.currentWidget() is window.touched
    window.touched.button.click()
    (request,) = desk.asked(InspectCheckpoint)
    assert request == InspectCheckpoint(two.AFTER, None, "packaged")
    memory = Memory(1, two.OUT, 7.5, 2, ("blue",))
    found = replace(two.inspection(), original=None, layers=(1,), memories=(memory,))
    desk.hub.take([Inspected(request, found)])
    assert memory_sentence(memory).replace("*", "") in window.touched.note.accessibleName()
    titles = [window.touched.model.headerData(at, Qt.Orientation.Horizontal) for at in range(3)]
    assert titles == ["Subject", "Says without what stands out", "Says after"]
    assert "once what stands out is taken away" in window.touched.headline.accessibleName()
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "told.html"), ""))
    window.report.click()
    assert desk.asked(SaveComparison) == [SaveComparison(None, str(tmp_path / "told.html"), None, found, whole=False)]


def test_a_checkpoint_is_inspected_from_the_menu_without_its_original(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choosing, "by_dialog", lambda *_, **__: None)
    desk.main.actions_table.by_id["inspect-checkpoint"].trigger()
    assert "The edited one alone is enough" in desk.window.head.evidence.accessibleName()
    assert desk.asked(InspectCheckpoint) == []  # none was chosen
    monkeypatch.setattr(choosing, "by_dialog", lambda *_, **__: two.AFTER)
    desk.main.actions_table.by_id["inspect-checkpoint"].trigger()
    assert desk.asked(InspectCheckpoint) == [InspectCheckpoint(two.AFTER, None, "packaged")]
    assert desk.window.tabs.currentWidget() is desk.window.touched
    assert desk.window.windowTitle() == "after inspected – EditView"
    assert desk.window.head.headline.accessibleName() == "Inspected without the one before"
    assert not desk.window.head.alone.isVisible()
    assert choosing.recent()[0] == two.AFTER


def test_what_was_chosen_as_the_one_before_can_be_inspected_alone(desk: Desk) -> None:
    desk.main.compare_checkpoints()
    desk.window.head.take(0, [two.AFTER])
    assert desk.window.head.headline.accessibleName() == "Choose the one after, too"
    desk.window.head.alone.click()
    assert (desk.window.pair.first, desk.window.pair.second) == (None, two.AFTER)
    assert desk.asked(InspectCheckpoint) == [InspectCheckpoint(two.AFTER, None, "packaged")]


def test_the_model_of_touched_subjects_is_sound(qtbot: QtBot) -> None:
    model = TouchedModel()
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    model.show(two.inspection())
    for column in Column:
        model.sort(column, Qt.SortOrder.AscendingOrder)
    model.show(None)
    assert tester


# ---- the report ---------------------------------------------------------------------------------------------------


def test_a_report_waits_until_nothing_is_under_way_or_says_what_it_lacks(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.compare(spectra=False)
    window = desk.window
    assert not window.report.isEnabled()  # the spectra are still worked out
    assert "once what is under way" in window.report.toolTip()
    window.pair.stop()
    assert window.report.isEnabled()
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "told.html"), ""))
    window.report.click()
    (request,) = desk.asked(SaveComparison)
    assert isinstance(request, SaveComparison)
    assert not request.whole
    desk.hub.take([ReportSaved(request.path)])
    window.facts.ask.click()
    assert not window.report.isEnabled()
    desk.answer(set(), set())
    assert window.report.isEnabled()


@pytest.mark.parametrize("then", ["compare", "choose", "look"])
def test_where_a_report_is_goes_with_what_it_told(desk: Desk, then: str) -> None:
    desk.compare()
    window = desk.window
    window.pair.save("/there/told.html")
    desk.hub.take([ReportSaved("/there/told.html")])
    assert window.message.isVisible()
    if then == "compare":
        window.pair.compare()
    elif then == "choose":
        window.pair.choose(two.AFTER, two.BEFORE)
    else:
        window.pair.inspect("packaged")
    assert not window.message.isVisible()


def test_a_report_is_saved_with_all_that_is_known(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.main.compare_checkpoints()
    window = desk.window
    assert not window.actions_table.by_id["save-report"].isEnabled()
    desk.compare()
    window.facts.ask.click()
    desk.answer({"e0"}, {"e1"})
    path = str(tmp_path / "told.html")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (path.removesuffix(".html"), ""))
    window.report.click()
    (request,) = desk.asked(SaveComparison)
    assert request == SaveComparison(window.pair.found, path, window.pair.asked, None)
    assert request.asked is not None
    assert request.asked.plan.facts == desk.hub.plan.facts
    desk.hub.take([Comparing(request, "Hashing the files", 0.5, 3.0)])
    assert window.head.work.accessibleName() == "Hashing the files, about 3 s left."
    desk.hub.take([ReportSaved(path)])
    assert window.message.then.isVisible()
    assert not desk.main.message.isVisible()
    assert not window.head.bar.isVisible()


def test_help_is_there_too_and_the_same(desk: Desk, qtbot: QtBot) -> None:
    desk.compare()
    window = desk.window
    assert [action.text() for action in window.menuBar().actions()] == ["&File", "&Help"]
    qtbot.waitExposed(window)
    window.activateWindow()
    qtbot.keyClick(window, Qt.Key.Key_F1)
    browser = desk.main.help.browser
    assert browser is not None
    assert browser.text.toPlainText().startswith("Fact")
    word_help().wanted.emit("direction")
    assert desk.main.help.browser is browser
    assert browser.text.toPlainText().startswith("Direction")
    with qtbot.waitSignal(browser.destroyed):
        browser.close()


def test_the_spectrum_is_folded_away_and_it_is_remembered(desk: Desk, qtbot: QtBot) -> None:
    def room() -> int:
        return desk.window.weights.splitters["tensors"].sizes()[1]

    desk.compare()
    assert desk.window.weights.spectrum.isChecked()
    desk.window.weights.spectrum.click()
    assert room() == 0
    with qtbot.waitSignal(desk.window.destroyed):
        desk.window.close()
    desk.compare()
    assert not desk.window.weights.spectrum.isChecked()
    assert room() == 0
    desk.window.weights.spectrum.click()
    assert room() > 0
