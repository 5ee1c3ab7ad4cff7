"""An operation with everything that decides what it computes, and how it is carried out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from torch import Tensor

from editview.domain import places
from editview.domain.checkpoint import CheckpointInfo
from editview.domain.errors import EditViewError
from editview.domain.facts import Fact, FactSheet, Group
from editview.domain.left_out import LeftOut
from editview.domain.memory import Fit
from editview.domain.operations import (
    BaseOperation,
    Edit,
    FineTune,
    FullFineTune,
    Lora,
    Operation,
    Reverse,
    TargetEdit,
    UndoEdit,
)
from editview.domain.plan import Plan
from editview.domain.progress import Progress
from editview.domain.scope import layers_to_train
from editview.domain.sentences import operation_title
from editview.domain.verdicts import Check, Verdict
from editview.edits import methods
from editview.edits.requests import filled_in, no_settings
from editview.edits.reversing import reverse
from editview.edits.writing import Outcome
from editview.formats.presets import preset_for
from editview.formats.statistics_text import statistics_text
from editview.formats.training_data import TrainingData, training_data
from editview.lm.model import LanguageModel
from editview.tuning.fine_tune import fine_tune
from editview.tuning.protection.protection import FactsGiven, refuse_the_impossible
from editview.tuning.resuming import Snapshots
from editview.tuning.watch import Watch

_NAMED = 3  # rows that aren't trained on, of those that a sentence names


@dataclass(frozen=True)
class PreparedEdit:
    """An edit with the facts that it writes; a repair writes those of them that fail when its turn comes."""

    operation: Edit
    facts: tuple[Fact, ...]
    text: str  # names the content of the text that statistics are taken from; empty: none are

    @property
    def content(self) -> dict[str, Any]:
        # Paraphrases and neighbours are asked, not written: more of them need no new edit.
        facts = [[fact.subject, fact.template, fact.true_answer, fact.new_answer] for fact in self.facts]
        content = {**_parameters(self.operation, "only", "statistics"), "facts": facts, "text": self.text}
        return content if self.operation.layers else {**content, "presets": _presets()}

    @property
    def full(self) -> PreparedEdit:
        """The same edit at full strength."""
        return replace(self, operation=self.operation.full())

    def failing(self, before: Sequence[Check]) -> PreparedEdit:
        """What a repair writes, judged by the answers at the stage before; any other edit is as it was."""
        if not self.operation.failing:
            return self
        fails = {check.fact_id for check in before if check.verdict is Verdict.FAILS}
        return replace(self, facts=tuple(fact for fact in self.facts if fact.id in fails))


@dataclass(frozen=True)
class PreparedUndo:
    """The stage (counted from 1) of the edit that is to be taken back."""

    operation: UndoEdit
    stage: int

    @property
    def content(self) -> dict[str, Any]:
        return {"method": self.operation.method, "stage": self.stage}  # whatever ids the cards have


@dataclass(frozen=True)
class PreparedFineTune:
    """A fine-tune with what it trains on, what it trains, and the facts that it teaches or protects."""

    operation: Lora | FullFineTune
    data: TrainingData
    layers: tuple[int, ...] | None = None  # trained; None: all of them, and what lies outside them
    taught: tuple[Fact, ...] = ()
    protected: tuple[Fact, ...] = ()  # edited before, and not taken back
    protected_layers: tuple[int, ...] = ()  # that those edits wrote

    @property
    def facts(self) -> FactsGiven:
        """What training is told of facts."""
        return FactsGiven(self.taught, self.protected, self.protected_layers)

    @property
    def content(self) -> dict[str, Any]:
        # How its batches get by with the memory there is doesn't count: that is the same gradient but for rounding and
        # dropout's draws, and a stage shouldn't be lost because another program took memory that day.
        return {
            **_parameters(self.operation, "data", "trained"),
            "examples": self.data.content,
            "layers": self.layers,
            "taught": _written(self.taught),
            "protected": [_written(self.protected), self.protected_layers],
        }


@dataclass(frozen=True)
class PreparedReverse:
    """Taking out what looks edited: the weights alone decide."""

    operation: Reverse

    @property
    def content(self) -> dict[str, Any]:
        return self.operation.content()


Worked = PreparedEdit | PreparedReverse | PreparedFineTune
"""What is computed from the stage before alone."""

Prepared = Worked | PreparedUndo

TOO_LARGE_TO_TRAIN = (
    "This model is larger than the memory it runs in, so it can be edited but not fine-tuned. Choose a smaller number "
    "format or model, a device with more memory, or close other programs; to train one matrix alone, edit by LocFT-BF."
)


def prepare(
    plan: Plan, sheet: FactSheet, info: Callable[[], CheckpointInfo], steps: int | None = None
) -> tuple[Prepared, ...]:
    """Read what the plan's active operations, or the first `steps` of them, work on.

    `info` describes the checkpoint; it is asked only where a fine-tune depends on the layers of a preset.
    Raises EditViewError for facts or data that can't be used.
    """
    return tuple(_prepared(operation, plan, sheet, info) for operation in plan.active[:steps])


def _prepared(operation: Operation, plan: Plan, sheet: FactSheet, info: Callable[[], CheckpointInfo]) -> Prepared:
    if isinstance(operation, UndoEdit):
        stage = plan.stage_undone_by(operation)
        if stage is None:
            raise EditViewError(
                f"*{operation_title(operation)}* has no edit to take back: choose one in its card that comes before it "
                "and isn't taken back already, or move it further down."
            )
        return PreparedUndo(operation, stage)
    if isinstance(operation, Reverse):
        return PreparedReverse(operation)
    if isinstance(operation, FineTune):
        return _fine_tune(operation, plan, sheet, info)
    text = statistics_text(operation.statistics).content if isinstance(operation, TargetEdit) else ""
    return PreparedEdit(operation, _edited(operation, sheet), text)


def _fine_tune(
    operation: Lora | FullFineTune, plan: Plan, sheet: FactSheet, info: Callable[[], CheckpointInfo]
) -> PreparedFineTune:
    before = plan.standing_before(operation) if operation.protects else ()
    facts = [fact for edit in before for fact in _edited(edit, sheet)]
    refuse_the_impossible(operation)
    return PreparedFineTune(
        operation,
        training_data(operation.data),
        layers=layers_to_train(operation, lambda: _layers(plan.active, info), lambda: info().layers),
        taught=sheet.group(Group.EDITED) if operation.teach else (),
        protected=tuple(dict.fromkeys(facts)),
        protected_layers=_layers(before, info),
    )


def _layers(operations: Iterable[BaseOperation], info: Callable[[], CheckpointInfo]) -> tuple[int, ...]:
    """The layers that the edits among some operations write, ascending."""
    edits = [operation for operation in operations if isinstance(operation, Edit)]
    return tuple(sorted({layer for edit in edits for layer in with_preset(edit, info).layers}))


def with_preset(operation: Edit, info: Callable[[], CheckpointInfo]) -> Edit:
    """An edit with what its preset fills in. Raises EditViewError where there is none and no layers are chosen."""
    if operation.layers:
        return operation
    preset = preset_for(type(operation), info())
    if preset is None:
        raise no_settings(operation)
    return filled_in(operation, preset)


def sized(prepared: Sequence[Prepared], info: CheckpointInfo) -> tuple[Prepared, ...]:
    """The same operations with what presets fill in, where there are some: with the layers that they write."""
    found: list[Prepared] = []
    for one in prepared:
        preset = preset_for(type(one.operation), info) if isinstance(one, PreparedEdit) else None
        if isinstance(one, PreparedEdit) and preset is not None and not one.operation.layers:
            one = replace(one, operation=filled_in(one.operation, preset))
        found.append(one)
    return tuple(found)


def _written(facts: Sequence[Fact]) -> list[list[Any]]:
    """What a fine-tune is told of facts."""
    return [[fact.subject, fact.template, fact.new_answer, list(fact.paraphrases)] for fact in facts]


def seed_of(prepared: Worked, seed: int) -> int:
    """An operation's own seed: from the plan's and what it does, so that its place in the plan doesn't matter."""
    return int(digest([seed, prepared.content])[:8], 16)


