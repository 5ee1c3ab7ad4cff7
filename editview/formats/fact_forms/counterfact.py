"""CounterFact (Meng et al. 2022, ROME) and multi-CounterFact (MEMIT).

`attribute_prompts` and `generation_prompts` are left out: they ask nothing that has one right answer.
"""

from __future__ import annotations

from editview.domain.facts import Fact, Group
from editview.formats.fact_forms.fields import Asked, Read, Record, answer, name_of, neighbours, text, texts
from editview.formats.oddities import templated, worded


def fits(record: Record) -> bool:
    return isinstance(record.get("requested_rewrite"), dict)


def read(record: Record, number: str) -> Read:
    """An edit with its paraphrases, then its neighbours.

    The true answer of the neighbours is the edit's old one; the edit's new answer is what to hold against it.
    """
    rewrite = record["requested_rewrite"]
    name = name_of(record, number)
    subject = text(rewrite, "subject")
    new, true = answer(rewrite, "target_new"), answer(rewrite, "target_true")
    template = templated(text(rewrite, "prompt"), subject)
    paraphrases = worded(texts(record, "paraphrase_prompts"), subject)
    yield Fact(name, Group.EDITED, subject, template, true, new, paraphrases)
    yield from neighbours(name, (Asked(prompt, true, new) for prompt in texts(record, "neighborhood_prompts")))
