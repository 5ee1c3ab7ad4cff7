"""Two checkpoints told to a person: in words, as a picture of the weights, and as a run whose one step is unknown."""

from __future__ import annotations

import math
import shlex
from dataclasses import dataclass

from editview.domain.comparison import paired_difference
from editview.domain.difference import Difference, TensorDifference
from editview.domain.events import StageInfo
from editview.domain.facts import FactSheet, Group
from editview.domain.inspection import Inspection
from editview.domain.operations import Update
from editview.domain.plan import Checkpoint, Plan, checkpoint_name
from editview.domain.session import Run, Stage
from editview.domain.verdicts import Verdict
from editview.domain.weight_map import Place, WeightMap, by_how_much, percent, weight_map
from editview.domain.weights import MatrixKind, TensorInfo

TITLES = ("Before", "Update")
"""The stages of the run that asks both: the first checkpoint, and what became of it."""


@dataclass(frozen=True, slots=True)
class HashedFile:
    """One file of a checkpoint, so that it can be told later whether it is the same."""

    name: str
    bytes: int
    sha256: str


def name_of(checkpoint: Checkpoint) -> str:
    """'gpt2-edited', 'gpt2 + my-adapter': as short as a person says it."""
    return " + ".join(checkpoint_name(source) for source in (checkpoint.source, checkpoint.adapter) if source)


def places_of(checkpoint: Checkpoint) -> str:
    """Where it lies, in full."""
    return f"{checkpoint.source} with {checkpoint.adapter}" if checkpoint.adapter else checkpoint.source


def command(first: Checkpoint | None, second: Checkpoint) -> str:
    """What compares the same two on the command line, or inspects the one that is at hand."""
    parts = ["editview", "diff", first.source, second.source] if first else ["editview", "inspect", second.source]
    for option, adapter in (("--first-adapter", first and first.adapter), ("--adapter", second.adapter)):
        parts += [option, adapter] if adapter else []
    parts += ["--allow-code"] if second.allow_code or (first and first.allow_code) else []
    return shlex.join(parts)


def told_about(found: Difference | None, inspection: Inspection | None) -> tuple[Checkpoint, ...]:
    """The checkpoints that findings are about: the first and the second, or the second alone."""
    two = (found.first, found.second) if found else (inspection.original, inspection.edited) if inspection else ()
    return tuple(one for one in two if one is not None)


def part_words(tensor: TensorDifference) -> str:
    """'Layer 3, memory: writing'."""
    part = _part(tensor.kind)
    if tensor.kind is MatrixKind.EMBEDDING and any(sign in tensor.name for sign in ("wpe", "position")):
        part = "position embeddings"
    return f"{part[:1].upper()}{part[1:]}" if tensor.layer is None else f"Layer {tensor.layer + 1}, {part}"


def _part(kind: MatrixKind) -> str:
    return "other weights" if kind is MatrixKind.OTHER else kind.value


def change_words(tensor: TensorDifference) -> str:
    """What became of a tensor that has no figure to show; empty: it changed."""
    return "the same" if tensor.same else "rounded only" if tensor.rounding else ""


def difference_map(found: Difference) -> WeightMap:
    """The picture of the weights, with one step in it."""
    stages = [Stage(StageInfo(0, None, TITLES[0], "")), Stage(StageInfo(1, "", TITLES[1], ""))]
    stages[1].changes, stages[1].seconds = tuple(tensor.change for tensor in found.changed), 0.0
    tensors = tuple(TensorInfo(one.name, one.layer, one.kind, one.shape) for one in found.tensors)
    return weight_map(Run("", plan_of_two(found.first), FactSheet("", ()), stages, tensors))


# ---- facts asked of both ------------------------------------------------------------------------------------------


def plan_of_two(first: Checkpoint) -> Plan:
    """The plan of the run that asks both: whatever was done to the first is its one step."""
    return Plan(name="Two checkpoints", checkpoint=first).model_copy(update={"operations": (Update(),)})


def differing_answers(run: Run) -> list[str]:
    """The facts, by id, whose prompt both answer in other words, or that one of them gives and the other doesn't."""
    first, second = (stage.checks for stage in run.stages)
    return [
        fact.id
        for fact in run.sheet
        if fact.id in first and fact.id in second
        and (first[fact.id].verdict is not second[fact.id].verdict or first[fact.id].said != second[fact.id].said)
    ]  # fmt: skip


