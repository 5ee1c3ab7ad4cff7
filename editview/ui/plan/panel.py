"""The plan: a sentence on what Run would do, the steps as cards, and what can be done with them."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QMenu, QToolButton, QVBoxLayout, QWidget

from editview.domain.operations import Edit, FineTune, Operation, UndoEdit
from editview.domain.orders import edits_last, why_edits_stay
from editview.domain.scope import parts
from editview.domain.sentences import method_name, operation_title
from editview.ui.hub import Hub
from editview.ui.look.icons import icon
from editview.ui.look.labels import Sentence
from editview.ui.look.theme import BODY, theme
from editview.ui.plan.card_states import overall, plan_sentence, trains
from editview.ui.plan.chooser import StepChooser, first_of
from editview.ui.plan.export_dialog import ExportDialog
from editview.ui.plan.finding import Finding
from editview.ui.plan.form import OperationForm
from editview.ui.plan.interference_dialog import InterferenceDialog
from editview.ui.plan.measuring import MeasureButton
from editview.ui.plan.model import PlanModel
from editview.ui.plan.strength import LiveStrength, StrengthBox
from editview.ui.plan.tensor_names import show_tensors
from editview.ui.plan.view import PlanView


class PlanPanel(QWidget):
    """`selection_changed` says that other actions may be possible now."""

    selection_changed = Signal()

    def __init__(self, hub: Hub, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._hub = hub
        self.model = PlanModel(hub, self)
        self.view = PlanView(self.model, self)
        self.sentence = Sentence("", BODY, parent=self)
        self.measure = MeasureButton(hub, self)
        self.add_button = QToolButton(self)
        self.add_button.setText("Add a step")
        self.add_button.setIcon(icon("add", "accent"))
        self.add_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.add_button.setProperty("role", "icon")
        self.add_button.clicked.connect(self.choose_step)
        self._tools = QHBoxLayout()
        self._layout = QVBoxLayout(self)
        self._tools.addWidget(self.add_button)
        self._tools.addStretch(1)
        self._layout.addWidget(self.sentence)
        self._layout.addWidget(self.measure)
        self._layout.addWidget(self.view, 1)
        self._layout.addLayout(self._tools)
        self.view.opened.connect(self.edit)
        self.view.chosen.connect(lambda operation: self.selection_changed.emit())
        self.view.customContextMenuRequested.connect(self._show_menu)
        for signal in (hub.plan_changed, hub.forecast_changed, hub.run_changed, hub.run_started, hub.runs_changed):
            signal.connect(self._say)
        theme().follow(self._dress)
        self._say()

    def give_actions(self, menu: list[QAction], buttons: list[QAction]) -> None:
        """Put the plan's actions into the cards' menu, some under them too; their keys work while a card has focus."""
        self.view.addActions(menu)
        for action in buttons:
            button = QToolButton(self)
            button.setDefaultAction(action)
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
            button.setProperty("role", "icon")
            button.setAccessibleName(action.text())
            self._tools.addWidget(button)

    @property
    def selected(self) -> Operation | None:
        return self.view.selected

    # ---- what can be done with a card -------------------------------------------------------------------------

    def choose_step(self) -> None:
        """Ask which step to add after the selected one, or at the end."""
        chooser = StepChooser(self, edits=bool(self._edits_before(self._place)))
        if chooser.exec() and chooser.chosen is not None:
            self.add(chooser.chosen, repair=chooser.repair.isChecked())
        chooser.deleteLater()

    def add(self, method: type[Operation], repair: bool = False) -> None:
        """Add a step after the selected one, or at the end."""
        at = self._place
        info = self._hub.checkpoint
        start = info.starting(method) if info is not None and issubclass(method, Edit) else None
        self._insert(first_of(method, repair, list(self._edits_before(at)), start), at)

    def take_back(self) -> None:
        """Add a step at the end that takes the selected edit out again."""
        if isinstance(self.selected, Edit):
            self._insert(UndoEdit(edit=self.selected.id), len(self._hub.plan.operations))

    def put_edits_last(self) -> None:
        """Move the edits behind the fine-tunes and have both orders compared; one step for undo."""
        before = self._hub.plan
        self._hub.change_plan(edits_last(before))
        self._hub.comparison_wanted.emit((before, self._hub.plan))

    def why_edits_stay(self) -> str:
        """Why the edits can't be put last now; empty: they can."""
        hub = self._hub
        return "A run is under way." if hub.running else why_edits_stay(hub.plan) or hub.obstacle

    @property
    def _place(self) -> int:
        plan = self._hub.plan
        return plan.index(self.selected.id) + 1 if self.selected else len(plan.operations)

    def _edits_before(self, at: int) -> dict[str, str]:
        """The edits that a step at this place could take back: id, and what their cards say."""
        active = [operation for operation in self._hub.plan.operations[:at] if operation.enabled]
        undone = {operation.edit for operation in active if isinstance(operation, UndoEdit)}
        return {
            operation.id: f"Step {stage}: {operation_title(operation, self._hub.sheet)} ({method_name(operation)})"
            for stage, operation in enumerate(active, start=1)
            if isinstance(operation, Edit) and operation.id not in undone
        }

    def _insert(self, operation: Operation, at: int) -> None:
        self._hub.change_plan(self._hub.plan.added(operation, at))
        self.view.select(self.model.row_of(operation.id))
        self.view.setFocus()

    def duplicate(self) -> None:
        if self.selected is not None:
            row = self.model.row_of(self.selected.id)
            self._hub.change_plan(self._hub.plan.duplicated(self.selected.id))
            self.view.select(row + 1)

    def remove(self) -> None:
        if self.selected is not None:
            row = self.model.row_of(self.selected.id)
            self._hub.change_plan(self._hub.plan.removed(self.selected.id))
            self.view.select(min(row, self.model.rowCount() - 1))

    def switch(self) -> None:
        if self.selected is not None:
            self._hub.change_plan(self._hub.plan.switched(self.selected.id))

    def edit_selected(self) -> None:
        if self.selected is not None:
            self.edit(self.selected)

    def edit(self, operation: Operation) -> None:
        info = self._hub.checkpoint
        edits = self._edits_before(self._hub.plan.index(operation.id))
        form = OperationForm(
            operation, self, sheet=self._hub.sheet, layers=info.layers if info else None, edits=edits,
            finding=Finding(self._hub), parts=parts(self._hub.plan, info) if info else None,
        )  # fmt: skip
        if isinstance(box := form.fields["strength"].widget if "strength" in form.fields else None, StrengthBox):
            LiveStrength(self._hub, operation.id, box)
        if form.exec():
            self._hub.change_plan(self._hub.plan.replaced(form.operation))
        form.deleteLater()

    def export_selected(self) -> None:
        """Offer to write the model as it is after the selected step."""
        if self.selected is not None:
            self.export(self.selected.id)

    def export(self, operation_id: str | None = None) -> None:
        dialog = ExportDialog(self._hub, operation_id, self)
        dialog.exec()
        dialog.deleteLater()

    def list_trained(self) -> None:
        """Show which tensors the selected fine-tune trained, or would train."""
        if isinstance(self.selected, FineTune):
            said, names = trains(self._hub.plan, self.selected, self._hub.checkpoint, self._hub.run)
            show_tensors(said or "Its choice matches nothing of this model: change it in the card.", names, self)

    def move_step(self, by: int) -> None:
        self.view.move_step(by)

    def explain_losses(self) -> None:
        """Show what a fine-tune of the shown run did to the edits: the selected one, or the last."""
        run, chosen = self._hub.run, self.selected
        active = run.plan.active if run is not None else ()
        stage = next((at for at, one in enumerate(active, 1) if chosen is not None and one.id == chosen.id), None)
        dialog = InterferenceDialog(self._hub, stage, self)
        dialog.exec()
        dialog.deleteLater()

    # ---- drawing ---------------------------------------------------------------------------------------------

    def _show_menu(self, at: QPoint) -> None:
        menu = QMenu(self)
        menu.addActions(self.view.actions())
        menu.setToolTipsVisible(True)
        menu.addSeparator()
        menu.addAction(icon("add"), "Add a step…").triggered.connect(self.choose_step)
        menu.exec(self.view.viewport().mapToGlobal(at))
        menu.deleteLater()

    def _say(self) -> None:
        latest = self._hub.session.latest
        if self._hub.starting:
            self.sentence.say("Starting…")
        elif self._hub.running and latest is not None:
            self.sentence.say(f"{overall(latest, self._hub.run_forecast).doing or 'Running'}.")
        else:
            self.sentence.say(plan_sentence(self._hub.plan, self._hub.forecast))

    def _dress(self) -> None:
        px = theme().px
        self._layout.setContentsMargins(px(16), px(16), px(8), px(8))
        self._layout.setSpacing(px(12))
        self._tools.setSpacing(px(2))
        for button in self.findChildren(QToolButton):
            button.setIconSize(QSize(px(16), px(16)))
