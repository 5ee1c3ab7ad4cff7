"""What a fine-tune did where edits had written, and whether that tells the facts it lost from those that it kept.

Two questions, layer by layer. The weights: how much does the fine-tune change what a layer's memory (its feed-forward
output matrix) writes when it is asked for the edited facts, ‖ΔW_ft K‖ against ‖ΔW_edit K‖, against random directions
and against the control facts? The activations: how far did the states of each fact move, and did those of lost facts
move further?
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

from editview.domain.comparison import Interval, superiority
from editview.domain.tracing import layers_said

FEWEST = 5
"""Facts on either side, kept and lost, before the one is held against the other."""


class Measure(StrEnum):
    """What is measured of each fact at each layer."""

    SUBJECT = "state at the subject's last piece"  # ‖h_after - h_before‖ / ‖h_before‖ behind the layer
    PROMPT = "state at the prompt's last piece"
    MEMORY = "what the memory (MLP) writes"  # ‖ΔW_ft k‖ / ‖ΔW_edit k‖, where something was edited


MEASURES = tuple(Measure)


@dataclass(frozen=True, slots=True)
class Moved:
    """One figure a fact: by how much it moved, from 0; 1 is as far as what it is held against is long."""

    kept: tuple[float, ...]
    lost: tuple[float, ...]
    controls: tuple[float, ...] = ()

    @property
    def lost_further(self) -> Interval | None:
        """In what share of pairs of a lost and a kept fact the lost one moved further; None: there are too few."""
        enough = min(len(self.kept), len(self.lost)) >= FEWEST
        return superiority(self.kept, self.lost) if enough else None


@dataclass(frozen=True, slots=True)
class Reach:
    """How strongly the fine-tune changes what a layer's memory writes, of vectors of equal length that it is given.

    1 is what random directions get on average.
    """

    edited: float  # keys of the edited facts
    controls: float | None  # keys of the controls; None: there are none
    chance: tuple[float, float]  # 95 % of the random draws lie between


@dataclass(frozen=True, slots=True)
class LayerInterference:
    layer: int  # counted from 0
    edited: bool  # an edit wrote here
    reach: Reach | None  # None: the fine-tune left this layer's memory as it was
    of_edit: float | None  # ‖ΔW_ft K‖ / ‖ΔW_edit K‖ over the edited facts; None: nothing was edited here
    moved: tuple[Moved | None, ...]  # in the order of `MEASURES`


@dataclass(frozen=True, slots=True)
class Interference:
    """Of one fine-tune, layers ascending. All edited facts stood before it: some kept standing, the others were lost.

    `kept`, `lost` and `controls` count the facts measured; `stood` the edits that they were drawn from.
    """

    layers: tuple[LayerInterference, ...]
    kept: int
    lost: int
    controls: int
    stood: int

    @property
    def edited_layers(self) -> tuple[int, ...]:
        return tuple(one.layer for one in self.layers if one.edited)

    @property
    def question(self) -> Interval | None:
        """The comparison that the headline tells, chosen before anything is known: the state at the subject's last
        piece behind the last edited layer, where edits aim their new answers."""
        return self.compared(self.edited_layers[-1], Measure.SUBJECT)

    def moved(self, layer: int, measure: Measure) -> Moved | None:
        return self.layers[layer].moved[MEASURES.index(measure)]

    def compared(self, layer: int, measure: Measure) -> Interval | None:
        moved = self.moved(layer, measure)
        return moved.lost_further if moved else None

    @property
    def comparisons(self) -> list[Interval]:
        """All that could be made."""
        found = (self.compared(one.layer, measure) for one in self.layers for measure in MEASURES)
        return [one for one in found if one is not None]


# ---- in words -----------------------------------------------------------------------------------------------------


def headline(found: Interference) -> str:
    """Does it explain what was lost? The sentence for a person."""
    edits = found.kept + found.lost
    if not found.lost:
        return f"All {edits:,} edits survived this fine-tune, so there is no loss to explain."
    if not found.kept:
        return f"All {edits:,} edits were lost in this fine-tune, so there are no survivors to hold them against."
    if found.question is None:
        fewer = f"{found.lost:,} edits were lost" if found.lost < found.kept else f"{found.kept:,} edits survived"
        return f"Only {fewer}: too few to tell the lost from the kept. It takes {FEWEST} of each."
    return f"{_compared(found.question)}."


def weights_sentence(found: Interference) -> str:
    """What the fine-tune does to the edited matrices where the edits read them."""
    edited = [one for one in found.layers if one.edited]
    tuned = [one for one in edited if one.reach and one.of_edit is not None]
    where = f"In {layers_said(found.edited_layers)}, where the edits wrote,"
    if not tuned:
        return f"{where} the fine-tune left the memory's matrices as they were."
    share = _range([100 * one.of_edit for one in tuned if one.of_edit is not None], "{} %")
    said = f"{where} the fine-tune changes what is written for the edited facts by {share} of what the edits wrote"
    times = _range([one.reach.edited for one in tuned if one.reach], "{} times")
    said += f": {times} what random directions would get"
    ordinary = [one.reach.controls for one in tuned if one.reach and one.reach.controls is not None]
    if ordinary:
        said += f" (facts that nobody edited: {_range(ordinary, '{} times')})"
    return f"{said}."


def basis(found: Interference) -> str:
    """What was measured, and what it can't tell."""
    edits = found.kept + found.lost
    drawn = f" (drawn from {found.stood:,})" if edits < found.stood else ""
    said = (
        f"Measured on {edits:,} edits that stood before the fine-tune{drawn}, of which {found.lost:,} were lost, and "
        f"{found.controls:,} control{'' if found.controls == 1 else 's'}."
    )
    if found.question is not None:
        said += (
            " The sentence at the top is about their states at the subject's last piece behind layer "
            f"{found.edited_layers[-1] + 1}, where the edits aim."
        )
    if found.comparisons:
        apart = sum(not one.low <= 0.5 <= one.high for one in found.comparisons)
        said += (
            f" Of all {len(found.comparisons):,} comparisons that were made, {apart:,} "
            f"tell{'s' if apart == 1 else ''} lost from kept facts; about one in twenty would by chance alone. That "
            "two things go together doesn't say that one causes the other."
        )
    return said


