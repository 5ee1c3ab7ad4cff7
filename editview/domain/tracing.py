"""What causal tracing found: at which layer, and at which piece of the prompt, a model looks facts up.

Causal tracing (Meng et al. 2022, arXiv 2202.05262, section 2): the subject is blurred, so that the true answer is lost;
then one state is restored to what it was, and what comes back of the answer's probability is that state's effect.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from editview.domain.facts import Fact, FactSheet, Group

FEWEST = 5
"""Facts that a model has to know before tracing says something."""

SHALLOW = 0.3
"""The least share of the answer's probability that has to be lost by blurring the subject."""


class Token(StrEnum):
    """A token's part in the prompt. One that has two counts as the lower of them; a subject of one is its last."""

    FIRST_OF_SUBJECT = "first piece of the subject"
    INSIDE_SUBJECT = "middle of the subject"
    LAST_OF_SUBJECT = "last piece of the subject"
    FIRST_AFTER = "first piece after it"
    AFTER = "further pieces"
    LAST = "last piece of the prompt"


TOKENS = tuple(Token)
Effects = tuple[tuple[float | None, ...], ...]


@dataclass(frozen=True)
class Tracing:
    """Average indirect effects: by how much restoring raises the probability of the true answer, from 0 to 1.

    `states` and `memory` are [layers][tokens], tokens in the order of `TOKENS`; None where no fact has such a token.
    """

    states: Effects  # one state after a layer is restored
    memory: Effects  # what the feed-forward parts of `window` layers around a layer write
    window: int
    used: int  # facts that were traced
    unknown: int  # facts that were asked, and that the model doesn't know
    baseline: float  # the answer's probability, the mean over the facts
    corrupted: float  # the same after the subject was blurred
    steady: float  # share of random draws of the facts in which the peak stays within one layer

    @property
    def layers(self) -> int:
        return len(self.memory)

    @property
    def peak(self) -> int | None:
        """The layer, counted from 0, whose memory matters most at the last token of the subject: the one for ROME.

        None when tracing doesn't say: blurring the subject hardly mattered, or no memory brings anything back.
        """
        if self.baseline - self.corrupted < SHALLOW * self.baseline:
            return None
        effects = at_last_of_subject(self.memory)
        best = max(range(self.layers), key=lambda layer: effects[layer])
        return best if effects[best] > 0 else None

    @property
    def suggested(self) -> tuple[int, ...]:
        """Layers to edit, counted from 0: a run that ends at the peak, as MEMIT chose its ranges. Empty: none."""
        return () if self.peak is None else run_up_to(self.peak, self.layers)


def traced_facts(sheet: FactSheet, only: Collection[str] = ()) -> tuple[Fact, ...]:
    """The facts to trace: those that a step edits (`only`; empty: all), and the controls, which a model should know."""
    edited = [fact for fact in sheet.group(Group.EDITED) if not only or fact.id in only]
    return (*edited, *sheet.group(Group.CONTROL))


def at_last_of_subject(effects: Effects) -> list[float]:
    """One effect a layer; every subject has a last token."""
    place = TOKENS.index(Token.LAST_OF_SUBJECT)
    return [row[place] or 0.0 for row in effects]


def window_of(layers: int) -> int:
    """How many layers' memory is restored together: 10 of 48 in the paper (section 2.2), as many in proportion."""
    return max(1, round(layers * 10 / 48))


def window_around(layer: int, layers: int) -> range:
    """The layers whose memory is restored with this one's: the window of the paper, cut off at both ends."""
    window = window_of(layers)
    first = layer - window // 2
    return range(max(0, first), min(layers, first + window))


def run_up_to(peak: int, layers: int) -> tuple[int, ...]:
    """A seventh of the layers, those up to `peak`: published ranges take a tenth (GPT-2 XL) to a fifth (GPT-J)."""
    count = max(1, round(layers / 7))
    return tuple(range(max(0, peak - count + 1), peak + 1))


# ---- in words -----------------------------------------------------------------------------------------------------


def layers_said(layers: Sequence[int]) -> str:
    """'layer 3', 'layers 3 and 4', 'layers 3 to 5', 'layers 2, 4 and 6 to 9': ascending, counted as people count."""
    runs: list[list[int]] = []
    for layer in layers:
        if runs and layer == runs[-1][-1] + 1:
            runs[-1].append(layer)
        else:
            runs.append([layer])
    said: list[str] = []
    for run in runs:
        said += [f"{run[0] + 1} to {run[-1] + 1}"] if len(run) > 2 else [str(layer + 1) for layer in run]
    if len(layers) == 1:
        return f"layer {said[0]}"
    return f"layers {', '.join(said[:-1])} and {said[-1]}" if len(said) > 1 else f"layers {said[0]}"


def no_such_layer(layer: int, layers: int) -> str:
    """'This model has layers 1 to 6, in a plan file 0 to 5: there is no layer 10 (9 in a plan file).'"""
    return (
        f"This model has layers 1 to {layers}, in a plan file 0 to {layers - 1}: there is no layer {layer + 1} "
        f"({layer} in a plan file)."
    )


def headline(tracing: Tracing) -> str:
    """The sentence for a person."""
    if tracing.baseline - tracing.corrupted < SHALLOW * tracing.baseline:
        return "Tracing doesn't say: the model gives its answers almost as often when it can't read the subject."
    if not tracing.suggested:
        return "Tracing doesn't say: no single part of this model brings the answers back."
    return f"The model seems to look up these facts in {layers_said(tracing.suggested)}."


def basis(tracing: Tracing) -> str:
    """What the headline rests on."""
    known = f"{tracing.used:,} facts that the model knows"
    if tracing.unknown:
        known += f" ({tracing.unknown:,} more it doesn't know were left out)"
    said = (
        f"Measured on {known}. With the subject blurred, the true answer's probability falls from "
        f"{_percent(tracing.baseline)} to {_percent(tracing.corrupted)}"
    )
    if tracing.peak is None:
        return f"{said}."
    back = at_last_of_subject(tracing.memory)[tracing.peak]
    around = f" and its neighbours ({tracing.window} layers together)" if tracing.window > 1 else ""
    said += f"; what the memory of layer {tracing.peak + 1}{around} writes at the subject's last piece brings back "
    said += f"{_points(back)}."
    if tracing.steady < 0.9:
        said += f" Other facts could move that peak: it stays there in {_percent(tracing.steady)} of random draws."
    return said


ADVICE = (
    "A hint where to edit, no promise: where a fact is looked up is not always where it is best rewritten. "
    "Run the plan and see."
)


def told(tracing: Tracing, layer: int, token: int, memory: bool) -> str:
    """One cell in a sentence, for a tooltip."""
    effect = (tracing.memory if memory else tracing.states)[layer][token]
    where = f"the {TOKENS[token].value}"
    if effect is None:
        return f"None of these prompts has such a piece: {TOKENS[token].value}."
    around = window_around(layer, tracing.layers)
    what = f"what the memory of {layers_said(around)} writes" if memory else f"the state after layer {layer + 1}"
    index = f"layer index {layer}"
    if effect <= 0:
        return f"Restoring {what} at {where} brings nothing back ({index})."
    return f"Restoring {what} at {where} brings back {_points(effect)} of the answer's probability ({index})."


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.1 or share == 0 else f"{float(f'{100 * share:.2g}')} %"


def _points(share: float) -> str:
    value = 100 * share
    figure = f"{value:.0f}" if value >= 10 else f"{float(f'{value:.2g}')}"
    return f"{figure} percentage point{'' if figure == '1' else 's'}"
