"""Training data: JSON or JSON Lines in the forms that people have, and plain text. Named at once, read when needed."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, islice
from pathlib import Path
from typing import TextIO

from editview.domain import places
from editview.domain.errors import EditViewError
from editview.domain.examples import Example
from editview.domain.left_out import LeftOut, Why
from editview.domain.progress import Progress, silent
from editview.formats.example_forms import examples_of
from editview.formats.json_stream import BadJSON, Record, records
from editview.formats.oddities import Odd
from editview.formats.texts import opens_as_json, place_of, reading

MOST_MEGABYTES = 500

_RECIPE = 1
"""Raise it when the same file gives other examples than before: what was trained on them is told apart by it."""

_SAMPLE = 200  # examples that tell how long they are
_BETWEEN = 64  # records between two looks at how far reading is
_HEAD = 1 << 16  # characters by which JSON Lines are told
_SHOWN = 5  # rows that a sentence names


@dataclass(frozen=True)
class TrainingData:
    """A file of examples, named by its content. It is read anew whenever it is gone through: it may be large."""

    path: Path
    content: str  # names what stands in the file
    sample: tuple[Example, ...]  # the first ones
    stamp: tuple[int, int]

    def rows(self, progress: Progress = silent, whole: bool = False) -> Iterator[Example | LeftOut]:
        """The examples in order, and what can't be used; with `whole`, a conversation is one example.

        Raises EditViewError for a file that is no text, is broken in the middle, or was changed since it was named.
        """
        with reading(self.path, MOST_MEGABYTES) as file:
            if _stamp(self.path) != self.stamp:
                raise EditViewError(f"'{self.path.name}' was changed while it was in use. Start again.")
            yield from _rows(file, self.path, progress, whole)

    def read(self, progress: Progress = silent, whole: bool = False) -> tuple[list[Example], list[LeftOut]]:
        """All examples, and what can't be used. Raises what `rows` raises."""
        examples: list[Example] = []
        left_out: list[LeftOut] = []
        for row in self.rows(progress, whole):
            if isinstance(row, Example):
                examples.append(row)
            else:
                left_out.append(row)
        return examples, left_out


def training_data(source: str) -> TrainingData:
    """Packaged data by its name ('support-tickets'), or a file; looked at anew only when it has changed.

    Raises EditViewError for a file that is missing, no text, or without a single example that can be used.
    """
    path = packaged(source) or place_of(source)
    return _named(path, _stamp(path))


def packaged(name: str) -> Path | None:
    """The file of training data that comes with EditView under this name; None: none does."""
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        return None
    path = places.resources() / "demo" / f"{name.replace('-', '_')}.jsonl"
    return path if path.is_file() else None


@lru_cache(maxsize=8)
def _named(path: Path, stamp: tuple[int, int]) -> TrainingData:
    with reading(path, MOST_MEGABYTES) as file:
        sample, left_out = list[Example](), list[LeftOut]()
        for row in _rows(file, path, silent, whole=False):
            if isinstance(row, LeftOut):
                left_out.append(row)
                continue
            sample.append(row)
            if len(sample) == _SAMPLE:
                break
    if not sample:
        raise _nothing(path, left_out)
    with path.open("rb") as raw:
        content = hashlib.file_digest(raw, "sha256").hexdigest()
    kind = "text" if _is_text(path) else "records"
    return TrainingData(path, hashlib.sha256(f"{_RECIPE} {kind} {content}".encode()).hexdigest(), tuple(sample), stamp)


def _nothing(path: Path, left_out: list[LeftOut]) -> EditViewError:
    if not left_out:
        return EditViewError(f"'{path.name}' holds no examples, so there is nothing to train on. Choose another file.")
    told = "\n".join(map(str, left_out))
    rows = "its only row can't" if len(left_out) == 1 else f"none of its {len(left_out):,} rows can"
    shown = " ".join(map(str, left_out[:_SHOWN]))
    return EditViewError(f"Nothing in '{path.name}' can be trained on: {rows} be used. {shown}", told)


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except (OSError, ValueError):  # `reading` says what is wrong
        return (0, 0)
    return status.st_size, status.st_mtime_ns


def _is_text(path: Path) -> bool:
    return path.suffix.lower() in (".txt", ".md")


def _rows(file: TextIO, path: Path, progress: Progress, whole: bool) -> Iterator[Example | LeftOut]:
    size = path.stat().st_size
    if _is_text(path) or not opens_as_json(file):
        found: Iterator[Record | LeftOut] = _paragraphs(file)
    else:
        found = _lines(file) if _are_lines(file) else _records(file, path.name)
    for count, record in enumerate(found):
        if count % _BETWEEN == 0:
            progress(min(file.buffer.tell(), size), size, "Reading the training data")
        if isinstance(record, LeftOut):
            yield record
            continue
        try:
            yield from examples_of(record.value, record.line, whole)
        except Odd as odd:
            yield LeftOut(f"Line {record.line:,}", odd.why, str(odd))


def _paragraphs(file: TextIO) -> Iterator[Record]:
    """Passages between empty lines, as records of text."""
    lines: list[str] = []
    number = 0
    for number, line in enumerate(chain(file, [""]), start=1):
        if line.strip():
            lines.append(line.rstrip("\r\n"))
        elif lines:
            yield Record({"text": "\n".join(lines).strip()}, number - len(lines))
            lines = []


def _are_lines(file: TextIO) -> bool:
    """Whether objects stand one a line, so that what is wrong with one of them ends with its line."""
    start = file.read(_HEAD)
    file.seek(0)
    second = next(islice(filter(None, map(str.strip, start.split("\n"))), 1, 2), "")
    return start.lstrip().startswith("{") and second.startswith("{")


def _lines(file: TextIO) -> Iterator[Record | LeftOut]:
    for number, line in enumerate(file, start=1):
        if not line.strip():
            continue
        try:
            yield Record(json.loads(line), number)
        except json.JSONDecodeError as error:
            yield LeftOut(f"Line {number:,}", Why.UNREADABLE, f"isn't valid JSON: {error.msg.lower()}")
        except (ValueError, RecursionError):
            yield LeftOut(f"Line {number:,}", Why.UNREADABLE, "is nested too deeply, or holds too long a number")


def _records(file: TextIO, name: str) -> Iterator[Record]:
    try:
        yield from (item for item in records(file, under="data") if isinstance(item, Record))
    except BadJSON as error:
        raise EditViewError(
            f"Line {error.line:,} of '{name}' isn't valid JSON: {error.reason}. Mend it and try again.", str(error)
        ) from error
