"""EditView's own form: the fields of `Fact` under their names."""

from __future__ import annotations

from editview.domain.facts import Fact, Group
from editview.formats.fact_forms.fields import Read, Record, text, texts
from editview.formats.oddities import Odd, templated, worded


def fits(record: Record) -> bool:
    return "template" in record or "group" in record


def read(record: Record, number: str) -> Read:
    group = record.get("group", Group.EDITED.value)
    if group not in list(Group):
        raise Odd(f"is of the group '{group}', which is none of {', '.join(Group)}")
    subject = text(record, "subject", needed=group != Group.NEIGHBOURS)
    template = text(record, "template")
    yield Fact(
        id=text(record, "id", needed=False) or f"fact-{number}",
        group=Group(group),
        subject=subject,
        template=templated(template, subject) if subject else template,
        true_answer=text(record, "true_answer"),
        new_answer=text(record, "new_answer", needed=False) or None,
        paraphrases=worded(texts(record, "paraphrases"), subject),
        neighbour_of=text(record, "neighbour_of", needed=False) or None,
    )
