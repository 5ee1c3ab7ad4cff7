"""KnowEdit (Zhang et al. 2024) and EasyEdit's own files.

wiki_recent, wiki_counterfact and ZsRE say `subject, prompt, target_new`, WikiBio says `concept, text, labels`; what is
beside the edit is nested as it came. wiki_recent and WikiBio name no old answer.

Of `portability`, `Subject_Aliasing` asks the same fact by another name of the subject: a paraphrase. `Reasoning` and
`Logical_Generalization` ask other facts that follow from the edit, and are left out. All of `locality` must stay as it
is. `Forgetfulness` asks for another answer than the new one, so that one is held against it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from editview.domain.facts import Fact, Group
from editview.formats.fact_forms import zsre
from editview.formats.fact_forms.fields import Asked, Read, Record, answer_but, answers, name_of, neighbours, text
from editview.formats.oddities import Odd, folded, templated, worded

_NAMES = (("subject", "prompt", "target_new"), ("concept", "text", "labels"))
_ALIASING, _FORGETFULNESS = "Subject_Aliasing", "Forgetfulness"


def fits(record: Record) -> bool:
    return any(prompt in record and new in record for _, prompt, new in _NAMES)


def read(record: Record, number: str) -> Read:
    """An edit with its rephrasings and those by other names of its subject, then its neighbours."""
    name = name_of(record, number)
    subject, prompt, target = (_either(record, fields) for fields in zip(*_NAMES, strict=True))
    new = _first(record.get(target))
    if not new:
        raise Odd(f"has no '{target}', or an empty one")
    subject = text(record, subject)
    template = templated(text(record, prompt), subject)
    same = answers(record.get("rephrase_prompt")) + answers(record.get("rephrase"))
    for _, entry in _entries(record, "portability", _ALIASING):
        if folded(new) in map(folded, answers(entry.get("ground_truth"))):
            same += answers(entry.get("prompt"))[:1]
    yield Fact(name, Group.EDITED, subject, template, _first(record.get("ground_truth")), new, worded(same, subject))
    yield from neighbours(name, _locality(record, new))


def _locality(record: Record, new: str) -> Iterator[Asked]:
    for kind, entry in _entries(record, "locality"):
        other = new if kind == _FORGETFULNESS else None
        yield Asked(_first(entry.get("prompt")), answer_but(entry.get("ground_truth"), other or ""), other)
    if record.get("locality_prompt") or record.get("locality_ground_truth"):  # CounterFact as EasyEdit flattens it
        yield Asked(_first(record.get("locality_prompt")), _first(record.get("locality_ground_truth")), new)
    yield from zsre.loc(record)


def _entries(record: Record, name: str, only: str = "") -> Iterator[tuple[str, Record]]:
    """`{kind: [entry, …]}`, where a kind that has none may be missing, null or empty."""
    kinds = record.get(name) or {}
    if not isinstance(kinds, dict):
        raise Odd(f"has a '{name}' that is no object with named fields")
    for kind, entries in kinds.items():
        if only and kind != only:
            continue
        waiting = [entries]
        while waiting:
            entry = waiting.pop()
            if isinstance(entry, list):
                waiting += reversed(entry)
            elif isinstance(entry, dict):
                yield kind, entry
            elif entry is not None:
                raise Odd(f"has a '{kind}' that is no list of prompts with their answers")


def _either(record: Record, names: tuple[str, ...]) -> str:
    """The name under which a record has this field; the first where it has none."""
    return next((name for name in names if name in record), names[0])


def _first(value: Any) -> str:
    return next(iter(answers(value)), "")