def told_reach(found: Interference, layer: int) -> str:
    """One layer's weights in a sentence, for a tooltip."""
    one = found.layers[layer]
    where = f"Layer {layer + 1} (index {layer})"
    if one.reach is None:
        return f"{where}: the fine-tune left its memory as it was."
    low, high = one.reach.chance
    said = (
        f"{where}: what its memory writes for the edited facts changes {_figure(one.reach.edited)} times as much as "
        f"for random directions (95 % of draws: {low:.2f} to {high:.2f})"
    )
    if one.reach.controls is not None:
        said += f"; for controls {_figure(one.reach.controls)} times"
    if one.of_edit is not None:
        said += f". That is {_figure(100 * one.of_edit)} % of what the edits wrote"
    return f"{said}."


def told_moved(found: Interference, layer: int, measure: Measure) -> str:
    """How far facts moved at one layer, for a tooltip."""
    moved, where = found.moved(layer, measure), f"Layer {layer + 1} (index {layer})"
    if moved is None:
        return f"{where}: {_absent(found, layer)}"
    groups = (("kept", moved.kept), ("lost", moved.lost), ("controls", moved.controls))
    parts = [f"{name} {_figure(100 * median(values))} %" for name, values in groups if values]
    of = "what the edits wrote" if measure is Measure.MEMORY else "its length"
    return f"{where}, {measure}: moved by this share of {of} (median): {', '.join(parts)}."


