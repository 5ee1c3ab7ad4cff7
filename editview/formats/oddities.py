"""What is odd in a fact sheet: facts that can't be asked, that repeat each other or contradict each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice

from editview.domain.facts import Fact, Group
from editview.domain.left_out import Keep, LeftOut, Why
from editview.formats.texts import is_whole

NAMED = 5
"""Of the answers of edits that contradict each other, so many are told."""


class Odd(Exception):
    """A record, or a part of one, that can't be used, and why: the end of a sentence that begins with where it is."""

    def __init__(self, reason: str, why: Why = Why.UNREADABLE) -> None:
        super().__init__(reason)
        self.why = why


@dataclass(frozen=True, slots=True)
class Found:
    """A fact, and where in the file it stands: 'Line 7', 'Record 3'."""

    where: str
    fact: Fact


def templated(prompt: str, subject: str) -> str:
    """The prompt with `{}` in place of the subject: the last time that it stands there as a word of its own."""
    if "{}" in prompt:
        return prompt
    if not subject:
        raise Odd("names no subject")
    at = last = prompt.rfind(subject)
    while at >= 0 and not _stands_alone(prompt, at, at + len(subject)):
        at = prompt.rfind(subject, 0, at + len(subject) - 1)
    at = at if at >= 0 else last
    if at < 0:
        raise Odd(f"has a prompt that doesn't contain its subject: '{subject}' is not in '{prompt}'", Why.NO_SUBJECT)
    return f"{prompt[:at]}{{}}{prompt[at + len(subject) :]}"


def _stands_alone(text: str, start: int, end: int) -> bool:
    return not any(
        sign.isalnum() or sign == "_" for sign in (text[start - 1 : start] if start else "") + text[end:][:1]
    )


def worded(paraphrases: Sequence[str], subject: str) -> tuple[str, ...]:
    """Paraphrases as templates; those that call the subject otherwise stay as they are, empty ones go."""
    made = []
    for paraphrase in (text.strip() for text in paraphrases):
        if paraphrase:
            holds = subject and subject in paraphrase
            made.append(templated(paraphrase, subject) if holds else paraphrase)
    return tuple(dict.fromkeys(made))


def folded(text: str) -> str:
    """A text however it is spaced and capitalised."""
    return " ".join(text.casefold().split())


@dataclass(slots=True)
class _Wishes:
    """What one prompt is to be answered after the edit, by all the edits of it."""

    first: dict[str, tuple[str, str]] = field(default_factory=dict)  # folded answer: as written, where first
    last: str = ""  # the folded answer that stands last

    def add(self, answer: str, where: str) -> None:
        self.last = folded(answer)
        self.first.setdefault(self.last, (answer, where))

    def used(self, keep: Keep) -> str | None:
        """The folded answer that is used; None: they contradict each other and none is."""
        if len(self.first) == 1 or keep is Keep.FIRST:
            return next(iter(self.first))
        return self.last if keep is Keep.LAST else None


