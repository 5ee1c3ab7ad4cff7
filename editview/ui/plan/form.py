"""The form of a card, generated from the method's declared parameters, checked as one types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from annotated_types import MaxLen
from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QMessageBox,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from editview.domain.facts import FactSheet
from editview.domain.operations import (
    BaseOperation,
    FineTune,
    FullFineTune,
    Operation,
    UndoEdit,
    Unediting,
    in_words_of,
)
from editview.domain.scope import Parts
from editview.domain.sentences import method_name, operation_title
from editview.ui.look.icons import icon
from editview.ui.look.labels import Sentence, Words
from editview.ui.look.theme import BODY, LARGE, SMALL, theme
from editview.ui.plan.fields import Field, field_for, plain
from editview.ui.plan.finding import Finding
from editview.ui.plan.scope_section import ScopeSection

_NOT_IN_FORM = {"id", "enabled", "method"}


def _complaint(problem: ErrorDetails) -> str:
    """What is wrong with a value and what would be right."""
    limits = problem.get("ctx", {})
    match problem["type"]:
        case "greater_than":
            return f"This has to be more than {limits['gt']:g}."
        case "greater_than_equal":
            return f"This has to be {limits['ge']:g} or more."
        case "less_than":
            return f"This has to be less than {limits['lt']:g}."
        case "less_than_equal":
            return f"This has to be {limits['le']:g} or less."
        case "too_long":
            return f"This method writes into {limits['max_length']} layer: name that one alone."
        case "int_type" | "int_parsing":
            return f"'{problem['input']}' is not a whole number: write '0, 1, 2'."
    return f"{problem['msg']}."


def _headline(operation: Operation, sheet: FactSheet | None) -> str:
    title = operation_title(operation, sheet)
    if isinstance(operation, UndoEdit | Unediting):
        return title
    if isinstance(operation, FullFineTune):
        return title.replace("Fine-tune", "Fine-tune every weight", 1)
    return f"{title} with {method_name(operation)}"


class _Row(QWidget):
    """Title, field, help, and what is wrong with the value."""

    def __init__(self, title: str, help_text: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, theme().px(16))
        self._layout.setSpacing(theme().px(4))
        self.title = Words(title, BODY, bold=True, parent=self)
        self.help = Words(help_text, SMALL, "muted", parent=self)
        self.help.setWordWrap(True)
        self.wrong = Words("", SMALL, "fails", parent=self)
        self.wrong.setWordWrap(True)
        self.wrong.hide()
        for widget in (self.title, self.help, self.wrong):
            self._layout.addWidget(widget)

    def hold(self, field: Field) -> None:
        self._layout.insertWidget(1, field.widget)
        self.title.setBuddy(field.focus)
        field.focus.setAccessibleName(self.title.text())
        field.focus.setAccessibleDescription(self.help.text())

    def offer(self, button: QPushButton, field: Field) -> None:
        """Put a button beside the field."""
        side_by_side = QHBoxLayout()
        self._layout.insertLayout(1, side_by_side)
        side_by_side.addWidget(field.widget, 1)
        side_by_side.addWidget(button)

    def offer_below(self, button: QPushButton) -> None:
        """Put a button under the field."""
        self._layout.insertWidget(2, button, alignment=Qt.AlignmentFlag.AlignLeft)

    def complain(self, complaint: str) -> None:
        self.wrong.setText(f"✗ {complaint}" if complaint else "")
        self.wrong.setVisible(bool(complaint))


class OperationForm(QDialog):
    """Edits one operation. After `exec`, `operation` is the changed one (same card id).

    The plan's sheet, the number of its model's layers and the edits before this step (id and words), as far as they
    are known, say what can be chosen.
    With `finding`, layers and thresholds can be looked for on the plan's model; with `parts` of it, what a fine-tune
    trains is picked on a picture.
    """

    def __init__(
        self, operation: Operation, parent: QWidget | None = None, *,
        sheet: FactSheet | None = None, layers: int | None = None, edits: Mapping[str, str] | None = None,
        finding: Finding | None = None, parts: Parts | None = None,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self.operation = operation
        self._sheet, self._layers, self._edits, self._finding = sheet, layers, edits or {}, finding
        self._left_out = _NOT_IN_FORM | getattr(operation, "not_asked", frozenset())
        self.fields: dict[str, Field] = {}
        self._rows: dict[str, _Row] = {}
        self.scope: ScopeSection | None = None
        if parts is not None and isinstance(operation, FineTune):
            self.scope = ScopeSection(parts, operation, self._failed, self)
        self.setWindowTitle(operation_title(operation, sheet))
        self._specialist = QWidget(self)
        self._specialist.hide()
        self.more = QPushButton(icon("chevron", "accent"), "More settings", self)
        self.more.setProperty("role", "quiet")
        self.more.setCheckable(True)
        self.more.toggled.connect(self._specialist.setVisible)
        self.buttons = QDialogButtonBox(self)
        self.apply = QPushButton("Apply", self)
        self.apply.setProperty("role", "primary")
        self._needs_sound_values = [self.apply]
        self.buttons.addButton(self.apply, QDialogButtonBox.ButtonRole.AcceptRole)
        self.buttons.addButton("Cancel", QDialogButtonBox.ButtonRole.RejectRole)
        self.defaults = self.buttons.addButton("Back to defaults", QDialogButtonBox.ButtonRole.ResetRole)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self.defaults.clicked.connect(self._show_defaults)
        self._lay_out()
        self._show(operation.model_dump())

    def _lay_out(self) -> None:
        look = theme()
        common, special = QVBoxLayout(), QVBoxLayout(self._specialist)
        special.setContentsMargins(0, look.px(8), 0, 0)
        together = {} if self.scope is None else self.scope.fields()
        sections: dict[str, QVBoxLayout] = {}
        for name, info in type(self.operation).model_fields.items():
            if name in self._left_out:
                continue
            if name in together:
                self._add_scope(name, together[name], common)
                continue
            extra = info.json_schema_extra
            is_special = isinstance(extra, dict) and bool(extra.get("specialist"))
            home = self._specialist if is_special else self
            usual = plain(in_words_of(info, info.default))
            row = _Row(info.title or name, f"{info.description}{f' · default {usual}' if usual else ''}", home)
            field = field_for(info, row, self._sheet, self._layers, self._edits)
            row.hold(field)
            if self._finding is not None:
                self._offer_finding(self._finding, info, row, field)
            field.changed.connect(self._check)
            self.fields[name], self._rows[name] = field, row
            section = str(extra.get("section", "")) if isinstance(extra, dict) else ""
            if section and section not in sections:
                sections[section] = QVBoxLayout()
                sections[section].setContentsMargins(0, look.px(8), 0, look.px(8))
                sections[section].addWidget(Words(section, LARGE, bold=True, parent=self))
                sections[section].addSpacing(look.px(8))
            (sections.get(section) or (special if is_special else common)).addWidget(row)
        page = QWidget(self)
        inside = QVBoxLayout(page)
        inside.setContentsMargins(look.px(24), look.px(8), look.px(24), look.px(8))
        for group in (common, *sections.values()):
            inside.addLayout(group)
        inside.addWidget(self.more, alignment=Qt.AlignmentFlag.AlignLeft)
        inside.addWidget(self._specialist)
        inside.addStretch(1)
        self.more.setVisible(special.count() > 0)
        scroll = QScrollArea(self, widgetResizable=True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(page)
        top = QVBoxLayout()
        top.setContentsMargins(look.px(24), look.px(24), look.px(24), look.px(8))
        top.addWidget(Sentence(_headline(self.operation, self._sheet), parent=self))
        top.addWidget(Sentence(self.operation.about, BODY, "muted", self))
        below = QVBoxLayout()
        below.setContentsMargins(look.px(24), look.px(8), look.px(24), look.px(16))
        below.addWidget(self.buttons)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(top)
        layout.addWidget(scroll, 1)
        layout.addLayout(below)
        self.resize(look.px(520), look.px(640))

    def _add_scope(self, name: str, field: Field, home: QVBoxLayout) -> None:
        """One row for all that the section holds."""
        self.fields[name] = field
        if name == "trained":
            info = type(self.operation).model_fields[name]
            row = _Row(
                info.title or name, f"{info.description}. Click layers or kinds of matrix to choose others", self
            )
            row.hold(field)
            field.changed.connect(self._check)
            self._rows[name] = row
            home.addWidget(row)

    def _offer_finding(self, finding: Finding, info: FieldInfo, row: _Row, field: Field) -> None:
        """A button beside the field, where the model can be looked into for its value."""
        extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}

        def layers() -> Any:
            longest = next((rule.max_length for rule in info.metadata if isinstance(rule, MaxLen)), None)
            only = self.fields["only"].read() if "only" in self.fields else ()
            return finding.layers(only, longest == 1, self)

        def threshold() -> Any:
            named = self._values()
            text, tokens = named["statistics"], named["statistics_tokens"]
            return finding.threshold(named["layers"], text, tokens, named["threshold"], self)

        def find() -> None:
            if (found := look()) is not None:
                field.write(found)
                field.focus.setFocus()

        if extra.get("layers"):
            words, help_text, look = "Find layers…", "See in which layers this model looks the facts up", layers
        elif extra.get("threshold"):
            words, help_text, look = "See the spectrum…", "See how many directions a threshold leaves free", threshold
        elif extra.get("examples"):
            self._offer_preview(finding, row)
            return
        else:
            return
        button = QPushButton(words, row)
        button.setToolTip(help_text)
        button.clicked.connect(find)
        row.offer(button, field)

    def _offer_preview(self, finding: Finding, row: _Row) -> None:
        """A button that shows the examples as the model will read them, by the settings of the moment."""
        button = QPushButton("See what the model will see…", row)
        button.setToolTip("Token by token, with what is learnt of them and what can't be used")

        def show() -> None:
            if isinstance(self._checked, FineTune):
                finding.training(self._checked, self)

        button.clicked.connect(show)
        row.offer_below(button)
        self._needs_sound_values.append(button)

    def _failed(self, sentence: str) -> None:
        """A picture couldn't be saved."""
        QMessageBox.warning(self, "Not saved", sentence)

    def _show(self, values: dict[str, Any]) -> None:
        for name, field in self.fields.items():
            field.write(values[name])
        self._check()

    def _show_defaults(self) -> None:
        self._show({name: info.get_default() for name, info in type(self.operation).model_fields.items()})

    def _values(self) -> dict[str, Any]:
        return {name: field.read() for name, field in self.fields.items()}

    def _check(self) -> None:
        """Check the whole card as it would be; say at each field what is wrong with it."""
        kept = {name: getattr(self.operation, name) for name in self._left_out}
        complaints: dict[str, str] = {}
        try:
            checked: BaseOperation | None = type(self.operation).model_validate({**kept, **self._values()})
        except ValidationError as error:
            checked = None
            for problem in error.errors(include_url=False):
                name = str(problem["loc"][0]) if problem["loc"] else ""
                complaints.setdefault(name, _complaint(problem))
        if self.scope is not None and isinstance(checked, FineTune):
            self.scope.show_operation(checked)
        for name, row in self._rows.items():
            complaints.setdefault(name, self.fields[name].complaint())
            row.complain(complaints[name])
        self._checked = None if any(complaints.values()) else checked
        for button in self._needs_sound_values:
            button.setEnabled(self._checked is not None)

    def complaint(self, name: str) -> str:
        """What is wrong with a field's value; empty: nothing."""
        return self._rows[name].wrong.text().removeprefix("✗ ")

    def accept(self) -> None:
        if self._checked is not None:
            self.operation = self._checked  # type: ignore[assignment]
            super().accept()
