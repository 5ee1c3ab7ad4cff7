"""What the model will see: what is asked and said, how rows are leafed through, how the learnt part is marked."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from editview.domain.events import Failed, TrainingPreviewed
from editview.domain.left_out import LeftOut, Why
from editview.domain.operations import Lora
from editview.domain.requests import PreviewTraining, Request
from editview.domain.training_preview import SeenExample, TrainingPreview
from editview.ui.hub import Hub
from editview.ui.plan.finding import Finding
from editview.ui.plan.form import OperationForm
from editview.ui.plan.training_dialog import TrainingDialog
from tests import sample

EXAMPLE = SeenExample(7, (" Peru", ":", " Lima", "<end>"), (False, False, False, True), 2, False)
LEFT_OUT = (LeftOut("Line 3", Why.UNREADABLE, "has an empty 'text'"),)


def preview(first: int = 0, rows: int = 25) -> TrainingPreview:
    shown = ((EXAMPLE,), (EXAMPLE, replace(EXAMPLE, line=8, cut=True)))
    return TrainingPreview(first, shown, 10, 64, rows, rows, 100 * rows, 40 * rows, 1, LEFT_OUT)


@pytest.fixture
def sent() -> list[Request]:
    return []


@pytest.fixture
def hub(sent: list[Request]) -> Hub:
    return Hub(sample.plan(), lambda request: sent.append(request) or len(sent))


@pytest.fixture
def dialog(hub: Hub, qtbot: QtBot) -> TrainingDialog:
    made = TrainingDialog(hub, Lora(data="rows.jsonl"))
    qtbot.addWidget(made)
    made.show()
    return made


def answer(dialog: TrainingDialog, sent: list[Request], found: TrainingPreview) -> None:
    asked = sent[-1]
    assert isinstance(asked, PreviewTraining)
    dialog.hub.take([TrainingPreviewed(asked, found)])


def test_the_first_rows_are_shown_while_the_rest_is_read(dialog: TrainingDialog, sent: list[Request]) -> None:
    answer(dialog, sent, TrainingPreview(0, ((EXAMPLE,),), 10, 64))
    assert "Row 1" in dialog.text.toPlainText()
    assert dialog.bar.isVisible()
    assert not any((dialog.row.isEnabled(), dialog.next.isEnabled(), dialog.tabs.isTabEnabled(1)))
    answer(dialog, sent, preview())
    assert not dialog.bar.isVisible()
    assert dialog.headline.accessibleName().startswith("The model reads 25 examples of 100 tokens on average")
    assert dialog.row.isEnabled()


def test_the_learnt_part_is_marked_and_told(dialog: TrainingDialog, sent: list[Request]) -> None:
    answer(dialog, sent, preview())
    text = dialog.text.toPlainText()
    assert "Row 1 line 7 · learns 2 of 4 tokens" in text
    assert "example 2 of 2 · line 8 · learns 2 of 4 tokens · ✂ cut at 64 tokens" in text
    marked = ""
    cursor = dialog.text.textCursor()
    for at in range(text.index("·Peru") + 1, text.index("<end>") + 6):
        cursor.setPosition(at)
        if cursor.charFormat().fontUnderline():
            marked += text[at - 1]
    assert marked.replace("\u200a", "") == "·Lima<end>"


def test_what_is_left_out_stands_in_a_tab_of_its_own(dialog: TrainingDialog, sent: list[Request]) -> None:
    answer(dialog, sent, preview())
    assert dialog.tabs.tabText(1) == "Left out (1)"
    assert "Line 3 has an empty 'text'." in dialog.left_out.toPlainText()


def test_rows_are_leafed_through_by_buttons_and_jumped_to(
    dialog: TrainingDialog, sent: list[Request], qtbot: QtBot
) -> None:
    answer(dialog, sent, preview())
    assert not dialog.previous.isEnabled()
    qtbot.keyClick(dialog.next, Qt.Key.Key_Space)
    assert isinstance(sent[-1], PreviewTraining)
    assert sent[-1].first == 10
    assert dialog.text.toPlainText()  # what was shown stays until the others come
    answer(dialog, sent, preview(10))
    assert "Row 11" in dialog.text.toPlainText()
    dialog.row.setValue(25)
    assert isinstance(sent[-1], PreviewTraining)
    assert sent[-1].first == 24
    answer(dialog, sent, replace(preview(24), shown=((EXAMPLE,),)))
    assert dialog.previous.isEnabled()
    assert not dialog.next.isEnabled()
    assert len(sent) == 3


def test_of_a_very_long_row_both_ends_are_shown(dialog: TrainingDialog, sent: list[Request]) -> None:
    tokens = tuple(f" {at}" for at in range(5000))
    long = SeenExample(1, tokens, (False,) * 5000, 4990, False)
    answer(dialog, sent, replace(preview(), shown=((long,),), page=1))
    text = dialog.text.toPlainText()
    assert "… 4,000 more tokens …" in text
    assert "·499\u200a" in text
    assert "·4999" in text
    assert "·500\u200a" not in text


def test_data_that_cant_be_used_is_said_in_the_dialog(dialog: TrainingDialog, hub: Hub) -> None:
    hub.take([Failed(1, "There is no file 'rows.jsonl'.")])
    assert dialog.note.accessibleName() == "There is no file 'rows.jsonl'."
    assert not dialog.tabs.isVisible()
    assert dialog.again.isVisible()


def test_the_form_shows_its_values_of_the_moment(hub: Hub, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[object] = []
    monkeypatch.setattr(Finding, "training", lambda self, operation, parent: shown.append(operation))
    form = OperationForm(Lora(id="a"), finding=Finding(hub))
    qtbot.addWidget(form)
    [see] = [button for button in form.findChildren(QPushButton) if button.text().startswith("See what the model")]
    form.fields["data"].write("other.jsonl")
    form.fields["packing"].write(True)
    see.click()
    assert shown == [Lora(id="a", data="other.jsonl", packing=True)]
