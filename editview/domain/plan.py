"""The plan: checkpoint + fact sheet + ordered operations + seed, and the history that undo walks."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

from editview.domain.operations import Edit, FineTune, Operation, UndoEdit, Unediting, Update, new_id

FORMAT = 1
"""Version of the plan file that this program writes; newer ones are refused."""

PLAN_ENDING = ".editview.toml"
"""Of a plan's file: what a desktop tells it by, see `bundle/desktop/`. Any other `.toml` opens as well."""

Every = int | Literal["auto"]
"""Steps between live checks. 0: none; auto: as often as they stay cheap beside the training."""


class Checkpoint(BaseModel):
    """Where the model comes from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str = Field("demo", description="'demo', a folder, or an id in the Hugging Face cache or hub")
    adapter: str | None = Field(None, description="A folder or id of a PEFT adapter on top of it")
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = Field("auto", description="Number format to load")
    allow_pickle: bool = Field(False, description="Read this checkpoint's pickled weights (they can run code)")
    allow_code: bool = Field(False, description="Run the Python code that this checkpoint brings along")


def checkpoint_name(source: str) -> str:
    """A checkpoint's source as a person says it: the last part of where it lies, and whose it is on the hub."""
    if source == "demo":
        return "Demo model"
    shown = source.replace("\\", "/").rstrip("/")
    return shown if shown.count("/") < 2 and not shown.startswith(("/", ".", "~")) else shown.rsplit("/", 1)[-1]


class Plan(BaseModel):
    """What is to be done, in order. Immutable: each change makes a new plan, which is what undo keeps."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = "Untitled plan"
    checkpoint: Checkpoint = Checkpoint()
    facts: str = Field("demo", description="'demo' or the path of a fact sheet")
    columns: Mapping[str, str] = Field(
        {}, description="How the sheet is read: our columns and its own; 'contradictions': which of them are used"
    )
    seed: int = Field(0, ge=0, lt=2**32)
    check_every: Every = Field(
        "auto",
        description="Ask the facts every so many training steps; 0: only at the end; auto: as often as is cheap",
    )
    operations: tuple[Annotated[Operation, Field(discriminator="method")], ...] = ()

    @field_validator("check_every", mode="before")
    @classmethod
    def _often(cls, value: Any) -> Any:
        """One complaint instead of one for each kind of value."""
        if value == "auto" or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
            return value
        raise PydanticCustomError("check_every", "it must be 'auto' or a whole number, 0 or more")

    @property
    def active(self) -> tuple[Operation, ...]:
        """The operations that are switched on: stage i + 1 is the model after active[i]."""
        return tuple(operation for operation in self.operations if operation.enabled)

    def stage_undone_by(self, undo: UndoEdit) -> int | None:
        """The stage (counted from 1) of the edit that an active step takes back.

        None: no edit before it, or another step has taken it back already.
        """
        before = self.active[: self.active.index(undo)]
        if any(isinstance(other, UndoEdit) and other.edit == undo.edit for other in before):
            return None
        found = [at for at, other in enumerate(before, 1) if isinstance(other, Edit) and other.id == undo.edit]
        return found[0] if found else None

    def standing_before(self, operation: Operation) -> tuple[Edit, ...]:
        """The active edits before an active step, less those that were taken back."""
        before = self.active[: self.active.index(operation)]
        undone = {other.edit for other in before if isinstance(other, UndoEdit)}
        return tuple(other for other in before if isinstance(other, Edit) and other.id not in undone)

    def index(self, operation_id: str) -> int:
        return next(i for i, operation in enumerate(self.operations) if operation.id == operation_id)

    def added(self, operation: Operation, at: int | None = None) -> Plan:
        operations = list(self.operations)
        operations.insert(len(operations) if at is None else at, operation)
        return self._with(operations)

    def removed(self, operation_id: str) -> Plan:
        return self._with([operation for operation in self.operations if operation.id != operation_id])

    def replaced(self, operation: Operation) -> Plan:
        return self._with([operation if old.id == operation.id else old for old in self.operations])

    def duplicated(self, operation_id: str) -> Plan:
        at = self.index(operation_id)
        return self.added(self.operations[at].model_copy(update={"id": new_id()}), at + 1)

    def switched(self, operation_id: str) -> Plan:
        old = self.operations[self.index(operation_id)]
        return self.replaced(old.model_copy(update={"enabled": not old.enabled}))

    def moved(self, operation_id: str, to: int) -> Plan:
        """The plan with that operation at position `to` of the new order."""
        operations = list(self.operations)
        operations.insert(to, operations.pop(self.index(operation_id)))
        return self._with(operations)

    def _with(self, operations: list[Operation]) -> Plan:
        return self.model_copy(update={"operations": tuple(operations)})


@dataclass(frozen=True, slots=True)
class Writing:
    """What a plan did about writing a fact, up to some stage."""

    edited_at: int  # the first stage whose operation writes it
    taken_back: bool  # every edit of it so far was undone, scrubbed or reversed


def of_two_checkpoints(plan: Plan) -> bool:
    """Whether what lies between two checkpoints stands in for its steps, so that nothing is known of edits."""
    return any(isinstance(operation, Update) for operation in plan.active)


def written_by(operation: Operation, fact_ids: Iterable[str]) -> set[str]:
    """Which of a sheet's edited facts an operation writes: those that an edit names, all that a fine-tune teaches."""
    if isinstance(operation, Edit) and operation.only:
        return set(operation.only).intersection(fact_ids)
    writes = isinstance(operation, Edit) or (isinstance(operation, FineTune) and operation.teach > 0)
    return set(fact_ids) if writes else set()


