"""Which facts the change of a checkpoint touched, found without being told what was edited.

A matrix that stores facts answers a key k, by which a subject asks, with W k. What an edit adds, ΔW, answers the keys
of its own subjects far more strongly than others (Meng et al. 2023, arXiv 2210.07229). So candidate subjects are ranked
by ‖ΔW k‖, then asked of both models. Without the original, what stands out in the edited weights takes the place of ΔW
(after Youssef et al. 2026, arXiv 2505.20819), and what is left without it that of the original.
"""

from __future__ import annotations

from dataclasses import dataclass

from editview.domain.plan import Checkpoint
from editview.domain.tracing import layers_said

ASKED = 50
"""Candidates that are asked of both models, those that the change acts on most."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A subject that may have been edited. Prompts hold `{}` where it stands; without any, neutral ones are asked."""

    subject: str
    prompts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BothSaid:
    """What both models say after one prompt."""

    prompt: str
    before: str  # by the original, or by what is left without the part that stands out
    after: str  # by the edited model

    @property
    def differs(self) -> bool:
        return self.before.casefold() != self.after.casefold()


@dataclass(frozen=True, slots=True)
class Touched:
    """A candidate, and how strongly the change acts on it."""

    subject: str
    times: float  # ‖ΔW k‖ in multiples of what chance gives, in the layer where that is most
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
    standing_out: float  # how far its strangest direction rises above its others; 1: as much as they vary
    directions: int  # that stand out; 0: it doesn't look edited
    answers: tuple[str, ...] = ()  # words that those directions write, the likeliest new answers first

    @property
    def looks_edited(self) -> bool:
        return self.directions > 0


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found. With an original `layers` are those whose memory differs, without one those that look edited."""

    edited: Checkpoint
    original: Checkpoint | None
    layers: tuple[int, ...]  # counted from 0, ascending
    candidates: int  # that were ranked
    touched: tuple[Touched, ...]  # at most `ASKED` of them: those that answer differently first, then by `times`
    memories: tuple[Memory, ...] = ()  # all layers, where there is no original

    @property
    def differing(self) -> tuple[Touched, ...]:
        return tuple(one for one in self.touched if one.differs)


# ---- in words -----------------------------------------------------------------------------------------------------


def headline(found: Inspection) -> str:
    """The sentence for a person."""
    if not found.layers:
        if found.original is None:
            return "No memory of this model stands out, so nothing in its weights alone says that it was edited."
        return "The memory (MLP) of both models is the same, so no fact was edited there."
    asked, differing = len(found.touched), len(found.differing)
    where = layers_said(found.layers)
    lead = f"The change is in {where}" if found.original else f"{where.capitalize()} may have been edited"
    if not differing:
        return (
            f"{lead}. Of {found.candidates:,} candidate subjects the {asked:,} that it acts on most are answered as "
            "before, so it doesn't look like an edit of one of these."
        )
    subjects = [one.subject for one in found.differing]
    more = f" and {differing - 3:,} more" if differing > 3 else ""
    return (
        f"{lead}. Of {found.candidates:,} candidate subjects, the {asked:,} that it acts on most were asked: "
        f"{differing:,} are answered differently, {', '.join(subjects[:3])}{more}."
    )


def touched_sentence(one: Touched) -> str:
    """'The capital of Albania is … Tirana before, Oslo now. In layer 1 the change acts on it 9 times as …'"""
    said = one.telling
    prompt = said.prompt.strip()
    answers = (
        f"*{_shown(said.before)}* before, *{_shown(said.after)}* now"
        if said.differs
        else f"*{_shown(said.after)}*, as before"
    )
    return (
        f"{prompt} … {answers}. In layer {one.layer + 1} the change acts on it {one.times:.2g} times as strongly as "
        "chance gives."
    )


def _shown(said: str) -> str:
    return said or "nothing"
