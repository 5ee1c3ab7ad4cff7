"""Facts from JSON records: EditView's own form, and CounterFact's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from editview.domain.facts import Fact, Group
from editview.formats.oddities import Odd, templated, worded

Reader = Callable[[dict[str, Any], str], Iterator[Fact]]


def reader_of(record: Any) -> Reader | None:
    """What reads records like this one; None: nothing does."""
    if not isinstance(record, dict):
        return None
    if isinstance(record.get("requested_rewrite"), dict):
        return counterfact
    return own if "template" in record or "group" in record else None


def own(record: dict[str, Any], number: str) -> Iterator[Fact]:
    """id, group, subject, template, true_answer, new_answer, paraphrases, neighbour_of, as `Fact` has them."""
    group = record.get("group", Group.EDITED.value)
    if group not in list(Group):
        raise Odd(f"is of the group '{group}', which is none of {', '.join(Group)}")
    subject = _text(record, "subject", needed=group != Group.NEIGHBOURS)
    template = _text(record, "template")
    yield Fact(
        id=_text(record, "id", needed=False) or f"fact-{number}",
        group=Group(group),
        subject=subject,
        template=templated(template, subject) if subject else template,
        true_answer=_text(record, "true_answer"),
        new_answer=_text(record, "new_answer", needed=False) or None,
        paraphrases=worded(_texts(record, "paraphrases"), subject),
        neighbour_of=_text(record, "neighbour_of", needed=False) or None,
    )


def counterfact(record: dict[str, Any], number: str) -> Iterator[Fact]:
    """An edit with its paraphrases, then its neighbours, whose true answer is the edit's old one (Meng et al. 2022).

    Neighbourhood prompts come without their subject; the edit's new answer is what to hold against theirs.
    """
    rewrite = record["requested_rewrite"]
    name = str(record.get("case_id", f"fact-{number}"))
    subject = _text(rewrite, "subject")
    new, true = _answer(rewrite, "target_new"), _answer(rewrite, "target_true")
    template = templated(_text(rewrite, "prompt"), subject)
    paraphrases = worded(_texts(record, "paraphrase_prompts"), subject)
    yield Fact(name, Group.EDITED, subject, template, true, new, paraphrases)
    for i, prompt in enumerate(dict.fromkeys(_texts(record, "neighborhood_prompts")), start=1):
        yield Fact(f"{name}/neighbour-{i}", Group.NEIGHBOURS, "", prompt, true, new, (), name)


def _answer(record: dict[str, Any], name: str) -> str:
    """{'str': ...}, or the text itself."""
    value = record.get(name)
    return _text(value, "str") if isinstance(value, dict) else _text(record, name)


def _text(record: dict[str, Any], name: str, needed: bool = True) -> str:
    value = record.get(name)
    if value is None and not needed:
        return ""
    if not isinstance(value, str):
        raise Odd(f"has no '{name}'" if value is None else f"has a '{name}' that is no text")
    if needed and not value.strip():
        raise Odd(f"has an empty '{name}'")
    return value.strip()


def _texts(record: dict[str, Any], name: str) -> list[str]:
    value = record.get(name) or []
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise Odd(f"has a '{name}' that is no list of texts")
    return [text.strip() for text in value if text.strip()]
