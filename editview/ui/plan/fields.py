"""A field for each kind of parameter: made from the declaration in the domain, read back as the value it stands for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo
from PySide6.QtCore import QLocale
from PySide6.QtGui import QValidator
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QWidget,
)

from editview.domain.facts import FactSheet
from editview.domain.operations import in_words_of
from editview.domain.tracing import no_such_layer
from editview.ui.look.theme import theme
from editview.ui.plan.fact_picker import FactPicker
from editview.ui.plan.strength import StrengthBox

_LARGEST = 2**31 - 1


class Field:
    """A widget for one parameter. `read` gives what stands in it, still unchecked; `write` shows a value."""

    def __init__(
        self, widget: QWidget, read: Callable[[], Any], write: Callable[[Any], None], changed: Any, focus: QWidget,
        complaint: Callable[[], str] = str,
    ) -> None:  # fmt: skip
        self.widget, self.read, self.write, self.changed, self.focus = widget, read, write, changed, focus
        self.complaint = complaint  # what the declaration can't tell is wrong, for it doesn't know sheet and model


def field_for(
    info: FieldInfo, parent: QWidget, sheet: FactSheet | None, layers: int | None, edits: Mapping[str, str]
) -> Field:
    """The field that suits a parameter's type and bounds, the plan's sheet and its model's number of layers.

    `edits` are the edits that can be taken back: id and words.
    """
    kind, extra = info.annotation, info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    if kind is bool:
        box = QCheckBox(parent)
        return Field(box, box.isChecked, box.setChecked, box.toggled, box)
    if kind is int:
        return _whole_number(info, parent)
    if extra.get("strength"):
        box_ = StrengthBox(parent)
        return Field(box_, box_.value, box_.set_value, box_.changed, box_.number)
    if extra.get("edit"):
        return _edit(edits, parent)
    if kind is float:
        number = NumberBox(parent)
        low, high = bounds(info)
        number.setRange(-1e300 if low is None else low, 1e300 if high is None else high)
        return Field(number, number.value, number.setValue, number.valueChanged, number)
    if get_origin(kind) is Literal:
        return _choice(get_args(kind), info, parent)
    if extra.get("facts"):
        picker = FactPicker(sheet, parent)
        return Field(picker, picker.value, picker.set_value, picker.changed, picker.all, picker.complaint)
    if get_origin(kind) is tuple:
        field = _list(kind, parent)
        if extra.get("layers") and layers is not None:
            field.complaint = partial(_beyond, field.read, layers)
        return field
    if extra.get("file"):
        return _file(parent)
    line = QLineEdit(parent)
    return Field(line, line.text, line.setText, line.textChanged, line)


def bounds(info: FieldInfo) -> tuple[float | None, float | None]:
    """The smallest and the largest value that the declaration allows; an open bound is given as it is."""
    low = high = None
    for rule in info.metadata:
        match rule:
            case Ge(ge=value) | Gt(gt=value):
                low = value
            case Le(le=value) | Lt(lt=value):
                high = value
    return low, high  # type: ignore[return-value]


def _whole_number(info: FieldInfo, parent: QWidget) -> Field:
    spin = QSpinBox(parent)
    low, high = bounds(info)
    spin.setRange(-_LARGEST if low is None else int(low), _LARGEST if high is None else min(int(high), _LARGEST))
    spin.setStepType(QAbstractSpinBox.StepType.AdaptiveDecimalStepType)
    spin.setGroupSeparatorShown(True)
    _indent(spin)
    spin.setLocale(QLocale(QLocale.Language.English, QLocale.Country.UnitedKingdom))
    return Field(spin, spin.value, spin.setValue, spin.valueChanged, spin)


def _indent(spin: QAbstractSpinBox) -> None:
    """Numbers begin where the words of other fields begin: a style sheet's padding doesn't reach them."""
    spin.lineEdit().setTextMargins(theme().px(6), 0, 0, 0)


def _list(kind: Any, parent: QWidget) -> Field:
    """A list as text, '0, 1, 2'. What isn't a number is handed on as it is, so that the check can name it."""
    line = QLineEdit(parent)
    item = get_args(get_args(kind)[0])[0] if get_args(get_args(kind)[0]) else get_args(kind)[0]

    def read() -> tuple[Any, ...]:
        words = [word.strip() for word in line.text().split(",")]
        return tuple(_as_number(word) if item is int else word for word in words if word)

    def write(values: tuple[Any, ...]) -> None:
        line.setText(", ".join(str(value) for value in values))

    return Field(line, read, write, line.textChanged, line)


