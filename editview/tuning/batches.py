"""Training examples as token batches: cut, padded on the right or packed, with only what is to be learnt trained on."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from editview.domain.errors import EditViewError
from editview.domain.examples import Example
from editview.domain.left_out import LeftOut, Why
from editview.domain.operations.tuning import TrainOn
from editview.domain.progress import Progress

IGNORED = -100
"""Label of a position that is not trained on."""

_AT_ONCE, _LETTERS_AT_ONCE = 32, 100_000
"""Texts, or characters, tokenised in one call: it holds Python's lock, and the window wants it back."""

_LONGEST_TOKEN = 256  # characters, on the average of a row: what lies beyond that need not be tokenised to be cut
_MARK = "\ufffc"  # stands for an answer, to find its place


@dataclass(frozen=True, slots=True)
class Row:
    """One tokenised example; tokens from `answer_at` on are trained on."""

    tokens: list[int]
    answer_at: int
    cut: bool = False
    line: int = 0  # of the file it comes from


class Rows:
    """Tokenised examples, held in a few flat arrays: a hundred thousand of them as lists would take gigabytes."""

    def __init__(self) -> None:
        self.left_out: list[LeftOut] = []
        self._tokens = array("i")
        self._starts = array("q", [0])
        self._answers_at, self._lines, self._cut = array("i"), array("i"), array("b")

    def append(self, row: Row) -> None:
        self._tokens.extend(row.tokens)
        self._starts.append(len(self._tokens))
        self._answers_at.append(row.answer_at)
        self._lines.append(row.line)
        self._cut.append(row.cut)

    @property
    def tokens(self) -> int:
        return len(self._tokens)

    @property
    def learnt(self) -> int:
        """Tokens that are trained on; a text's first one is never predicted."""
        return len(self._tokens) - sum(max(at, 1) for at in self._answers_at)

    @property
    def cut(self) -> int:
        """Rows that were cut."""
        return sum(self._cut)

    def length(self, at: int) -> int:
        """Tokens of one row."""
        return self._starts[at + 1] - self._starts[at]

    def __len__(self) -> int:
        return len(self._answers_at)

    def __getitem__(self, at: int) -> Row:
        tokens = self._tokens[self._starts[at] : self._starts[at + 1]].tolist()
        return Row(tokens, self._answers_at[at], bool(self._cut[at]), self._lines[at])

    def __iter__(self) -> Iterator[Row]:
        return map(self.__getitem__, range(len(self)))


def row_length(config: Any, max_length: int) -> int:
    """Tokens that a row may have: as many as are asked for, and as the model reads."""
    return min(max_length, getattr(config.get_text_config(), "max_position_embeddings", None) or max_length)


def tokenised(
    tokenizer: PreTrainedTokenizerBase,
    examples: Sequence[Example],
    max_length: int,
    progress: Progress,
    train_on: TrainOn = "answers",
) -> Rows:
    """Rows of at most `max_length` tokens, those left out that have nothing to train on after the cut.

    An example ends with the tokenizer's end-of-text token unless it was cut.
    Raises EditViewError when no row is left.
    """
    rows = Rows()
    for at, portion in _portions(examples):
        progress(at, len(examples), "Preparing the training data")
        texts = []
        for example in portion:
            try:
                texts.append(_text(tokenizer, example))
            except Exception as error:  # a chat template is a program of the checkpoint's
                rows.left_out.append(LeftOut(example.where, Why.REFUSED, f"doesn't suit the chat template: {error}"))
        for templated, group in groupby(texts, key=lambda text: text.templated):
            for row in _rows(tokenizer, list(group), max_length, templated, train_on):
                _take(row, rows, max_length)
    if not rows:
        told = f" {rows.left_out[0]}" if rows.left_out else ""
        raise EditViewError(
            f"The training data leaves nothing to train on.{told} Choose other data, or allow longer examples.",
            "\n".join(map(str, rows.left_out)),
        )
    return rows


