"""What was open lately is offered again."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from editview.domain.checkpoint import CheckpointInfo
from editview.domain.events import CheckpointDescribed, PlanOpened, PlanSaved
from editview.domain.plan import Checkpoint
from editview.domain.requests import OpenPlan, Request
from editview.ui.hub import Hub
from editview.ui.opening.opening import Opening
from editview.ui.window.recent import RecentMenu
from tests import sample


def made(qtbot: QtBot, sent: list[Request]) -> tuple[Hub, RecentMenu]:
    window = QWidget()
    qtbot.addWidget(window)
    hub = Hub(sample.plan(), sent.append)
    return hub, RecentMenu(hub, Opening(hub, window), window)


def names(menu: RecentMenu) -> list[str]:
    return [action.text() for action in menu.actions()]


def test_plans_and_checkpoints_are_offered_latest_first_and_at_the_next_start(qtbot: QtBot, tmp_path: Path) -> None:
    hub, menu = made(qtbot, [])
    assert not menu.menuAction().isEnabled()
    plan = tmp_path / "a.toml"
    plan.touch()
    mine = Checkpoint(source="owner/mine")
    hub.take([PlanOpened(str(plan), sample.plan())])
    hub.change_plan(hub.plan.model_copy(update={"checkpoint": mine}))
    hub.take([CheckpointDescribed(CheckpointInfo(mine, "", "", 1, 1, "float32", 1, (), "CPU", True, None))])
    assert names(menu) == ["owner/mine", str(plan)]
    sent: list[Request] = []
    again = made(qtbot, sent)[1]
    assert names(again) == names(menu)
    again.actions()[1].trigger()
    assert sent == [OpenPlan(str(plan))]


def test_eight_are_kept(qtbot: QtBot) -> None:
    hub, menu = made(qtbot, [])
    for number in range(10):
        hub.take([PlanSaved(f"{number}.toml", hub.plan)])
    hub.take([PlanSaved("5.toml", hub.plan)])
    assert names(menu) == [f"{number}.toml" for number in (5, 9, 8, 7, 6, 4, 3, 2)]
