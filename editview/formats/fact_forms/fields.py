"""What the readers of records share: taking fields out as they should be, or saying what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from editview.domain.facts import Fact, Group
from editview.domain.left_out import Why
from editview.formats.oddities import Odd, folded

Record = dict[str, Any]
Read = Iterator[Fact | Odd]
"""The facts of a record, and an `Odd` for each part of it that can't be used. Raises Odd when nothing can be."""


class Asked(NamedTuple):
    """Something beside the edit that must stay as it is."""

    prompt: str
    answer: str
    other: str | None = None  # what is to be held against the answer


def text(record: Record, name: str, needed: bool = True) -> str:
    """A field that is text, without the space around it; '' where it isn't needed and isn't there."""
    value = record.get(name)
    if value is None and not needed:
        return ""
    if not isinstance(value, str):
        raise Odd(f"has no '{name}'" if value is None else f"has a '{name}' that is no text")
    if needed and not value.strip():
        raise Odd(f"has an empty '{name}'")
    return value.strip()


def texts(record: Record, name: str) -> list[str]:
    """A field that is a list of texts, without the empty ones; [] where it isn't there."""
    value = record.get(name) or []
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise Odd(f"has a '{name}' that is no list of texts")
    return [one.strip() for one in value if one.strip()]


def answer(record: Record, name: str) -> str:
    """{'str': ...}, or the text itself."""
    value = record.get(name)
    return text(value, "str") if isinstance(value, dict) else text(record, name)


def answers(value: Any) -> list[str]:
    """The texts in an answer however it is nested: a text, a number, lists of names for one thing, Wikidata's objects.

    What stands first is the usual name, the others are aliases.
    """
    found: list[str] = []
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += reversed(one)
        elif isinstance(one, dict):
            waiting += [one.get("aliases"), one.get("str"), one.get("value")]
        elif isinstance(one, str):
            found.append(one.strip())
        elif isinstance(one, int | float) and not isinstance(one, bool):
            found.append(str(one))
    return [one for one in found if one]


def answer_but(value: Any, unwanted: str = "") -> str:
    """The usual name of the first thing in an answer that isn't the unwanted one; '' where there is none.

    Things are told from aliases by the nesting: [[name, alias], [another thing]], while [name, alias] is one thing.
    """
    nested = isinstance(value, list) and any(isinstance(one, list | dict) for one in value)
    names = (next(iter(answers(one)), "") for one in (value if nested else [value]))
    return next((name for name in names if name and folded(name) != folded(unwanted)), "")


def records_in(record: Record, name: str) -> list[Record]:
    """A field that is a list of objects; [] where it isn't there."""
    value = record.get(name) or []
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise Odd(f"has a '{name}' that is no list of objects with named fields")
    return value


def name_of(record: Record, number: str) -> str:
    """The id of the fact of a record: its `case_id`, else its number in the file."""
    case = record.get("case_id")
    return str(case) if isinstance(case, str | int) and str(case).strip() else f"fact-{number}"


def neighbours(of: str, asked: Iterable[Asked]) -> Read:
    """Neighbours of an edit, which come without a subject of their own; those without prompt or answer are named."""
    sound = dict.fromkeys(asked)
    lacking = [one for one in sound if not (one.prompt and one.answer)]
    for i, one in enumerate((one for one in sound if one.prompt and one.answer), start=1):
        yield Fact(f"{of}/neighbour-{i}", Group.NEIGHBOURS, "", one.prompt, one.answer, one.other, (), of)
    if lacking:
        noun = "neighbour" if len(lacking) == 1 else "neighbours"
        yield Odd(f"has {len(lacking):,} {noun} without a prompt or without an answer", Why.PART)
