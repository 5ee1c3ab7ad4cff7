"""Finding layers: what is asked, what is said while it goes on, and what comes back into the form."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import Field
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtWidgets import QApplication, QDialog, QPushButton
from pytestqt.qtbot import QtBot

from editview.domain.events import EngineLoading, Failed, Traced
from editview.domain.facts import Group
from editview.domain.operations import Lora, Memit
from editview.domain.requests import Request, TraceFacts
from editview.domain.run_events import RunStarted
from editview.domain.tracing import TOKENS, Token, Tracing, traced_facts
from editview.ui.hub import Hub
from editview.ui.look.theme import Mode, theme
from editview.ui.plan.finding import Finding
from editview.ui.plan.form import OperationForm
from editview.ui.plan.panel import PlanPanel
from editview.ui.plan.tracing_dialog import TracingDialog
from editview.ui.plan.tracing_picture import TracingPicture
from tests import sample

LAST = TOKENS.index(Token.LAST_OF_SUBJECT)


def tracing(layers: int = 28, peak: int = 6, height: float = 0.4) -> Tracing:
    def row(layer: int) -> tuple[float | None, ...]:
        effect = height / (1 + abs(layer - peak))
        return tuple(effect if at == LAST else None if at == 1 else -0.01 for at in range(len(TOKENS)))

    rows = tuple(map(row, range(layers)))
    return Tracing(rows, rows, 6, 12, 3, 0.9, 0.1, 0.95)


class Desk:
    """A hub that remembers what was sent and what was stopped."""

    def __init__(self) -> None:
        self.sent: list[Request] = []
        self.stopped: list[int] = []
        self.hub = Hub(sample.plan(), self._send, stop=self.stopped.append)
        self.hub.sheet = sample.sheet()

    def _send(self, request: Request) -> int:
        self.sent.append(request)
        return len(self.sent)

    def answer(self, found: Tracing) -> None:
        asked = self.sent[-1]
        assert isinstance(asked, TraceFacts)
        self.hub.take([Traced(asked, found)])


@pytest.fixture
def desk() -> Desk:
    return Desk()


def opened(desk: Desk, qtbot: QtBot, only: tuple[str, ...] = (), alone: bool = False) -> TracingDialog:
    dialog = TracingDialog(desk.hub, only, alone)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def test_it_asks_at_once_about_the_steps_facts_and_the_controls(desk: Desk, qtbot: QtBot) -> None:
    sheet = sample.sheet()
    edited = sheet.group(Group.EDITED)
    opened(desk, qtbot, (edited[0].id,))
    [asked] = desk.sent
    assert isinstance(asked, TraceFacts)
    assert asked.checkpoint == desk.hub.plan.checkpoint
    assert asked.facts == (edited[0], *sheet.group(Group.CONTROL))
    assert traced_facts(sheet, ()) == (*edited, *sheet.group(Group.CONTROL))


def test_what_was_found_leads_in_a_sentence_and_can_be_used_by_key(desk: Desk, qtbot: QtBot) -> None:
    dialog = opened(desk, qtbot)
    assert not dialog.use.isVisible()
    desk.answer(tracing())
    assert dialog.headline.accessibleName() == "The model seems to look up these facts in layers 4 to 7."
    assert "12 facts that the model knows (3 more" in dialog.note.accessibleName()
    assert dialog.use.text() == "Use layers 4–7"
    assert not dialog.bar.isVisible()
    assert dialog.use.isDefault()
    qtbot.keyClick(dialog, Qt.Key.Key_Return)
    assert dialog.result() == QDialog.DialogCode.Accepted
    assert dialog.layers == (3, 4, 5, 6)


def test_one_layer_alone(desk: Desk, qtbot: QtBot) -> None:
    dialog = opened(desk, qtbot)
    desk.answer(tracing())
    assert dialog.use_one.text() == "Use layer 7 alone"
    dialog.use_one.click()
    assert dialog.layers == (6,)
    small = opened(desk, qtbot)
    desk.answer(tracing(6, 1))
    assert small.use.text() == "Use layer 2"
    assert not small.use_one.isVisible()


def test_nothing_can_be_used_where_tracing_doesnt_say(desk: Desk, qtbot: QtBot) -> None:
    dialog = opened(desk, qtbot)
    desk.answer(tracing(height=0.0))
    assert dialog.headline.accessibleName().startswith("Tracing doesn't say")
    assert not dialog.use.isVisible()
    assert not dialog.use_one.isVisible()
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert dialog.layers == ()


def test_progress_shows_how_far_and_how_long(desk: Desk, qtbot: QtBot) -> None:
    dialog = opened(desk, qtbot)
    assert dialog.bar.isVisible()
    desk.hub.take([EngineLoading("Tracing: 25 %", 0.25, 72.0)])
    assert dialog.bar.value() / dialog.bar.maximum() == pytest.approx(0.25)
    assert "Tracing: 25 %, about 1 min left." in dialog.note.accessibleName()


def test_behind_a_run_it_says_that_it_waits(desk: Desk, qtbot: QtBot) -> None:
    dialog = opened(desk, qtbot)
    desk.hub.take([RunStarted("r", desk.hub.plan, sample.sheet(), (), ())])
    desk.hub.take([EngineLoading("Opening", 0.5, 1.0)])
    assert "begins when it has ended" in dialog.note.accessibleName()


def test_stop_then_again(desk: Desk, qtbot: QtBot) -> None:
    dialog = opened(desk, qtbot)
    late = desk.sent[-1]
    assert isinstance(late, TraceFacts)
    dialog.stop.click()
    assert desk.stopped == [1]
    assert not dialog.bar.isVisible()
    desk.hub.take([Traced(late, tracing())])  # it was on its way when Stop was pressed
    assert not dialog.use.isVisible()
    dialog.again.click()
    assert len(desk.sent) == 2
    assert dialog.bar.isVisible()
    desk.answer(tracing())
    assert dialog.use.isVisible()


def test_closing_stops_what_is_under_way(desk: Desk, qtbot: QtBot) -> None:
    dialog = opened(desk, qtbot)
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert desk.stopped == [1]
    done = opened(desk, qtbot)
    desk.answer(tracing())
    done.close()
    assert desk.stopped == [1]


def test_an_error_is_said_here_and_nowhere_else(desk: Desk, qtbot: QtBot) -> None:
    solved = []
    desk.hub.solved.connect(solved.append)
    dialog = opened(desk, qtbot)
    desk.hub.take([Failed(99, "Something else went wrong.")])
    assert dialog.bar.isVisible()
    desk.hub.take([Failed(1, "The model knows none of the 40 facts that it was asked.")])
    assert dialog.note.accessibleName() == "The model knows none of the 40 facts that it was asked."
    assert not dialog.bar.isVisible()
    assert [problem.job for problem in solved] == [1]


def test_without_a_sheet_it_asks_for_one(desk: Desk, qtbot: QtBot) -> None:
    desk.hub.sheet = None
    dialog = opened(desk, qtbot)
    assert desk.sent == []
    assert "no fact sheet" in dialog.note.accessibleName()
    assert not dialog.again.isVisible()


def test_an_answer_to_another_question_is_left_alone(desk: Desk, qtbot: QtBot) -> None:
    dialog = opened(desk, qtbot)
    desk.hub.take([Traced(TraceFacts(desk.hub.plan.checkpoint, ()), tracing())])
    assert dialog.bar.isVisible()


def test_the_picture_tells_its_cells_by_mouse_and_key(qtbot: QtBot) -> None:
    picture = TracingPicture(lambda _: None)
    qtbot.addWidget(picture)
    picture.resize(700, 360)
    picture.show()
    qtbot.keyClick(picture, Qt.Key.Key_Right)
    assert picture.accessibleDescription() == ""
    picture.show_tracing(tracing())
    qtbot.keyClick(picture, Qt.Key.Key_Right)
    assert "at the last piece of the subject brings back 40 percentage points" in picture.accessibleDescription()
    assert "(layer index 6)" in picture.accessibleDescription()
    qtbot.keyClick(picture, Qt.Key.Key_Left)
    assert "(layer index 5)" in picture.accessibleDescription()
    qtbot.keyClick(picture, Qt.Key.Key_Up)
    assert "None of these prompts" in picture.accessibleDescription()
    for _ in range(len(TOKENS)):
        qtbot.keyClick(picture, Qt.Key.Key_Down)
    assert "None of these prompts" in picture.accessibleDescription()  # the same row of the lower map
    qtbot.keyClick(picture, Qt.Key.Key_Down)
    assert "the state after layer 6" in picture.accessibleDescription()
    qtbot.mouseMove(picture, QPoint(698, 358))
    theme().set_mode(Mode.DARK)
    assert not picture.grab().isNull()
    theme().set_mode(Mode.SYSTEM)


class Chosen(Finding):
    """Answers as a person would who chooses these; remembers what was asked."""

    def __init__(self, *answers: Any) -> None:
        self.answers, self.asked = list(answers), []  # type: ignore[var-annotated]

    def layers(self, *asked: Any) -> Any:
        self.asked.append(asked[:-1])
        return self.answers.pop(0)

    threshold = layers


def button_of(form: OperationForm, words: str) -> QPushButton:
    [found] = [button for button in form.findChildren(QPushButton) if button.text() == words]
    return found


def test_the_form_offers_the_search_beside_the_layers_and_takes_what_was_chosen(qtbot: QtBot) -> None:
    edit = sample.sheet().group(Group.EDITED)[0]
    finding = Chosen((3, 4, 5), None)
    form = OperationForm(Memit(only=(edit.id,)), sheet=sample.sheet(), layers=28, finding=finding)
    qtbot.addWidget(form)
    form.show()
    button = button_of(form, "Find layers…")
    button.click()
    assert finding.asked == [((edit.id,), False)]
    assert form.fields["layers"].read() == (3, 4, 5)
    button.click()  # closed without choosing: what stands there stays
    assert form.fields["layers"].read() == (3, 4, 5)
    form.accept()
    assert form.operation.model_dump()["layers"] == (3, 4, 5)


class OneLayer(Memit):
    """As methods that write into a single layer declare it, and with a threshold."""

    layers: tuple[int, ...] = Field((), max_length=1, title="Layer", json_schema_extra={"layers": True})
    threshold: float = Field(0.02, gt=0, title="Threshold", json_schema_extra={"threshold": True})


def test_a_method_of_one_layer_is_offered_one(desk: Desk, qtbot: QtBot) -> None:
    finding = Chosen((4,))
    form = OperationForm(OneLayer(), finding=finding)  # type: ignore[arg-type]
    qtbot.addWidget(form)
    button_of(form, "Find layers…").click()
    assert finding.asked == [((), True)]
    dialog = opened(desk, qtbot, alone=True)
    desk.answer(tracing())
    assert dialog.use.text() == "Use layer 7"
    assert not dialog.use_one.isVisible()
    dialog.use.click()
    assert dialog.layers == (6,)


def test_the_threshold_is_looked_at_with_what_stands_in_the_form(qtbot: QtBot) -> None:
    finding = Chosen(0.5, None)
    form = OperationForm(OneLayer(layers=(2,), statistics="mine.txt"), finding=finding)  # type: ignore[arg-type]
    qtbot.addWidget(form)
    form.fields["layers"].write((3,))
    button_of(form, "See the spectrum…").click()
    assert finding.asked == [((3,), "mine.txt", 0, 0.02)]
    button_of(form, "See the spectrum…").click()
    assert form.fields["threshold"].read() == 0.5


def test_nothing_to_find_where_there_are_no_layers_to_choose(qtbot: QtBot) -> None:
    form = OperationForm(Lora(), finding=Chosen())
    qtbot.addWidget(form)
    assert not [button for button in form.findChildren(QPushButton) if "Find" in button.text()]


def test_from_the_card_to_the_plan(desk: Desk, qtbot: QtBot) -> None:
    panel = PlanPanel(desk.hub)
    qtbot.addWidget(panel)
    edit = next(operation for operation in desk.hub.plan.operations if isinstance(operation, Memit))

    def use() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, TracingDialog)
        desk.answer(tracing(6, 2))
        dialog.use.click()

    def search() -> None:
        form = QApplication.activeModalWidget()
        assert isinstance(form, OperationForm)
        QTimer.singleShot(0, use)
        next(button for button in form.findChildren(QPushButton) if button.text() == "Find layers…").click()
        form.accept()

    QTimer.singleShot(0, search)
    panel.edit(edit)
    changed = desk.hub.plan.operations[desk.hub.plan.index(edit.id)]
    assert isinstance(changed, Memit)
    assert changed.layers == (2,)
