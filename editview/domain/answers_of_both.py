"""What two checkpoints answer to the same facts. Nobody knows who tried to change which of them, so none has failed.

Which answer each of them gives is told, and colour marks what differs: nothing is red unless it was right before.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

from editview.domain.facts import Fact, Group
from editview.domain.look import GIVEN, IN_PART, NOT_ASKED, NOT_GIVEN, VERDICT_MARKS, Mark
from editview.domain.session import Run
from editview.domain.two_checkpoints import differing_answers, sureness
from editview.domain.verdicts import Answer, Change, Verdict, given, gives

WHOSE = (Change.BEFORE_ONLY, Change.AFTER_ONLY, Change.BY_BOTH, Change.BY_NEITHER)
"""Which of both gives an answer, what differs first."""


class Said(IntEnum):
    """Which answer a checkpoint gives to a fact: the nearer to what the sheet wants, the larger."""

    NOT_ASKED = 0
    ANOTHER = 1
    ORIGINAL = 2  # of a fact with a new answer
    IN_PART = 3  # the wanted one, but not in every wording
    WANTED = 4

    @property
    def stands(self) -> bool:
        return self >= Said.IN_PART


_WORDS = {Said.ANOTHER: "another answer", Said.ORIGINAL: "original answer", Said.IN_PART: "weak"}


def said(fact: Fact, answers: Sequence[Answer]) -> Said:
    """What the answers to a fact's wordings, or to one of them, come to; the first decides. Empty: it wasn't asked."""
    if not answers:
        return Said.NOT_ASKED
    if answers[0].gives:
        return Said.WANTED if all(answer.gives for answer in answers) else Said.IN_PART
    original = fact.other if fact.group is Group.EDITED else None
    return Said.ORIGINAL if original and gives(answers[0].said, original) else Said.ANOTHER


def wanted(group: Group) -> str:
    """What the wanted answer of a fact is called where nothing is known of edits."""
    return "new answer" if group is Group.EDITED else "right answer"


def look(mine: Said, other: Said, *, after: bool) -> Mark:
    """How one checkpoint's answer looks beside what the other says; `after`: it is the second."""
    alike = mine is other or other is Said.NOT_ASKED
    match mine:
        case Said.NOT_ASKED:
            return NOT_ASKED
        case Said.WANTED:
            return GIVEN if alike else VERDICT_MARKS[Verdict.HOLDS]
        case Said.IN_PART:
            return IN_PART if alike else VERDICT_MARKS[Verdict.WEAK]
        case _:
            return VERDICT_MARKS[Verdict.FAILS] if after and other > mine else NOT_GIVEN


def mark(group: Group, mine: Said, other: Said, *, after: bool) -> Mark:
    """The same in words: which answer it is."""
    seen = look(mine, other, after=after)
    return seen if mine is Said.NOT_ASKED else Mark(seen.glyph, _WORDS.get(mine) or wanted(group), seen.role)


def told(group: Group, before: Said, after: Said) -> str:
    """'new answer after only', 'original answer by both'; empty until both were asked."""
    if Said.NOT_ASKED in (before, after):
        return ""
    whose = given(before.stands, after.stands)
    if group is not Group.EDITED or whose is not Change.BY_NEITHER:
        return f"{wanted(group)} {whose}"
    whose = given(before is Said.ORIGINAL, after is Said.ORIGINAL)
    return f"another answer {Change.BY_BOTH}" if whose is Change.BY_NEITHER else f"original answer {whose}"


def pairs(run: Run) -> dict[str, tuple[Said, Said]]:
    """What both said to each fact, by its id."""
    before, after = (stage.checks for stage in run.stages)
    return {
        fact.id: (said(fact, before[fact.id].answers), said(fact, after[fact.id].answers))
        for fact in run.sheet
        if fact.id in before and fact.id in after
    }


def headline(run: Run) -> str:
    count = len(differing_answers(run))
    return f"{count:,} of {len(run.sheet):,} facts {'is' if count == 1 else 'are'} answered differently"


def sentence(run: Run) -> str:
    """'2 of them only in other words. Of 40 new answers, 3 are given after only, 37 by neither. Of 100 controls, …'"""
    both, differing = pairs(run), differing_answers(run)
    worded = sum(before is after for before, after in (both[fact_id] for fact_id in differing))
    only = "All" if worded == len(differing) else f"{worded:,} of them"
    originals = [both[fact.id] for fact in run.sheet.group(Group.EDITED) if fact.other and fact.id in both]

    def standing(group: Group) -> list[Change]:
        asked = [both[fact.id] for fact in run.sheet.group(group) if fact.id in both]
        return [given(before.stands, after.stands) for before, after in asked]

    parts = (
        f"{only} only in other words." if worded else "",
        _clause(standing(Group.EDITED), "new answer", "given"),
        _clause([given(a is Said.ORIGINAL, b is Said.ORIGINAL) for a, b in originals], "original answer", "given"),
        _clause(standing(Group.NEIGHBOURS), "neighbour", "answered rightly"),
        _clause(standing(Group.CONTROL), "control", "answered rightly"),
        sureness(run),
    )
    return " ".join(filter(None, parts))


def _clause(whose: Sequence[Change], noun: str, verb: str) -> str:
    """'Of 40 new answers, 3 are given after only, 37 by neither.'"""
    counts = [(whose.count(each), each) for each in WHOSE if each in whose]
    if not counts:
        return ""
    (first, how), *rest = counts
    if len(whose) == 1:
        return f"The {noun} is {verb} {how}."
    if not rest:
        none = f"None of {first:,} {noun}s is {verb} by either."
        return none if how is Change.BY_NEITHER else f"All {first:,} {noun}s are {verb} {how}."
    others = "".join(f", {count:,} {each}" for count, each in rest)
    return f"Of {len(whose):,} {noun}s, {first:,} {'is' if first == 1 else 'are'} {verb} {how}{others}."
