"""A text as a model reads it for statistics: passages in chapters, and always the same ones.

The order in which products are added decides the last bits of their sum. So chapters and the batches in them depend
on the model and the text alone, never on where a reading was taken up again or which layers were asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from editview.lm.anatomy import sizes
from editview.lm.forward import alike
from editview.lm.model import LanguageModel
from editview.lm.tokens import encode_all

PASSAGE = 1024  # tokens read in one piece at most
CHAPTER = 2048  # tokens, or a little less
BATCH_TOKENS = 4096  # in one forward
_LINES = 64  # tokenised in one call
_SAMPLE = 256  # lines by which the length of a text is guessed


@dataclass(frozen=True)
class Measure:
    """How a text is divided for a model of so many inputs to its feed-forward output matrices."""

    unit: int  # chapters that hold as many tokens as there are inputs, or one chapter when it holds more
    chapter: int  # tokens; the passage that reaches it is the chapter's last

    @staticmethod
    def of(lm: LanguageModel) -> Measure:
        anatomy = lm.anatomy
        inputs = [sizes(anatomy.mlp_output(lm.model, layer))[0] for layer in range(len(anatomy.mlp_outputs))]
        return Measure.for_inputs(max(inputs))

    @staticmethod
    def for_inputs(inputs: int) -> Measure:
        tokens = max(inputs, CHAPTER)
        unit = -(-tokens // CHAPTER)
        return Measure(unit, -(-tokens // unit))


@dataclass(frozen=True)
class Chapter:
    batches: list[list[list[int]]]
    before: int  # tokens of the chapters before
    tokens: int
    cut: bool  # ends where no more tokens were asked for, and not where it would otherwise


def chapters(lm: LanguageModel, lines: Iterable[str], size: int, most: int | None) -> Iterator[Chapter]:
    """The first `most` tokens of a text, or all; a chapter ends with the passage that reaches a multiple of `size`."""
    number, before, read = 1, 0, 0
    held: list[list[int]] = []
    for ids in _passages(lm, lines):
        cut = most is not None and read + len(ids) >= most
        held.append(ids[: most - read] if cut and most is not None else ids)
        read += len(held[-1])
        if cut or read >= number * size:
            yield Chapter(list(alike(held, len, BATCH_TOKENS)), before, read - before, cut)
            number, before, held = number + 1, read, []
        if cut:
            return
    if held:
        yield Chapter(list(alike(held, len, BATCH_TOKENS)), before, read - before, False)


def expected_tokens(lm: LanguageModel, lines: Iterable[str], most: int) -> int:
    """How many tokens there will be to read, at most `most`: guessed from the first lines and all characters."""
    sample = [line for line in islice(lines, _SAMPLE) if line.strip()]
    read = sum(map(len, encode_all(lm.tokenizer, sample)))
    a_character = read / max(1, sum(map(len, sample)))
    characters = 0
    for line in lines:
        characters += len(line)
        if characters * a_character > most:
            return most
    return max(1, int(characters * a_character))


def _passages(lm: LanguageModel, lines: Iterable[str]) -> Iterator[list[int]]:
    size = min(lm.longest, PASSAGE)
    real = (line for line in lines if line.strip())
    while some := list(islice(real, _LINES)):
        for ids in encode_all(lm.tokenizer, some):
            for start in range(0, len(ids), size):
                yield ids[start : start + size]
