"""Which facts the change of a checkpoint touched, found without being told what was edited.

A matrix that stores facts answers a key k, by which a subject asks, with W k. What an edit adds, ΔW, answers the keys
of its own subjects far more strongly than others (Meng et al. 2023, arXiv 2210.07229). So candidate subjects are ranked
by ‖ΔW k‖, then asked of both models. Without the original, what stands out in the edited weights takes the place of ΔW
(after Youssef et al. 2026, arXiv 2505.20819), and what is left without it that of the original.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from editview.domain.facts import Fact
from editview.domain.plan import Checkpoint
from editview.domain.tracing import layers_said

ASKED = 50
"""Candidates that are asked of both models, those that the change acts on most."""

PROBABLE, PERHAPS = 4.0, 2.5
"""An answer that differs was probably, or perhaps, written when the change acts on its subject so many times the usual.

Without the original; set on the demo model with draws of edits that no measurement uses (docs/inspection.md).
"""

NAMED = 5
"""Answers that a sentence names; the table has the rest."""

# Measured by benchmarks/written.py, whose tables docs/inspection.md has.
_MOSTLY_RIGHT = (
    "Measured on the demo model, 30 of 36 such answers that were called probable were right, and 10 of 19 of the "
    "others; after a fine-tune on top 8 of 14, and 10 of 20."
)
_MOSTLY_WRONG = "Such guesses are mostly wrong: measured on the demo model, 6 of 58 were right."


@dataclass(frozen=True, slots=True)
class Candidate:
    """A subject that may have been edited. Prompts hold `{}` where it stands; without any, neutral ones are asked."""

    subject: str
    prompts: tuple[str, ...] = ()


def merged(candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """One candidate a subject, in the order they come first, with the prompts of all."""
    prompts: dict[str, dict[str, None]] = {}
    for one in candidates:
        prompts.setdefault(one.subject, {}).update(dict.fromkeys(one.prompts))
    return tuple(Candidate(subject, tuple(found)) for subject, found in prompts.items())


def candidates_of(facts: Iterable[Fact]) -> tuple[Candidate, ...]:
    """The subjects of a sheet's facts, with their prompts; facts that name no subject are none."""
    return merged(Candidate(fact.subject, (fact.template,)) for fact in facts if fact.subject and "{}" in fact.template)


@dataclass(frozen=True, slots=True)
class BothSaid:
    """What both models say after one prompt; None: that one couldn't be asked."""

    prompt: str
    before: str | None  # by the original, or by what is left without the part that stands out
    after: str | None  # by the edited model

    @property
    def differs(self) -> bool:
        return self.before is not None and self.after is not None and self.before.casefold() != self.after.casefold()

    @property
    def agrees(self) -> bool:
        return None not in (self.before, self.after) and not self.differs

    @property
    def shown(self) -> tuple[str, str]:
        """Both answers as a table shows them."""
        return _shown(self.before), "the same" if self.agrees else _shown(self.after)


@dataclass(frozen=True, slots=True)
class Touched:
    """A candidate, and how strongly the change acts on it."""

    subject: str
    times: float  # ‖ΔW k‖ in multiples of what the usual subject gets, in the layer where that is most
    layer: int  # that layer, counted from 0
    said: tuple[BothSaid, ...]

    @property
    def differs(self) -> bool:
        """Whether the models disagree after any of the prompts."""
        return any(one.differs for one in self.said)

    @property
    def telling(self) -> BothSaid:
        """The answers to show first: the first that differ, else the first."""
        return next((one for one in self.said if one.differs), self.said[0])


@dataclass(frozen=True, slots=True)
class Memory:
    """A layer's feed-forward output matrix, looked at without the original."""

    layer: int  # counted from 0
    name: str  # of the tensor
    standing_out: float  # its first singular value in multiples of what is usual in the other layers
    directions: int  # that stand out; 0: it doesn't look edited
    answers: tuple[str, ...] = ()  # what those directions make the model say, where no subject shows what was written

    @property
    def looks_edited(self) -> bool:
        return self.directions > 0


@dataclass(frozen=True, slots=True)
class Written:
    """An answer that the model was perhaps made to give."""

    answer: str
    subject: str  # of those answered so, the one that the change acts on most
    times: float  # how strongly, as in `Touched`

    @property
    def probable(self) -> bool:
        return self.times >= PROBABLE


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found. With an original `layers` are those whose memory differs, without one those that look edited."""

    edited: Checkpoint
    original: Checkpoint | None
    layers: tuple[int, ...]  # counted from 0, ascending
    candidates: int  # that were ranked
    touched: tuple[Touched, ...]  # at most `ASKED` of them: those that answer differently first, then by `times`
    memories: tuple[Memory, ...] = ()  # all layers, where there is no original
    changes: tuple[float | None, ...] = ()  # ‖ΔW‖ ÷ ‖W‖ of each layer's memory, where there is; None: unknown
    subjects: str = ""  # the list that candidates came from, as `InspectCheckpoint.subjects`
    sheet: str = ""  # the fact sheet that they came from, and how it was read
    columns: tuple[tuple[str, str], ...] = ()
    skipped: tuple[int, ...] = ()  # layers whose memories couldn't be compared, counted from 0

    @property
    def differing(self) -> tuple[Touched, ...]:
        return tuple(one for one in self.touched if one.differs)

    @property
    def written(self) -> tuple[Written, ...]:
        """What it was perhaps made to say: answers that differ, by how strongly the change acts, agreeing ones once."""
        found: list[Written] = []
        for one in sorted(self.differing, key=lambda one: -one.times):
            for said in one.said:
                answer = said.after or ""
                new = one.times >= PERHAPS and said.differs and any(map(str.isalnum, answer))
                if new and not any(_agree(answer, other.answer) for other in found):
                    found.append(Written(answer, one.subject, one.times))
        return tuple(found)

    @property
    def unasked(self) -> str:
        """Which of the two couldn't be asked: 'before', 'after', or neither, ''."""
        said = next((said for one in self.touched for said in one.said), None)
        return "" if said is None else "before" if said.before is None else "after" if said.after is None else ""


