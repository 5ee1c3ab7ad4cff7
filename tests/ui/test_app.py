"""The wiring: events reach the hub in slices, the plan is kept by itself and found again, no display says so."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from editview import app
from editview.domain import places
from editview.domain.errors import EditViewError
from editview.domain.events import Event, FactsOpened, Noted, PlanSaved
from editview.domain.operations import Lora
from editview.domain.requests import DescribeCheckpoint, OpenFacts, Request, RunPlan, SavePlan
from editview.formats.plans import demo_plan, read_plan, write_plan
from editview.ui.hub import Hub
from editview.ui.window import display
from tests import sample

DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")


class FakeJobs:
    """Takes requests like the real ones; saves plans, answers nothing else by itself."""

    def __init__(self, emit: Callable[[Event], None]) -> None:
        self.emit, self.sent, self.stopped, self.closed = emit, list[Request](), list[Request](), False

    def send(self, request: Request) -> int:
        self.sent.append(request)
        if isinstance(request, SavePlan):
            write_plan(request.plan, Path(request.path))
            self.emit(PlanSaved(request.path, request.plan))
        return len(self.sent)

    def stop(self, number: int) -> None:
        self.stopped.append(self.sent[number - 1])

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def desk(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[app.Desk]:
    made = app.Desk(sample.plan(), FakeJobs)
    qtbot.addWidget(made.window)
    made.window.show()
    yield made
    made.close()


def jobs(desk: app.Desk) -> FakeJobs:
    found = desk.jobs
    assert isinstance(found, FakeJobs)
    return found


def test_requests_wait_until_the_jobs_begin(desk: app.Desk) -> None:
    desk.hub.send(OpenFacts("early.json"))
    desk.start()
    assert jobs(desk).sent == [
        OpenFacts("early.json"), DescribeCheckpoint(desk.hub.plan.checkpoint), OpenFacts("demo")
    ]  # fmt: skip


def test_events_from_a_job_reach_the_panels(desk: app.Desk, qtbot: QtBot) -> None:
    desk.start()
    with qtbot.waitSignal(desk.hub.runs_changed):
        for event in (FactsOpened("demo", sample.sheet()), *sample.events(sample.plan(), sample.sheet())):
            jobs(desk).emit(event)
    qtbot.waitUntil(lambda: not desk.hub.running)
    assert desk.hub.run is not None
    assert desk.hub.run.last_checked == 2


def test_a_run_is_stopped_by_its_keys_from_wherever_the_cursor_is_and_never_by_esc(
    desk: app.Desk, qtbot: QtBot
) -> None:
    desk.start()
    desk.hub.take([FactsOpened("demo", sample.sheet())])
    desk.window.activateWindow()
    for count, widget in enumerate((desk.window.plan.view, desk.window.centre), 1):
        desk.hub.start_run()
        widget.setFocus()
        qtbot.keyClick(widget, Qt.Key.Key_Escape)
        assert desk.hub.running
        qtbot.keyClick(widget, Qt.Key.Key_Period, Qt.KeyboardModifier.ControlModifier)
        assert [type(request) for request in jobs(desk).stopped] == [RunPlan] * count


def test_a_flood_of_events_leaves_the_window_time_to_breathe(
    desk: app.Desk, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With no time left for a round, each round takes at least what the clock allows and the rest waits in order."""
    desk.start()
    seen: list[str] = []
    sizes: list[int] = []
    take = Hub.take
    desk.hub.noted.connect(seen.append)

    def counted(hub: Hub, events: Iterator[Event]) -> None:
        before = len(seen)
        take(hub, events)
        sizes.append(len(seen) - before)

    monkeypatch.setattr(Hub, "take", counted)
    monkeypatch.setattr(app, "DRAIN_FOR", 0.001)
    for number in range(2_000):
        jobs(desk).emit(Noted(str(number)))
    qtbot.waitUntil(lambda: len(seen) == 2_000, timeout=20_000)
    assert seen == [str(number) for number in range(2_000)]
    assert max(sizes) < 2_000


def test_the_plan_is_kept_by_itself_and_found_at_the_next_start(desk: app.Desk, qtbot: QtBot) -> None:
    desk.start()
    desk.hub.change_plan(desk.hub.plan.added(Lora(steps=7)))
    qtbot.waitUntil(lambda: places.autosaved_plan().exists(), timeout=3000)
    assert not desk.hub.saved  # kept, but nobody saved it to a file of theirs
    found = app.first_plan(lambda error: pytest.fail(str(error)))
    assert [operation.content() for operation in found.operations] == [
        operation.content() for operation in desk.hub.plan.operations
    ]


