"""The shell as a whole: one table of actions, Run and Stop, what is remembered, what is dropped on it."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, QSize, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from editview.domain.checkpoint import CheckpointInfo, Device
from editview.domain.events import (
    CheckpointDescribed,
    EngineLoading,
    EngineReady,
    FactsOpened,
    Failed,
    Forecast,
    MemoryUsed,
    Noted,
    PlanOpened,
)
from editview.domain.left_out import LeftOut, Why
from editview.domain.plan import Checkpoint
from editview.domain.requests import ChooseDevice, OpenPlan, PreviewFacts, Request, RunPlan
from editview.ui.hub import Hub
from editview.ui.look.message_bar import Details
from editview.ui.look.theme import Mode, theme
from editview.ui.problem import ENGINE, Problem
from editview.ui.window import settings
from editview.ui.window.command_palette import CommandPalette, ranked
from editview.ui.window.main_window import MainWindow
from editview.ui.window.status_bar import StatusBar
from tests import sample


@pytest.fixture
def sent() -> list[Request]:
    return []


@pytest.fixture
def stops() -> list[int]:
    return []


@pytest.fixture
def window(qtbot: QtBot, sent: list[Request], stops: list[int]) -> MainWindow:
    made = MainWindow(Hub(sample.plan(), lambda request: sent.append(request) or len(sent), stop=stops.append))
    qtbot.addWidget(made)
    made.furnish(QLabel("facts"))
    made.hang_pictures({name: QWidget() for name in made.panel_names})
    made.show()
    return made


def test_run_and_stop_are_one_button_with_keys(
    window: MainWindow, qtbot: QtBot, sent: list[Request], stops: list[int]
) -> None:
    button = window.header.button
    assert not button.isEnabled()  # no facts to ask yet
    window.hub.take([FactsOpened("demo", sample.sheet())])
    assert (button.text(), button.isEnabled()) == ("Run", True)
    qtbot.keyClick(window, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    assert any(isinstance(request, RunPlan) for request in sent)
    assert button.text() == "Stop"
    events = list(sample.events(sample.plan(), sample.sheet()))
    window.hub.take(events[:10])
    assert window.header.progress.value() > 0
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert not stops  # it closes menus and dialogs, and one press too many mustn't cost the run
    qtbot.keyClick(window, Qt.Key.Key_Period, Qt.KeyboardModifier.ControlModifier)
    assert [type(sent[number - 1]) for number in stops] == [RunPlan]
    window.hub.take(events[10:])
    assert button.text() == "Run"


def test_a_double_click_on_run_runs(window: MainWindow, qtbot: QtBot, stops: list[int]) -> None:
    window.hub.take([FactsOpened("demo", sample.sheet())])
    button = window.header.button
    for _ in range(2):
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert (button.text(), stops) == ("Stop", [])
    qtbot.wait(QApplication.doubleClickInterval() + 50)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert len(stops) == 1


def test_what_was_cut_off_stays_said(window: MainWindow, qtbot: QtBot) -> None:
    bar = window.message
    device = Device("cpu", "CPU", 0)
    window.hub.take([EngineReady((device,), device, "*Mine* was cut off.")])
    assert (bar.isVisible(), bar._leave.isActive()) == (True, False)
    window.hub.take([Noted("Something else.")])
    assert bar._leave.isActive()


def test_a_sheet_that_is_missing_is_named_and_run_says_why_it_is_off(window: MainWindow, sent: list[Request]) -> None:
    hub = window.hub
    hub.take([FactsOpened("demo", sample.sheet())])
    hub.take([PlanOpened("a.toml", sample.plan().model_copy(update={"facts": "/data/odd.csv"}))])
    assert window.header.sheet.accessibleName() == "Fact sheet: odd.csv"
    assert "being read" in window.header.button.toolTip()
    hub.take([Failed(len(sent), "The columns of 'odd.csv' can't be told.")])
    assert window.header.sheet.accessibleName() == "Fact sheet: odd.csv · not opened"
    assert not window.header.button.isEnabled()
    assert window.header.button.toolTip() == "There are no facts to ask. The columns of 'odd.csv' can't be told."
    assert not window.actions_table.by_id["run"].isEnabled()
    assert window.actions_table.by_id["columns"].isEnabled()
    hub.undo()
    hub.take([FactsOpened("demo", sample.sheet())])
    assert window.header.button.isEnabled()
    assert not window.message.isVisible()


def test_a_forecasts_error_goes_when_it_is_mended(window: MainWindow, sent: list[Request]) -> None:
    hub, bar = window.hub, window.message
    hub.take([FactsOpened("demo", sample.sheet())])
    hub.take([Failed(len(sent), "Layer 9 is missing.")])
    assert bar.sentence.accessibleName() == "Layer 9 is missing."
    hub.change_plan(hub.plan.removed("edit"))
    assert not bar.isVisible()
    hub.take([Failed(len(sent), "There is no such file.")])
    hub.take([Forecast(hub.plan, (False,), (1.0,), 1.0, 1, 2)])
    assert not bar.isVisible()
    hub.change_plan(sample.plan())
    late = len(sent)
    hub.undo()
    hub.take([Failed(late, "Layer 9 is missing.")])
    assert not bar.isVisible()
    hub.redo()
    late = len(sent)
    hub.undo()
    hub.take([Failed(len(sent), "The data is missing."), Failed(late, "Layer 9 is missing.")])
    assert bar.sentence.accessibleName() == "The data is missing."
    hub.change_plan(sample.plan())
    assert not bar.isVisible()


def test_everything_can_be_run_anew(window: MainWindow, sent: list[Request]) -> None:
    window.hub.take([FactsOpened("demo", sample.sheet())])
    window.actions_table.by_id["run-anew"].trigger()
    assert sent[-1] == RunPlan(window.hub.plan, sample.sheet(), fresh=True)


def test_the_table_of_actions_is_sound(window: MainWindow) -> None:
    table = window.actions_table.rows
    assert len({row.id for row in table}) == len(table)
    keys = [window.actions_table.by_id[row.id].shortcut().toString() for row in table if row.key]
    assert len(set(keys)) == len(keys)
    assert all(keys)
    menus = [action.text() for action in window.menuBar().actions()]
    assert menus == ["&File", "&Edit", "&Plan", "&View", "&Help"]


def test_a_few_letters_find_and_do_a_command(window: MainWindow, qtbot: QtBot) -> None:
    assert ranked(window.actions_table.rows, "dark")[0].id == "look-dark"
    window.hub.change_plan(sample.plan(edit_first=False))
    window.show_commands()
    palette = window.findChild(CommandPalette)
    assert palette is not None
    qtbot.keyClicks(palette.field, "undo")
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert window.hub.plan == sample.plan()


def test_a_command_that_is_not_there_is_said_to_be(window: MainWindow, qtbot: QtBot) -> None:
    window.show_commands()
    palette = window.findChild(CommandPalette)
    assert palette is not None
    assert not palette.nothing.isVisible()
    qtbot.keyClicks(palette.field, "frobnicate")
    assert palette.nothing.isVisible()
    palette.close()


def test_the_look_that_is_on_is_ticked(window: MainWindow) -> None:
    looks = [window.actions_table.by_id[f"look-{mode}"] for mode in Mode]
    looks[2].trigger()
    try:
        assert [action.isChecked() for action in looks] == [False, False, True]
        assert all(action.icon().isNull() for action in looks)  # an icon would stand where the tick does
    finally:
        theme().set_mode(Mode.SYSTEM)


def test_the_name_of_the_plan_can_be_changed_and_undone(window: MainWindow, qtbot: QtBot) -> None:
    name = window.header.name
    name.selectAll()
    qtbot.keyClicks(name, "Other")
    qtbot.keyClick(name, Qt.Key.Key_Return)
    assert window.hub.plan.name == "Other"
    assert window.isWindowModified()
    name.selectAll()
    qtbot.keyClick(name, Qt.Key.Key_Delete)
    qtbot.keyClick(name, Qt.Key.Key_Return)
    assert name.text() == "Other"
    window.hub.undo()
    assert name.text() == "Sample"


def test_what_the_plan_rests_on_is_told_in_a_sentence(window: MainWindow) -> None:
    info = CheckpointInfo(
        Checkpoint(), "Demo", "GPT-2", 3_000_000, 12_000_000, "float32", 4, (), "CPU", True, None
    )  # fmt: skip
    left_out = (LeftOut("Line 3", Why.NO_SUBJECT, "names no subject"),)
    window.hub.take([CheckpointDescribed(info), FactsOpened("demo", sample.sheet(), left_out)])
    assert window.header.checkpoint.accessibleDescription() == info.sentence
    assert "10 facts to edit, 10 neighbours, 20 controls" in window.header.sheet.accessibleDescription()
    assert "1 record was left out" in window.header.sheet.accessibleDescription()
    assert window.actions_table.by_id["left-out"].isEnabled()
    window.hub.open_facts("mine.json")
    window.hub.take([FactsOpened("mine.json", sample.sheet())])
    assert window.message.sentence.accessibleName().startswith("Opened sample: 10 facts to edit")
    assert not window.actions_table.by_id["left-out"].isEnabled()


def test_problems_stay_notes_leave_and_never_cover_a_problem(window: MainWindow, qtbot: QtBot) -> None:
    bar = window.message
    window.hub.noted.emit("The edit was kept.")
    assert bar.isVisible()
    window.hub.problem.emit(Problem("The disk is full.", "OSError"))
    window.hub.noted.emit("Something else.")
    assert bar.sentence.accessibleName() == "The disk is full."
    bar.dismiss.click()
    assert not bar.isVisible()


def test_details_can_be_copied(qtbot: QtBot) -> None:
    details = Details(Problem("The disk is full.", "OSError: 28"))
    qtbot.addWidget(details)
    details.copy.click()
    assert QGuiApplication.clipboard().text() == "The disk is full.\n\nOSError: 28"


def test_the_status_bar_says_what_the_engine_does_and_offers_devices(window: MainWindow, sent: list[Request]) -> None:
    bar = window.statusBar()
    assert isinstance(bar, StatusBar)
    window.hub.take([EngineLoading("Loading the model libraries")])
    assert bar.engine.text() == "Loading the model libraries…"
    window.hub.take([Failed(ENGINE, "torch is missing.")])
    assert "couldn't be loaded" in bar.engine.text()
    cpu, gpu = Device("cpu", "CPU", 8_000_000_000), Device("cuda:0", "RTX 4090", 24_000_000_000)
    window.hub.take([EngineReady((cpu, gpu), cpu), MemoryUsed("cpu", 2_000_000_000, 8_000_000_000)])
    assert (bar.engine.text(), bar.device.text()) == ("Ready", "CPU")
    assert bar.memory.text() == "2.0 GB of 8.0 GB of memory in use"
    events = list(sample.events(sample.plan(), sample.sheet()))
    window.hub.take(events[:10])
    assert bar.engine.text() == "Running"
    window.hub.take(events[10:])
    assert bar.engine.text() == "Ready"
    bar.devices.actions()[1].trigger()
    assert sent[-1] == ChooseDevice("cuda:0")


def test_dropped_files_are_recognised(window: MainWindow, sent: list[Request], tmp_path: Path) -> None:
    contents = {
        "facts.json": '[{"subject": "France"}]', "table.csv": "subject,prompt\n", "plan.toml": "", "notes.txt": "text",
        "odd.xyz": "",
    }  # fmt: skip
    for name, content in contents.items():
        (tmp_path / name).write_text(content)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / name)) for name in contents])
    drop = QDropEvent(
        QPointF(10, 10), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    window.dropEvent(drop)
    opened = [request for request in sent if isinstance(request, PreviewFacts | OpenPlan)]
    assert opened == [
        PreviewFacts(str(tmp_path / "facts.json")),
        PreviewFacts(str(tmp_path / "table.csv")),
        OpenPlan(str(tmp_path / "plan.toml")),
    ]
    assert window.hub.plan.operations[1].content()["data"] == str(tmp_path / "notes.txt")
    assert "odd.xyz" in window.message.sentence.accessibleName()


def test_layout_and_look_are_remembered(window: MainWindow, qtbot: QtBot, sent: list[Request]) -> None:
    theme().set_mode(Mode.DARK)
    theme().bigger()
    scale = theme().scale
    window.resize(window.minimumWidth(), 700)  # the screen of an offscreen test is smaller than that
    window.splitter.setSizes([300, 420, 384])
    sizes = window.splitter.sizes()
    window.close()
    theme().remember(Mode.LIGHT, 1.0)
    settings.restore_look()
    assert (theme().mode, theme().scale) == (Mode.DARK, scale)
    again = MainWindow(Hub(sample.plan(), sent.append))
    qtbot.addWidget(again)
    again.furnish(QLabel("facts"))
    again.show()
    assert (again.width(), again.height()) == (window.width(), 700)
    assert again.splitter.sizes() == sizes
    theme().remember(Mode.SYSTEM, 1.0)


@pytest.mark.parametrize("scale", [1.0, 1.15, 1.3, 2.0])
def test_run_stays_on_a_small_screen_however_big_the_type(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, scale: float
) -> None:
    monkeypatch.setattr(window, "_room", lambda: QSize(1272, 760))
    window.hub.take([FactsOpened("demo", sample.sheet()), *list(sample.events(sample.plan(), sample.sheet()))[:10]])
    theme().set_scale(scale)
    try:
        assert window.minimumWidth() <= 1272
        assert window.minimumHeight() <= 760
        window.resize(1272, 760)
        qtbot.waitUntil(lambda: window.header.button.width() >= theme().px(120))
        button = window.header.button
        place = button.mapTo(window, button.rect().bottomRight())
        assert place.x() < 1272
        assert window.statusBar().geometry().bottom() < 760
    finally:
        theme().set_scale(1.0)


def test_the_first_window_is_no_larger_than_its_screen(window: MainWindow) -> None:
    screen = window.screen().availableGeometry()  # smaller than what a window would like to be
    assert window.frameGeometry().width() <= screen.width()
    assert window.frameGeometry().height() <= screen.height()


def test_everything_that_can_be_clicked_has_a_name(window: MainWindow) -> None:
    own = [button for button in window.findChildren(QAbstractButton) if not button.objectName().startswith("qt_")]
    assert len(own) > 8
    for button in own:
        assert button.accessibleName() or button.text() or button.toolTip(), button


def test_a_wide_window_gives_its_sides_more_room_and_a_narrow_one_takes_it_back(
    window: MainWindow, qtbot: QtBot
) -> None:
    window.resize(1280, 800)
    qtbot.waitUntil(lambda: window.centre.width() > 500)
    narrow = window.centre.width()
    window.resize(1920, 1000)
    qtbot.waitUntil(lambda: window.plan.width() >= 352 and window.tabs.width() >= 448)
    assert window.centre.width() > narrow + 300
    window.resize(1280, 800)
    qtbot.waitUntil(lambda: window.plan.width() < 352)
    qtbot.waitUntil(lambda: window.centre.width() >= narrow)
    sizes = window.splitter.sizes()
    window.splitter.setSizes([sizes[0] + 80, sizes[1] - 80, sizes[2]])
    mine = window.plan.width()
    window.resize(1920, 1000)
    window.resize(1280, 800)
    qtbot.waitUntil(lambda: window.width() == 1280)
    assert window.plan.width() == mine  # what was chosen stays
