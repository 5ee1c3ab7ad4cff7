"""Text files as people really have them: looked at before they are read, and refused in words."""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from editview.domain.errors import EditViewError

_WORKBOOK = b"PK\x03\x04"  # Excel's workbooks are zip archives
_HALF = re.compile("[\ud800-\udfff]")


@contextmanager
def reading(path: Path, most_megabytes: int) -> Iterator[TextIO]:
    """The text of a file, UTF-8 with or without a mark, or UTF-16 with one; line ends as they are.

    Raises EditViewError for a file that is missing, too large or no such text, also while it is being read.
    """
    if "\0" in str(path):
        raise EditViewError(f"No file can be called {str(path)!r}: the name holds a NUL character. Take it out.")
    try:
        size = path.stat().st_size
        if size > most_megabytes * 1_000_000:
            raise EditViewError(
                f"'{path.name}' is too large: {size / 1e6:,.0f} MB, where EditView reads up to {most_megabytes:,} MB. "
                "Split it, or leave out what isn't needed."
            )
        with path.open("rb") as file:
            start = file.read(4)
        if start.startswith(_WORKBOOK):
            raise EditViewError(
                f"'{path.name}' is an Excel workbook or another packed file. "
                "Save the sheet as 'CSV UTF-8 (comma delimited)' and open that."
            )
        wide = start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        with path.open(encoding="utf-16" if wide else "utf-8-sig", newline="") as text:
            yield text
    except UnicodeDecodeError as error:
        raise not_text(path, error) from error
    except FileNotFoundError as error:
        raise EditViewError(f"There is no file '{path}'. Was it moved or renamed?") from error
    except OSError as error:
        raise EditViewError(f"'{path}' can't be read: {(error.strerror or str(error)).lower()}.", str(error)) from error


def place_of(source: str) -> Path:
    """The path that a person wrote, with their home folder for '~'. The folder of someone unknown stays as written."""
    return Path(os.path.expanduser(source))


def opens_as_json(file: TextIO) -> bool:
    """Whether the text begins as JSON records do; the file stands at its beginning again."""
    start = file.read(4096).lstrip()
    file.seek(0)
    return start.startswith(("{", "["))


def is_whole(text: str) -> bool:
    """Whether every character is one: JSON can name halves ('\\ud800'), which no file or tokenizer takes."""
    return _HALF.search(text) is None


def not_text(path: Path, error: UnicodeDecodeError) -> EditViewError:
    """Says where a file stops being UTF-8, and what it would say there as Windows writes it."""
    before = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode()
            except UnicodeDecodeError as found:
                around = line[max(0, found.start - 20) : found.start + 20].decode("cp1252", "replace").strip()
                return EditViewError(
                    f"'{path.name}' isn't saved as UTF-8: byte {before + found.start + 1:,}, in line {number:,}, is no "
                    f"UTF-8 text. If '{around}' looks right to you, it was saved in the Windows code page, as Excel "
                    "does: save it again as 'CSV UTF-8', or with the encoding UTF-8, and open that.",
                    str(found),
                )
            before += len(line)
    return EditViewError(f"'{path.name}' is no text that EditView can read. Save it as UTF-8.", str(error))
