"""What is odd in a fact sheet: facts that can't be asked, that repeat each other or contradict each other."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from editview.domain.facts import Fact, Group
from editview.formats.texts import is_whole


class Odd(Exception):
    """A record that can't be used, and why: the end of a sentence that begins with where it stands."""


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
    whole_words = [match.start() for match in re.finditer(rf"(?<!\w){re.escape(subject)}(?!\w)", prompt)]
    at = whole_words[-1] if whole_words else prompt.rfind(subject)
    if at < 0:
        raise Odd(f"has a prompt that doesn't contain its subject: '{subject}' is not in '{prompt}'")
    return f"{prompt[:at]}{{}}{prompt[at + len(subject) :]}"


def worded(paraphrases: Sequence[str], subject: str) -> tuple[str, ...]:
    """Paraphrases as templates; those that call the subject otherwise stay as they are, empty ones go."""
    made = []
    for paraphrase in (text.strip() for text in paraphrases):
        if paraphrase:
            holds = "{}" in paraphrase or subject in paraphrase
            made.append(templated(paraphrase, subject) if holds else paraphrase)
    return tuple(dict.fromkeys(made))


def sifted(found: Sequence[Found]) -> tuple[tuple[Fact, ...], list[str]]:
    """The facts that can be used, in order, and what was left out with the reason.

    Of facts that say the same the first stays; of edits that contradict each other none, and nothing is to stay as it
    is that is edited elsewhere. What was left out takes its neighbours along.
    """
    wishes: defaultdict[str, dict[str, str]] = defaultdict(dict)
    ids = {one.fact.id for one in found}
    for one in found:
        if one.fact.group is Group.EDITED and one.fact.new_answer:
            wishes[_asked(one.fact)].setdefault(one.fact.new_answer, one.where)
    kept: list[Fact] = []
    problems: list[str] = []
    seen: dict[object, str] = {}
    gone: dict[str | None, str] = {}
    for one in found:
        fact = one.fact
        if fact.neighbour_of in gone:
            if one.where != gone[fact.neighbour_of]:
                problems.append(f"{one.where} is the neighbour of '{fact.neighbour_of}', which was left out.")
            continue
        reason = _reason(fact)
        wished = wishes.get(_asked(fact), {})
        if not reason and len(wished) > 1 and fact.group is Group.EDITED:
            answers = " or ".join(f"'{answer}' ({where.lower()})" for answer, where in wished.items())
            reason = f"contradicts another edit: '{fact.prompt}' is to become {answers}. None of them is used"
        if not reason and fact.group is Group.CONTROL and wished:
            reason = f"is a control, but the same fact is edited ({next(iter(wished.values())).lower()})"
        other = next((answer for answer in wished if answer != fact.true_answer), None)
        if not reason and fact.group is Group.NEIGHBOURS and other:
            where = wished[other].lower()
            reason = f"asks as a neighbour what is edited elsewhere: '{fact.prompt}' is to become '{other}' ({where})"
        if not reason and fact.neighbour_of is not None and fact.neighbour_of not in ids:
            reason = f"is the neighbour of '{fact.neighbour_of}', which is not on the sheet"
        # One prompt may well be the neighbour of several edits, with another answer to hold against for each.
        same = (fact.subject, fact.template, fact.neighbour_of)
        for key in (fact.id, same):
            if not reason and key in seen:
                reason = f"repeats {seen[key].lower()}" if key is same else f"has the same id as {seen[key].lower()}"
        if reason:
            problems.append(f"{one.where} {reason}.")
            if fact.group is Group.EDITED and seen.get(fact.id) is None:
                gone[fact.id] = one.where
            continue
        seen[fact.id] = seen[same] = one.where
        kept.append(fact)
    return tuple(kept), problems


def _asked(fact: Fact) -> str:
    """What a prompt asks, however it is spaced, capitalised and ended."""
    return " ".join(fact.prompt.casefold().split()).rstrip(" .,:;?!…")


def _reason(fact: Fact) -> str:
    texts = (fact.id, fact.subject, *fact.wordings, fact.true_answer, fact.new_answer, fact.neighbour_of)
    if not all(is_whole(text) for text in texts if text):
        return "holds half of a character, as '\\ud800' is one in JSON"
    if not fact.template.strip():
        return "has no prompt"
    if not fact.subject and fact.group is not Group.NEIGHBOURS:
        return "names no subject"
    if fact.subject and "{}" not in fact.template:
        return f"has a prompt that doesn't contain its subject: '{fact.subject}' is not in '{fact.template}'"
    if not fact.true_answer:
        return "has no true answer"
    if fact.group is Group.EDITED and not fact.new_answer:
        return "is to be edited, but has no new answer"
    if fact.group is Group.EDITED and fact.new_answer == fact.true_answer:
        return f"is to be edited, but the new answer is the true one: '{fact.true_answer}'"
    return ""
