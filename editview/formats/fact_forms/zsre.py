"""zsRE in the form in which MEND's authors evaluate on it (Levy et al. 2017, Mitchell et al. 2022).

It holds two answers that can be the new one: `answers`, the right ones, of which the MEMIT family teaches the first,
and `alt`, a wrong one, which EasyEdit teaches. `pred` (what another model said) and `cond` (the other fields once more,
as 'pred >> alt || src') are left out.
"""

from __future__ import annotations

import re

from editview.domain.facts import Fact, Group
from editview.formats.fact_forms.fields import Asked, Read, Record, answers, name_of, neighbours, text
from editview.formats.oddities import Odd, templated, worded

RIGHT, WRONG = "answers", "alt"
SHOWN = ("subject", "src", RIGHT, WRONG)

_TASK = re.compile(r"^\s*nq question:\s*", re.IGNORECASE)


def fits(record: Record) -> bool:
    return "src" in record and (RIGHT in record or WRONG in record)


def read(record: Record, number: str, target_new: str) -> Read:
    """An edit whose new answer is the field `target_new`, with its rephrasing, then the question that is to stay.

    Against a wrong new answer the right one is held; against the right one nothing is, since what the model says
    instead isn't known.
    """
    name, subject = name_of(record, number), text(record, "subject")
    template = templated(text(record, "src"), subject)
    right = answers(record.get(RIGHT))
    if not right:
        raise Odd(f"has no '{RIGHT}', or empty ones")
    true, new = ("", right[0]) if target_new == RIGHT else (right[0], text(record, WRONG))
    paraphrases = worded([text(record, "rephrase", needed=False)], subject)
    yield Fact(name, Group.EDITED, subject, template, true, new, paraphrases)
    yield from neighbours(name, loc(record))


def loc(record: Record) -> list[Asked]:
    """The question of Natural Questions that comes with an edit, in plain words: without the mark that T5 was given."""
    if not record.get("loc") and not record.get("loc_ans"):
        return []
    question = _TASK.sub("", text(record, "loc", needed=False))
    if question and question[-1].isalnum():
        question += "?"
    return [Asked(question, "".join(answers(record.get("loc_ans"))[:1]))]