def _portions(examples: Sequence[Example]) -> Iterator[tuple[int, Sequence[Example]]]:
    """Some examples at a time, fewer where they are long, and the place of the first of them."""
    start = letters = 0
    for at, example in enumerate(examples, start=1):
        letters += example.letters
        if at - start == _AT_ONCE or letters >= _LETTERS_AT_ONCE or at == len(examples):
            yield start, examples[start:at]
            start, letters = at, 0


def _take(row: Row, rows: Rows, max_length: int) -> None:
    """Take a row that has something to learn; a text's first token is never predicted."""
    if len(row.tokens) > max(row.answer_at, 1):
        rows.append(row)
        return
    where = Example("", line=row.line).where
    late = f"has nothing to learn within the first {max_length:,} tokens" if row.cut else "has nothing to learn"
    rows.left_out.append(LeftOut(where, Why.CUT, late))


@dataclass(frozen=True, slots=True)
class _Text:
    whole: str
    answer_at: int  # in characters
    templated: bool  # the tokenizer's own chat template has put every special token in already
    line: int


def _text(tokenizer: PreTrainedTokenizerBase, example: Example) -> _Text:
    if not example.conversation:
        return _Text(example.prompt + example.completion, len(example.prompt), False, example.line)
    turns = [{"role": turn.role, "content": turn.content} for turn in example.conversation]
    if tokenizer.chat_template is None:
        before = "".join(f"{turn['role']}: {turn['content']}\n" for turn in turns) + "assistant: "
        return _Text(before + example.completion, len(before), False, example.line)
    answer = {"role": "assistant", "content": example.completion}
    before = str(tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True))
    whole = str(tokenizer.apply_chat_template([*turns, answer], tokenize=False))
    at = len(before)
    if not whole.startswith(before):  # it opens an answer that is still to come otherwise, or rewrites what came before
        marked = str(tokenizer.apply_chat_template([*turns, answer | {"content": _MARK}], tokenize=False))
        at = marked.find(_MARK)
        if at < 0 or marked[:at] != whole[:at]:
            raise ValueError("it can't be told where the answer begins")
    return _Text(whole, at, True, example.line)


def _rows(
    tokenizer: PreTrainedTokenizerBase, texts: list[_Text], max_length: int, templated: bool, train_on: TrainOn
) -> Iterator[Row]:
    reach = max_length * _LONGEST_TOKEN
    encoded = tokenizer(
        [text.whole[:reach] for text in texts],
        add_special_tokens=not templated,
        return_attention_mask=False,
        verbose=False,
    )
    begin, end = tokenizer.bos_token_id, tokenizer.eos_token_id
    for place, (text, tokens) in enumerate(zip(texts, encoded["input_ids"], strict=True)):
        answer_at = 0
        if train_on == "answers" and text.answer_at:
            letters = range(text.answer_at, min(len(text.whole), reach))  # some tokenizers leave spaces out
            found = (encoded.char_to_token(place, letter) for letter in letters)
            answer_at = next((at for at in found if at is not None), len(tokens))
        if begin is not None and tokens[:2] == [begin, begin]:  # the text brought its own
            tokens, answer_at = tokens[1:], max(answer_at - 1, 0)
        if end is not None and not templated and tokens and tokens[-1] != end:
            tokens = [*tokens, end]
        yield Row(tokens[:max_length], answer_at, len(tokens) > max_length, text.line)


def batch(rows: Sequence[Row], padding: int) -> dict[str, Tensor]:
    """input_ids, attention_mask and labels, each [batch, longest row]; labels are IGNORED on prompts and padding."""
    longest = max(len(row.tokens) for row in rows)
    ids = torch.full((len(rows), longest), padding)
    mask = torch.zeros_like(ids)
    labels = torch.full_like(ids, IGNORED)
    for i, row in enumerate(rows):
        length = len(row.tokens)
        ids[i, :length] = torch.tensor(row.tokens)
        mask[i, :length] = 1
        labels[i, row.answer_at : length] = ids[i, row.answer_at : length]
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}
