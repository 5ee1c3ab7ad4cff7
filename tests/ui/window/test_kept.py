"""Runs and disk space from the window: a run comes back with its plan and facts, and goes on; dialogs keep sizes."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from editview.domain.disk import Kind
from editview.domain.events import DiskUsed, FactsOpened, RunsRecalled
from editview.domain.requests import ListRuns, MeasureDisk, Request, RunPlan
from editview.domain.session import RunState
from editview.ui import remembered
from editview.ui.compare.panel import ComparePanel
from editview.ui.hub import Hub
from editview.ui.kept.runs_dialog import RunsDialog
from editview.ui.look.theme import Mode, theme
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


def test_a_run_comes_back_with_its_plan_and_its_facts(window: MainWindow) -> None:
    hub, mine = window.hub, window.hub.plan
    hub.take([FactsOpened("demo", sample.sheet(3))])
    window.kept.show_runs()
    one = sample.past()
    hub.take([RunsRecalled((one,))])
    assert hub.run is one.run
    assert hub.plan == one.run.plan
    assert hub.sheet == one.run.sheet
    assert not hub.running
    assert hub.history.path is None  # saving asks for a name, and overwrites no other plan
    assert window.message.sentence.accessibleName().endswith("has changed since.")
    assert not window.message.then.isVisible()
    assert not window.findChildren(RunsDialog) or not window.findChildren(RunsDialog)[0].isVisible()
    hub.undo()
    assert hub.plan == mine


def test_a_run_that_was_stopped_goes_on_from_the_message(window: MainWindow, sent: list[Request]) -> None:
    one = sample.past(stopped=True)
    window.hub.take([RunsRecalled((one,))])
    assert "was stopped during Fine-tune on support tickets" in window.message.sentence.accessibleName()
    window.message.then.click()
    assert sent[-1] == RunPlan(one.run.plan, one.run.sheet)


def test_coming_back_while_a_run_goes_on_stops_nothing(window: MainWindow) -> None:
    hub = window.hub
    *events, end = sample.events(sample.plan(), sample.sheet(), run="now")
    hub.take(events)
    hub.take([RunsRecalled((sample.past(),))])
    assert hub.running
    hub.take([end])
    assert not hub.running
    assert hub.session.runs["now"].state is RunState.FINISHED


def test_a_run_of_this_session_is_shown_as_it_grows(window: MainWindow) -> None:
    hub = window.hub
    hub.take(list(sample.events(sample.plan(), sample.sheet(), run="past"))[:-1])
    live = hub.run
    hub.take([RunsRecalled((sample.past(),))])
    assert hub.run is live
    assert not window.message.isVisible()


def test_two_runs_are_laid_side_by_side(window: MainWindow) -> None:
    window.hub.take([RunsRecalled((sample.past("one"), sample.past("two", edit_first=False, edits=10)))])
    panel = window.tabs.currentWidget()
    assert isinstance(panel, ComparePanel)
    assert "Fine-tune → Edit" in panel.headline.accessibleName()
    assert "Compared on the 40 facts that both asked, of 42 and 40." in panel.note.accessibleName()
    assert panel.model.rowCount() == 40
    assert panel.report.isEnabled()
    panel.back.click()
    assert "The order of steps" in panel.headline.accessibleName()
    assert not panel.back.isVisible()


def test_each_dialog_is_there_once_and_as_large_as_it_was(
    window: MainWindow, sent: list[Request], qtbot: QtBot
) -> None:
    window.kept.show_runs()
    window.kept.show_runs()
    assert sent.count(ListRuns()) == 1
    (dialog,) = window.findChildren(RunsDialog)
    dialog.resize(640, 444)
    dialog.close()
    window.kept.show_runs()
    again = window.findChildren(RunsDialog)[-1]
    assert (again.width(), again.height()) == (640, 444)
    window.kept.show_disk()
    assert sent[-1] == MeasureDisk()
    window.close()
    assert not again.isVisible()


def test_cleared_settings_are_forgotten_at_once(window: MainWindow) -> None:
    remembered.remember_recent("plan /some/plan.toml")
    theme().set_mode(Mode.DARK)
    window.hub.take([DiskUsed((), Kind.RUNS)])
    assert theme().mode is Mode.DARK
    window.hub.take([DiskUsed((), Kind.SETTINGS)])
    assert theme().mode is Mode.SYSTEM
