"""Presentation mode: full screen, by keyboard, live, and readable at any size."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QWidget
from pytestqt.qtbot import QtBot

from editview.domain.events import FactsOpened, OrdersRecalled
from editview.domain.history import Recalled
from editview.domain.operations import FullFineTune, Memit
from editview.domain.plan import Plan
from editview.domain.presentation import Shows
from editview.domain.requests import RecallOrders, Request, RunPlan
from editview.domain.run_events import Checked, LiveChecked
from editview.domain.session import Session
from editview.ui.hub import Hub
from editview.ui.look.theme import Mode, theme
from editview.ui.presentation.window import Presentation
from editview.ui.window.main_window import MainWindow
from tests import sample

SHEET = sample.sheet(40, 40, 100)
EVENTS = list(sample.events(sample.plan(), SHEET, "one", seed=7))
OTHER = list(sample.events(sample.plan(False), SHEET, "two", seed=7))


@pytest.fixture
def hub() -> Hub:
    return Hub(sample.plan(), lambda request: None)


@pytest.fixture
def shown(hub: Hub, qtbot: QtBot) -> Iterator[Presentation]:
    window = QWidget()
    qtbot.addWidget(window)
    made = Presentation(hub, [], window)
    made.resize(1280, 800)
    made.show()
    qtbot.waitExposed(made)
    yield made
    window.close()


def tell_all(hub: Hub, shown: Presentation) -> None:
    hub.take(EVENTS)
    first = hub.run
    hub.take(OTHER)
    assert first is not None
    hub.show_run(first)
    shown.draw()


def test_before_any_run_it_says_what_to_do(hub: Hub, shown: Presentation) -> None:
    assert len(shown.screens) == 1
    assert "being read" in shown.rest.text()
    hub.take([FactsOpened("demo", SHEET)])
    shown.draw()
    assert "Press Run" in shown.rest.text()


def test_it_is_gone_through_by_keyboard_and_mouse(hub: Hub, shown: Presentation) -> None:
    tell_all(hub, shown)
    last = len(shown.screens) - 1
    places = []
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Space, Qt.Key.Key_PageDown, Qt.Key.Key_Left, Qt.Key.Key_PageUp):
        QTest.keyClick(shown, key)
        places.append(shown.at)
    assert places == [1, 2, 3, 2, 1]
    QTest.keyClick(shown, Qt.Key.Key_End)
    assert shown.at == last
    QTest.keyClick(shown, Qt.Key.Key_Right)
    assert shown.at == last
    QTest.keyClick(shown, Qt.Key.Key_Home)
    QTest.mouseClick(shown, Qt.MouseButton.LeftButton)
    assert shown.at == 1
    assert "edits stand" in shown.accessibleName()


@pytest.mark.parametrize("key", [Qt.Key.Key_Escape, Qt.Key.Key_F5])
def test_it_is_left_by_a_key(shown: Presentation, qtbot: QtBot, key: Qt.Key) -> None:
    with qtbot.waitSignal(shown.destroyed):
        QTest.keyClick(shown, key)


def test_it_follows_a_run_and_waits_for_whoever_looks_back(hub: Hub, shown: Presentation, qtbot: QtBot) -> None:
    live = [i for i, event in enumerate(EVENTS) if isinstance(event, LiveChecked)]
    hub.take(EVENTS[: live[2]])
    qtbot.waitUntil(lambda: "step 20 of 60" in shown.caption.text())
    assert shown.screens[shown.at].shows is Shows.SURVIVAL
    shown.go(0)
    hub.take(EVENTS[live[2] :])
    qtbot.waitUntil(lambda: shown.screens[-1].topic == "outcome")
    assert shown.at == 0


def test_a_run_whose_steps_are_all_reused_is_followed_too(hub: Hub, shown: Presentation) -> None:
    hub.take(EVENTS[:1])
    shown.draw()
    hub.take(EVENTS[1:-1])
    shown.draw()
    assert shown.screens[shown.at].topic == "stage-2"


def test_another_run_is_told_from_its_beginning(hub: Hub, shown: Presentation, qtbot: QtBot) -> None:
    hub.take(EVENTS)
    shown.draw()
    shown.go(3)
    asked = next(i for i, event in enumerate(OTHER) if isinstance(event, Checked))
    hub.take(OTHER[: asked + 1])
    QTest.keyClick(shown, Qt.Key.Key_Left)  # before it is drawn anew
    qtbot.waitUntil(lambda: len(shown.screens) == 1)
    assert shown.at == 0


def all_in_sight(shown: Presentation) -> None:
    """Every word of every screen, in type that a room can read, over a picture that fits its place."""
    for place, screen in enumerate(shown.screens):
        shown.go(place)
        QTest.qWait(1)
        boxes = []
        for label in (shown.caption, shown.message, shown.rest, shown.small, shown.name):
            if label.isVisible():
                box = QRect(label.mapTo(shown, label.rect().topLeft()), label.size())
                assert shown.rect().contains(box), (screen.topic, label.text())
                assert not any(box.intersects(other) for other in boxes), (screen.topic, label.text())
                assert label.heightForWidth(label.width()) <= label.height(), (screen.topic, label.text())
                boxes.append(box)
        assert shown.message.font().pixelSize() >= shown.height() / 24
        if screen.shows is not Shows.WORDS:
            assert shown.picture.scale * theme().font(12).pixelSize() >= shown.height() / 75, screen.topic
            drawn = shown.picture.picture
            assert drawn is not None
            assert drawn.width() * shown.picture.scale <= shown.picture.width()


@pytest.mark.parametrize(
    ("size", "scale", "mode"),
    [((1280, 800), 1.0, Mode.LIGHT), ((3840, 2160), 2.0, Mode.DARK), ((1000, 600), 1.5, Mode.LIGHT)],
)
def test_all_is_in_sight_at_any_size(
    hub: Hub, shown: Presentation, size: tuple[int, int], scale: float, mode: Mode
) -> None:
    theme().set_mode(mode)
    theme().set_scale(scale)
    try:
        shown.resize(*size)
        tell_all(hub, shown)
        all_in_sight(shown)
        assert (shown.width(), shown.height()) == size
    finally:
        theme().set_mode(Mode.SYSTEM)
        theme().set_scale(1.0)


def test_long_names_and_many_steps_are_in_sight_too(hub: Hub, shown: Presentation) -> None:
    long = "/data/internal support conversations of the last year, anonymised and cleaned.jsonl"
    steps = (
        Memit(id="a", layers=(0, 1)),
        FullFineTune(id="b", steps=60, data=long),
        Memit(id="c", failing=True, layers=(2,)),
        FullFineTune(id="d", steps=60, data=long.replace("support", "product")),
    )
    for run, order in (("two", (1, 3, 0, 2)), ("three", (1, 0, 3, 2)), ("one", (0, 1, 2, 3))):
        plan = Plan(name=long, operations=tuple(steps[place] for place in order))
        hub.take(sample.events(plan, SHEET, run, seed=7))
    shown.draw()
    assert [screen.topic for screen in shown.screens][-2:] == ["order", "outcome"]
    all_in_sight(shown)


def test_a_screen_is_copied_and_saved_by_key_or_menu(
    hub: Hub, shown: Presentation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell_all(hub, shown)
    QTest.keyClick(shown, Qt.Key.Key_End)
    QTest.keyClick(shown, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().image().size() == shown.size() * 2
    drawn = QGuiApplication.clipboard().mimeData().data("image/svg+xml").data().decode()
    assert "did better here" in drawn  # words stay words
    assert "no difference" in drawn
    assert "<image" not in drawn
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "last.png"), ""))
    QTest.keyClick(shown, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    assert QImage(str(tmp_path / "last.png")).size() == shown.size() * 2
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "no" / "last.svg"), ""))
    menu = shown.menu()
    next(action for action in menu.actions() if action.text().startswith("Save")).trigger()
    assert "wasn't saved" in shown.small.text()
    next(action for action in menu.actions() if action.text().startswith("Back")).trigger()
    assert shown.at == len(shown.screens) - 2
    menu.close()


def test_an_order_that_was_run_at_an_earlier_time_is_looked_for_and_told(qtbot: QtBot) -> None:
    sent: list[Request] = []
    hub, window = Hub(sample.plan(), lambda request: sent.append(request) or len(sent)), QWidget()
    qtbot.addWidget(window)
    shown = Presentation(hub, [], window)
    hub.take(EVENTS)
    shown.draw()
    shown.draw()
    assert [request for request in sent if isinstance(request, RecallOrders)] == [RecallOrders("one")]
    assert "isn't known before it has run" in shown.screens[-1].small
    earlier = Session()
    for event in OTHER:
        earlier.apply(event)
    past = Recalled(replace(sample.past("two").entry, began=time.time()), earlier.runs["two"])
    hub.take([OrdersRecalled((past,))])
    shown.draw()
    assert [screen.topic for screen in shown.screens][-2:] == ["order", "outcome"]
    assert all("*Fine-tune → Edit* was run today, " in screen.small for screen in shown.screens[-2:])
    assert hub.run is not None
    assert hub.run.id == "one"
    assert hub.session.latest is hub.run
    hub.take([OrdersRecalled((Recalled(past.entry, hub.run),))])  # of this session, it is known when
    shown.draw()
    window.close()


def test_f5_opens_it_over_the_whole_screen_and_run_works_there(qtbot: QtBot) -> None:
    sent: list[object] = []
    window = MainWindow(Hub(sample.plan(), lambda request: sent.append(request) or 1))
    qtbot.addWidget(window)
    window.show()
    window.hub.take([FactsOpened("demo", SHEET)])
    window.actions_table.by_id["present"].trigger()
    shown = window.findChild(Presentation)
    assert shown is not None
    assert shown.isFullScreen()
    run = next(action for action in shown.actions() if action.objectName() == "run")
    run.trigger()
    assert any(isinstance(request, RunPlan) for request in sent)
    shown.close()
