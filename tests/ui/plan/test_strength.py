"""The strength of an edit: a slider whose facts are asked at once, one question at a time."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from editview.domain.events import FactsOpened, Failed, Scaled
from editview.domain.operations import Memit
from editview.domain.requests import Request, ScaleEdit
from editview.domain.verdicts import LiveCheck
from editview.ui.hub import Hub
from editview.ui.plan.form import OperationForm
from editview.ui.plan.strength import LiveStrength, StrengthBox
from tests import sample


@pytest.fixture
def sent() -> list[Request]:
    return []


@pytest.fixture
def hub(sent: list[Request], qtbot: QtBot) -> Hub:
    made = Hub(sample.plan(), lambda request: sent.append(request))
    made.take([FactsOpened("demo", sample.sheet())])
    sent.clear()
    return made


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    made = QWidget()
    qtbot.addWidget(made)
    return made


def box_of(hub: Hub, parent: QWidget) -> StrengthBox:
    form = OperationForm(hub.plan.operations[0], parent, sheet=hub.sheet)
    box = form.fields["strength"].widget
    assert isinstance(box, StrengthBox)
    LiveStrength(hub, "edit", box)
    return box


def answer(strength: float) -> Scaled:
    ids = tuple(fact.id for fact in sample.sheet())
    gives = tuple(not name.startswith("e") or name in ("e1", "e2") for name in ids)
    nlls = (0.5,) * len(ids)
    return Scaled("edit", strength, LiveCheck(0, ids, gives, nlls, nlls))


def test_what_the_facts_answer_shows_at_once(hub: Hub, sent: list[Request], window: QWidget) -> None:
    box = box_of(hub, window)
    assert [r.strength for r in sent if isinstance(r, ScaleEdit)] == [100.0]
    hub.take([answer(100.0)])
    assert "2 of 10 edits, 10 of 10 neighbours, 20 of 20 controls stand" in box.answer.accessibleName()
    assert not box.answer.isHidden()


def test_one_question_at_a_time_and_the_latest_next(hub: Hub, sent: list[Request], window: QWidget) -> None:
    box = box_of(hub, window)
    for value in (90, 70, 40):
        box.slider.setValue(value)
    assert len(sent) == 1
    hub.take([answer(100.0)])
    assert [r.strength for r in sent if isinstance(r, ScaleEdit)] == [100.0, 40.0]
    hub.take([answer(40.0)])
    assert len(sent) == 2
    assert "At 40 %" in box.answer.accessibleName()


def test_an_edit_that_has_not_run_says_what_to_do(hub: Hub, window: QWidget) -> None:
    box = box_of(hub, window)
    hub.take([Scaled("edit", 100.0, None)])
    assert "Run the plan once" in box.answer.accessibleName()


def test_slider_and_number_are_one(hub: Hub, qtbot: QtBot) -> None:
    form = OperationForm(Memit(strength=60), sheet=hub.sheet)
    qtbot.addWidget(form)
    box = form.fields["strength"].widget
    assert isinstance(box, StrengthBox)
    assert (box.slider.value(), box.number.value()) == (60, 60)
    box.number.setValue(150)
    assert box.slider.value() == 150
    form.accept()
    assert isinstance(form.operation, Memit)
    assert form.operation.strength == 150.0


def test_what_was_set_exactly_stays_until_it_is_moved(window: QWidget) -> None:
    box = StrengthBox(window)
    box.set_value(62.5)
    assert box.value() == 62.5
    box.slider.setValue(70)
    assert box.value() == 70.0


def test_a_question_that_failed_is_told_in_the_form_and_the_next_one_asked(
    hub: Hub, sent: list[Request], qtbot: QtBot
) -> None:
    asking = Hub(sample.plan(), lambda request: sent.append(request) or len(sent))
    asking.take([FactsOpened("demo", sample.sheet())])
    sent.clear()
    window = QWidget()
    qtbot.addWidget(window)
    box = box_of(asking, window)
    asking.take([Failed(len(sent), "The weights of a stage are gone.")])
    assert box.answer.accessibleName() == "The weights of a stage are gone."
    box.slider.setValue(40)
    assert len(sent) == 2


def test_after_a_run_it_asks_again(hub: Hub, sent: list[Request], window: QWidget) -> None:
    box = box_of(hub, window)
    hub.take([Scaled("edit", 100.0, None)])
    events = list(sample.events(hub.plan, sample.sheet()))
    hub.take(events[:-1])
    box.slider.setValue(80)
    assert [r.strength for r in sent if isinstance(r, ScaleEdit)] == [100.0]
    hub.take(events[-1:])
    assert [r.strength for r in sent if isinstance(r, ScaleEdit)] == [100.0, 80.0]
