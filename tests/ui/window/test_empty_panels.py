"""A panel with nothing to show says what to do next, whatever is missing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from editview.domain.events import FactsOpened, Failed
from editview.domain.facts import FactSheet
from editview.domain.plan import Plan
from editview.ui.ask.panel import AskPanel
from editview.ui.compare.panel import ComparePanel
from editview.ui.facts.panel import FactsPanel
from editview.ui.hub import Hub
from editview.ui.look.panel import Panel
from editview.ui.plan.panel import PlanPanel
from editview.ui.survival.panel import SurvivalPanel
from editview.ui.weights.panel import WeightsPanel
from tests import sample

_W = TypeVar("_W", bound=QWidget)
PICTURES: tuple[Callable[[Hub], Panel], ...] = (WeightsPanel, SurvivalPanel, ComparePanel, AskPanel)


def shown(panel: _W, qtbot: QtBot) -> _W:
    qtbot.addWidget(panel)
    panel.show()
    return panel


def said(panel: Panel) -> str:
    return f"{panel.headline.accessibleName()} {panel.note.accessibleName()}"


@pytest.mark.parametrize("panel", PICTURES)
def test_before_a_run_it_says_how_to_begin(panel: Callable[[Hub], Panel], qtbot: QtBot) -> None:
    hub = Hub(sample.plan(), lambda request: 1)
    made = shown(panel(hub), qtbot)
    hub.take([FactsOpened("demo", sample.sheet())])
    qtbot.waitUntil(lambda: "Press Run" in said(made) or "Compare orders runs" in said(made))


@pytest.mark.parametrize("panel", PICTURES)
def test_without_a_step_it_asks_for_one(panel: Callable[[Hub], Panel], qtbot: QtBot) -> None:
    hub = Hub(sample.plan(), lambda request: 1)
    made = shown(panel(hub), qtbot)
    hub.change_plan(Plan())
    qtbot.waitUntil(lambda: "step" in said(made) and "add" in said(made).casefold() and "Press" not in said(made))


@pytest.mark.parametrize("panel", PICTURES)
def test_without_facts_it_says_why_there_are_none(panel: Callable[[Hub], Panel], qtbot: QtBot) -> None:
    hub = Hub(sample.plan(), lambda request: 7)
    made = shown(panel(hub), qtbot)
    hub.look_up()
    hub.take([Failed(7, "There is no file 'facts.csv'. Open another one.")])
    qtbot.waitUntil(lambda: "no file 'facts.csv'" in said(made))


def test_the_facts_say_why_there_are_none_and_what_to_do(qtbot: QtBot) -> None:
    hub = Hub(sample.plan(), lambda request: 7)
    made = shown(FactsPanel(hub), qtbot)
    assert made.headline.said.big == "Reading the facts"
    hub.look_up()
    hub.take([Failed(7, "There is no file 'facts.csv'.")])
    assert made.headline.said.rest.startswith("There is no file 'facts.csv'. Open a fact sheet")
    hub.take([FactsOpened("demo", FactSheet("empty", ()))])
    assert made.headline.said.rest.startswith("Open a fact sheet")


def test_the_plan_asks_for_a_step(qtbot: QtBot) -> None:
    made = shown(PlanPanel(Hub(Plan(), lambda request: 1)), qtbot)
    assert "add an edit or a fine-tune" in made.sentence.accessibleName()
    assert made.add_button.isVisible()
