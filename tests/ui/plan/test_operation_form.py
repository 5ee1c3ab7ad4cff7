"""Forms generated from the declared parameters: whole round trips, live checks, nothing hidden from the keyboard."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QLineEdit, QSpinBox
from pytestqt.qtbot import QtBot

from editview.domain.operations import METHODS, FullFineTune, Lora, Memit, Operation, Scrub
from editview.ui.look.labels import Sentence, Words
from editview.ui.plan.fact_picker import FactPicker
from editview.ui.plan.fields import NumberBox
from editview.ui.plan.form import OperationForm
from tests import sample

CHANGED: list[Operation] = [
    Memit(id="m", layers=(3, 4, 5), learning_rate=0.05, relative_rate=True, only=("e1", "e 2"), covariance_weight=2e5),
    Lora(id="l", data="mine.jsonl", learning_rate=1e-7, dora=True, schedule="cosine", dropout=0.0, enabled=False),
    FullFineTune(id="f", steps=12345, warmup=0.25),
]


def form_for(operation: Operation, qtbot: QtBot) -> OperationForm:
    form = OperationForm(operation)
    qtbot.addWidget(form)
    return form


@pytest.mark.parametrize("operation", [*CHANGED, *(method() for method in METHODS)], ids=lambda o: o.label)
def test_a_form_gives_back_what_it_was_given(operation: Operation, qtbot: QtBot) -> None:
    form = form_for(operation, qtbot)
    form.accept()
    assert form.operation == operation


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.label)
def test_every_parameter_has_a_named_field_with_help(method: type[Operation], qtbot: QtBot) -> None:
    form = form_for(method(), qtbot)
    expected = set(method.model_fields) - {"id", "enabled", "method"} - getattr(method, "not_asked", set())
    assert set(form.fields) == expected
    for name, field in form.fields.items():
        assert field.focus.accessibleName() == method.model_fields[name].title
        assert field.focus.accessibleDescription()
        assert field.focus.focusPolicy() & Qt.FocusPolicy.TabFocus


def test_kinds_of_fields_follow_the_declaration(qtbot: QtBot) -> None:
    form = form_for(Lora(), qtbot)
    kinds = {"rank": QSpinBox, "learning_rate": NumberBox, "dora": QCheckBox, "schedule": QComboBox, "data": QLineEdit}
    for name, kind in kinds.items():
        assert isinstance(form.fields[name].focus, kind)
    rank = form.fields["rank"].focus
    assert isinstance(rank, QSpinBox)
    assert (rank.minimum(), rank.maximum()) == (1, 1024)


def test_what_is_wrong_is_said_at_the_field_as_one_types(qtbot: QtBot) -> None:
    form = form_for(Memit(), qtbot)
    form.show()
    layers = form.fields["layers"].focus
    assert isinstance(layers, QLineEdit)
    layers.clear()
    qtbot.keyClicks(layers, "0, x")
    assert not form.apply.isEnabled()
    assert "'x' is not a whole number" in form.complaint("layers")
    layers.setText("0, 1, 2")
    assert form.apply.isEnabled()
    assert form.complaint("layers") == ""
    form.accept()
    assert isinstance(form.operation, Memit)
    assert form.operation.layers == (0, 1, 2)


def test_layers_that_the_model_does_not_have_are_refused(qtbot: QtBot) -> None:
    form = OperationForm(Memit(), layers=6)
    qtbot.addWidget(form)
    form.fields["layers"].write((4, 9))
    assert form.complaint("layers") == (
        "This model has layers 1 to 6, in a plan file 0 to 5: there is no layer 10 (9 in a plan file)."
    )
    form.accept()
    assert not form.result()
    form.fields["layers"].write((4, 5))
    assert form.apply.isEnabled()


def test_facts_are_ticked_on_the_sheet(qtbot: QtBot) -> None:
    form = OperationForm(Memit(only=("gone",)), sheet=sample.sheet())
    qtbot.addWidget(form)
    form.show()
    picker = form.fields["only"].widget
    assert isinstance(picker, FactPicker)
    shown = [picker.list.item(row).text() for row in range(picker.list.count())]
    assert (len(shown), shown[1]) == (11, "The capital of Land 1 is → New 1")
    assert shown[-1] == "gone: not on this sheet"
    picker.list.item(10).setCheckState(Qt.CheckState.Unchecked)
    assert form.complaint("only") == "Tick the facts that this step edits, or all of them."
    picker.search.setText("land 3")
    assert [not picker.list.item(row).isHidden() for row in range(5)] == [False, False, False, True, False]
    picker.list.item(3).setCheckState(Qt.CheckState.Checked)
    form.accept()
    assert isinstance(form.operation, Memit)
    assert form.operation.only == ("e3",)
    again = OperationForm(form.operation, sheet=sample.sheet())
    qtbot.addWidget(again)
    again.defaults.click()
    again.accept()
    assert again.operation == Memit(id=form.operation.id)


def test_the_headline_says_what_a_person_would(qtbot: QtBot) -> None:
    for operation, words in (
        (FullFineTune(), "Fine-tune every weight on support tickets"),
        (Lora(dora=True), "Fine-tune on support tickets with DoRA"),
        (Memit(), "Edit 10 facts with MEMIT"),
    ):
        form = OperationForm(operation, sheet=sample.sheet())
        qtbot.addWidget(form)
        assert words in [sentence.accessibleName() for sentence in form.findChildren(Sentence)]


def test_an_open_bound_is_refused_with_what_would_be_right(qtbot: QtBot) -> None:
    form = form_for(Lora(), qtbot)
    form.fields["learning_rate"].write(0.0)
    assert form.complaint("learning_rate") == "This has to be more than 0."
    form.fields["dropout"].write(1.0)
    assert form.complaint("dropout") == "This has to be less than 1."
    form.accept()
    assert form.operation.id
    assert not form.result()


def test_specialists_find_more_one_click_deeper(qtbot: QtBot) -> None:
    form = form_for(Lora(), qtbot)
    form.show()
    assert form.fields["rank"].widget.isVisible()
    assert not form.fields["warmup"].widget.isVisible()
    form.more.click()
    assert form.fields["warmup"].widget.isVisible()


def test_back_to_defaults(qtbot: QtBot) -> None:
    form = form_for(CHANGED[1], qtbot)
    form.defaults.click()
    form.accept()
    assert form.operation == Lora(id="l", enabled=False)


@pytest.mark.parametrize(
    ("value", "text"), [(0.0003, "0.0003"), (15000.0, "15000"), (1e-7, "1e-07"), (0.0625, "0.0625")]
)
def test_numbers_of_any_size_are_shown_short(value: float, text: str, qtbot: QtBot) -> None:
    box = NumberBox()
    qtbot.addWidget(box)
    box.setRange(-1e300, 1e300)
    box.setValue(value)
    assert box.text() == text
    assert box.value() == value
    box.stepUp()
    assert value < box.value() <= 1.2 * value


def test_protections_are_a_group_of_their_own_and_a_scrub_has_none(qtbot: QtBot) -> None:
    form = form_for(FullFineTune(), qtbot)
    headings = [label.text() for label in form.findChildren(Words)]
    assert headings.count("Protect edits") == headings.count("Facts in the data") == 1
    assert form.fields["replay"].widget.isVisibleTo(form)
    scrub = form_for(Scrub(), qtbot)
    assert "replay" not in scrub.fields
    assert "Protect edits" not in [label.text() for label in scrub.findChildren(Words)]
