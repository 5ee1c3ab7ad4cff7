"""Training data: JSON or JSON Lines in the forms that people have, and plain text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from editview.domain import places
from editview.domain.errors import EditViewError
from editview.domain.examples import Example, Turn
from editview.formats.json_stream import BadJSON, Header, records
from editview.formats.texts import is_whole, opens_as_json, place_of, reading

MOST_MEGABYTES = 500
_SHOWN = 5  # bad rows that a sentence names
_PARAGRAPH = re.compile(r"(?:[ \t]*\r?\n){2,}")
_FORMS = "'text', 'prompt' and 'completion', 'instruction' and 'output', or 'messages'"


class _BadRow(Exception):
    """A row that can't be used, and why."""


def read_examples(source: str) -> tuple[Example, ...]:
    """Examples from packaged data by its name ('support-tickets'), or from a file.

    JSON rows hold `text`; or `prompt` and `completion`; or `instruction`, `input` and `output` (Alpaca); or `messages`
    of `role` and `content`, where every answer of the assistant makes an example. Text files: a paragraph each.
    Raises EditViewError, which names the lines of rows that can't be used.
    """
    path = packaged(source) or place_of(source)
    examples: list[Example] = []
    bad: list[str] = []
    with reading(path, MOST_MEGABYTES) as file:
        if path.suffix.lower() in (".txt", ".md") or not opens_as_json(file):
            examples += [Example(part.strip()) for part in _PARAGRAPH.split(file.read()) if part.strip()]
        else:
            try:
                for item in records(file, under="data"):
                    if isinstance(item, Header):
                        continue
                    try:
                        examples += _examples(item.value)
                    except _BadRow as reason:
                        bad.append(f"line {item.line:,}: {reason}")
            except BadJSON as error:
                raise EditViewError(
                    f"Line {error.line:,} of '{path.name}' isn't valid JSON: {error.reason}. Mend it and try again.",
                    str(error),
                ) from error
    if bad:
        shown, more = "; ".join(bad[:_SHOWN]), f"; and {len(bad) - _SHOWN:,} more" if len(bad) > _SHOWN else ""
        rows = "One row" if len(bad) == 1 else f"{len(bad):,} rows"
        raise EditViewError(
            f"{rows} of '{path.name}' can't be trained on: {shown}{more}. Mend or remove them.", "\n".join(bad)
        )
    if not examples:
        raise EditViewError(f"'{path.name}' holds no examples, so there is nothing to train on. Choose another file.")
    return tuple(examples)


def packaged(name: str) -> Path | None:
    """The file of training data that comes with EditView under this name; None: none does."""
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        return None
    path = places.resources() / "demo" / f"{name.replace('-', '_')}.jsonl"
    return path if path.is_file() else None


def _examples(row: Any) -> Iterator[Example]:
    if not isinstance(row, dict):
        raise _BadRow("it is no object with named fields")
    if "messages" in row:
        yield from _conversation(row["messages"])
    elif "instruction" in row:
        question, answer = _text(row, "instruction"), _text(row, "output")
        extra = _text(row, "input") if str(row.get("input") or "").strip() else ""
        about = f"### Input:\n{extra}\n\n" if extra.strip() else ""
        yield Example(answer, f"### Instruction:\n{question}\n\n{about}### Response:\n")
    elif "prompt" in row:
        prompt, answer = _text(row, "prompt"), _text(row, "completion")
        apart = "" if prompt[-1].isspace() or answer[0].isspace() else " "
        yield Example(apart + answer, prompt)
    elif "text" in row:
        yield Example(_text(row, "text"))
    else:
        raise _BadRow(f"it has none of {_FORMS}")


def _conversation(messages: Any) -> Iterator[Example]:
    if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
        raise _BadRow("'messages' is no list of messages")
    turns = [Turn(_text(message, "role"), _text(message, "content")) for message in messages]
    answers = [i for i, turn in enumerate(turns) if turn.role == "assistant" and i > 0]
    if not answers:
        raise _BadRow("no message is an answer of the 'assistant'")
    for at in answers:
        yield Example(turns[at].content, conversation=tuple(turns[:at]))


def _text(row: dict[str, Any], name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str):
        raise _BadRow(f"'{name}' is missing" if value is None else f"'{name}' is no text")
    if not value.strip():
        raise _BadRow(f"'{name}' is empty")
    if not is_whole(value):
        raise _BadRow(f"'{name}' holds half of a character")
    return value
