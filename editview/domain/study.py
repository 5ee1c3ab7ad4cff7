"""A study: a grid of plans that differ in one thing each, and what is counted of every one of them.

The grid follows arXiv 2511.05852: editing method × fine-tune × layers × order. Fine-tunes are compared where they have
learnt equally much: each ends when its validation loss has fallen to the same value.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from statistics import fmean, stdev
from typing import Literal, cast

from editview.domain.comparison import Interval
from editview.domain.facts import Group
from editview.domain.operations import Edit, FullFineTune, Lora, Operation, Trained
from editview.domain.plan import Plan
from editview.domain.scores import flips_at
from editview.domain.sentences import method_name, tally
from editview.domain.session import Run

Order = Literal["edit first", "edit last"]
Protection = Literal["none", "replay", "shift penalty", "projection", "repair"]
Tune = Lora | FullFineTune

ORDERS: tuple[Order, ...] = ("edit first", "edit last")
LAYERS: tuple[Trained, ...] = ("all", "edited", "not-edited")
PROTECTIONS: dict[Protection, dict[str, object]] = {
    "none": {},
    "replay": {"replay": 0.1},
    "shift penalty": {"shift_penalty": 1.0},
    "projection": {"projection": True},
    "repair": {},  # a step of its own, after the fine-tune
}
"""What each changes about the fine-tune."""

_T95 = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
    2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
)  # fmt: skip
"""Student's t at 97.5 % for 1 to 20 degrees of freedom; beyond, the normal distribution's 1.96 is near enough."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One place of the grid. Without a fine-tune, layers, order and protection say nothing."""

    edit: Edit
    tune: Tune | None
    layers: Trained
    order: Order
    protection: Protection
    seed: int

    @property
    def names(self) -> tuple[str, str, str, str, str]:
        """Editing method, fine-tune, layers, order and protection, as tables name them."""
        if self.tune is None:
            return self.edit.label, "none", "", "", ""
        return self.edit.label, tune_name(self.tune), self.layers, self.order, self.protection

    def plan(self, base: Plan, until: float) -> Plan:
        """What is run; a fine-tune ends when its validation loss is `until`. 0: after all its steps."""
        edit = cast(Operation, self.edit)
        steps: list[Operation] = [edit]
        if self.tune is not None:
            changed = {"trained": self.layers, "until": until, **PROTECTIONS[self.protection]}
            tune = self.tune.model_copy(update=changed)
            steps = [edit, tune] if self.order == "edit first" else [tune, edit]
        if self.protection == "repair":
            steps.append(edit.model_copy(update={"failing": True, "id": f"{self.edit.id}-repair"}))
        name = ", ".join(filter(None, self.names))
        return base.model_copy(update={"name": name, "seed": self.seed, "operations": tuple(steps)})


def tune_name(tune: Tune) -> str:
    return "full" if isinstance(tune, FullFineTune) else method_name(tune)


def cells(
    plan: Plan,
    layers: Sequence[Trained] = LAYERS,
    orders: Sequence[Order] = ORDERS,
    protections: Sequence[Protection] = ("none",),
    seeds: Sequence[int] = (0, 1, 2),
) -> tuple[Cell, ...]:
    """The grid of a plan's edits and fine-tunes, whatever their order and whether they are switched on.

    Protections are for edits that are there already, and without one of them every edit and every layer is trained
    both ways. Cells that share their first steps stand together.
    """
    edits, tunes = edits_and_tunes(plan)
    found: list[Cell] = []
    for seed in seeds:
        found += [Cell(edit, None, "all", "edit first", "none", seed) for edit in edits]
        for tune, trained, order, edit in product(tunes, layers, orders, edits):
            found += [
                Cell(edit, tune, trained, order, protection, seed)
                for protection in protections
                if order == "edit first" or protection == "none"
            ]
    return tuple(found)


def edits_and_tunes(plan: Plan) -> tuple[tuple[Edit, ...], tuple[Tune, ...]]:
    """The operations that the grid is made of."""
    edits = tuple(each.model_copy(update={"enabled": True}) for each in plan.operations if isinstance(each, Edit))
    tunes = tuple(each.model_copy(update={"enabled": True}) for each in plan.operations if isinstance(each, Tune))
    return edits, tunes


@dataclass(frozen=True, slots=True)
class Row:
    """What one cell came to. Shares run from 0 to 1; None: there was nothing to measure."""

    edit: str
    tune: str
    layers: str
    order: str
    protection: str
    seed: int
    key: str = ""  # of the last stage, and the sheet: names everything that decided this row
    hold: float | None = None  # in the end, of the edits made
    took: float | None = None  # right after the edit, of the edits made
    neighbours: float | None = None  # intact, of those known before
    controls: float | None = None
    flipped: float | None = None  # edit flip rate of a fine-tune after the edit
    loss: float | None = None  # of the validation examples, after the fine-tune
    steps: int | None = None  # that it trained
    failure: str = ""  # why the cell has no figures

    @property
    def place(self) -> tuple[str, str, str, str, str]:
        return self.edit, self.tune, self.layers, self.order, self.protection


def row(cell: Cell, run: Run, key: str) -> Row:
    """Count a finished run."""
    last = len(run.stages) - 1
    found = tally(run, last)
    tuned = next((at for at, operation in enumerate(run.plan.active, 1) if isinstance(operation, Tune)), None)
    validated = run.stages[tuned].validations if tuned else {}
    edited = next(at for at, operation in enumerate(run.plan.active, 1) if isinstance(operation, Edit))
    after_edit = tally(run, edited)
    return Row(
        *cell.names,
        cell.seed,
        key,
        hold=found.hold / found.made if found.made else None,
        took=after_edit.hold / after_edit.made if after_edit.made else None,
        neighbours=_kept(found.neighbours),
        controls=_kept(found.controls),
        flipped=flips_at(run, tuned, Group.EDITED).rate if tuned and tuned > edited else None,
        loss=validated[max(validated)].loss if validated else None,
        steps=run.stages[tuned].losses[-1][0] if tuned and run.stages[tuned].losses else None,
    )


def _kept(lost_of: tuple[int, int]) -> float | None:
    lost, known = lost_of
    return 1 - lost / known if known else None


def spread(values: Iterable[float | None]) -> Interval | None:
    """Mean over seeds with Student's 95 % interval; of a single seed, without one. None: no figures.

    The interval speaks of other seeds on the same model and facts, and may reach beyond what is possible.
    """
    known = [value for value in values if value is not None]
    if not known:
        return None
    mean = fmean(known)
    if len(known) == 1:
        return Interval(mean, mean, mean)
    free = len(known) - 1
    reach = (_T95[free - 1] if free <= len(_T95) else 1.96) * stdev(known) / math.sqrt(len(known))
    return Interval(mean, mean - reach, mean + reach)


@dataclass(frozen=True)
class Summed:
    """All seeds of one place of the grid."""

    place: tuple[str, str, str, str, str]
    rows: tuple[Row, ...]

    def figure(self, of: Callable[[Row], float | None]) -> Interval | None:
        return spread(of(each) for each in self.rows)


def summed(rows: Sequence[Row]) -> Iterator[Summed]:
    """Rows of one place taken together, in the order in which places first came."""
    for place in dict.fromkeys(each.place for each in rows):
        yield Summed(place, tuple(each for each in rows if each.place == place and not each.failure))
