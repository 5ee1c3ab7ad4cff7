"""Picking what a fine-tune trains: in words, on the picture, by keyboard."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QPushButton
from pytestqt.qtbot import QtBot

from editview.domain.operations import FullFineTune, Lora
from editview.domain.scope import Parts
from editview.domain.weights import MatrixKind, TensorInfo
from editview.ui.plan.form import OperationForm
from editview.ui.plan.tensor_names import TensorNames

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
    assert section.told.text() == "Trains 17 tensors: 1,600 of 2.0 million weights."
    section.choice.setCurrentIndex(section.choice.findData("edited"))
    assert section.told.text() == "Trains 4 tensors in layer 2: 200 of 2.0 million weights."
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
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Space):
        qtbot.keyClick(picture, key)
    assert form.fields["layers"].read() == (0, 2, 3)
    assert "Layer 2 (index 1), edited by this plan" in picture.accessibleDescription()


@pytest.mark.parametrize(
    ("operation", "edited", "said"),
    [
        (FullFineTune(trained="edited"), (), "nothing in the plan edits any"),
        (Lora(matrices=(MatrixKind.NORM,)), (1,), "choose other kinds of matrix"),
        (FullFineTune(trained="chosen"), (1,), "choose layers to train"),
    ],
)
def test_a_choice_that_matches_nothing_is_said_and_can_t_be_applied(
    qtbot: QtBot, operation: FullFineTune | Lora, edited: tuple[int, ...], said: str
) -> None:
    form = OperationForm(operation, parts=Parts(TENSORS, edited, 2_000_000), layers=4)
    qtbot.addWidget(form)
    assert said in form.complaint("trained")
    assert not form.apply.isEnabled()


def test_the_exact_list_can_be_searched_copied_and_saved(
    form: OperationForm, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialog = TensorNames("Trains 17 tensors.", [tensor.name for tensor in TENSORS])
    qtbot.addWidget(dialog)
    dialog.search.setText("norm")
    names = [f"{layer}.norm" for layer in range(4)]
    assert [dialog.list.item(row).text() for row in range(dialog.list.count())] == names
    dialog.copy()
    assert QGuiApplication.clipboard().text() == "\n".join(names)
    place = tmp_path / "names.csv"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(place), ""))
    save = next(button for button in dialog.findChildren(QPushButton) if button.text() == "Save names…")
    save.click()
    assert place.read_text().splitlines() == ["tensor", *names]
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(place / "in a file.csv"), ""))
    save.click()
    assert dialog.told.accessibleName().startswith("Trains 17 tensors.\n")


def test_the_last_kind_stays_since_none_would_mean_all(form: OperationForm, qtbot: QtBot) -> None:
    picture = form.scope.picture
    for row in range(len(picture._rows)):
        qtbot.mouseClick(picture, Qt.MouseButton.LeftButton, pos=cell(form, -1, row))
    assert form.fields["matrices"].read() == (picture._rows[-1],)
    qtbot.keyClick(picture, Qt.Key.Key_Space)
    assert form.fields["matrices"].read() == (picture._rows[-1],)
    assert "so it stays" in picture.accessibleDescription()


def test_an_adapter_offers_only_what_it_can_be_added_to(qtbot: QtBot) -> None:
    form = OperationForm(Lora(rank=2), parts=PARTS, layers=4)
    qtbot.addWidget(form)
    form.show()
    picture = form.scope.picture
    assert (picture._rows, picture._columns) == ([*KINDS], [0, 1, 2, 3])
    assert form.scope.told.text() == "Trains 384 weights added to 12 matrices; the model has 2.0 million."
    for _ in range(2):
        qtbot.mouseClick(picture, Qt.MouseButton.LeftButton, pos=cell(form, -1, 0))
    assert form.fields["matrices"].read() == ()


def test_the_count_follows_the_rank_and_the_picture_goes_on_while_another_field_is_wrong(
    form: OperationForm, qtbot: QtBot
) -> None:
    form.fields["learning_rate"].write(0.0)
    qtbot.mouseClick(form.scope.picture, Qt.MouseButton.LeftButton, pos=cell(form, 0, 0))
    assert form.scope.told.text() == "Trains 12 tensors in layers 2 to 4: 600 of 2.0 million weights."
    assert not form.apply.isEnabled()
    lora = OperationForm(Lora(rank=2, trained="edited"), parts=PARTS, layers=4)
    qtbot.addWidget(lora)
    lora.fields["rank"].write(4)
    assert lora.scope.told.text() == "Trains 192 weights added to 3 matrices in layer 2; the model has 2.0 million."


def test_chosen_layers_of_another_model_are_said_only_where_they_count(qtbot: QtBot) -> None:
    form = OperationForm(FullFineTune(trained="chosen", layers=(0, 9)), parts=PARTS, layers=4)
    qtbot.addWidget(form)
    assert form.complaint("trained") == (
        "This model has layers 1 to 4, in a plan file 0 to 3: there is no layer 10 (9 in a plan file). Choose other "
        "layers to train."
    )
    form.scope.choice.setCurrentIndex(form.scope.choice.findData("all"))
    assert form.apply.isEnabled()


def test_all_but_edited_layers_needs_an_edit(qtbot: QtBot) -> None:
    form = OperationForm(FullFineTune(trained="not-edited"), parts=Parts(TENSORS, (), 2_000_000), layers=4)
    qtbot.addWidget(form)
    assert "unedited layers, and nothing in the plan edits any" in form.complaint("trained")
