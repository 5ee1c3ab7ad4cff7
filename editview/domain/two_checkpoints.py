"""Two checkpoints told to a person: in words, as a picture of the weights, and as a run whose one step is unknown."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from editview.domain.comparison import paired_difference
from editview.domain.difference import Difference, TensorDifference, is_of_positions
from editview.domain.facts import FactSheet, Group
from editview.domain.inspection import Inspection
from editview.domain.operations import Update
from editview.domain.plan import Checkpoint, Plan, checkpoint_name
from editview.domain.run_events import StageInfo
from editview.domain.session import Run, Stage
from editview.domain.verdicts import Verdict
from editview.domain.weight_map import Place, WeightMap, by_how_much, headline, percent, weight_map
from editview.domain.weights import MatrixKind, TensorInfo

TITLES = ("Before", "Update")
"""The stages of the run that asks both: the first checkpoint, and what became of it."""


def name_of(checkpoint: Checkpoint) -> str:
    """'gpt2-edited', 'gpt2 + my-adapter': as short as a person says it."""
    return " + ".join(checkpoint_name(source) for source in (checkpoint.source, checkpoint.adapter) if source)


def places_of(checkpoint: Checkpoint) -> str:
    """Where it lies, in full."""
    return f"{checkpoint.source} with {checkpoint.adapter}" if checkpoint.adapter else checkpoint.source


def told_about(found: Difference | None, inspection: Inspection | None) -> tuple[Checkpoint, ...]:
    """The checkpoints that findings are about: the first and the second, or the second alone."""
    two = (found.first, found.second) if found else (inspection.original, inspection.edited) if inspection else ()
    return tuple(one for one in two if one is not None)


def part_words(tensor: TensorDifference | TensorInfo) -> str:
    """'Layer 3, memory: writing'."""
    part = _part(tensor.kind)
    if tensor.kind is MatrixKind.EMBEDDING and is_of_positions(tensor.name):
        part = "position embeddings"
    return f"{part[:1].upper()}{part[1:]}" if tensor.layer is None else f"Layer {tensor.layer + 1}, {part}"


def _part(kind: MatrixKind) -> str:
    return "other weights" if kind is MatrixKind.OTHER else kind.value


NO_NUMBERS = "no numbers"
"""What a tensor became that changed and holds values which are no numbers."""


def change_words(tensor: TensorDifference) -> str:
    """What became of a tensor that has no figure to show; empty: it changed."""
    if tensor.same or tensor.rounding:
        added = tensor.rows[1] - tensor.rows[0]
        return f"{added:+,} rows" if tensor.resized else "the same" if tensor.same else "rounded only"
    return NO_NUMBERS if tensor.broken else ""


def unmeasured(tensor: TensorDifference) -> tuple[str, ...]:
    """Sentences on what the size of a change doesn't tell: other rows, and values that are no numbers."""
    said = []
    if tensor.resized:
        said.append(
            f"It has {tensor.rows[1]:,} rows where it had {tensor.rows[0]:,}; those that both have were compared."
        )
    if tensor.broken:
        counts = zip(tensor.not_numbers, ("before", "after"), strict=True)
        where = " and ".join(f"{count:,} {which}" for count, which in counts if count)
        said.append(f"It holds values that are no numbers (NaN or infinite): {where}.")
    return tuple(said)


def why_no_spectrum(row: TensorRow) -> str:
    """Why there is no spectrum of a tensor's change; empty: there is one, or could be."""
    tensor = row.tensor
    if tensor is None:
        return f"There is no change to take apart: {row.became.replace('only', 'only the checkpoint')} has this tensor."
    if tensor.broken:
        return "There is no spectrum of this tensor: it holds values that are no numbers."
    if tensor.same or tensor.rounding or not tensor.norm_change:
        both = "what both have of " if tensor.resized else ""
        return f"There is no spectrum: {both}this tensor didn't change."
    return "" if len(tensor.shape) == 2 and min(tensor.shape) > 1 else "There is no spectrum: this tensor is no matrix."


