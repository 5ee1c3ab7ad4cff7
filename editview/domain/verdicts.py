"""Verdicts and changes: what a check says of a fact at one stage, and what became of it between stages."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from editview.domain.facts import Fact, Group


class Verdict(StrEnum):
    HOLDS = "holds"  # the prompt and every paraphrase give the wanted answer
    WEAK = "weak"  # the prompt does, a paraphrase doesn't
    FAILS = "fails"  # the prompt doesn't


class Change(StrEnum):
    """What happened to a fact up to a stage."""

    PENDING = "not yet edited"
    TOOK = "took"
    NEVER_TOOK = "never took"
    KNOWN_BEFORE = "already known"  # the model gave the new answer before anything edited it
    TAKEN_BACK = "taken back"  # by undoing the edit, scrubbing or reversing it
    SURVIVED = "survived"
    LOST = "lost"
    RECOVERED = "recovered"
    INTACT = "intact"
    DAMAGED = "damaged"
    NEVER_KNOWN = "never known"
    # which of two checkpoints gives an answer, where nothing is known of what was done between them
    BY_BOTH = "by both"
    BEFORE_ONLY = "before only"
    AFTER_ONLY = "after only"
    BY_NEITHER = "by neither"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model answers to one wording.

    `said` is its greedy text. `nll_wanted` and `nll_other` are mean negative log-likelihoods per answer token, as the
    literature reports them (None: the fact has no other answer). The probabilities are those of the whole answers.
    `wanted_first` counts the wanted answer's tokens that are the model's first choice after those before them (None: it
    was asked before this was counted).
    """

    prompt: str
    said: str
    gives: bool  # the greedy text starts with the wanted answer
    nll_wanted: float
    nll_other: float | None
    wanted_tokens: int = 1
    other_tokens: int = 1
    wanted_first: int | None = None

    @property
    def p_wanted(self) -> float:
        return likelihood(self.nll_wanted, self.wanted_tokens)

    @property
    def p_other(self) -> float | None:
        return None if self.nll_other is None else likelihood(self.nll_other, self.other_tokens)


@dataclass(frozen=True, slots=True)
class Check:
    """One fact asked at one stage: the prompt's answer first, then the paraphrases'."""

    fact_id: str
    answers: tuple[Answer, ...]

    @property
    def verdict(self) -> Verdict:
        if not self.answers[0].gives:
            return Verdict.FAILS
        return Verdict.HOLDS if all(answer.gives for answer in self.answers) else Verdict.WEAK

    @property
    def said(self) -> str:
        return self.answers[0].said


@dataclass(frozen=True, slots=True)
class LiveCheck:
    """All watched facts asked once in the middle of training: the prompt only, in the order of `fact_ids`.

    `gives`: the prompt's greedy answer is the wanted one. `nll_wanted` and `nll_other`: mean NLL per answer token
    (NaN where there is no other answer). `said`: how the answer begins where it isn't the wanted one, as far as was
    read; it is told while training goes on and not kept.
    """

    step: int
    fact_ids: tuple[str, ...]
    gives: tuple[bool, ...]
    nll_wanted: tuple[float, ...]
    nll_other: tuple[float, ...]
    said: tuple[str, ...] = field(default=(), compare=False)

    @staticmethod
    def of(checks: Sequence[Check], step: int) -> LiveCheck:
        """What checks say of the prompts alone."""
        ids = tuple(check.fact_id for check in checks)
        prompts = [check.answers[0] for check in checks]
        return LiveCheck(
            step,
            ids,
            tuple(answer.gives for answer in prompts),
            tuple(answer.nll_wanted for answer in prompts),
            tuple(math.nan if answer.nll_other is None else answer.nll_other for answer in prompts),
        )


def likelihood(nll: float, tokens: int) -> float:
    """How likely a whole answer is, from its mean NLL per token."""
    return math.exp(-nll * tokens)


def gives(said: str, wanted: str) -> bool:
    """Whether a greedy text gives an answer: it starts with it, and the word ends there."""
    text, answer = said.strip().casefold(), wanted.strip().casefold()
    return bool(answer) and text.startswith(answer) and not text[len(answer) : len(answer) + 1].isalnum()


def change(fact: Fact, verdicts: Sequence[Verdict], edited_at: int | None, taken_back: bool = False) -> Change:
    """What became of a fact up to the last of `verdicts` (stage 0 first).

    An edit counts as standing while its verdict is holds or weak. `edited_at` is the first stage whose operation
    edits the fact; None: none does. `taken_back`: all its edits were undone.
    """
    stands = [verdict is not Verdict.FAILS for verdict in verdicts]
    if fact.group is Group.EDITED:
        if edited_at is None or len(verdicts) <= edited_at:
            return Change.PENDING
        return _change_of_edit(stands[edited_at - 1], stands[edited_at:], taken_back)
    if not stands[0]:
        return Change.NEVER_KNOWN
    if stands[-1]:
        return Change.INTACT if all(stands) else Change.RECOVERED
    return Change.DAMAGED


def given(before: bool, after: bool) -> Change:
    """Which of two checkpoints gives an answer."""
    if before:
        return Change.BY_BOTH if after else Change.BEFORE_ONLY
    return Change.AFTER_ONLY if after else Change.BY_NEITHER


def _change_of_edit(before: bool, since: Sequence[bool], taken_back: bool) -> Change:
    """`before`: whether the model gave the new answer before the edit; `since`: from its stage on."""
    if before:
        return Change.KNOWN_BEFORE if since[-1] else Change.DAMAGED
    if since[-1]:
        if len(since) == 1:
            return Change.TOOK
        return Change.SURVIVED if all(since) else Change.RECOVERED
    if taken_back:
        return Change.TAKEN_BACK
    return Change.LOST if any(since) else Change.NEVER_TOOK


def lost_between(steps: Sequence[int], gives: Sequence[bool]) -> tuple[int, int] | None:
    """The training steps at which a fact was last seen holding and first seen lost, for good.

    `steps` ascend; the last entry is the check after training. None: it stands at the end, or no check saw it stand.
    """
    if not gives or gives[-1] or not any(gives):
        return None
    last_standing = max(i for i, given in enumerate(gives) if given)
    return steps[last_standing], steps[last_standing + 1]
