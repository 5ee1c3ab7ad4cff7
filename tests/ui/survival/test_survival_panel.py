"""The survival panel follows a run live."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from editview.domain.run_events import LiveChecked, StageInfo
from editview.domain.session import Stage
from editview.ui.hub import Hub
from editview.ui.look.panel import PACE_MS
from editview.ui.look.theme import Mode, theme
from editview.ui.survival.losses import LossCourse
from editview.ui.survival.panel import SurvivalPanel
from tests import sample

pytestmark = pytest.mark.qt_log_ignore("does not support raise", extend=True)  # tooltips without a display

SHEET = sample.sheet(40, 40, 100)
EVENTS = list(sample.events(sample.plan(), SHEET))
HALFWAY = 1 + next(i for i, event in enumerate(EVENTS) if isinstance(event, LiveChecked) and event.check.step == 30)


def shown(qtbot: QtBot) -> tuple[Hub, SurvivalPanel]:
    hub = Hub(sample.plan(), lambda request: None)
    panel = SurvivalPanel(hub)
    qtbot.addWidget(panel)
    panel.resize(400, 640)
    panel.show()
    qtbot.waitExposed(panel)
    return hub, panel


def test_the_empty_panel_says_what_to_do_and_draws_the_axis(qtbot: QtBot) -> None:
    _, panel = shown(qtbot)
    assert "Press Run" in panel.headline.accessibleName()
    assert panel.picture.isVisible()


def test_it_follows_a_run_and_says_where_it_is(qtbot: QtBot) -> None:
    hub, panel = shown(qtbot)
    hub.take(EVENTS[:HALFWAY])
    qtbot.waitUntil(lambda: "up to step 30" in panel.headline.accessibleName())
    assert "goes on" in panel.note.accessibleName()
    before = panel.picture.image()
    hub.take(EVENTS[HALFWAY:])
    qtbot.waitUntil(lambda: "up to step" not in panel.headline.accessibleName())
    assert not panel.note.isVisible()
    assert panel.picture.image() != before


def test_events_are_drawn_at_most_ten_times_a_second(qtbot: QtBot) -> None:
    hub, panel = shown(qtbot)
    drawn: list[object] = []
    panel.draw = lambda: drawn.append(None)  # type: ignore[method-assign]
    QTest.qWait(PACE_MS)
    for event in EVENTS:
        hub.take([event])
    QTest.qWait(2 * PACE_MS)
    assert len(drawn) in (1, 2)


def test_a_hidden_panel_waits_until_it_is_shown(qtbot: QtBot) -> None:
    hub, panel = shown(qtbot)
    panel.hide()
    hub.take(EVENTS)
    QTest.qWait(2 * PACE_MS)
    assert "Press Run" in panel.headline.accessibleName()
    panel.show()
    assert "edits fell" in panel.headline.accessibleName()


def test_arrow_keys_and_the_mouse_tell_each_moment(qtbot: QtBot) -> None:
    hub, panel = shown(qtbot)
    hub.take(EVENTS)
    qtbot.waitUntil(lambda: "edits fell" in panel.headline.accessibleName())
    picture = panel.picture
    QTest.keyClick(picture, Qt.Key.Key_Right)
    assert picture.accessibleDescription().startswith("Before, in the checkpoint itself: 40 of 40 neighbours")
    for _ in range(2):
        QTest.keyClick(picture, Qt.Key.Key_Right)
    assert picture.accessibleDescription().startswith("Step 10 of Fine-tune on support tickets: ")
    assert "Training loss 2." in picture.accessibleDescription()
    assert "Validation loss 2.31 at step 0, 4 of 40 answers exactly right." in picture.accessibleDescription()
    QTest.keyClick(picture, Qt.Key.Key_End)
    assert picture.accessibleDescription().startswith("After Fine-tune")
    QTest.mouseMove(picture, QPoint(60, picture.height() // 2))
    qtbot.waitUntil(lambda: picture.accessibleDescription().startswith("Before"))


def test_the_look_is_switched_live(qtbot: QtBot) -> None:
    hub, panel = shown(qtbot)
    hub.take(EVENTS)
    theme().set_mode(Mode.LIGHT)
    light = panel.picture.image()
    theme().set_mode(Mode.DARK)
    dark = panel.picture.image()
    theme().set_mode(Mode.SYSTEM)
    assert _ground(light).lightness() > 200 > 60 > _ground(dark).lightness()


def _ground(image: QImage):  # type: ignore[no-untyped-def]
    return image.pixelColor(2, 2)


def test_what_the_training_gained_stands_beside_what_it_cost(qtbot: QtBot) -> None:
    hub, panel = shown(qtbot)
    hub.take(EVENTS[:HALFWAY])
    qtbot.waitUntil(lambda: "Validation loss 2.31 → 1.42." in panel.headline.accessibleName())
    hub.take(EVENTS[HALFWAY:])
    gained = "Validation loss 2.31 → 1.08; answers exactly right 4 → 31 of 40."
    qtbot.waitUntil(lambda: panel.headline.accessibleName().endswith(gained))


def test_tens_of_thousands_of_steps_are_drawn_as_few_points(qtbot: QtBot) -> None:
    stage = Stage(StageInfo(1, "tune", "Fine-tune", "key"))
    stage.losses = [(step, 1 / step) for step in range(1, 50_001)]
    course = LossCourse(stage, 50_000, 10.0, 210.0, QColor("blue"))
    assert len(course.trained) <= 2 * 200 + 1
    assert course.trained[0][0] == 1
    assert course.trained[-1][0] == 50_000
