"""Text to tokens, one way for all: prompts, answers after a prompt, and where a subject ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from editview.domain.errors import EditViewError
from editview.domain.facts import Fact

TEXTS = 64  # given to the tokenizer at once: it lets nothing else run meanwhile


def encode(tokenizer: Any, text: str) -> list[int]:
    """The tokens of a text with what the tokenizer puts in front (BOS), but no end-of-text behind it."""
    return encode_all(tokenizer, [text])[0]


def encode_all(tokenizer: Any, texts: Sequence[str]) -> list[list[int]]:
    """The tokens of each text."""
    rows = tokenizer(list(texts))["input_ids"] if texts else []
    return [_without_end(tokenizer, text, ids) for text, ids in zip(texts, rows, strict=True)]


def _without_end(tokenizer: Any, text: str, ids: Sequence[int]) -> list[int]:
    """Its tokens without the end-of-text that some tokenizers put behind a text."""
    added = len(ids) > 1 and ids[-1] == tokenizer.eos_token_id and not text.endswith(tokenizer.eos_token)
    return list(ids[:-1] if added else ids)


def answered(tokenizer: Any, pairs: Sequence[tuple[str, str]]) -> list[tuple[list[int], list[int]]]:
    """For each prompt and answer the prompt's tokens and those that the answer adds.

    One space stands between them and the whole is tokenised at once, as the literature scores answers.
    """
    found = []
    spaced = [answer if answer.startswith(" ") else f" {answer}" for _, answer in pairs]
    before = encode_all(tokenizer, [prompt for prompt, _ in pairs])
    whole = encode_all(tokenizer, [prompt + answer for (prompt, _), answer in zip(pairs, spaced, strict=True)])
    for prompt, both, answer in zip(before, whole, spaced, strict=True):
        added = both[len(prompt) :]
        if both[: len(prompt)] != prompt or not added:
            added = list(tokenizer(answer, add_special_tokens=False)["input_ids"])
        found.append((prompt, added))
    return found


def subject_end(fact: Fact, template: str) -> int:
    """Where the subject ends in `template` with the subject filled in, in characters.

    Raises EditViewError naming the fact when the subject isn't there.
    """
    if fact.subject and "{}" in template:
        return template.rindex("{}") + len(fact.subject) * template.count("{}") - 2 * (template.count("{}") - 1)
    found = template.rfind(fact.subject) if fact.subject else -1
    if found < 0:
        raise EditViewError(
            f"The prompt of the fact '{fact.id}' doesn't contain its subject, so it can't be edited: "
            f"'{template}' without '{fact.subject}'. Put the subject, or {{}}, into the prompt."
        )
    return found + len(fact.subject)


def encoded_at(tokenizer: Any, texts: Sequence[tuple[str, int]]) -> list[tuple[list[int], int]]:
    """The tokens of each text and the index of the one that holds the last character before its `end`."""
    found: list[tuple[list[int], int]] = []
    for first in range(0, len(texts), TEXTS):
        part = texts[first : first + TEXTS]
        if not getattr(tokenizer, "is_fast", False):
            found += [(encode(tokenizer, text), last_token_before(tokenizer, text, end)) for text, end in part]
            continue
        read = tokenizer([text for text, _ in part], return_offsets_mapping=True)
        for ids, spans, (text, end) in zip(read["input_ids"], read["offset_mapping"], part, strict=True):
            holding = [index for index, (start, stop) in enumerate(spans) if start < end <= stop]
            at = holding[-1] if holding else last_token_before(tokenizer, text, end)
            found.append((_without_end(tokenizer, text, ids), at))
    return found


def last_token_before(tokenizer: Any, text: str, end: int) -> int:
    """The index of the token that holds the last character before `end`, in the tokens of the whole text.

    Special tokens in front are counted. Slow tokenizers tell no offsets; there the tokens are decoded until the text
    up to `end` is covered.
    """
    if getattr(tokenizer, "is_fast", False):
        offsets = tokenizer(text, return_offsets_mapping=True)["offset_mapping"]
        holding = [index for index, (start, stop) in enumerate(offsets) if start < end <= stop]
        if holding:
            return holding[-1]
    ids = encode(tokenizer, text)
    wanted = "".join(text[:end].split())
    for index in range(len(ids)):
        said = tokenizer.decode(ids[: index + 1], skip_special_tokens=True, clean_up_tokenization_spaces=False)
        if len("".join(said.split())) >= len(wanted) and "\ufffd" not in said[-1:]:
            return index
    raise EditViewError(f"The tokenizer loses part of the text '{text}', so the subject can't be found in it.")


def subject_tokens(tokenizer: Any, text: str, start: int, end: int) -> range:
    """The tokens of the whole text that hold its characters from `start` to `end`; counted as `last_token_before`."""
    last = last_token_before(tokenizer, text, end)
    before = text[:start].rstrip()
    if before:
        first = last_token_before(tokenizer, text, len(before)) + 1
    else:  # what the tokenizer puts in front of every text
        first = len(encode(tokenizer, text)) - len(tokenizer(text, add_special_tokens=False)["input_ids"])
    return range(min(first, last), last + 1)