def test_closing_keeps_a_change_made_just_before(desk: app.Desk) -> None:
    desk.start()
    desk.hub.change_plan(desk.hub.plan.model_copy(update={"name": "Last word"}))
    fake = jobs(desk)
    desk.window.close()
    assert fake.closed
    assert read_plan(places.autosaved_plan()).name == "Last word"


def test_named_columns_are_found_at_the_next_start(desk: app.Desk, qtbot: QtBot) -> None:
    desk.start()
    columns = {"subject": "who", "prompt": "sentence"}
    desk.hub.open_facts("a.csv", tuple(columns.items()))
    desk.hub.take([FactsOpened("a.csv", sample.sheet())])
    desk.window.close()
    again = app.Desk(app.first_plan(lambda error: pytest.fail(str(error))), FakeJobs)
    qtbot.addWidget(again.window)
    again.start()
    assert again.hub.plan.columns == columns
    opened = [request for request in jobs(again).sent if isinstance(request, OpenFacts)]
    assert [request.columns for request in opened] == [tuple(columns.items())]
    again.close()


def test_the_first_start_shows_the_demo(home: Path) -> None:
    plan, demo = app.first_plan(lambda error: pytest.fail(str(error))), demo_plan()
    assert [operation.content() for operation in plan.operations] == [o.content() for o in demo.operations]
    assert len(plan.active) == 2


def test_a_kept_plan_that_can_not_be_read_is_put_aside_and_told(home: Path) -> None:
    places.autosaved_plan().parent.mkdir(parents=True)
    places.autosaved_plan().write_text("name = [", encoding="utf-8")
    told: list[EditViewError] = []
    plan = app.first_plan(told.append)
    assert plan.name == demo_plan().name
    assert len(told) == 1
    assert not places.autosaved_plan().exists()
    assert list(home.glob("*unreadable*"))


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="these always have a display")
@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({}, "Neither DISPLAY nor WAYLAND_DISPLAY is set"),
        ({"DISPLAY": ":77"}, "DISPLAY=:77"),
        ({"WAYLAND_DISPLAY": "wayland-77"}, "WAYLAND_DISPLAY=wayland-77"),
        ({"QT_QPA_PLATFORM": "nonsense"}, "no platform 'nonsense'"),
        ({"QT_QPA_PLATFORM": "nonsense;xcb", "DISPLAY": ":77"}, "DISPLAY=:77"),
    ],
)
def test_without_a_display_it_says_what_to_do_instead(settings: dict[str, str], reason: str) -> None:
    """In a process of its own, which Qt would otherwise end."""
    unset = {name: value for name, value in os.environ.items() if name not in DISPLAYS}
    code = (
        "import editview.app as app\ntry:\n    app.main()\nexcept Exception as error:\n    print(error, error.details)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=unset | settings, capture_output=True, text=True, check=True, timeout=60
    )
    assert "editview run demo" in done.stdout
    assert reason in done.stdout or "Cannot load library" in done.stdout  # a machine may lack a platform's own


def test_a_platform_that_can_show_a_window_is_none_to_complain_of(monkeypatch: pytest.MonkeyPatch) -> None:
    for platforms in ("offscreen", "offscreen:size=800x600", "nonsense;offscreen"):
        monkeypatch.setenv("QT_QPA_PLATFORM", platforms)
        with display.obstacle() as obstacle:
            assert obstacle == ""


@pytest.mark.skipif(not shutil.which("Xvfb"), reason="Xvfb isn't installed")
def test_a_display_that_ends_with_its_last_client_lasts_until_the_window_stands() -> None:
    reads, writes = os.pipe()
    command = ["Xvfb", "-displayfd", str(writes), "-terminate"]
    with subprocess.Popen(command, pass_fds=[writes], stderr=subprocess.DEVNULL) as server:
        try:
            name = f":{os.read(reads, 16).decode().strip()}"
            code = "import editview.app as app; print(app._application().platformName())"
            there = {key: value for key, value in os.environ.items() if key not in DISPLAYS}
            done = subprocess.run(
                [sys.executable, "-c", code], env=there | {"DISPLAY": name}, capture_output=True, text=True, timeout=60
            )
            assert done.stdout == "xcb\n", done.stderr
        finally:
            server.terminate()


def test_the_window_needs_no_model_library() -> None:
    code = "import sys, editview.app; sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
