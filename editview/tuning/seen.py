"""Tokens in words: a tokenised example as a person can read it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from transformers import PreTrainedTokenizerBase

from editview.domain.training_preview import SeenExample
from editview.tuning.batches import Row

_PIECE = "\u2581"  # SentencePiece's sign for a space


def seen(tokenizer: PreTrainedTokenizerBase, row: Row) -> SeenExample:
    """A row's tokens as text; a text's first token is never predicted, so nothing is learnt of it."""
    special = set(tokenizer.all_special_ids)
    special |= {number for number, token in tokenizer.added_tokens_decoder.items() if token.special}
    return SeenExample(
        row.line,
        tuple(_words(tokenizer, row.tokens)),
        tuple(token in special for token in row.tokens),
        max(row.answer_at, 1),
        row.cut,
    )


def _words(tokenizer: PreTrainedTokenizerBase, tokens: Sequence[int]) -> Iterator[str]:
    for token, piece in zip(tokens, tokenizer.convert_ids_to_tokens(list(tokens)), strict=True):
        if _PIECE in piece:  # decoded alone, a piece would lose the space in front of it
            yield piece.replace(_PIECE, " ")
        else:
            yield str(tokenizer.decode([token], clean_up_tokenization_spaces=False)) or piece
