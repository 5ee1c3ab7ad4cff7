"""The plan as a list model: the checkpoint, then a row a card. Moves go through the hub, so they can be undone."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractListModel, QByteArray, QModelIndex, QObject, QPersistentModelIndex, Qt

from editview.domain.operations import Edit, FineTune, FullFineTune, Operation, Reverse, UndoEdit
from editview.domain.plan import Plan, checkpoint_name
from editview.domain.scope import choice
from editview.domain.sentences import facts_words, method_name, operation_title
from editview.ui.hub import Hub
from editview.ui.look.colours import give_colours
from editview.ui.plan.card_states import CardState, card_state, needs_sentence, trains

Index = QModelIndex | QPersistentModelIndex
NOWHERE = QModelIndex()

OPERATION = Qt.ItemDataRole.UserRole  # the Operation; None for the checkpoint
STATE = OPERATION + 1  # CardState
METHOD = OPERATION + 2  # the muted second line
ICON = OPERATION + 3


class PlanModel(QAbstractListModel):
    """Row 0 is the checkpoint and stays; row i + 1 is operation i of the hub's plan."""

    def __init__(self, hub: Hub, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._hub = hub
        self._plan = hub.plan
        give_colours(hub.plan.operations)
        hub.plan_changed.connect(self._plan_changed)
        for signal in (hub.forecast_changed, hub.run_changed, hub.run_started, hub.sheet_changed):
            signal.connect(self._states_changed)
        hub.checkpoint_changed.connect(self._states_changed)

    # ---- reading ---------------------------------------------------------------------------------------------

    def rowCount(self, parent: Index = NOWHERE) -> int:
        return 0 if parent.isValid() else 1 + len(self._plan.operations)

    def operation(self, row: int) -> Operation | None:
        return self._plan.operations[row - 1] if 0 < row <= len(self._plan.operations) else None

    def row_of(self, operation_id: str) -> int:
        return self._plan.index(operation_id) + 1

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        operation = self.operation(index.row())
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return operation_title(operation, self._hub.sheet) if operation else self._checkpoint_title()
            case Qt.ItemDataRole.AccessibleTextRole | Qt.ItemDataRole.ToolTipRole:
                return self._spoken(operation)
            case _ if role == OPERATION:
                return operation
            case _ if role == STATE:
                return self._state(operation)
            case _ if role == METHOD:
                return self._method(operation)
            case _ if role == ICON:
                return _icon(operation)
        return None

    def _checkpoint_title(self) -> str:
        info = self._hub.checkpoint
        return info.name if info else checkpoint_name(self._plan.checkpoint.source)

    def _method(self, operation: Operation | None) -> str:
        if isinstance(operation, UndoEdit):
            stage = self._plan.stage_undone_by(operation) if operation.enabled else None
            return "No edit to take back" if stage is None else f"Takes back step {stage}"
        if operation is not None:
            name = method_name(operation)
            if isinstance(operation, FineTune) and operation.trained != "all":  # short: a card has little room
                name = f"{'full' if isinstance(operation, FullFineTune) else name}, {choice(operation)}"
            weak = f", {operation.strength:.0f} %" if isinstance(operation, Edit) and operation.strength != 100 else ""
            facts = f" · {words}" if isinstance(operation, FineTune) and (words := facts_words(operation)) else ""
            return f"{name[:1].upper()}{name[1:]}{weak}{facts}"
        info = self._hub.checkpoint
        return "Start: the checkpoint" if info is None else f"Start: {info.architecture}, {info.layers} layers"

    def _state(self, operation: Operation | None) -> CardState:
        if operation is None:
            return CardState("")
        return card_state(self._plan, operation, self._hub.forecast, self._hub.run)

    def _spoken(self, operation: Operation | None) -> str:
        if operation is None:
            info = self._hub.checkpoint
            return info.sentence if info else f"{self._checkpoint_title()}: the model that the plan starts from."
        state = self._state(operation)
        doing = f" ({state.doing})" if state.doing else ""
        said = f"{operation_title(operation, self._hub.sheet)}, {self._method(operation)}: {state.words}{doing}"
        if isinstance(operation, FineTune):
            said += f". {trains(self._plan, operation, self._hub.checkpoint, self._hub.run)[0]}".rstrip()
            if needs := needs_sentence(self._plan, operation, self._hub.forecast):
                said += f" {needs}"
        return said

    def flags(self, index: Index) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.ItemIsDropEnabled  # cards drop between rows, never onto one
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemNeverHasChildren
        return flags | Qt.ItemFlag.ItemIsDragEnabled if index.row() else flags

    def supportedDropActions(self) -> Qt.DropAction:
        return Qt.DropAction.MoveAction

    def roleNames(self) -> dict[int, QByteArray]:
        return {**super().roleNames(), OPERATION: QByteArray(b"operation"), STATE: QByteArray(b"state")}

    # ---- moving ----------------------------------------------------------------------------------------------

    def moveRows(
        self, source_parent: Index, source: int, count: int, destination_parent: Index, destination: int
    ) -> bool:
        """Move one card before row `destination`; the checkpoint's row stays first."""
        operation = self.operation(source)
        destination = max(destination, 1)
        if operation is None or count != 1 or destination in (source, source + 1):
            return False
        to = destination - 1 if destination < source else destination - 2
        self._hub.change_plan(self._plan.moved(operation.id, to))
        return True

    # ---- following the hub -----------------------------------------------------------------------------------

    def _states_changed(self) -> None:
        self.dataChanged.emit(self.index(0), self.index(self.rowCount() - 1))

    def _plan_changed(self) -> None:
        """Tell views the smallest step from the old plan to the new one, so that selection and motion follow."""
        before, after = self._plan, self._hub.plan
        give_colours(after.operations)
        old, new = [o.id for o in before.operations], [o.id for o in after.operations]
        if old == new:
            self._plan = after
        elif len(new) == len(old) + 1 and (at := _odd_one(new, old)) is not None:
            self.beginInsertRows(QModelIndex(), at + 1, at + 1)
            self._plan = after
            self.endInsertRows()
        elif len(new) == len(old) - 1 and (at := _odd_one(old, new)) is not None:
            self.beginRemoveRows(QModelIndex(), at + 1, at + 1)
            self._plan = after
            self.endRemoveRows()
        elif (move := _single_move(old, new)) is not None:
            source, to = move
            self.beginMoveRows(QModelIndex(), source + 1, source + 1, QModelIndex(), to + 2 if to > source else to + 1)
            self._plan = after
            self.endMoveRows()
        else:
            self._reset(after)
            return
        self._states_changed()

    def _reset(self, plan: Plan) -> None:
        self.beginResetModel()
        self._plan = plan
        self.endResetModel()


def _icon(operation: Operation | None) -> str:
    if operation is None:
        return "checkpoint"
    return "undo" if isinstance(operation, UndoEdit | Reverse) else "edit" if isinstance(operation, Edit) else "tune"


def _odd_one(longer: list[str], shorter: list[str]) -> int | None:
    """Where `longer` has one id that `shorter` lacks, all else in order."""
    at = next((i for i, (a, b) in enumerate(zip(longer, shorter, strict=False)) if a != b), len(shorter))
    return at if longer[:at] + longer[at + 1 :] == shorter else None


def _single_move(old: list[str], new: list[str]) -> tuple[int, int] | None:
    """Which one id moved from where to where (positions before and after), if one move explains the new order."""
    if sorted(old) != sorted(new):
        return None
    changed = [i for i, (a, b) in enumerate(zip(old, new, strict=True)) if a != b]
    first, last = changed[0], changed[-1]
    for source, to in ((first, last), (last, first)):
        moved = list(old)
        moved.insert(to, moved.pop(source))
        if moved == new:
            return source, to
    return None