def sureness(run: Run) -> str:
    """How far apart the shares of edits that both give are, with the interval that so many facts allow; or ''."""
    stands: list[list[bool]] = []
    asked = [
        fact.id for fact in run.sheet.group(Group.EDITED) if all(fact.id in stage.checks for stage in run.stages)
    ]  # fmt: skip
    for stage in run.stages:
        stands.append([stage.checks[fact_id].verdict is not Verdict.FAILS for fact_id in asked])
    if not asked:
        return ""
    found = paired_difference(*stands)
    points, low, high = (round(100 * share) for share in (found.estimate, found.low, found.high))
    return (
        f"New answers given: {sum(stands[0]):,} before and {sum(stands[1]):,} after, of {len(asked):,} "
        f"({points:+d} points, 95 % interval {low:+d} to {high:+d})."
    )


# ---- the table of tensors -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TensorRow:
    """What the table says of a tensor. Figures are None where there is nothing to measure, or it isn't known yet."""

    where: str  # 'Layer 3, memory: writing'
    name: str
    place: int  # in the order of the model
    became: str = ""  # where no figure says it: 'the same', 'only before'
    relative: float | None = None  # ‖ΔW‖ / ‖W before‖
    share: float | None = None  # of ‖ΔW‖² of everything that changed
    tensor: TensorDifference | None = None  # None: only one checkpoint has it

    @property
    def rank(self) -> float | None:
        """The effective rank of ΔW."""
        spectrum = self.tensor.spectrum if self.tensor else None
        return spectrum.effective_rank if spectrum else None

    @property
    def changed(self) -> bool:
        """Whether it isn't what it was, by more than its number format."""
        return self.became not in ("the same", "rounded only")

    @property
    def by_how_much(self) -> str:
        """'4.1 %', or what became of it in words."""
        if self.became or self.relative is None:
            return self.became
        return percent(self.relative) if math.isfinite(self.relative) else "from nothing"

    @property
    def share_words(self) -> str:
        return "" if self.share is None else percent(self.share)

    @property
    def rank_words(self) -> str:
        return "" if self.rank is None else f"{self.rank:,.1f}"


def tensor_rows(found: Difference) -> list[TensorRow]:
    """A row a tensor: what changed first, most of the change first, then the others in the order of the model."""
    rows = [_row(found, place, tensor) for place, tensor in enumerate(found.tensors)]
    for which, names in (("before", found.only_first), ("after", found.only_second)):
        rows += [
            TensorRow(f"Only in the checkpoint {which}", name, len(rows) + place, f"only {which}")
            for place, name in enumerate(names)
        ]
    return sorted(rows, key=lambda row: (-(row.share or 0.0), not row.changed, row.place))


def _row(found: Difference, place: int, tensor: TensorDifference) -> TensorRow:
    where = part_words(tensor)
    if words := change_words(tensor):
        return TensorRow(where, tensor.name, place, words, tensor=tensor)
    if not math.isfinite(tensor.norm_before + tensor.norm_change):
        return TensorRow(where, tensor.name, place, "not finite", tensor=tensor)
    return TensorRow(where, tensor.name, place, "", tensor.change.relative, found.share(tensor), tensor)


def told_of(row: TensorRow) -> str:
    """A row in sentences, the tensor's name and figures at the end."""
    tensor = row.tensor
    if tensor is None:
        return f"{row.where}: '{row.name}'."
    shape = " × ".join(f"{size:,}" for size in tensor.shape)
    if row.became:
        lead = f"*{row.where}* is {row.became}." if row.became != "not finite" else f"*{row.where}* isn't finite."
    else:
        lead = f"*{row.where}* changed {by_how_much(tensor.change.relative)}: {row.share_words} of the whole change."
    spectrum, directions = tensor.spectrum, ""
    if spectrum is not None:
        least = "" if spectrum.rank_is_known else "at least "
        directions = (
            f" {least}{spectrum.rank:,} of its {spectrum.directions:,} directions stand out of what rounding alone "
            f"could do; the effective rank is {row.rank_words}."
        )
    formats = " → ".join(dict.fromkeys(tensor.formats))
    return f"{lead}{directions}\n{row.name}, {shape}, {formats}"


def place_words(place: Place) -> str:
    """What finds the tensors of a place of the picture in the table: 'Layer 3, memory: writing'."""
    part = _part(place.kind) if place.kind else ""
    return part if place.layer is None else f"Layer {place.layer + 1}, {part}".strip()
