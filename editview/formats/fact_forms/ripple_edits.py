"""RippleEdits (Cohen et al. 2023): an edit as one finished sentence, and tests of what follows from it.

Neither subject nor answer of the edit is a field of its own. Both are found by their Wikidata ids among the answers of
the tests, or else from the sentence, which follows one of the authors' patterns ('The name of the mother of … is …'),
and checked against the other sentences on the same subject or on the old fact. Where that can't be done, the record is
left out: an edit of the wrong words would be worse than none.

`Relation_Specificity` (in the authors' README `Relation_Specifity`) and `Forgetfulness` must stay as they are.
`Subject_Aliasing` asks the same fact by another name of the subject: paraphrases. `Logical_Generalization` and
`Compositionality_I`, `_II` ask other facts that follow from the edit, and are left out. `condition_queries`, what the
model has to know before a test means anything, are measured here anyway: neighbours are asked before the edit, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

from editview.domain.facts import Fact, Group
from editview.formats.fact_forms.fields import (
    Asked,
    Read,
    Record,
    answer_but,
    answers,
    name_of,
    neighbours,
    records_in,
    text,
)
from editview.formats.oddities import Odd, folded, templated, worded

_SPECIFICITY = ("Relation_Specificity", "Relation_Specifity")
_FORGETFULNESS = ("Forgetfulness",)
_ALIASING = ("Subject_Aliasing",)
_REST = ("Logical_Generalization", "Compositionality_I", "Compositionality_II")

_LINKS = {"FOLLOWS": (" follows ",), "FOLLOWED_BY": (" is followed by ",)}
_USUAL_LINKS = (" is ", " are ")
_BEFORE = {"of", "which", "in", "by", "award", "children"}
"""The last word of a sentence's pattern before the subject, which ends where `_AFTER` begins."""
_AFTER = re.compile(
    r"( is associated with| is part of| is a member of| is the capital of| won| has| plays in)? (is|are)$"
)


def fits(record: Record) -> bool:
    edit = record.get("edit")
    return isinstance(edit, dict) and "prompt" in edit


def read(record: Record, number: str) -> Read:
    """An edit with its wordings by other names of the subject, then its neighbours."""
    edit, name = record["edit"], name_of(record, number)
    statement = text(edit, "prompt")
    original = edit.get("original_fact")
    before = text(original, "prompt") if isinstance(original, dict) else ""
    labels = _labels(record, (edit.get("subject_id"), edit.get("target_id")))
    stem, new = _parted(statement, before, labels.get(str(edit.get("target_id"))), str(edit.get("relation")))
    true = _without_stop(before[len(stem) :].strip()) if before.startswith(stem + " ") else ""
    subject = _subject(record, edit, stem, labels.get(str(edit.get("subject_id"))))
    same = [
        text(query, "prompt", needed=False)
        for query in _queries(record, _ALIASING)
        if folded(new) in map(folded, answers(query.get("answers")))
    ]
    yield Fact(name, Group.EDITED, subject, templated(stem, subject), true, new, worded(same, subject))
    yield from neighbours(name, _locality(record, new))


def _locality(record: Record, new: str) -> Iterator[Asked]:
    for kinds, other in ((_SPECIFICITY, None), (_FORGETFULNESS, new)):
        for query in _queries(record, kinds):
            yield Asked(text(query, "prompt", needed=False), answer_but(query.get("answers"), other or ""), other)


def _queries(record: Record, kinds: tuple[str, ...], part: str = "test_queries") -> Iterator[Record]:
    for kind in kinds:
        for test in records_in(record, kind):
            yield from records_in(test, part)


def _all_queries(record: Record) -> Iterator[Record]:
    kinds = (*_ALIASING, *_REST, *_SPECIFICITY, *_FORGETFULNESS)
    return chain(_queries(record, kinds), _queries(record, kinds, "condition_queries"))


def _labels(record: Record, wanted: tuple[object, ...]) -> dict[str, str]:
    """What the answers of the tests call these Wikidata ids."""
    found: dict[str, str] = {}
    ids = {str(one) for one in wanted if one is not None}
    for query in _all_queries(record):
        targets = query.get("second_hop_target_ids" if query.get("query_type") == "two_hop" else "target_ids")
        said = query.get("answers")
        if not isinstance(said, list):
            continue
        for target, one in zip(targets if isinstance(targets, list) else [targets], said, strict=False):
            if str(target) in ids and (label := "".join(answers(one)[:1])):
                found.setdefault(str(target), label)
        if len(found) == len(ids):
            break
    return found


def _parted(statement: str, before: str, label: str | None, relation: str) -> tuple[str, str]:
    """The edit's sentence as what asks and what is answered.

    Without the answer's name it begins behind the last 'is' or 'are' where the sentence of the old fact agrees.
    """
    said = _without_stop(statement)
    if label and said.endswith(f" {label}"):
        return said[: -len(label)].rstrip(), label
    for link in _LINKS.get(relation, _USUAL_LINKS):
        end = len(said)
        while (at := said.rfind(link, 0, end)) >= 0:
            stem, new = said[: at + len(link) - 1], said[at + len(link) :].strip()
            if new and (not before or before.startswith(f"{stem} ")):
                return stem, new
            end = at + len(link) - 1
    raise Odd(f"doesn't say where the answer begins in '{statement}'")


def _subject(record: Record, edit: Record, stem: str, label: str | None) -> str:
    """The name of the edit's subject: from an answer, or what of the sentence is no pattern."""
    if label and label in stem:
        return label
    for link in _LINKS.get(str(edit.get("relation")), ()):
        if stem.endswith(link.rstrip()):
            return stem.removesuffix(link.rstrip())
    words = _AFTER.sub("", stem).split()
    start = next((at for at, word in enumerate(words) if at and _is_of_a_name(word)), 0)
    while start and words[start - 1] not in _BEFORE:
        start -= 1
    name = " ".join(words[start:]) if start else ""
    about = edit.get("subject_id")
    prompts = (
        text(query, "prompt", needed=False)
        for query in _all_queries(record)
        if about is not None and query.get("subject_id") == about
        and query.get("query_type") != "two_hop" and not query.get("phrase")
    )  # fmt: skip
    if not name or not all(f" {name} " in f" {prompt} " for prompt in prompts):
        raise Odd(f"doesn't say which words of '{stem}' are its subject")
    return name


def _is_of_a_name(word: str) -> bool:
    """The patterns are written small."""
    return word != word.lower() or not word.isalpha() or not word.isascii()


def _without_stop(sentence: str) -> str:
    return sentence.removesuffix(".").rstrip()
