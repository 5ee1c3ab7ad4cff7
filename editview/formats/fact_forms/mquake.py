"""MQuAKE (Zhong et al. 2023): one record asks for several edits, which together change the answer to its questions.

The three `questions` are no paraphrases: each has several hops and asks a consequence of the edits, another fact. They
are left out, and so are the answers to them and the `single_hops` that lead there. A rewrite's own `question` asks the
same fact as its prompt, so that is a paraphrase.
"""

from __future__ import annotations

from editview.domain.facts import Fact, Group
from editview.domain.left_out import Why
from editview.formats.fact_forms.fields import Read, Record, answer, name_of, text
from editview.formats.oddities import Odd, templated, worded


def fits(record: Record) -> bool:
    return isinstance(record.get("requested_rewrite"), list)


def read(record: Record, number: str) -> Read:
    """An edit for each rewrite, with its question as a paraphrase."""
    rewrites = record["requested_rewrite"]
    if not rewrites:
        raise Odd("asks for no edit: its 'requested_rewrite' is empty")
    name = name_of(record, number)
    for i, rewrite in enumerate(rewrites, start=1):
        try:
            yield _edit(rewrite, name if len(rewrites) == 1 else f"{name}-{i}")
        except Odd as odd:
            if len(rewrites) == 1:
                raise
            yield Odd(f"{odd} (its edit {i})", Why.PART)


def _edit(rewrite: object, name: str) -> Fact:
    if not isinstance(rewrite, dict):
        raise Odd("has a rewrite that is no object with named fields")
    subject = text(rewrite, "subject")
    new, true = answer(rewrite, "target_new"), answer(rewrite, "target_true")
    template = templated(text(rewrite, "prompt"), subject)
    paraphrases = worded([text(rewrite, "question", needed=False)], subject)
    return Fact(name, Group.EDITED, subject, template, true, new, paraphrases)
