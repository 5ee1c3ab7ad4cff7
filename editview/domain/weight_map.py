"""The picture of the weights: what each operation changed, by layer and by kind of matrix, and the sentences on it.

All figures are relative to the matrices that the operation changed: √Σ‖ΔW‖² / √Σ‖W before‖² over those of one place.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from editview.domain.facts import FactSheet
from editview.domain.plan import Plan
from editview.domain.run_events import StageInfo
from editview.domain.sentences import operation_title, stage_titles
from editview.domain.session import Run, Stage
from editview.domain.weights import MatrixKind, TensorChange, TensorInfo, combined

LOG_FROM = 30.0
"""Figures further apart than this are drawn on a log scale."""

_SAID = {
    MatrixKind.ATTENTION_IN: "where {} looks",
    MatrixKind.ATTENTION_OUT: "what {} passes on of what it sees",
    MatrixKind.MLP_IN: "how {} reads its memory",
    MatrixKind.MLP_OUT: "how {} writes its memory",
    MatrixKind.NORM: "the norms and biases of {}",
}


@dataclass(frozen=True, slots=True)
class Place:
    """One cell of the picture. `layer` is counted from 0; None outside the layers."""

    stage: int
    layer: int | None
    kind: MatrixKind | None  # None: all kinds of the layer, a bar


@dataclass(frozen=True)
class WeightMap:
    """What is known of a run's changes. `layers` ends with None where something outside the layers is drawn."""

    layers: tuple[int | None, ...]
    kinds: tuple[MatrixKind, ...]
    exists: frozenset[tuple[int | None, MatrixKind]]
    stages: tuple[int, ...]  # operations, whether they are done or not
    known: frozenset[int]  # of those, the ones whose changes are known
    titles: dict[int, str]
    operations: dict[int, str]  # their ids
    changes: dict[Place, tuple[TensorChange, ...]]
    beside: dict[Place, str]  # sentences on what a place's figure doesn't tell

    @property
    def changed_nothing(self) -> bool:
        """Whether every step is done and none left a trace."""
        return bool(self.stages) and self.known == {*self.stages} and not self.changes

    def relative(self, place: Place) -> float | None:
        """The relative change at a place; None: nothing was changed there, or it isn't known yet."""
        found = self.changes.get(place)
        return combined(list(found)) if found else None

    def figures(self, bars: bool) -> list[float]:
        """The relative changes above 0 of the bars, or of the cells."""
        found = [combined(list(tensors)) for place, tensors in self.changes.items() if (place.kind is None) is bars]
        return [figure for figure in found if figure > 0]


@dataclass(frozen=True, slots=True)
class Scale:
    """From a figure to a place between 0 and 1: from zero, or by powers of ten where the figures lie far apart."""

    low: float
    high: float
    log: bool

    def share(self, figure: float) -> float:
        if not self.log:
            return figure / self.high
        return math.log(figure / self.low) / math.log(self.high / self.low)

    @property
    def ticks(self) -> list[float]:
        """Figures to write at the axis: powers of ten, or zero, the half and the end."""
        if not self.log:
            return [0.0, self.high / 2, self.high]
        first, last = round(math.log10(self.low)), round(math.log10(self.high))
        return [10.0**power for power in range(first, last + 1)]


def scale(figures: Sequence[float], round_ends: bool) -> Scale | None:
    """The scale that shows these figures, all above 0; None: there are none."""
    if not figures:
        return None
    low, high = min(figures), max(figures)
    log = high / low > LOG_FROM
    if round_ends and log:
        low, high = 10.0 ** math.floor(math.log10(low)), 10.0 ** math.ceil(math.log10(high))
    elif round_ends:
        power = 10.0 ** math.floor(math.log10(high))
        high = next(lead * power for lead in (1, 2, 4, 6, 8, 10) if lead * power >= high * (1 - 1e-9))
    return Scale(low if log else 0.0, high, log)


def weight_map(run: Run, beside: Mapping[Place, str] | None = None) -> WeightMap:
    """The picture of a run. `beside`: sentences on what the figures of places don't tell."""
    beside = dict(beside or {})
    changes: dict[Place, list[TensorChange]] = {}
    operations = run.stages[1:]
    for stage in operations:
        for change in stage.changes:
            for kind in (change.kind, None):
                changes.setdefault(Place(stage.info.index, change.layer, kind), []).append(change)
    exists = {(tensor.layer, tensor.kind) for tensor in run.tensors}
    exists |= {(place.layer, place.kind) for place in changes if place.kind is not None}
    changed_outside = {place.kind for place in (*changes, *beside) if place.layer is None}
    layers: list[int | None] = [*sorted({layer for layer, _ in exists if layer is not None})]
    if changed_outside:
        layers.append(None)
    inside = {kind for layer, kind in exists if layer is not None}
    return WeightMap(
        layers=tuple(layers),
        kinds=tuple(kind for kind in MatrixKind if kind in inside or kind in changed_outside),
        exists=frozenset(exists),
        stages=tuple(stage.info.index for stage in operations),
        known=frozenset(stage.info.index for stage in operations if stage.seconds is not None),
        titles=dict(enumerate(stage_titles(run))),
        operations={stage.info.index: stage.info.operation_id or "" for stage in operations},
        changes={place: tuple(tensors) for place, tensors in changes.items()},
        beside=beside,
    )


