"""What a model will really read of its training data: rows token by token, and what is learnt of them all."""

from __future__ import annotations

from dataclasses import dataclass

from editview.domain.left_out import LeftOut


@dataclass(frozen=True, slots=True)
class SeenExample:
    """An example as the model reads it."""

    line: int  # of the file, from 1
    tokens: tuple[str, ...]
    special: tuple[bool, ...]  # tokens that are no text: beginnings, ends, what a chat template puts between
    learnt_from: int  # tokens from here on are trained on
    cut: bool  # there was more of it than a row may hold


@dataclass(frozen=True, slots=True)
class TrainingPreview:
    """Some rows, and sums over all of them. A row holds one example, or several where they are packed."""

    first: int  # place of the first row shown, from 0
    shown: tuple[tuple[SeenExample, ...], ...]
    page: int  # rows shown at a time: fewer where they are long
    max_length: int  # tokens
    rows: int = 0  # 0: only the first rows were read so far, and the sums aren't known
    examples: int = 0
    tokens: int = 0
    learnt: int = 0  # tokens that are trained on
    cut: int = 0  # examples
    left_out: tuple[LeftOut, ...] = ()


def headline(preview: TrainingPreview) -> str:
    """'The model reads 2,000 examples of 21 tokens on average, and learns 95 % of the tokens.'"""
    one = preview.examples == 1
    mean = f"{preview.tokens / preview.examples:,.0f} tokens{'' if one else ' on average'}"
    share = _share(preview.learnt, preview.tokens)
    return f"The model reads {_count(preview.examples, 'example')} of {mean}, and learns {share} of the tokens."


def basis(preview: TrainingPreview) -> str:
    """What is cut, packed and left out."""
    parts = []
    if preview.rows != preview.examples:
        full = _share(preview.tokens, preview.rows * preview.max_length)
        parts.append(f"They share {_count(preview.rows, 'row')} of {preview.max_length:,} tokens, filled to {full}.")
    if preview.cut:
        are = "is" if preview.cut == 1 else "are"
        share = _share(preview.cut, preview.examples)
        parts.append(
            f"{preview.cut:,} of the examples ({share}) {are} longer than {preview.max_length:,} tokens and {are} cut."
        )
    else:
        parts.append("None is cut.")
    if preview.left_out:
        rows = _count(len(preview.left_out), "row")
        parts.append(f"{rows} can't be trained on and {'is' if len(preview.left_out) == 1 else 'are'} left out.")
    return " ".join(parts)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _share(part: int, whole: int) -> str:
    """Rounded, but never to nothing or to everything where that isn't so."""
    per_cent = round(100 * part / whole)
    if part and per_cent == 0:
        return "less than 1 %"
    return "over 99 %" if part < whole and per_cent == 100 else f"{per_cent} %"
