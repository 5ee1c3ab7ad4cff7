"""The tour of a first start: over the real widgets, by keyboard, skippable, and never twice."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from editview.ui.facts.panel import FactsPanel
from editview.ui.hub import Hub
from editview.ui.look.theme import Mode, theme
from editview.ui.window.main_window import MainWindow
from editview.ui.window.tour import Tour, beside
from tests import sample

pytestmark = pytest.mark.qt_log_ignore("does not support raise", extend=True)  # without a display


def opened(qtbot: QtBot) -> MainWindow:
    hub = Hub(sample.plan(), lambda request: None)
    made = MainWindow(hub)
    qtbot.addWidget(made)
    made.furnish(FactsPanel(hub))
    made.hang_pictures({name: QWidget() for name in made.panel_names})
    made.resize(1280, 800)
    made.show()
    return made


@pytest.fixture
def window(qtbot: QtBot) -> MainWindow:
    return opened(qtbot)


def tour_of(window: MainWindow) -> Tour:
    found = window.findChild(Tour)
    assert found is not None
    return found


def test_it_comes_at_the_first_start_and_never_again_by_itself(window: MainWindow, qtbot: QtBot) -> None:
    window.welcome()
    with qtbot.waitSignal(tour_of(window).destroyed):
        QTest.keyClick(tour_of(window), Qt.Key.Key_Escape)
    again = opened(qtbot)
    again.welcome()
    assert again.findChild(Tour) is None
    again.actions_table.by_id["tour"].trigger()
    assert tour_of(again).isVisible()


def test_one_that_is_cut_off_was_seen(window: MainWindow, qtbot: QtBot) -> None:
    window.welcome()
    window.close()
    again = opened(qtbot)
    again.welcome()
    assert again.findChild(Tour) is None


def test_it_is_gone_through_by_keyboard(window: MainWindow, qtbot: QtBot) -> None:
    window.show_around()
    tour = tour_of(window)
    titles = []
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Space, Qt.Key.Key_Left, Qt.Key.Key_Return, Qt.Key.Key_Down):
        QTest.keyClick(tour, key)
        titles.append(tour.at)
    assert titles == [1, 2, 1, 2, 3]
    with qtbot.waitSignal(tour.destroyed):
        for _ in range(len(tour.stops) - 3):
            QTest.keyClick(tour, Qt.Key.Key_Right)


def test_tab_stays_with_the_tour(window: MainWindow) -> None:
    window.show_around()
    tour = tour_of(window)
    seen = []
    for _ in range(3):
        QTest.keyClick(tour.focusWidget() or tour, Qt.Key.Key_Tab)
        seen.append(tour.focusWidget())
    assert seen == [tour.skip, tour.next, tour]  # Back has nowhere to go yet


@pytest.mark.parametrize("scale", [1.0, 1.5])
@pytest.mark.parametrize("size", [(1280, 800), (1600, 1000)])
def test_each_stop_lights_a_real_widget_and_the_bubble_doesn_t_hide_it(
    window: MainWindow, size: tuple[int, int], scale: float
) -> None:
    theme().set_scale(scale)
    try:
        window.resize(*size)
        window.show_around()
        tour = tour_of(window)
        for place, stop in enumerate(tour.stops):
            tour.go(place)
            QTest.qWait(1)
            target, bubble = tour.target(), tour.bubble.geometry()
            assert all(widget.isVisible() for widget in stop.widgets)
            assert target.width() > 20
            assert target.height() > 10
            assert tour.rect().contains(bubble)
            hidden = target.intersected(bubble)
            assert hidden.width() * hidden.height() < 0.5 * target.width() * target.height(), stop.title
            assert tour.words.height() >= tour.words.heightForWidth(tour.words.width())
    finally:
        theme().set_scale(1.0)


def test_it_goes_along_with_the_window(window: MainWindow) -> None:
    window.show_around()
    tour = tour_of(window)
    tour.go(3)
    window.resize(1500, 900)
    QTest.qWait(1)
    assert tour.size() == window.size()
    assert tour.target().right() > 1400


def test_nothing_moves_where_the_system_asks_for_no_motion(window: MainWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(theme(), "motion", lambda milliseconds=160: 0)
    window.show_around()
    tour = tour_of(window)
    tour.go(1)
    assert tour.light == tour.target()
    monkeypatch.setattr(theme(), "motion", lambda milliseconds=160: 160)
    tour.go(2)
    assert tour.light != tour.target()


def test_the_light_follows_the_look(window: MainWindow) -> None:
    window.show_around()
    tour = tour_of(window)
    before = tour.grab().toImage()
    theme().set_mode(Mode.DARK)
    try:
        assert tour.grab().toImage() != before
    finally:
        theme().set_mode(Mode.SYSTEM)


@pytest.mark.parametrize(
    "target", [QRect(0, 0, 100, 600), QRect(700, 0, 100, 600), QRect(0, 0, 800, 40), QRect(0, 560, 800, 40)]
)
def test_the_bubble_goes_where_there_is_room(target: QRect) -> None:
    room, size = QRect(0, 0, 800, 600), QSize(300, 150)
    box = QRect(beside(target, size, room, 8), size)
    assert room.contains(box)
    assert not box.intersects(target)


def test_over_what_fills_the_window_it_lies_low() -> None:
    room, size = QRect(0, 0, 800, 600), QSize(300, 150)
    box = QRect(beside(room, size, room, 8), size)
    assert room.contains(box)
    assert box.center().y() > room.center().y()
