"""Reading many texts that begin alike, each common beginning once and nothing padded.

Texts are laid out as trees, several side by side in a row of the batch: a token sees its own beginning and nothing
else, by a mask of ancestors, and stands at the position it has in its text. The logits are those of reading each text
alone; a sheet of facts takes a third of the tokens.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from editview.lm.forward import head_only_at, run
from editview.lm.model import LanguageModel

WIDTH = 96  # tokens side by side; attention over them costs little beside the rest


@dataclass
class _Row:
    """One row of a batch: a forest of texts, parents before children."""

    tokens: list[int] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)  # -1: begins a text
    positions: list[int] = field(default_factory=list)
    places: dict[tuple[int, int], int] = field(default_factory=dict)  # (parent, token) to where it stands
    paths: dict[int, list[int]] = field(default_factory=dict)  # by text: where its tokens stand

    def add(self, text: int, tokens: Sequence[int]) -> None:
        at, path = -1, []
        for position, token in enumerate(tokens):
            place = self.places.setdefault((at, token), len(self.tokens))
            if place == len(self.tokens):
                self.tokens.append(token)
                self.parents.append(at)
                self.positions.append(position)
            path.append(place)
            at = place
        self.paths[text] = path

    def new(self, tokens: Sequence[int]) -> int:
        """How many of a text's tokens don't stand here yet."""
        at = -1
        for position, token in enumerate(tokens):
            place = self.places.get((at, token))
            if place is None:
                return len(tokens) - position
            at = place
        return 0


@dataclass(frozen=True)
class Reading:
    """What one forward gave."""

    texts: list[int]  # which of the texts were read
    spans: list[tuple[int, int]]  # for each, its part of `logits`
    logits: Tensor  # [scored tokens, vocabulary], float32


def read_texts(
    lm: LanguageModel, texts: Sequence[Sequence[int]], scored: Sequence[int], batch_tokens: int
) -> Iterator[Reading]:
    """The logits after each of the last `scored[i]` tokens of text i; at most `batch_tokens` tokens a forward."""
    rows = _laid_out(texts)
    width = max(len(row.tokens) for row in rows)
    many = max(1, batch_tokens // width)
    for start in range(0, len(rows), many):
        yield _read(lm, rows[start : start + many], scored)


def _laid_out(texts: Sequence[Sequence[int]]) -> list[_Row]:
    width = max(WIDTH, max(map(len, texts)))
    rows = [_Row()]
    for text in sorted(range(len(texts)), key=lambda text: list(texts[text])):
        if len(rows[-1].tokens) + rows[-1].new(texts[text]) > width:
            rows.append(_Row())
        rows[-1].add(text, texts[text])
    return rows


def _read(lm: LanguageModel, rows: list[_Row], scored: Sequence[int]) -> Reading:
    width = max(len(row.tokens) for row in rows)
    ids, positions = np.zeros((2, len(rows), width), dtype=np.int64)
    sees = np.zeros((len(rows), width, width), dtype=bool)
    sees[:, np.arange(width), np.arange(width)] = True
    for at, row in enumerate(rows):
        ids[at, : len(row.tokens)] = row.tokens
        positions[at, : len(row.tokens)] = row.positions
        for place, parent in enumerate(row.parents):
            if parent >= 0:
                sees[at, place] |= sees[at, parent]
    hidden = torch.finfo(lm.dtype).min
    mask = torch.zeros(sees.shape, dtype=lm.dtype, device=lm.device)
    mask.masked_fill_(torch.from_numpy(~sees).to(lm.device), hidden)
    read: list[int] = []
    spans: list[tuple[int, int]] = []
    row_at: list[int] = []
    column_at: list[int] = []
    for at, row in enumerate(rows):
        for text, path in row.paths.items():
            read.append(text)
            spans.append((len(row_at), len(row_at) + scored[text]))
            row_at += [at] * scored[text]
            column_at += path[len(path) - scored[text] :]
    with head_only_at(lm, torch.tensor(row_at, device=lm.device), torch.tensor(column_at, device=lm.device)):
        logits = run(
            lm,
            torch.from_numpy(ids).to(lm.device),
            attention_mask=mask[:, None],
            position_ids=torch.from_numpy(positions).to(lm.device),
        ).logits
    return Reading(read, spans, logits.float())
