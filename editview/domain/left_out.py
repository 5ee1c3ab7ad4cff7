"""What of a fact sheet isn't used, and why; and what a person can choose of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Why(StrEnum):
    """The kinds of reason, as the headings under which records that were left out are listed."""

    CONTRADICTS = "Edits that contradict each other"
    SAME = "The new answer is the true one"
    NO_SUBJECT = "The subject isn't in the prompt"
    DUPLICATE = "Said twice"
    EDITED = "To stay as it is, and edited elsewhere"
    ALONE = "Neighbours of what isn't used"
    REFUSED = "The model's chat template refuses it"
    CUT = "Nothing is left to learn after the cut"
    UNREADABLE = "Something is missing or isn't as it should be"
    PART = "Used, but for a part"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A record, or a part of one (`Why.PART`), that isn't used. As text it is a sentence."""

    where: str  # 'Line 7', 'Record 3'
    why: Why
    reason: str  # the rest of the sentence, without a full stop

    def __str__(self) -> str:
        return f"{self.where} {self.reason}."


class Keep(StrEnum):
    """Which of several edits that contradict each other is used."""

    NONE = "none"
    FIRST = "first"
    LAST = "last"


CONTRADICTIONS = "contradictions"
"""Under this name `Plan.columns` holds a `Keep`, beside the columns; without it none of them is used."""


def listed(left_out: Iterable[LeftOut], only: Why | None = None) -> str:
    """One sentence a line, those of one reason together below it; with `only`, those of that reason alone."""
    blocks: dict[Why, list[str]] = {why: [] for why in Why if only in (None, why)}
    for one in left_out:
        if one.why in blocks:
            blocks[one.why].append(str(one))
    return "\n\n".join("\n".join((why.upper(), *lines)) for why, lines in blocks.items() if lines)


def as_rows(left_out: Iterable[LeftOut], only: Why | None = None) -> list[list[str]]:
    """The same as a table: a line of titles, then one a record."""
    chosen = [one for one in left_out if only in (None, one.why)]
    return [["record", "kind of reason", "what is said"], *([one.where, str(one.why), str(one)] for one in chosen)]


def counted(left_out: Iterable[LeftOut]) -> tuple[int, int]:
    """How many records were left out, and how many more were used but for a part."""
    whole: set[str] = set()
    part: set[str] = set()
    for one in left_out:
        (part if one.why is Why.PART else whole).add(one.where)
    return len(whole), len(part - whole)
