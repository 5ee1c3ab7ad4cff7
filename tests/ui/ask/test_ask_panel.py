"""The ask panel: a prompt, two stages, their answers side by side."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from editview.domain.events import Failed, Replied
from editview.domain.requests import AskModel, Request
from editview.domain.run_events import RunStopped
from editview.ui.ask.panel import AskPanel
from editview.ui.hub import Hub
from editview.ui.look.theme import theme
from tests import sample

SHEET = sample.sheet()
EVENTS = list(sample.events(sample.plan(), SHEET))
KEYS = ("run-1-0", "run-1-2")


def shown(qtbot: QtBot, count: int | None = None) -> tuple[Hub, AskPanel, list[Request]]:
    sent: list[Request] = []

    def send(request: Request) -> None:
        sent.append(request)

    hub = Hub(sample.plan(), send)
    hub.sheet = SHEET
    panel = AskPanel(hub)
    qtbot.addWidget(panel)
    panel.resize(400, 640)
    panel.show()
    qtbot.waitExposed(panel)
    hub.take(EVENTS[:count])
    if count != 0:
        qtbot.waitUntil(panel.prompt.isEnabled)
    sent.clear()
    return hub, panel, sent


def ask(panel: AskPanel, prompt: str) -> None:
    panel.prompt.setText(prompt)
    QTest.keyClick(panel.prompt, Qt.Key.Key_Return)


def test_before_a_run_it_says_what_to_do(qtbot: QtBot) -> None:
    _, panel, _ = shown(qtbot, count=0)
    assert "Press Run" in panel.headline.accessibleName()
    assert not panel.prompt.isEnabled()


def test_enter_asks_the_first_and_the_last_stage(qtbot: QtBot) -> None:
    _, panel, sent = shown(qtbot)
    ask(panel, "  The sky is ")
    assert sent == [AskModel(sample.plan(), "The sky is", KEYS)]
    ask(panel, "   ")
    assert len(sent) == 1


def test_chosen_stages_are_asked_and_stay_chosen(qtbot: QtBot) -> None:
    hub, panel, sent = shown(qtbot)
    assert [panel.stages[0].itemText(i) for i in range(3)] == ["Checkpoint", "Edit", "Fine-tune"]
    panel.stages[0].setCurrentIndex(1)
    hub.run_changed.emit()
    panel.draw()
    ask(panel, "The sky is")
    assert isinstance(sent[0], AskModel)
    assert sent[0].stage_keys == ("run-1-1", "run-1-2")


def test_answers_stand_side_by_side_with_what_differs_underlined(qtbot: QtBot) -> None:
    hub, panel, _ = shown(qtbot)
    ask(panel, "The sky is")
    hub.take([Replied("The sky is", KEYS, (" blue today", " green today"))])
    qtbot.waitUntil(lambda: "say different things" in panel.headline.accessibleName())
    first, second = (card.text() for card in panel.cards)
    assert "<u>blue</u>" in first
    assert "<u>green</u>" in second
    assert "<u>today</u>" not in first + second
    assert [card.accessibleName() for card in panel.cards] == ["Checkpoint", "Fine-tune on support tickets"]
    assert "Edit → Fine-tune" in second
    assert panel.cards[1].accessibleDescription() == "The sky is … green today"


def test_what_was_asked_before_is_copied(qtbot: QtBot) -> None:
    hub, panel, _ = shown(qtbot)
    for prompt in ("The sky is", "The sea is"):
        ask(panel, prompt)
        hub.take([Replied(prompt, KEYS, (" blue", " green"))])
    copy = next(action for action in panel.history.actions() if action.text() == "Copy rows")
    copy.trigger()
    both = "Checkpoint\tblue\tEdit → Fine-tune\tgreen"
    head, *rows = QGuiApplication.clipboard().text().splitlines()
    assert head.split("\t")[0] == "prompt"
    assert rows == [f"The sea is\t{both}"]
    panel.history.selectAll()
    copy.trigger()
    assert QGuiApplication.clipboard().text().splitlines()[1:] == [f"The sea is\t{both}", f"The sky is\t{both}"]


def test_an_answer_keeps_the_name_of_who_gave_it_when_another_run_is_shown(qtbot: QtBot) -> None:
    hub, panel, _ = shown(qtbot)
    ask(panel, "The sky is")
    hub.take([Replied("The sky is", KEYS, (" blue", " green"))])
    hub.take(sample.events(sample.plan(edit_first=False), SHEET, run="run-2"))
    panel.draw()
    assert panel.stages[1].currentText() == "Edit"
    assert panel.cards[1].accessibleName() == "Fine-tune on support tickets"
    assert "Edit → Fine-tune" in panel.cards[1].text()


def test_markup_in_a_prompt_is_shown_as_it_is(qtbot: QtBot) -> None:
    hub, panel, _ = shown(qtbot)
    ask(panel, "<b>1 < 2</b>")
    hub.take([Replied("<b>1 < 2</b>", KEYS, ("<i>yes</i>", ""))])
    qtbot.waitUntil(lambda: "say" in panel.headline.accessibleName())
    assert "&lt;b&gt;1 &lt; 2" in panel.cards[0].text()
    assert "&lt;i&gt;yes" in panel.cards[0].text()
    assert "(nothing)" in panel.cards[1].text()


def test_earlier_questions_can_be_looked_at_again(qtbot: QtBot) -> None:
    hub, panel, _ = shown(qtbot)
    for prompt in ("one", "two"):
        ask(panel, prompt)
        hub.take([Replied(prompt, KEYS, (f"{prompt} a", f"{prompt} b"))])
    qtbot.waitUntil(panel.history.isVisible)
    assert [panel.history.item(row).text().split("\n") for row in range(2)] == [
        ["two", "Checkpoint: two a", "Edit → Fine-tune: two b"], ["one", "Checkpoint: one a", "Edit → Fine-tune: one b"]
    ]  # fmt: skip
    QTest.keyClick(panel.history, Qt.Key.Key_Down)
    assert panel.cards[0].accessibleDescription() == "one … one a"


def test_a_reply_to_somebody_else_is_not_shown(qtbot: QtBot) -> None:
    hub, panel, _ = shown(qtbot)
    ask(panel, "mine")
    hub.take([Replied("theirs", KEYS, ("a", "b"))])
    panel.draw()
    assert panel.headline.accessibleName() == "Both stages are being asked."
    assert panel.history.count() == 0


def test_while_a_run_goes_on_the_answer_is_promised_for_later(qtbot: QtBot) -> None:
    hub, panel, sent = shown(qtbot, count=30)
    ask(panel, "The sky is")
    assert panel.headline.accessibleName() == "The answer comes after the run."
    assert len(sent) == 1
    hub.take([RunStopped("run-1")])
    qtbot.waitUntil(lambda: "Ask again" in panel.headline.accessibleName())


def test_a_failure_ends_the_waiting(qtbot: QtBot) -> None:
    hub, panel, _ = shown(qtbot)
    ask(panel, "The sky is")
    hub.take([Failed(3, "It went wrong.")])
    qtbot.waitUntil(lambda: "There was no answer" in panel.headline.accessibleName())


def test_examples_come_from_the_sheet_until_something_was_asked(qtbot: QtBot) -> None:
    _, panel, sent = shown(qtbot)
    panel._buttons[1].click()
    assert isinstance(sent[0], AskModel)
    assert sent[0].prompt == "The capital of Land 1 is"
    assert not panel.from_sheet.isVisible()


def test_long_examples_leave_the_panel_as_narrow_as_it_may_be(qtbot: QtBot) -> None:
    _, panel, _ = shown(qtbot)
    panel._hub.sheet = replace(SHEET, facts=tuple(
        replace(fact, template=fact.template + " " + 20 * "and so on ") for fact in SHEET.facts
    ))  # fmt: skip
    panel._suggest(panel._hub.run)
    assert any("…" in button.text() for button in panel._buttons)
    assert panel._scroll.widget().minimumSizeHint().width() <= theme().px(320)
