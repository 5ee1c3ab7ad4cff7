"""What a fine-tune trains, as a part of its card's form: a choice in words, the picture, and the count under it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from editview.domain.errors import EditViewError
from editview.domain.operations import FineTune, Trained
from editview.domain.scope import Parts, trained
from editview.domain.weights import MatrixKind, TensorInfo
from editview.ui.look.labels import Sentence
from editview.ui.look.theme import SMALL, theme
from editview.ui.plan.fields import Field
from editview.ui.plan.scope_picture import ScopePicture

_WORDS: dict[Trained, str] = {
    "all": "The whole model",
    "edited": "Only layers that this plan edits",
    "not-edited": "All layers but the edited ones",
    "chosen": "Layers that I choose",
}


class ScopeSection(QWidget):
    """Holds three of an operation's parameters: `trained`, `layers` and `matrices`."""

    changed = Signal()

    def __init__(self, parts: Parts, failed: Callable[[str], None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._parts = parts
        self._layers: tuple[int, ...] = ()
        self._matrices: tuple[MatrixKind, ...] = ()
        self._found: tuple[TensorInfo, ...] = ()
        self._operation: FineTune | None = None
        self.choice = QComboBox(self)
        for value in get_args(Trained):
            self.choice.addItem(_WORDS[value], value)
        self.picture = ScopePicture(parts, failed, self)
        self.told = Sentence("", SMALL, "muted", self)
        self.list = QPushButton("List them…", self)
        self.list.setProperty("role", "quiet")
        below = QHBoxLayout()
        below.addWidget(self.told, 1)
        below.addWidget(self.list, alignment=Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme().px(8))
        layout.addWidget(self.choice)
        layout.addWidget(self.picture)
        layout.addLayout(below)
        self.choice.currentIndexChanged.connect(self.changed)
        self.picture.layer_set.connect(self._set_layer)
        self.picture.kind_set.connect(self._set_kind)
        self.list.clicked.connect(self._show_list)

    def fields(self) -> dict[str, Field]:
        """A field for each parameter, as the form knows them."""

        def show_choice(value: str) -> None:
            self.choice.setCurrentIndex(self.choice.findData(value))

        def show_layers(value: tuple[int, ...]) -> None:
            self._layers = tuple(value)

        def show_matrices(value: tuple[MatrixKind, ...]) -> None:
            self._matrices = tuple(value)

        return {
            "trained": Field(self, self.choice.currentData, show_choice, self.changed, self.choice, self._complaint),
            "layers": Field(self.picture, lambda: self._layers, show_layers, self.changed, self.picture),
            "matrices": Field(self.picture, lambda: self._matrices, show_matrices, self.changed, self.picture),
        }

    def show_operation(self, operation: FineTune) -> None:
        """Draw and count what an operation with these settings would train."""
        self._operation = operation
        self._found, said = (), ""
        try:
            self._found = trained(self._parts.tensors, operation, self._parts.layers(operation))
            said = self._parts.sentence(operation)
        except EditViewError:
            pass  # the complaint says it
        self.told.say(said)
        self.list.setVisible(bool(self._found))
        self.picture.show_trained({(tensor.layer, tensor.kind) for tensor in self._found})

    def _complaint(self) -> str:
        if self.choice.currentData() == "edited" and not self._parts.edited:
            return "Nothing in this plan edits a layer."
        if self.choice.currentData() == "chosen" and not self._layers:
            return "Choose layers in the picture."
        beyond = [layer for layer in self._layers if layer not in {tensor.layer for tensor in self._parts.tensors}]
        if beyond:
            return f"This model has no layer {beyond[0] + 1}."
        if self._operation is None:
            return ""
        now = {"trained": self.choice.currentData(), "layers": self._layers, "matrices": self._matrices}
        operation = self._operation.model_copy(update=now)
        try:
            trained(self._parts.tensors, operation, self._parts.layers(operation))
        except EditViewError as error:
            return str(error)
        return ""

    def _set_layer(self, layer: int, on: bool) -> None:
        """Choosing by hand starts from what is trained now."""
        chosen = {tensor.layer for tensor in self._found if tensor.layer is not None}
        if self.choice.currentData() == "chosen":
            chosen = set(self._layers)
        chosen = chosen | {layer} if on else chosen - {layer}
        self._layers = tuple(sorted(chosen))
        with QSignalBlocker(self.choice):
            self.choice.setCurrentIndex(self.choice.findData("chosen"))
        self.changed.emit()

    def _set_kind(self, kind: MatrixKind, on: bool) -> None:
        """All kinds is the same as naming none."""
        there = [other for other in MatrixKind if any(tensor.kind is other for tensor in self._parts.tensors)]
        chosen = set(self._matrices or (tensor.kind for tensor in self._found))
        chosen = chosen | {kind} if on else chosen - {kind}
        self._matrices = () if len(chosen) == len(there) else tuple(other for other in there if other in chosen)
        self.changed.emit()

    def _show_list(self) -> None:
        dialog = TensorNames([tensor.name for tensor in self._found], self)
        dialog.exec()
        dialog.deleteLater()


class TensorNames(QDialog):
    """Names of tensors, to search in."""

    def __init__(self, names: list[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Tensors that are trained")
        self.search = QLineEdit(self)
        self.search.setPlaceholderText("Search")
        self.search.setAccessibleName("Search names of tensors")
        self.list = QListWidget(self)
        self.list.addItems(names)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        for widget in (self.search, self.list, buttons):
            layout.addWidget(widget)
        self.search.textChanged.connect(self._filter)
        self.resize(theme().px(480), theme().px(480))

    def _filter(self, text: str) -> None:
        for row in range(self.list.count()):
            item: Any = self.list.item(row)
            item.setHidden(text.lower() not in item.text().lower())