def difference_map(found: Difference) -> WeightMap:
    """The picture of the weights, with one step in it."""
    stages = [Stage(StageInfo(0, None, TITLES[0], "")), Stage(StageInfo(1, "", TITLES[1], ""))]
    stages[1].changes, stages[1].seconds = tuple(tensor.change for tensor in found.measured), 0.0
    tensors = tuple(TensorInfo(one.name, one.layer, one.kind, one.shape) for one in found.tensors)
    beside: dict[Place, str] = {}
    for tensor in found.tensors:
        if said := " ".join(unmeasured(tensor)):
            for kind in (tensor.kind, None):
                place = Place(1, tensor.layer, kind)
                beside[place] = f"{beside.get(place, '')} '{tensor.name}': {said[0].lower()}{said[1:]}".strip()
    return weight_map(Run("", plan_of_two(found.first), FactSheet("", ()), stages, tensors), beside)


CROSSED = "Crossed: other rows, or values that are no numbers; no colour can show those."


def map_sentence(found: Difference, drawn: WeightMap) -> str:
    """What the picture of the weights shows."""
    lead = "As far as it could be measured, " if len(found.measured) < len(found.changed) else ""
    return f"{lead}{headline(drawn)} {CROSSED if drawn.beside else ''}".strip()


def nothing_to_see(found: Difference) -> str:
    """Why the picture of the weights would be empty, and what to do; empty: there is something to see."""
    if found.total or any(map(unmeasured, found.tensors)):
        return ""
    what = "the two have no tensor in common"
    if found.tensors:
        what = "what both have is the same" if found.only_first or found.only_second else "the weights are the same"
        what += ", as far as can be measured" if found.changed else ""
        what += ", but for their number format" if any(tensor.rounding for tensor in found.tensors) else ""
    lead = f"There is nothing to see here: {what}."
    if found.equal and not any(tensor.rounding for tensor in found.tensors):
        return f"{lead} If an update was to be seen, choose another checkpoint above: this may be a copy."
    if found.only_first or found.only_second:
        return f"{lead} What one of them lacks stands in the table."
    return f"{lead} *Facts* shows whether both still answer alike."


# ---- facts asked of both ------------------------------------------------------------------------------------------


def plan_of_two(first: Checkpoint, facts: str = "demo", columns: Iterable[tuple[str, str]] = ()) -> Plan:
    """The plan of the run that asks both: whatever was done to the first is its one step."""
    plan = Plan(name="Two checkpoints", checkpoint=first, facts=facts, columns=dict(columns))
    return plan.model_copy(update={"operations": (Update(),)})


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
    def broken(self) -> bool:
        return self.became == NO_NUMBERS

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
    """A row a tensor: what is no number, what changed, most of the change first, the others in the model's order."""
    rows = [_row(found, place, tensor) for place, tensor in enumerate(found.tensors)]
    for which, names in (("before", found.only_first), ("after", found.only_second)):
        rows += [
            TensorRow(f"Only in the checkpoint {which}", name, len(rows) + place, f"only {which}")
            for place, name in enumerate(names)
        ]
    return sorted(rows, key=lambda row: (not row.broken, -(row.share or 0.0), not row.changed, row.place))


def _row(found: Difference, place: int, tensor: TensorDifference) -> TensorRow:
    where = part_words(tensor)
    if words := change_words(tensor):
        return TensorRow(where, tensor.name, place, words, tensor=tensor)
    return TensorRow(where, tensor.name, place, "", tensor.change.relative, found.share(tensor), tensor)


def told_of(row: TensorRow) -> str:
    """A row in sentences, the tensor's name and figures at the end."""
    tensor = row.tensor
    if tensor is None:
        return f"{row.where}: '{row.name}'."
    shape = " × ".join(f"{size:,}" for size in tensor.shape)
    if row.broken:
        lead = f"*{row.where}* changed, but by how much can't be measured."
    elif row.became:
        both = "What both have of " if tensor.resized else ""
        lead = f"{both}*{row.where}* is {'rounded only' if tensor.rounding else 'the same'}."
    else:
        lead = f"*{row.where}* changed {by_how_much(tensor.change.relative)}: {row.share_words} of the whole change."
    lead = " ".join((lead, *unmeasured(tensor)))
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
