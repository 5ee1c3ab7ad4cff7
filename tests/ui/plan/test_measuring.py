"""The button that measures a fine-tune: there while there is something to measure, and it stops what it began."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pytestqt.qtbot import QtBot

from editview.domain.events import EngineLoading, FactsOpened, Failed, FineTuneMeasured, Forecast
from editview.domain.memory import Fit, Layout, Memory
from editview.domain.requests import ForecastPlan, MeasureFineTune, Request
from editview.ui.hub import Hub
from editview.ui.plan.measuring import MeasureButton
from tests import sample

FIT = Fit(Layout(16), Memory(100))


class Desk:
    def __init__(self, qtbot: QtBot) -> None:
        self.asked: list[Request] = []
        self.stopped: list[int] = []
        self.hub = Hub(sample.plan(), self.send, stop=self.stopped.append)
        self.button = MeasureButton(self.hub)
        qtbot.addWidget(self.button)
        self.hub.take([FactsOpened("demo", sample.sheet())])

    def send(self, request: Request) -> int:
        self.asked.append(request)
        return len(self.asked)

    def tell(self, fit: Fit | None, guessed: bool = True) -> None:
        forecast = Forecast(self.hub.plan, (True, False), (1.0, 25.0), 25.0, 1, 2, guessed=guessed, fits=(None, fit))
        self.hub.take([forecast])


@pytest.fixture
def desk(qtbot: QtBot) -> Desk:
    return Desk(qtbot)


def test_it_is_there_only_for_what_is_guessed(desk: Desk) -> None:
    assert desk.button.isHidden()
    desk.tell(FIT)
    assert not desk.button.isHidden()
    desk.tell(replace(FIT, measured=True))
    assert desk.button.isHidden()
    desk.tell(FIT, guessed=False)
    assert desk.button.isHidden()
    assert desk.button.possible  # from the menu
    desk.tell(Fit(Layout(4), Memory(100)), guessed=False)  # memory is short: worth knowing better
    assert not desk.button.isHidden()


def test_pressed_it_asks_shows_what_is_left_and_the_forecast_is_asked_anew(desk: Desk) -> None:
    desk.tell(FIT)
    noted: list[str] = []
    desk.hub.noted.connect(noted.append)
    desk.button.click()
    assert isinstance(desk.hub.sheet, type(sample.sheet()))
    assert desk.asked[-1] == MeasureFineTune(desk.hub.plan, desk.hub.sheet, "tune")
    desk.hub.take([EngineLoading("Measuring the fine-tune: 50 %", 0.5, 12.0)])
    assert desk.button.text() == "Stop measuring · 10 s left"
    desk.hub.take([FineTuneMeasured(desk.hub.plan, "tune", 0.314, replace(FIT, measured=True))])
    assert noted == ["Measured: a step of the fine-tune takes 0.31 s."]
    assert isinstance(desk.asked[-1], ForecastPlan)
    desk.tell(replace(FIT, measured=True))
    assert desk.button.isHidden()


def test_pressed_again_it_stops(desk: Desk) -> None:
    desk.tell(FIT)
    desk.button.click()
    job = len(desk.asked)
    desk.button.click()
    assert desk.stopped == [job]
    assert desk.button.text() == "Measure the fine-tune"


def test_what_goes_wrong_ends_it(desk: Desk) -> None:
    desk.tell(FIT)
    desk.button.click()
    desk.hub.take([Failed(len(desk.asked), "The memory ran out during fine-tuning.")])
    assert desk.button.text() == "Measure the fine-tune"