def sifted(found: Sequence[Found], keep: Keep = Keep.NONE) -> tuple[tuple[Fact, ...], list[LeftOut]]:
    """The facts that can be used, in order, and what was left out with the reason.

    Of facts that say the same the first stays. Of edits that contradict each other those stay that `keep` names, and
    nothing is to stay as it is that is edited elsewhere. What was left out takes its neighbours along.
    """
    faults = [_fault(one.fact) for one in found]
    asked = [_asked(one.fact) for one in found]
    wishes: dict[str, _Wishes] = {}
    for one, fault, prompt in zip(found, faults, asked, strict=True):
        if fault is None and one.fact.group is Group.EDITED and one.fact.new_answer:
            wishes.setdefault(prompt, _Wishes()).add(one.fact.new_answer, one.where)
    ids = {one.fact.id for one in found}
    kept: list[Fact] = []
    left: list[LeftOut] = []
    seen: dict[object, str] = {}
    gone: dict[str | None, str] = {}
    for one, fault, prompt in zip(found, faults, asked, strict=True):
        fact = one.fact
        if fact.neighbour_of in gone:
            if one.where != gone[fact.neighbour_of]:
                reason = f"is the neighbour of '{fact.neighbour_of}', which was left out"
                left.append(LeftOut(one.where, Why.ALONE, reason))
            continue
        # One prompt may well be the neighbour of several edits, with another answer to hold against for each.
        same = (prompt, fact.neighbour_of)
        odd = fault or (_against(fact, wishes[prompt], keep) if prompt in wishes else None)
        if odd is None and fact.neighbour_of is not None and fact.neighbour_of not in ids:
            odd = Odd(f"is the neighbour of '{fact.neighbour_of}', which is not on the sheet", Why.ALONE)
        if odd is None and same in seen:
            odd = Odd(f"repeats {seen[same].lower()}: '{fact.prompt}'", Why.DUPLICATE)
        if odd is None and fact.id in seen:
            odd = Odd(f"has the same id as {seen[fact.id].lower()}: '{fact.id}'")
        if odd is not None:
            left.append(LeftOut(one.where, odd.why, str(odd)))
            if fact.group is Group.EDITED and fact.id not in seen:
                gone[fact.id] = one.where
            continue
        seen[fact.id] = seen[same] = one.where
        kept.append(fact)
    return tuple(kept), left


def _asked(fact: Fact) -> str:
    """What a prompt asks, however it is spaced, capitalised and ended."""
    return folded(fact.prompt).rstrip(" .,:;?!…")


def _against(fact: Fact, wishes: _Wishes, keep: Keep) -> Odd | None:
    """What the edits of the same prompt have against this fact."""
    used = wishes.used(keep)
    counts: Iterable[str] = wishes.first if used is None else (used,)
    if fact.group is Group.EDITED:
        if used == folded(fact.new_answer or ""):
            return None
        named = [f"'{answer}' ({where.lower()})" for answer, where in islice(wishes.first.values(), NAMED)]
        more = len(wishes.first) - len(named)
        answers = " or ".join(named) + (f" or one of {more:,} more" if more else "")
        outcome = "None of them is used" if used is None else f"'{wishes.first[used][0]}' is used"
        reason = f"contradicts another edit: '{fact.prompt}' is to become {answers}. {outcome}"
        return Odd(reason, Why.CONTRADICTS)
    answer, where = wishes.first[next(iter(counts))]
    if fact.group is Group.CONTROL:
        return Odd(f"is a control, but the same fact is edited ({where.lower()})", Why.EDITED)
    other = next((one for one in counts if one != folded(fact.true_answer)), None)
    if other is None:
        return None
    answer, where = wishes.first[other]
    reason = f"asks as a neighbour what is edited elsewhere: '{fact.prompt}' is to become '{answer}' ({where.lower()})"
    return Odd(reason, Why.EDITED)


def _fault(fact: Fact) -> Odd | None:
    """What is odd in a fact by itself."""
    texts = (fact.id, fact.subject, *fact.wordings, fact.true_answer, fact.new_answer, fact.neighbour_of)
    if not all(is_whole(text) for text in texts if text):
        return Odd("holds half of a character, as '\\ud800' is one in JSON")
    if not fact.template.strip():
        return Odd("has no prompt")
    if not fact.subject and fact.group is not Group.NEIGHBOURS:
        return Odd("names no subject")
    if fact.subject and "{}" not in fact.template:
        return Odd(
            f"has a prompt that doesn't contain its subject: '{fact.subject}' is not in '{fact.template}'",
            Why.NO_SUBJECT,
        )
    if not fact.true_answer and fact.group is not Group.EDITED:
        return Odd("has no true answer")
    if fact.group is Group.EDITED and not fact.new_answer:
        return Odd("is to be edited, but has no new answer")
    if fact.group is Group.EDITED and folded(fact.new_answer or "") == folded(fact.true_answer):
        return Odd(f"is to be edited, but the new answer is the true one: '{fact.true_answer}'", Why.SAME)
    return None
