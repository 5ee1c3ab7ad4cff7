"""What was found of checkpoints at another time, opened from the list of runs: shown as it was, nothing asked anew."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QFileDialog

from editview.domain.events import FindingsRecalled, Inspected
from editview.domain.history import EntryKind, Findings, RunEntry
from editview.domain.inspection import Inspection
from editview.domain.requests import CompareCheckpoints, InspectCheckpoint, SaveComparison
from editview.domain.session import RunState
from editview.domain.update_kind import judged
from editview.ui.checkpoints.weights_page import STOPPED
from editview.ui.kept.runs_dialog import RunsDialog
from editview.ui.window.checkpoints_window import BUSY
from tests import two
from tests.ui.checkpoints.conftest import Desk

pytestmark = pytest.mark.qt_log_ignore("does not support raise", extend=True)

CHANGED = "The checkpoint '/models/after' has changed since."


def then(kind: EntryKind, remarks: tuple[str, ...] = (), whole: bool = True) -> Findings:
    entry = RunEntry("x", 1e9, 1e9, RunState.FINISHED, "before → after", "", "", "", "Words.", kind=kind)
    found = two.inspection() if kind is EntryKind.INSPECTION else two.difference(spectra=whole)
    return Findings(entry, found, whole, remarks)


def test_a_comparison_is_shown_as_it_was(desk: Desk) -> None:
    desk.main.kept.show_runs()
    desk.hub.take([FindingsRecalled(then(EntryKind.COMPARISON, (CHANGED,)))])
    window = desk.window
    assert not any(dialog.isVisible() for dialog in desk.main.findChildren(RunsDialog))
    assert window.tabs.currentWidget() is window.weights
    assert window.head.headline.accessibleName() == judged(two.difference()).sentence.replace("*", "")
    assert window.weights.model.count == 5
    assert desk.asked(CompareCheckpoints) == []
    said = window.message.sentence.accessibleName()
    assert said.startswith("This is the comparison of before → after as of 9 September 2001")
    assert said.endswith(CHANGED)
    window.head.button.click()
    assert desk.asked(CompareCheckpoints) == [CompareCheckpoints(two.BEFORE, two.AFTER)]
    assert not window.message.isVisible()  # what is shown isn't of then any more


def test_a_report_of_it_knows_when_it_was_found(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, path = then(EntryKind.COMPARISON), str(tmp_path / "told.html")
    desk.hub.take([FindingsRecalled(one)])
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (path, ""))
    desk.window.report.click()
    assert desk.asked(SaveComparison) == [SaveComparison(two.difference(), path, then=one)]


def test_a_comparison_without_spectra_says_so(desk: Desk) -> None:
    desk.hub.take([FindingsRecalled(then(EntryKind.COMPARISON, whole=False))])
    page = desk.window.weights
    assert desk.window.head.headline.accessibleName().startswith("2 of 4 tensors changed")
    assert page.plot.accessibleDescription() == STOPPED


def test_an_inspection_is_shown_in_its_page(desk: Desk) -> None:
    desk.compare()
    desk.hub.take([FindingsRecalled(then(EntryKind.INSPECTION))])
    window = desk.window
    assert window.tabs.currentWidget() is window.touched
    assert [one.subject for one in window.touched.model.shown] == ["Peru", "Chad"]
    assert window.pair.found is None  # it was of another time
    assert window.head.headline.accessibleName() == "Press Compare to see what lies between them."
    window.touched.button.click()
    (request,) = desk.asked(InspectCheckpoint)
    assert not window.message.isVisible()
    desk.hub.take([Inspected(request, two.inspection())])
    assert window.pair.then is None


def test_an_inspection_of_one_alone_is_shown_too(desk: Desk) -> None:
    one = then(EntryKind.INSPECTION)
    assert isinstance(one.found, Inspection)
    desk.hub.take([FindingsRecalled(replace(one, found=replace(one.found, original=None)))])
    window = desk.window
    assert (window.pair.first, window.pair.second) == (None, two.AFTER)
    assert window.tabs.currentWidget() is window.touched
    assert window.tabs.isVisible()


def test_what_is_under_way_is_not_lost_for_it(desk: Desk) -> None:
    desk.main.compare_checkpoints((two.BEFORE, two.AFTER))
    desk.hub.take([FindingsRecalled(then(EntryKind.INSPECTION))])
    assert desk.stopped == []
    assert desk.window.message.problem is not None
    assert desk.window.message.problem.sentence == BUSY
    assert desk.window.pair.comparing