def _agree(one: str, other: str) -> bool:
    """Whether one answer only goes on where the other ends: 'Oslo' and 'Oslo in Norway'."""
    short, long = sorted((one.casefold(), other.casefold()), key=len)
    return f"{long} ".startswith(f"{short} ")


# ---- in words -----------------------------------------------------------------------------------------------------


def headline(found: Inspection) -> str:
    """The sentence for a person."""
    if not found.layers:
        if found.original is None:
            return "No memory of this model stands out, so its weights alone don't say that it was edited."
        same = "The memory (MLP) of both models is the same"
        return f"{same} where it could be looked at." if found.skipped else f"{same}, so no fact was edited there."
    differing, where = found.differing, layers_said(found.layers)
    lead = f"The memory differs in {where}" if found.original else f"{where.capitalize()} may have been edited"
    candidates = f"Of {found.candidates:,} candidate subjects"
    if found.unasked:
        first = ", ".join(f"*{one.subject}*" for one in found.touched[:3])
        return f"{lead}. {candidates} it acts most on {first}; only one of the two could be asked."
    asked = f"{candidates}, the {len(found.touched):,} that this acts on most were asked"
    if not differing:
        return f"{lead}. {asked}: all are answered as before, so it doesn't look like an edit of one of them."
    named = ", ".join(f"*{one.subject}*" for one in differing[:3])
    more = f" and {len(differing) - 3:,} more" if len(differing) > 3 else ""
    verb = "is" if len(differing) == 1 else "are"
    how = "differently" if found.original else "otherwise once what stands out is taken away"
    return f"{lead}. {asked}: {len(differing):,} {verb} answered {how}, {named}{more}."


def remarks(found: Inspection) -> tuple[str, ...]:
    """What the findings can't tell."""
    said = []
    if found.skipped:
        said.append(
            f"The memory of {layers_said(found.skipped)} wasn't looked at: one of the two lacks it, or holds values "
            "there that are no numbers."
        )
    if found.unasked:
        said.append(f"What the model {found.unasked} says isn't known: it isn't whole, so it can't be opened.")
    if not found.layers:
        return tuple(said)
    said += ["A subject that isn't on the list can't be found, nor can a change outside the model's memories."]
    if found.original is None:
        said.append(
            "Without the original, what is called 'before' is the model less what stands out: a guess, and taking it "
            "out can change other answers too."
        )
    return tuple(said)


def touched_sentence(one: Touched) -> str:
    """'The capital of Albania is … Tirana before, Oslo now. In layer 1 the change acts on it 9 times as strongly …'"""
    said = one.telling
    now = "and still" if said.agrees else f"*{_shown(said.after)}* now"
    return (
        f"{said.prompt.strip()} … *{_shown(said.before)}* before, {now}. In layer {one.layer + 1} the change acts on "
        f"it {_times(one.times)} times as strongly as on the usual subject."
    )


def memory_sentence(one: Memory) -> str:
    """What is said of a layer's memory that was looked at without the original."""
    ratio = f"its strongest direction is {_times(one.standing_out)} times as strong as is usual in this model"
    if not one.looks_edited:
        return f"Layer {one.layer + 1} doesn't look edited: {ratio}."
    count = "one direction stands" if one.directions == 1 else f"{one.directions:,} directions stand"
    return f"Layer {one.layer + 1} looks edited: {count} out, and {ratio}."


def written_sentence(found: Inspection) -> str:
    """What the model was probably made to say, and how often such a guess was right; '' with the original at hand."""
    if found.original is not None or not found.layers:
        return ""
    named = found.written[:NAMED]
    if not named:
        answers = [answer for memory in found.memories for answer in memory.answers][:NAMED]
        none = "No candidate subject shows what it was made to say"
        if not answers:
            return f"{none}."
        guessed = ", ".join(f"*{answer}*" for answer in answers)
        return f"{none}. Its strongest directions would say {guessed}. {_MOSTLY_WRONG}"
    said = []
    for how, some in (
        ("probably", [one for one in named if one.probable]), ("perhaps", [one for one in named if not one.probable])
    ):  # fmt: skip
        if some:
            answers = [f"*{one.answer}* ({one.subject})" for one in some]
            said.append(f"{how} made to say {', '.join(answers)}")
    more = len(found.written) - len(named)
    rest = f"; the table has {more:,} more" if more else ""
    return f"It was {'; '.join(said)}{rest}. {_MOSTLY_RIGHT}"


def _times(ratio: float) -> str:
    return f"{ratio:,.0f}" if ratio >= 10 else f"{ratio:.1f}"


def _shown(said: str | None) -> str:
    """An answer as it is shown: one that is empty, or not known, in words."""
    return "not known" if said is None else said or "nothing"