def planned_map(plan: Plan, sheet: FactSheet | None, tensors: tuple[TensorInfo, ...]) -> WeightMap:
    """The empty picture of a plan that hasn't run."""
    titles = ["", *(operation_title(operation, sheet) for operation in plan.active)]
    ids = [None, *(operation.id for operation in plan.active)]
    stages = [Stage(StageInfo(i, ids[i], title, "")) for i, title in enumerate(titles)]
    return weight_map(Run("", plan, sheet or FactSheet("", ()), stages, tensors))


def percent(figure: float) -> str:
    """A relative change: two digits that count, '4.1 %', '0.032 %'."""
    value = 100 * figure
    if value >= 9.95 or value == 0:
        return f"{value:,.0f} %"
    if value >= 0.001:
        return f"{value:.1f} %" if value >= 1 else f"{float(f'{value:.2g}')} %"
    return "under 0.001 %"


_TIMES = ("two", "three", "four", "five", "six", "seven", "eight", "nine")


def by_how_much(figure: float) -> str:
    """A relative change in a sentence: 'by 4.1 %', and from 100 % up 'by about five times what was there'."""
    if round(100 * figure) < 100:
        return f"by {percent(figure)}"
    if figure < 1.5:
        return "by about as much as was there"
    times = round(figure)
    return f"by about {_TIMES[times - 2] if times < 10 else f'{times:,}'} times what was there"


def layer_words(layer: int | None) -> str:
    return "the parts outside the layers" if layer is None else f"layer {layer + 1}"


def told(drawn: WeightMap, place: Place) -> str:
    """'Fine-tune changed how layer 3 writes its memory by 2.3 %.' and where that is, for a tooltip."""
    beside = drawn.beside.get(place, "")
    if beside and drawn.relative(place) is None:
        return beside
    return f"{_measured(drawn, place)} {beside}".strip()


def _measured(drawn: WeightMap, place: Place) -> str:
    title, where = drawn.titles[place.stage], layer_words(place.layer)
    figure = drawn.relative(place)
    what = f"{where} as a whole" if place.kind is None else f"{where}, {place.kind.value}"
    if place.stage not in drawn.known and figure is None:
        return f"What {title} does to {what} isn't known yet."
    if figure is None:
        return f"{title} left {what} as it was."
    exact = f"{by_how_much(figure)} ({percent(figure)})" if round(100 * figure) >= 100 else by_how_much(figure)
    if place.kind is None:
        return f"{title} changed {what} {exact}, measured on the matrices it touched there."
    return f"{title} changed {_how(place)} {exact}."


def headline(drawn: WeightMap) -> str:
    """'*Edit 40 facts* changed 3 of 6 layers, most of all how layer 3 writes its memory, by 4.1 %; …'."""
    parts = step_by_step(drawn)
    return "; ".join(parts) + "." if parts else ""


def step_by_step(drawn: WeightMap) -> list[str]:
    """What the headline says of each step whose changes are known."""
    return [_summed_up(drawn, stage) for stage in drawn.stages if stage in drawn.known]


def _summed_up(drawn: WeightMap, stage: int) -> str:
    cells = {place: figure for place in drawn.changes if place.stage == stage and (figure := drawn.relative(place))}
    if not cells:
        return f"*{drawn.titles[stage]}* changed nothing"
    every = sum(layer is not None for layer in drawn.layers)
    touched = len({place.layer for place in cells if place.layer is not None})
    most = max((place for place in cells if place.kind is not None), key=lambda place: cells[place])
    which = f"all {every} layers" if touched == every else f"{touched} of {every} layers"
    if touched < every:
        return f"*{drawn.titles[stage]}* changed {which}, most of all {_how(most)}, {by_how_much(cells[most])}"
    whole = combined([tensor for place in cells if place.kind is None for tensor in drawn.changes[place]])
    return f"*{drawn.titles[stage]}* changed {which}, {by_how_much(whole)} on the whole"


def _how(place: Place) -> str:
    assert place.kind is not None
    where = layer_words(place.layer)
    if place.layer is None or place.kind not in _SAID:
        return f"the {place.kind.value}" if place.layer is None else f"{place.kind.value} of {where}"
    return _SAID[place.kind].format(where)
