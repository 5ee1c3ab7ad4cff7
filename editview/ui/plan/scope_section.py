"""What a fine-tune trains, as a part of its card's form: a choice in words, the picture, and the count under it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from editview.domain.errors import EditViewError
from editview.domain.operations import FineTune, Trained, in_words_of
from editview.domain.scope import Parts
from editview.domain.weights import MatrixKind, TensorInfo
from editview.ui.look.labels import Sentence
from editview.ui.look.theme import SMALL, theme
from editview.ui.plan.fields import Field
from editview.ui.plan.scope_picture import ScopePicture
from editview.ui.plan.tensor_names import show_tensors


class ScopeSection(QWidget):
    """Holds three of an operation's parameters: `trained`, `layers` and `matrices`."""

    changed = Signal()

    def __init__(
        self, parts: Parts, operation: FineTune, failed: Callable[[str], None], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._parts = parts
        self._operation = operation
        self._layers: tuple[int, ...] = ()
        self._matrices: tuple[MatrixKind, ...] = ()
        self._found: tuple[TensorInfo, ...] = ()
        self._wrong = ""
        self.choice = QComboBox(self)
        for value in get_args(Trained):
            self.choice.addItem(in_words_of(FineTune.model_fields["trained"], value), value)
        kinds = parts.kinds(operation.model_copy(update={"trained": "all"}))
        could = [tensor for tensor in parts.tensors if tensor.kind in kinds]
        self.picture = ScopePicture(could, parts.edited, failed, self)
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
        self.choice.currentIndexChanged.connect(self._choose)
        self.picture.layer_set.connect(self._set_layer)
        self.picture.kind_set.connect(self._set_kind)
        self.list.clicked.connect(self._show_list)

    def fields(self) -> dict[str, Field]:
        """A field for each parameter, as the form knows them."""

        def show_choice(value: str) -> None:
            with QSignalBlocker(self.choice):
                self.choice.setCurrentIndex(self.choice.findData(value))
            self._draw()

        def show_layers(value: tuple[int, ...]) -> None:
            self._layers = tuple(value)
            self._draw()

        def show_matrices(value: tuple[MatrixKind, ...]) -> None:
            self._matrices = tuple(value)
            self._draw()

        def field(read: Callable[[], Any], write: Callable[[Any], None], focus: QWidget) -> Field:
            return Field(self, read, write, self.changed, focus, lambda: self._wrong)

        return {
            "trained": field(self.choice.currentData, show_choice, self.choice),
            "layers": field(lambda: self._layers, show_layers, self.picture),
            "matrices": field(lambda: self._matrices, show_matrices, self.picture),
        }

    def show_operation(self, operation: FineTune) -> None:
        """Count what it would train with its other parameters like this."""
        self._operation = operation
        self._draw()

    def _draw(self) -> None:
        now = {"trained": self.choice.currentData(), "layers": self._layers, "matrices": self._matrices}
        self._operation = self._operation.model_copy(update=now)
        try:
            self._found, self._wrong = self._parts.trained(self._operation), ""
            self.told.say(self._parts.sentence(self._operation))
        except EditViewError as error:
            self._found, self._wrong = (), str(error).replace("*", "")
            self.told.say("")
        self.list.setVisible(bool(self._found))
        ticked = self._matrices or self._parts.kinds(self._operation)
        self.picture.show_trained({(tensor.layer, tensor.kind) for tensor in self._found}, ticked)

    def _choose(self) -> None:
        """Choosing layers by hand starts from what is trained now."""
        if self.choice.currentData() == "chosen" and not self._layers:
            self._layers = self._shown()
        self._tell()

    def _set_layer(self, layer: int, on: bool) -> None:
        chosen = set(self._layers if self.choice.currentData() == "chosen" else self._shown())
        self._layers = tuple(sorted(chosen | {layer} if on else chosen - {layer}))
        with QSignalBlocker(self.choice):
            self.choice.setCurrentIndex(self.choice.findData("chosen"))
        self._tell()

    def _set_kind(self, kind: MatrixKind, on: bool) -> None:
        """All kinds is the same as naming none; the last one stays."""
        there = self._parts.kinds(self._operation)
        chosen = set(self._matrices or there)
        chosen = chosen | {kind} if on else chosen - {kind}
        if chosen:
            self._matrices = () if chosen >= set(there) else tuple(kind for kind in MatrixKind if kind in chosen)
            self._tell()

    def _shown(self) -> tuple[int, ...]:
        return tuple(sorted({tensor.layer for tensor in self._found if tensor.layer is not None}))

    def _tell(self) -> None:
        self._draw()
        self.changed.emit()

    def _show_list(self) -> None:
        show_tensors(self.told.accessibleName(), [tensor.name for tensor in self._found], self)