def _beyond(read: Callable[[], tuple[Any, ...]], layers: int) -> str:
    """What is wrong with layers that the model doesn't have."""
    missing = [layer for layer in read() if isinstance(layer, int) and layer >= layers]
    return no_such_layer(missing[0], layers) if missing else ""


def _as_number(word: str) -> int | str:
    try:
        return int(word)
    except ValueError:
        return word


def _choice(values: tuple[str, ...], info: FieldInfo, parent: QWidget) -> Field:
    """One of some values, by what they are called."""
    choice = QComboBox(parent)
    for value in values:
        choice.addItem(in_words_of(info, value), value)

    def write(value: str) -> None:
        choice.setCurrentIndex(choice.findData(value))

    return Field(choice, choice.currentData, write, choice.currentIndexChanged, choice)


def _edit(edits: Mapping[str, str], parent: QWidget) -> Field:
    """One of the plan's edits, by what its card says."""
    choice = QComboBox(parent)
    for operation_id, words in edits.items():
        choice.addItem(words, operation_id)

    def write(operation_id: str) -> None:
        choice.setCurrentIndex(choice.findData(operation_id))

    def complaint() -> str:
        if choice.currentIndex() >= 0:
            return ""
        return "Choose the edit to take back." if edits else "No edit comes before this step."

    return Field(choice, lambda: choice.currentData() or "", write, choice.currentIndexChanged, choice, complaint)


def _file(parent: QWidget) -> Field:
    row = QWidget(parent)
    line = QLineEdit(row)
    choose = QPushButton("Choose file…", row)
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(line, 1)
    layout.addWidget(choose)

    def pick() -> None:
        start = str(Path(line.text()).parent) if line.text() else ""
        path, _ = QFileDialog.getOpenFileName(
            row, "Choose a file", start, "Text data (*.jsonl *.json *.txt *.csv);;All files (*)"
        )
        if path:
            line.setText(path)

    choose.clicked.connect(pick)
    return Field(row, line.text, line.setText, line.textChanged, line)


class NumberBox(QDoubleSpinBox):
    """A spin box for numbers of any size, shown short: 0.0003 as 0.0003, 15000 as 15000, 1e-7 as 1e-07."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setDecimals(18)
        self.setStepType(QAbstractSpinBox.StepType.AdaptiveDecimalStepType)
        _indent(self)

    def textFromValue(self, value: float) -> str:
        return f"{value:.10g}"

    def valueFromText(self, text: str) -> float:
        return float(text)

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        state = QValidator.State
        try:
            value = float(text)
        except ValueError:
            unfinished = not text.strip() or set(text) <= set("0123456789.eE+-")
            return (state.Intermediate if unfinished else state.Invalid, text, position)
        inside = self.minimum() <= value <= self.maximum()
        return (state.Acceptable if inside else state.Intermediate, text, position)

    def stepBy(self, steps: int) -> None:
        """A step is a tenth of the number's own power of ten, so that small rates step in small steps."""
        value = abs(self.value()) or 1.0
        size = 10.0 ** (len(f"{value:.0f}") - 2) if value >= 1 else 10.0 ** (int(f"{value:e}".partition("e")[2]) - 1)
        self.setValue(float(f"{self.value() + steps * size:.10g}"))


def plain(value: Any) -> str:
    """A default as the form shows it; nothing for an empty one."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return f"{value:.10g}" if isinstance(value, float) else str(value)
