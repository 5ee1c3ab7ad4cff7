"""Picking what a fine-tune trains: in words, on the picture, by keyboard."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from editview.domain.operations import FullFineTune, Lora
from editview.domain.scope import Parts
from editview.domain.weights import MatrixKind, TensorInfo
from editview.ui.plan.form import OperationForm

KINDS = (MatrixKind.ATTENTION_IN, MatrixKind.MLP_IN, MatrixKind.MLP_OUT)
TENSORS = (
    TensorInfo("embed", None, MatrixKind.EMBEDDING, (100, 8)),
    *(TensorInfo(f"{layer}.{kind.name}", layer, kind, (8, 8)) for layer in range(4) for kind in KINDS),
    *(TensorInfo(f"{layer}.norm", layer, MatrixKind.NORM, (8,)) for layer in range(4)),
)
PARTS = Parts(TENSORS, edited=(1,), parameters=2_000_000)


@pytest.fixture
def form(qtbot: QtBot) -> OperationForm:
    found = OperationForm(FullFineTune(), parts=PARTS, layers=4)
    qtbot.addWidget(found)
    found.show()
    return found


def cell(form: OperationForm, column: int, row: int) -> QPoint:
    picture = form.scope.picture
    if column < 0:
        return QPoint(4, int(picture._cell(0, row).center().y()))
    if row < 0:
        return QPoint(int(picture._cell(column, 0).center().x()), 4)
    return picture._cell(column, row).center().toPoint()


def test_choices_are_said_in_words_and_counted(form: OperationForm) -> None:
    section = form.scope
    assert section.choice.currentText() == "The whole model"
    assert section.told.text() == "Trains 17 tensors: 0.0016 of 2.0 million weights."
    section.choice.setCurrentIndex(section.choice.findData("edited"))
    assert section.told.text().startswith("Trains 4 tensors")
    assert form.apply.isEnabled()
    form.accept()
    assert form.operation.trained == "edited"


def test_a_click_on_a_layer_chooses_by_hand_from_what_is_trained_now(form: OperationForm, qtbot: QtBot) -> None:
    section = form.scope
    section.choice.setCurrentIndex(section.choice.findData("not-edited"))
    qtbot.mouseClick(section.picture, Qt.MouseButton.LeftButton, pos=cell(form, 3, 0))
    assert section.choice.currentData() == "chosen"
    form.accept()
    assert (form.operation.trained, form.operation.layers) == ("chosen", (0, 2))


def test_a_click_on_a_name_takes_a_kind_out_and_puts_it_back(form: OperationForm, qtbot: QtBot) -> None:
    section = form.scope
    row = section.picture._rows.index(MatrixKind.MLP_OUT)
    qtbot.mouseClick(section.picture, Qt.MouseButton.LeftButton, pos=cell(form, -1, row))
    assert MatrixKind.MLP_OUT not in form.fields["matrices"].read()
    assert "13 tensors" in section.told.text()
    qtbot.mouseClick(section.picture, Qt.MouseButton.LeftButton, pos=cell(form, -1, row))
    assert form.fields["matrices"].read() == ()


def test_dragging_paints_layers(form: OperationForm, qtbot: QtBot) -> None:
    picture = form.scope.picture
    qtbot.mousePress(picture, Qt.MouseButton.LeftButton, pos=cell(form, 0, 0))
    qtbot.mouseMove(picture, cell(form, 1, 0))
    qtbot.mouseRelease(picture, Qt.MouseButton.LeftButton, pos=cell(form, 1, 0))
    qtbot.mouseMove(picture, cell(form, 2, 0))
    assert form.fields["layers"].read() == (2, 3)


def test_by_keyboard(form: OperationForm, qtbot: QtBot) -> None:
    picture = form.scope.picture
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Space):
        qtbot.keyClick(picture, key)
    assert form.fields["layers"].read() == (0, 2, 3)
    assert "Layer 2 (index 1), edited by this plan" in picture.accessibleDescription()


def test_a_choice_that_matches_nothing_is_said_and_can_t_be_applied(qtbot: QtBot) -> None:
    form = OperationForm(FullFineTune(trained="edited"), parts=Parts(TENSORS, (), 2_000_000), layers=4)
    qtbot.addWidget(form)
    assert form.complaint("trained") == "Nothing in this plan edits a layer."
    assert not form.apply.isEnabled()
    form = OperationForm(Lora(matrices=(MatrixKind.NORM,)), parts=PARTS, layers=4)
    qtbot.addWidget(form)
    assert "Choose other kinds of matrix" in form.complaint("trained")
    form = OperationForm(FullFineTune(trained="chosen"), parts=PARTS, layers=4)
    qtbot.addWidget(form)
    assert form.complaint("trained") == "Choose layers in the picture."


def test_the_exact_list_can_be_searched(form: OperationForm, qtbot: QtBot) -> None:
    from editview.ui.plan.scope_section import TensorNames

    dialog = TensorNames([tensor.name for tensor in TENSORS])
    qtbot.addWidget(dialog)
    dialog.search.setText("norm")
    shown = [dialog.list.item(row).text() for row in range(dialog.list.count()) if not dialog.list.item(row).isHidden()]
    assert shown == [f"{layer}.norm" for layer in range(4)]
