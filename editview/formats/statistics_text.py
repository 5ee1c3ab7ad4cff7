"""The text that statistics of a model's keys are taken from: the packaged one, a person's file, or training data."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from editview.domain import places
from editview.domain.errors import EditViewError
from editview.domain.examples import Example
from editview.domain.texts import Text
from editview.formats.texts import place_of, reading
from editview.formats.training_data import TrainingData, packaged, training_data

MOST_MEGABYTES = 10_000


def statistics_text(source: str) -> Text:
    """'packaged', a text file with a passage on each line, or training data: packaged ('support-tickets') or JSON.

    Lines of text are read when they are gone through. Raises EditViewError when the file isn't there; going through
    the lines raises it for a file that is no text, or that was changed after its content was named.
    """
    path = places.resources() / "demo" / "statistics.txt" if source == "packaged" else place_of(source)
    if packaged(source) is not None or path.suffix.lower() in (".json", ".jsonl"):
        data = training_data(source)
        return Text(source, _Passages(data), data.content)
    if not path.is_file():
        raise EditViewError(f"The text for statistics, '{path}', isn't there. Choose a text file in the edit's card.")
    stamp = _stamp(path)
    with path.open("rb") as file:
        content = hashlib.file_digest(file, "sha256").hexdigest()
    return Text(path.name, _Lines(path, stamp), content)


@dataclass(frozen=True)
class _Passages:
    """Training data as a text: an example is a passage, with what comes before its completion."""

    data: TrainingData

    def __iter__(self) -> Iterator[str]:
        for example in self.data.rows():
            if isinstance(example, Example):
                turns = [turn.content for turn in example.conversation]
                yield "\n".join([*turns, example.prompt + example.completion])


@dataclass(frozen=True)
class _Lines:
    path: Path
    stamp: tuple[int, int]

    def __iter__(self) -> Iterator[str]:
        with reading(self.path, MOST_MEGABYTES) as file:
            if _stamp(self.path) != self.stamp:
                raise EditViewError(f"'{self.path.name}' was changed while it was in use. Start again.")
            for line in file:
                yield line.rstrip("\r\n")


def _stamp(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns
