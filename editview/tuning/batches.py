"""Training examples as token batches: cut, padded on the right, with only the answers trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from editview.domain.errors import EditViewError
from editview.domain.examples import Example
from editview.domain.progress import Progress

IGNORED = -100
"""Label of a position that is not trained on."""

_AT_ONCE = 32  # texts tokenised in one call: the call holds Python's lock, and the window wants it back


@dataclass(frozen=True, slots=True)
class Row:
    """One tokenised example; tokens from `answer_at` on are trained on."""

    tokens: list[int]
    answer_at: int


def tokenised(
    tokenizer: PreTrainedTokenizerBase, examples: Sequence[Example], max_length: int, progress: Progress
) -> list[Row]:
    """Rows of at most `max_length` tokens, those left out that have nothing to train on after the cut.

    An example ends with the tokenizer's end-of-text token unless it was cut.
    Raises EditViewError when no row is left.
    """
    rows: list[Row] = []
    for at in range(0, len(examples), _AT_ONCE):
        progress(at, len(examples), "Preparing the training data")
        texts = [_text(tokenizer, example) for example in examples[at : at + _AT_ONCE]]
        for templated, group in groupby(texts, key=lambda text: text.templated):
            rows += _rows(tokenizer, list(group), max_length, templated)
    rows = [row for row in rows if len(row.tokens) > max(row.answer_at, 1)]  # a text's first token is never predicted
    if not rows:
        raise EditViewError(
            f"The training data leaves nothing to train on: every answer is empty or begins after the first "
            f"{max_length:,} tokens. Choose other data, or allow longer examples."
        )
    return rows


@dataclass(frozen=True, slots=True)
class _Text:
    whole: str
    answer_at: int  # in characters
    templated: bool  # the tokenizer's own chat template has put every special token in already


def _text(tokenizer: PreTrainedTokenizerBase, example: Example) -> _Text:
    if not example.conversation:
        return _Text(example.prompt + example.completion, len(example.prompt), False)
    turns = [{"role": turn.role, "content": turn.content} for turn in example.conversation]
    answer = {"role": "assistant", "content": example.completion}
    if tokenizer.chat_template is None:
        before = "".join(f"{turn['role']}: {turn['content']}\n" for turn in turns) + "assistant: "
        return _Text(before + example.completion, len(before), False)
    before = str(tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True))
    whole = str(tokenizer.apply_chat_template([*turns, answer], tokenize=False))
    if not whole.startswith(before):  # templates that rewrite what came before
        whole = before + example.completion
    return _Text(whole, len(before), True)


def _rows(tokenizer: PreTrainedTokenizerBase, texts: list[_Text], max_length: int, templated: bool) -> list[Row]:
    encoded = tokenizer(
        [text.whole for text in texts],
        add_special_tokens=not templated,
        return_offsets_mapping=True,
        return_attention_mask=False,
        verbose=False,
    )
    end, rows = tokenizer.eos_token_id, []
    for text, tokens, offsets in zip(texts, encoded["input_ids"], encoded["offset_mapping"], strict=True):
        answer_at = next((i for i, (_, stop) in enumerate(offsets) if stop > text.answer_at), len(tokens))
        if end is not None and not templated and tokens and tokens[-1] != end:
            tokens = [*tokens, end]
        rows.append(Row(tokens[:max_length], answer_at))
    return rows


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