def carry_out(
    lm: LanguageModel,
    prepared: Worked,
    seed: int,
    memory: Mapping[str, Tensor],
    watch: Watch | None,
    progress: Progress,
    on_log: Callable[[int, float, float], None],
    fit: Fit | None = None,
    snapshots: Snapshots | None = None,
) -> Outcome:
    """Change the model's weights in place, whole or not at all; an edit is written at full strength.

    `memory` is what earlier edits left for later ones; `fit` and `snapshots` are for fine-tunes.
    """
    if isinstance(prepared, PreparedEdit):
        return methods.edit(lm, prepared.facts, prepared.operation, seed, memory, progress)
    if isinstance(prepared, PreparedReverse):
        return reverse(lm, prepared.operation, progress)
    if lm.offloaded is not None:
        raise EditViewError(f"{TOO_LARGE_TO_TRAIN} {lm.offloaded.layout}")
    operation = prepared.operation
    examples, left_out = prepared.data.read(progress, whole=operation.train_on == "everything")
    tuned = fine_tune(
        lm, operation, examples, seed, watch, progress, on_log, prepared.layers, prepared.facts, fit, snapshots
    )
    left_out += tuned.left_out
    notes = (untrained(prepared.data, left_out),) if left_out else ()
    return Outcome({}, notes=(*notes, *tuned.notes), trained=tuned.tensors)


def untrained(data: TrainingData, left_out: Sequence[LeftOut]) -> str:
    """What is said of rows that aren't trained on."""
    rows = "One row" if len(left_out) == 1 else f"{len(left_out):,} rows"
    more = f" And {len(left_out) - _NAMED:,} more; the preview in the step's card lists them all."
    named = " ".join(map(str, left_out[:_NAMED])) + (more if len(left_out) > _NAMED else "")
    return f"{rows} of '{data.path.name}' couldn't be trained on. {named}"


def digest(content: Any) -> str:
    """sha256 of anything that JSON can say."""
    return hashlib.sha256(json.dumps(content, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def _edited(operation: Edit, sheet: FactSheet) -> tuple[Fact, ...]:
    """The facts that an edit writes, in the order of the sheet."""
    facts = sheet.group(Group.EDITED)
    if not facts:
        raise EditViewError(
            f"The fact sheet *{sheet.name}* has no facts to be changed, so there is nothing to edit. "
            "Open a sheet with new answers, or remove the edit from the plan."
        )
    if not operation.only:
        return facts
    unknown = sorted(set(operation.only) - {fact.id for fact in facts})
    if unknown:
        raise EditViewError(
            f"An edit names facts that the sheet *{sheet.name}* doesn't list for editing: {', '.join(unknown[:5])}"
            f"{' and others' if len(unknown) > 5 else ''}. Choose its facts anew."
        )
    return tuple(fact for fact in facts if fact.id in operation.only)


@cache
def _presets() -> str:
    """The settings that fill in what a card without layers leaves open."""
    folder = places.resources() / "presets"
    return digest([path.read_text("utf-8") for path in sorted(folder.glob("*.toml"))])


def _parameters(operation: BaseOperation, *without: str) -> dict[str, Any]:
    """The parameters, less those that name files: their content counts."""
    return {name: value for name, value in operation.content().items() if name not in without}
