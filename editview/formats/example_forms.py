"""The forms in which people write training examples: a record of JSON → the examples that it makes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from editview.domain.examples import Example, Turn
from editview.formats.oddities import Odd
from editview.formats.texts import is_whole

_FORMS = "'text', 'prompt' and 'completion', 'instruction' and 'output', or 'messages'"


def examples_of(record: Any, line: int, whole: bool) -> Iterator[Example]:
    """A record holds `text`; `prompt` and `completion`; `instruction`, `input` and `output` (Alpaca); or `messages`.

    Every answer in `messages` of `role` and `content` makes an example, with what comes before it; with `whole`, the
    last one alone does. Raises Odd for a record that can't be used.
    """
    if not isinstance(record, dict):
        raise Odd("is no object with named fields")
    if "messages" in record:
        yield from _conversation(record["messages"], line, whole)
    elif "instruction" in record:
        question, answer = _text(record, "instruction"), _text(record, "output")
        extra = _text(record, "input") if str(record.get("input") or "").strip() else ""
        about = f"### Input:\n{extra}\n\n" if extra else ""
        yield Example(answer, f"### Instruction:\n{question}\n\n{about}### Response:\n", line=line)
    elif "prompt" in record:
        prompt, answer = _text(record, "prompt"), _text(record, "completion")
        apart = "" if prompt[-1].isspace() or answer[0].isspace() else " "
        yield Example(apart + answer, prompt, line=line)
    elif "text" in record:
        yield Example(_text(record, "text"), line=line)
    else:
        raise Odd(f"has none of {_FORMS}")


def _conversation(messages: Any, line: int, whole: bool) -> Iterator[Example]:
    if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
        raise Odd("has 'messages' that are no list of messages")
    turns = [Turn(_text(message, "role"), _text(message, "content")) for message in messages]
    answers = [at for at, turn in enumerate(turns) if turn.role == "assistant" and at > 0]
    if not answers:
        raise Odd("has no message that is an answer of the 'assistant'")
    for at in answers[-1:] if whole else answers:
        yield Example(turns[at].content, conversation=tuple(turns[:at]), line=line)


def _text(record: dict[str, Any], name: str) -> str:
    value = record.get(name)
    if value is None:
        raise Odd(f"has no '{name}'")
    if not isinstance(value, str):
        raise Odd(f"has a '{name}' that is no text")
    if not value.strip():
        raise Odd(f"has an empty '{name}'")
    if not is_whole(value):
        raise Odd(f"holds half of a character in '{name}'")
    return value
