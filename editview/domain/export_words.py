"""What is said of exports: before, why and where they can't be made and what they take; afterwards, what was found."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from editview.domain.checkpoint import CheckpointInfo
from editview.domain.export import Export, Form
from editview.domain.operations import FullFineTune, Lora, Operation, TunedEdit, UndoEdit
from editview.domain.requests import ExportStage
from editview.domain.sentences import amount, method_name
from editview.domain.verdicts import Check
from editview.domain.weights import TensorChange

FACTS_FILE = "editview.json"
"""What every export holds, and nothing else does: what may be replaced is known by it."""

_NAMED = 5  # facts that a sentence names


def written(export: Export) -> str:
    """What was written where, and what reading it back has shown."""
    return f"*{export.title}* was written to '{export.folder}' ({amount(export.bytes)}). {read_back(export)}"


def read_back(export: Export) -> str:
    verdicts = "Read back: there were no facts to ask."
    if export.facts:
        verdicts = f"Read back and asked again, all {export.facts:,} facts have the verdicts they had."
    if not export.off:
        return f"{verdicts} Every weight is what was computed, bit for bit."
    weights = "1 weight differs" if export.off == 1 else f"{export.off:,} weights differ"
    return f"{verdicts} By rounding, {weights} from what was computed, by {export.error:.1e} at most."


def weighs(form: Form, info: CheckpointInfo, changes: Sequence[tuple[int, Sequence[TensorChange]]] = ()) -> int:
    """Bytes that an export takes on the disk, roughly; of an adapter, at most.

    `changes`: what each step changed, and the rank that its changes have at most.
    """
    if form is Form.STORED:
        return info.bytes
    if form is Form.COMPUTED:
        return info.parameters * (2 if info.computes_in.endswith("16") else 4)
    return sum(4 * rank * sum(change.shape) for rank, changed in changes for change in changed)


def rank_at_most(steps: Sequence[Operation], edits: int) -> list[int]:
    """For each of some steps that `adapter_obstacle` has nothing against, the rank of what it adds to a matrix.

    `edits`: facts on the sheet that can be edited.
    """
    ranks: dict[str, int] = {}
    for operation in steps:
        undone = ranks.get(operation.edit, 0) if isinstance(operation, UndoEdit) else 0
        written = len(getattr(operation, "only", ())) or edits
        ranks[operation.id] = operation.rank if isinstance(operation, Lora) else undone or written
    return list(ranks.values())


def adapter_obstacle(steps: Sequence[Operation]) -> str:
    """Why what some steps make can't be an adapter, as far as they tell; empty: it may."""
    undone = {operation.edit for operation in steps if isinstance(operation, UndoEdit)}
    for operation in steps:
        if isinstance(operation, FullFineTune):
            return "A fine-tune of all weights changes more than an adapter can hold."
        whole = isinstance(operation, TunedEdit) or (isinstance(operation, Lora) and operation.dora)
        if whole and operation.id not in undone:
            return f"{method_name(operation)} changes whole matrices: its change isn't of low rank."
    return ""


def export_obstacle(asked: ExportStage) -> str:
    """Why something can't be exported as asked, as far as that is known beforehand; empty: it may."""
    return folder_obstacle(place(asked), asked.overwrite) or (
        adapter_obstacle(asked.plan.active[: asked.stage]) if asked.form is Form.ADAPTER else ""
    )


def place(asked: ExportStage) -> Path:
    """The folder that is meant, whatever links lead there."""
    return Path(os.path.expanduser(asked.folder)).resolve()  # '~nobody' stays as written


def is_export(folder: Path) -> bool:
    return os.path.isfile(folder / FACTS_FILE)  # also where it may not be looked into


def folder_obstacle(folder: Path, overwrite: bool) -> str:
    """Why nothing may be written to a folder; empty: it may."""
    try:
        if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
            return ""
    except OSError as error:
        return f"'{folder}' can't be looked into: {(error.strerror or str(error)).lower()}. Choose another folder."
    if not folder.is_dir():
        return f"'{folder}' is a file. Choose a folder."
    if not is_export(folder):
        return f"'{folder}' holds files that are no export of EditView, so it isn't written to. Choose another folder."
    if not overwrite:
        return f"'{folder}' holds an earlier export. Choose another folder, or allow it to be replaced."
    return ""


def disagreement(before: Sequence[Check], after: Sequence[Check]) -> str:
    """What is said of facts whose verdict isn't what it was; empty: all are."""
    again = {check.fact_id: check for check in after}
    other = [check for check in before if again[check.fact_id].verdict is not check.verdict]
    if not other:
        return ""
    named = "; ".join(
        f"{check.fact_id} {check.verdict.value} → {again[check.fact_id].verdict.value}" for check in other[:_NAMED]
    )
    more = f" and {len(other) - _NAMED:,} more" if len(other) > _NAMED else ""
    verb = "has another verdict" if len(other) == 1 else "have other verdicts"
    return f"{len(other):,} of {len(before):,} facts {verb} when it is read back ({named}{more})"