def writing_of(
    plan: Plan, fact_id: str, stage: int, fails_at: Callable[[int], bool] = lambda stage: True
) -> Writing | None:
    """How a fact was edited or taught up to a stage (counted from 1); None: no operation up to there writes it.

    `fails_at` says whether the fact failed at a stage: a repair writes no other.
    """
    first, standing = None, set[str]()
    for at, operation in enumerate(plan.active[:stage], start=1):
        if written_by(operation, [fact_id]):
            first = first or at
            if not (isinstance(operation, Edit) and operation.failing) or fails_at(at - 1):
                standing.add(operation.id)
        elif isinstance(operation, UndoEdit):
            standing.discard(operation.edit)
        elif isinstance(operation, Unediting):
            standing.clear()
    return None if first is None else Writing(first, not standing)


@dataclass
class PlanHistory:
    """The plan now, those before it and those undone, and the file that it was opened from or saved to."""

    now: Plan
    saved: Plan | None = None
    _path: str | None = None
    _from: int = 0  # how long the past is at the first plan that belongs to that file
    _until: float = math.inf  # and at the first after it that doesn't
    _past: list[Plan] = field(default_factory=list)
    _future: list[Plan] = field(default_factory=list)

    @property
    def path(self) -> str | None:
        """The file that the plan now belongs to; None: it has none yet."""
        return self._path if self._from <= len(self._past) < self._until else None

    def open(self, plan: Plan, path: str | None) -> None:
        """Go on with a plan that comes from a file; undo leads back to the plan before, which doesn't belong there."""
        self.change(plan)
        self.saved, self._path, self._from, self._until = plan, path, len(self._past), math.inf

    def keep(self, plan: Plan, path: str) -> None:
        """Note that this plan was written to a file."""
        if len(self._past) < self._from:  # undo has left what was opened: that stays another file's
            self._from, self._until = 0, self._from
        elif len(self._past) >= self._until:
            self._from, self._until = int(self._until), math.inf
        self.saved, self._path = plan, path

    def change(self, plan: Plan) -> None:
        if plan != self.now:
            if self.path is None:
                self._path, self._from = None, 0
            self._until = math.inf
            self._past.append(self.now)
            self._future.clear()
            self.now = plan

    def undo(self) -> None:
        if self._past:
            self._future.append(self.now)
            self.now = self._past.pop()

    def redo(self) -> None:
        if self._future:
            self._past.append(self.now)
            self.now = self._future.pop()

    @property
    def can_undo(self) -> bool:
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        return bool(self._future)
