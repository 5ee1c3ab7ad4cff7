"""An operation with everything that decides what it computes, and how it is carried out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from torch import Tensor

from editview.domain import places
from editview.domain.checkpoint import CheckpointInfo
from editview.domain.errors import EditViewError
from editview.domain.examples import Example, content_hash
from editview.domain.facts import Fact, FactSheet, Group
from editview.domain.operations import (
    BaseOperation,
    Edit,
    FineTune,
    FullFineTune,
    Lora,
    Operation,
    TargetEdit,
    UndoEdit,
)
from editview.domain.plan import Plan
from editview.domain.progress import Progress
from editview.domain.sentences import operation_title
from editview.domain.verdicts import Check, Verdict
from editview.edits import methods
from editview.edits.requests import filled_in, no_settings
from editview.edits.writing import Outcome
from editview.formats.presets import preset_for
from editview.formats.statistics_text import statistics_text
from editview.formats.training_data import packaged, read_examples
from editview.lm.model import LanguageModel
from editview.tuning.fine_tune import fine_tune
from editview.tuning.watch import Watch


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
    examples: tuple[Example, ...]
    named: str  # the examples' content
    layers: tuple[int, ...] | None = None  # trained; None: all of them, and what lies outside them
    taught: tuple[Fact, ...] = ()
    protected: tuple[Fact, ...] = ()  # edited before, and not taken back
    protected_layers: tuple[int, ...] = ()  # that those edits wrote

    @property
    def content(self) -> dict[str, Any]:
        return {
            **_parameters(self.operation, "data", "trained"),
            "examples": self.named,
            "layers": self.layers,
            "taught": _written(self.taught),
            "protected": [_written(self.protected), self.protected_layers],
        }


Prepared = PreparedEdit | PreparedUndo | PreparedFineTune


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
    if isinstance(operation, FineTune):
        return _fine_tune(operation, plan, sheet, info)
    text = statistics_text(operation.statistics).content if isinstance(operation, TargetEdit) else ""
    return PreparedEdit(operation, _edited(operation, sheet), text)


def _fine_tune(
    operation: Lora | FullFineTune, plan: Plan, sheet: FactSheet, info: Callable[[], CheckpointInfo]
) -> PreparedFineTune:
    before = plan.standing_before(operation) if operation.protects else ()
    facts = [fact for edit in before for fact in _edited(edit, sheet)]
    return PreparedFineTune(
        operation,
        *_examples(operation.data),
        layers=_trained_layers(operation, plan, info),
        taught=sheet.group(Group.EDITED) if operation.teach else (),
        protected=tuple(dict.fromkeys(facts)),
        protected_layers=_layers(before, info),
    )


def _trained_layers(
    operation: Lora | FullFineTune, plan: Plan, info: Callable[[], CheckpointInfo]
) -> tuple[int, ...] | None:
    """The layers that a fine-tune trains, ascending; None: the whole model. Raises EditViewError for none at all."""
    if operation.trained == "all":
        return None
    if operation.trained == "chosen":
        layers = tuple(sorted(set(operation.layers)))
    else:
        layers = _layers([edit for edit in plan.active if isinstance(edit, Edit)], info)
        if not layers:
            raise EditViewError(
                f"*{operation_title(operation)}* is to train {operation.trained} layers, and nothing in the plan edits "
                "any. Choose other layers to train in its card, or add an edit."
            )
        if operation.trained == "not-edited":
            layers = tuple(layer for layer in range(info().layers) if layer not in layers)
    if not layers:
        raise EditViewError(
            f"*{operation_title(operation)}* has no layer left to train. Choose the layers to train in its card."
        )
    return layers


def _layers(edits: Sequence[Edit], info: Callable[[], CheckpointInfo]) -> tuple[int, ...]:
    """The layers that some edits write, ascending."""
    return tuple(sorted({layer for edit in edits for layer in with_preset(edit, info).layers}))


def with_preset(operation: Edit, info: Callable[[], CheckpointInfo]) -> Edit:
    """An edit with what its preset fills in. Raises EditViewError where there is none and no layers are chosen."""
    if operation.layers:
        return operation
    preset = preset_for(type(operation), info())
    if preset is None:
        raise no_settings(operation)
    return filled_in(operation, preset)


def _written(facts: Sequence[Fact]) -> list[list[Any]]:
    """What a fine-tune is told of facts."""
    return [[fact.subject, fact.template, fact.new_answer, list(fact.paraphrases)] for fact in facts]


def seed_of(prepared: PreparedEdit | PreparedFineTune, seed: int) -> int:
    """An operation's own seed: from the plan's and what it does, so that its place in the plan doesn't matter."""
    return int(digest([seed, prepared.content])[:8], 16)


def carry_out(
    lm: LanguageModel,
    prepared: PreparedEdit | PreparedFineTune,
    seed: int,
    memory: Mapping[str, Tensor],
    watch: Watch | None,
    progress: Progress,
    on_log: Callable[[int, float, float], None],
) -> Outcome:
    """Change the model's weights in place, whole or not at all; an edit is written at full strength.

    `memory` is what earlier edits left for later ones.
    """
    if isinstance(prepared, PreparedEdit):
        return methods.edit(lm, prepared.facts, prepared.operation, seed, memory, progress)
    tuned = fine_tune(lm, prepared.operation, prepared.examples, seed, watch, progress, on_log, prepared.layers)
    return Outcome({}, notes=tuned.notes, trained=tuned.tensors)


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


def _examples(source: str) -> tuple[tuple[Example, ...], str]:
    """Training data and its hash, read once as long as the file stays as it is: forecasts ask again and again."""
    path = packaged(source) or Path(source).expanduser()
    status = path.stat() if path.exists() else None
    return _read(source, (status.st_size, status.st_mtime_ns) if status else (0, 0))


@lru_cache(maxsize=4)
def _read(source: str, stamp: tuple[int, int]) -> tuple[tuple[Example, ...], str]:
    examples = read_examples(source)
    return examples, content_hash(examples)


@cache
def _presets() -> str:
    """The settings that fill in what a card without layers leaves open."""
    folder = places.resources() / "presets"
    return digest([path.read_text("utf-8") for path in sorted(folder.glob("*.toml"))])


def _parameters(operation: BaseOperation, *without: str) -> dict[str, Any]:
    """The parameters, less those that name files: their content counts."""
    return {name: value for name, value in operation.content().items() if name not in without}
