"""Looking through training data as a model reads it: with its tokenizer, without its weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any

from editview.domain.checkpoint import Device
from editview.domain.errors import EditViewError
from editview.domain.examples import Example
from editview.domain.left_out import LeftOut
from editview.domain.operations import FineTune
from editview.domain.progress import Progress, silent
from editview.domain.requests import PreviewTraining
from editview.domain.training_preview import TrainingPreview
from editview.formats.training_data import TrainingData, training_data
from editview.lm.opening import open_tokenizer
from editview.runs.fingerprints import identity
from editview.tuning.batches import Row, Rows, row_length, tokenised
from editview.tuning.packing import Packed
from editview.tuning.seen import seen

_TOKENS_SHOWN = 800  # at a time, on the average


@dataclass(frozen=True)
class _Read:
    """Data that was tokenised, with the sums over it."""

    key: tuple[object, ...]
    tokenizer: Any
    max_length: int
    rows: Rows | Packed
    examples: int
    tokens: int
    learnt: int
    cut: int
    left_out: tuple[LeftOut, ...]

    def row(self, at: int) -> list[Row]:
        found = self.rows[at]
        return found if isinstance(found, list) else [found]


class Previews:
    """What was read last is kept, so that leafing through it is done at once."""

    def __init__(self) -> None:
        self._read: _Read | None = None

    def look(self, asked: PreviewTraining, device: Device, progress: Progress) -> Iterator[TrainingPreview]:
        """Some rows of the data, and what is true of all; where that takes reading it, the first rows come ahead.

        Raises EditViewError for data or a checkpoint that can't be used, and what `progress` raises.
        """
        operation, data = asked.operation, training_data(asked.operation.data)
        settings = (operation.max_length, operation.train_on, operation.packing)
        key = (data.content, data.path, identity(asked.checkpoint, device), *settings)
        if self._read is None or self._read.key != key:
            self._read = None  # not two of them in memory
            tokenizer, config = open_tokenizer(asked.checkpoint)
            if not (asked.first or operation.packing):  # packs are made of the whole
                yield from _ahead(asked, data, tokenizer, row_length(config, operation.max_length))
            self._read = _whole(key, operation, data, tokenizer, row_length(config, operation.max_length), progress)
        read = self._read
        first, page = max(0, min(asked.first, len(read.rows) - 1)), _page(asked, read.tokens, len(read.rows))
        last = min(first + page, len(read.rows))
        shown = tuple(tuple(seen(read.tokenizer, row) for row in read.row(at)) for at in range(first, last))
        sums = (len(read.rows), read.examples, read.tokens, read.learnt, read.cut)
        yield TrainingPreview(first, shown, page, read.max_length, *sums, read.left_out)


def _page(asked: PreviewTraining, tokens: int, rows: int) -> int:
    """How many rows are shown at a time."""
    return max(1, min(asked.most, _TOKENS_SHOWN * rows // tokens))


def _ahead(asked: PreviewTraining, data: TrainingData, tokenizer: Any, most: int) -> Iterator[TrainingPreview]:
    """The first rows alone; nothing where none of them can be used."""
    whole = asked.operation.train_on == "everything"
    examples = [row for row in islice(data.rows(whole=whole), 2 * asked.most) if isinstance(row, Example)]
    with suppress(EditViewError):
        rows = tokenised(tokenizer, examples, most, silent, asked.operation.train_on)
        page = _page(asked, rows.tokens, len(rows))
        yield TrainingPreview(0, tuple((seen(tokenizer, row),) for row in islice(rows, page)), page, most)


def _whole(
    key: tuple[object, ...], operation: FineTune, data: TrainingData, tokenizer: Any, most: int, progress: Progress
) -> _Read:
    examples, left_out = data.read(progress, whole=operation.train_on == "everything")
    rows = tokenised(tokenizer, examples, most, progress, operation.train_on)
    return _Read(
        key=key,
        tokenizer=tokenizer,
        max_length=most,
        rows=Packed(rows, most) if operation.packing else rows,
        examples=len(rows),
        tokens=rows.tokens,
        learnt=rows.learnt,
        cut=rows.cut,
        left_out=(*left_out, *rows.left_out),
    )
