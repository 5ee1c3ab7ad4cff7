"""Saving the shown run as a report from the window, and opening it afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QLabel, QWidget
from pytestqt.qtbot import QtBot

from editview.domain.events import ReportSaved, ReportUnderWay, RunsRecalled
from editview.domain.facts import FactSheet
from editview.domain.requests import Request, SaveReport, SaveSideBySide
from editview.domain.run_events import Checked, RunFinished, RunStopped
from editview.ui.compare.panel import ComparePanel
from editview.ui.hub import Hub
from editview.ui.window.main_window import MainWindow
from tests import sample


@pytest.fixture
def sent() -> list[Request]:
    return []


@pytest.fixture
def window(qtbot: QtBot, sent: list[Request]) -> MainWindow:
    hub = Hub(sample.plan(), lambda request: sent.append(request) or len(sent))
    made = MainWindow(hub)
    qtbot.addWidget(made)
    made.furnish(QLabel("facts"))
    made.hang_pictures({name: ComparePanel(hub) if name == "Compare" else QWidget() for name in made.panel_names})
    made.show()
    return made


def choose(path: str, monkeypatch: pytest.MonkeyPatch, kind: str = "") -> list[str]:
    """What the dialog is answered; collects the names that it suggests."""
    suggested: list[str] = []

    def answer(_parent: object, _title: str, start: str, _kinds: str) -> tuple[str, str]:
        suggested.append(start)
        return path, kind

    monkeypatch.setattr(QFileDialog, "getSaveFileName", answer)
    return suggested


def test_a_run_is_saved_once_it_has_ended(
    window: MainWindow, sent: list[Request], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    action, hub = window.actions_table.by_id["save-report"], window.hub
    suggested = choose(str(tmp_path / "told"), monkeypatch)
    assert not action.isEnabled()
    *events, end = sample.events(sample.plan(), sample.sheet())
    assert isinstance(end, RunFinished)
    hub.take(events)
    assert not action.isEnabled()  # it still grows
    hub.take([end])
    assert action.isEnabled()
    action.trigger()
    assert suggested == ["Sample.html"]
    assert sent[-1] == SaveReport(hub.run, str(tmp_path / "told.html"))
    assert window.message.sentence.text() == "The report is being written."


@pytest.mark.parametrize(
    ("chosen", "kind", "written"),
    [
        ("told", "Web pages (*.html)", "told.html"), ("told.html", "Web pages (*.html)", "told.html"),
        ("told.html", "PDF (*.pdf)", "told.pdf"), ("told.pdf", "Web pages (*.html)", "told.pdf"),
        ("told.v2", "PDF (*.pdf)", "told.v2.pdf"),
    ],
)  # fmt: skip
def test_it_becomes_what_was_chosen_of_the_two(
    window: MainWindow, sent: list[Request], monkeypatch: pytest.MonkeyPatch, chosen: str, kind: str, written: str
) -> None:
    choose(f"/there/{chosen}", monkeypatch, kind)
    window.hub.take(sample.events(sample.plan(), sample.sheet()))
    window.reports.save()
    assert sent[-1] == SaveReport(window.hub.run, f"/there/{written}")


def test_a_run_that_was_stopped_before_anything_was_asked_is_nothing_to_save(window: MainWindow) -> None:
    events = list(sample.events(sample.plan(), sample.sheet()))
    before = events[: next(i for i, event in enumerate(events) if isinstance(event, Checked))]
    window.hub.take([*before, RunStopped("run-1")])
    assert not window.actions_table.by_id["save-report"].isEnabled()


def test_without_a_place_nothing_is_written(
    window: MainWindow, sent: list[Request], monkeypatch: pytest.MonkeyPatch
) -> None:
    choose("", monkeypatch)
    window.hub.take(sample.events(sample.plan(), sample.sheet()))
    before = len(sent)
    window.reports.save()
    assert sent[before:] == []


def test_two_orders_are_saved_under_a_name_that_says_so(
    window: MainWindow, sent: list[Request], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suggested = choose(str(tmp_path / "both.html"), monkeypatch)
    for first, name in ((True, "one"), (False, "two")):
        window.hub.take(sample.events(sample.plan(first), sample.sheet(), run=name))
    one, two = window.hub.session.runs.values()
    window.hub.report_wanted.emit((one, two))
    assert suggested == ["Sample - orders compared.html"]
    assert sent[-1] == SaveReport(one, str(tmp_path / "both.html"), two)


def test_any_two_runs_are_saved_from_where_they_are_compared(
    window: MainWindow, sent: list[Request], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suggested = choose(str(tmp_path / "both"), monkeypatch)
    pair = sample.past("one"), sample.past("two", edit_first=False)
    window.hub.take([RunsRecalled(pair)])
    panel = window.tabs.currentWidget()
    assert isinstance(panel, ComparePanel)
    panel.report.click()
    assert suggested == ["Old plan - runs compared.html"]
    assert sent[-1] == SaveSideBySide(*pair, str(tmp_path / "both.html"))
    panel.back.click()
    assert not panel.report.isVisible()  # there are no orders to tell of


def test_runs_that_still_grow_or_share_no_fact_are_no_report(window: MainWindow) -> None:
    window.hub.take(list(sample.events(sample.plan(), sample.sheet(12), run="one"))[:-1])
    window.hub.take([RunsRecalled((sample.past("one"), sample.past("two")))])
    panel = window.tabs.currentWidget()
    assert isinstance(panel, ComparePanel)
    assert panel.report.isVisible()
    assert not panel.report.isEnabled()
    nothing = sample.past("three")
    nothing.run.sheet = FactSheet("others", ())
    window.hub.take([RunsRecalled((sample.past("two"), nothing))])
    assert not panel.report.isVisible()


def test_how_far_a_report_is_can_be_seen_and_stopped(
    qtbot: QtBot, sent: list[Request], monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped: list[int] = []
    hub = Hub(sample.plan(), lambda request: sent.append(request) or len(sent), stop=stopped.append)
    window = MainWindow(hub)
    qtbot.addWidget(window)
    window.show()
    choose("/there/told.html", monkeypatch)
    hub.take(sample.events(sample.plan(), sample.sheet()))
    window.reports.save()
    for share, said in ((0.25, "25 %, about 12 s left"), (0.5, "50 %, about 12 s left")):
        hub.take([ReportUnderWay("/there/told.html", "Hashing the files", share, 12.0)])
        assert window.message.accessibleName() == f"The report is being written. Hashing the files: {said}."
    assert window.message.then.text() == "Stop"
    window.message.then.click()
    assert stopped == [len(sent)]
    hub.take([ReportUnderWay("/there/told.html", "Hashing the files", 0.6, 12.0)])  # on its way when it was stopped
    assert not window.message.isVisible()


def test_a_report_that_was_saved_can_be_opened_at_once(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url) or len(opened) == 1)
    path = str(tmp_path / "my report.html")
    window.hub.take([ReportSaved(path)])
    assert path in window.message.sentence.text()
    assert window.message.then.text() == "Open it"
    window.message.then.click()
    assert [url.toLocalFile() for url in opened] == [path]
    assert not window.message.isVisible()

    window.hub.take([ReportSaved(path)])
    window.message.then.click()  # nothing on this machine does
    assert "Open it from your browser" in window.message.sentence.text()
    assert not window.message.then.isVisible()