def told_compared(found: Interference, layer: int, measure: Measure) -> str:
    """Whether lost facts moved further at one layer, for a tooltip."""
    where = f"Layer {layer + 1} (index {layer})"
    if found.moved(layer, measure) is None:
        return f"{where}: {_absent(found, layer)}"
    compared = found.compared(layer, measure)
    if compared is None:
        return f"{where}: too few facts to compare; it takes {FEWEST} that were lost and {FEWEST} that were kept."
    return f"{where}, {measure}: {_compared(compared).lower()}."


HEADINGS = (
    "layer", "of the edits", "× chance", "chance", "controls", "lost: subject", "lost: prompt", "lost: memory",
)  # fmt: skip
CAPTION = (
    "*: edited. ‖ΔW K‖ of the fine-tune over that of the edits; over that of random directions of the same lengths, "
    "95 % of which lie in the range; the same for controls. Then the share of pairs, in per cent with its 95 % "
    "interval, in which a lost fact moved further than a kept one: its state at the subject's last piece, at the "
    "prompt's, and what the memory writes for it, relative to what the edits wrote."
)


def figures(found: Interference) -> list[list[str]]:
    """All figures as a table under `HEADINGS`, one row a layer, for the specialist."""
    rows = []
    for one in found.layers:
        reach = one.reach
        compared = [found.compared(one.layer, measure) for measure in MEASURES]
        rows.append([
            f"{one.layer + 1}{'*' if one.edited else ''}",
            "–" if one.of_edit is None else f"{100 * one.of_edit:.1f} %",
            f"{reach.edited:.2f}" if reach else "–",
            "{:.2f}–{:.2f}".format(*reach.chance) if reach else "–",
            f"{reach.controls:.2f}" if reach and reach.controls is not None else "–",
            *("–" if i is None else f"{100 * i.estimate:.0f} ({100 * i.low:.0f}–{100 * i.high:.0f})"
              for i in compared),
        ])  # fmt: skip
    return rows


def exact(found: Interference) -> list[list[str | float | None]]:
    """The same figures as they are, shares from 0 to 1: a line of titles, then one a layer. None: there is none."""
    bounds = ("", ", 95 % from", ", 95 % to")
    rows: list[list[str | float | None]] = [[
        "layer", "edited", "change over that of the edits", "change over chance", "chance, 95 % from",
        "chance, 95 % to", "controls over chance",
        *(f"pairs in which the lost fact moved further, {measure}{bound}" for measure in MEASURES for bound in bounds),
    ]]  # fmt: skip
    for one in found.layers:
        reach = one.reach
        compared = [found.compared(one.layer, measure) for measure in MEASURES]
        rows.append([
            one.layer + 1,
            "yes" if one.edited else "no",
            one.of_edit,
            *((reach.edited, *reach.chance, reach.controls) if reach else (None,) * 4),
            *(bound for i in compared for bound in ((i.estimate, i.low, i.high) if i else (None,) * 3)),
        ])  # fmt: skip
    return rows


def _absent(found: Interference, layer: int) -> str:
    if not found.layers[layer].edited:
        return "no edit wrote here, so there is nothing to hold the fine-tune's change against."
    return "the fine-tune left its memory as it was."


def _compared(interval: Interval) -> str:
    estimate, low, high = (round(100 * value) for value in (interval.estimate, interval.low, interval.high))
    pairs = f"in {estimate} % of pairs (95 % interval {low} to {high} %)"
    if interval.low > 0.5:
        return f"Lost facts moved further than kept ones {pairs}: what moved further was lost more often"
    if interval.high < 0.5:
        return f"Lost facts moved further than kept ones only {pairs}: what moved less was lost more often"
    return f"Lost facts moved further than kept ones {pairs}: this doesn't tell lost from kept facts"


def _range(values: Sequence[float], unit: str) -> str:
    """'1.2 to 2.1 times', '31 %'."""
    low, high = _figure(min(values)), _figure(max(values))
    return unit.format(low if low == high else f"{low} to {high}")


def _figure(value: float) -> str:
    """Two digits that count: '0.031', '1.2', '31', '310'."""
    return f"{value:,.0f}" if value >= 10 else f"{float(f'{value:.2g}'):g}"
