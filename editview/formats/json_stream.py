"""JSON records one by one, so that a large file needs little memory and never holds up the other threads.

A file is an array of records, records one after another (JSON Lines), or one object with the records in an array
under a known name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TextIO

_CHUNK = 1 << 20
_LARGEST = 16 << 20  # characters of one record
_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


class BadJSON(Exception):
    """The text stops being JSON, in this line."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line, self.reason = line, reason


@dataclass(frozen=True, slots=True)
class Record:
    value: Any
    line: int  # where it begins, from 1


@dataclass(frozen=True, slots=True)
class Header:
    """A member beside the records of an object that holds them."""

    name: str
    value: Any


def records(file: TextIO, under: str) -> Iterator[Record | Header]:
    """The records of a file; `under`: the name of the array when they stand in one object. Raises BadJSON."""
    text = _Text(file)
    while text.peek():
        if text.peek() == "[":
            yield from _array(text)
        elif text.opens_with(under):
            yield from _members(text, under)
        else:
            yield text.value()


def _array(text: _Text) -> Iterator[Record]:
    text.take("[")
    if text.peek() != "]":
        yield text.value()
        while text.peek() == ",":
            text.take(",")
            yield text.value()
    text.take("]")


def _members(text: _Text, under: str) -> Iterator[Record | Header]:
    separator = "{"
    while text.peek() == separator:
        text.take(separator)
        name = text.value().value
        text.take(":")
        if name == under and text.peek() == "[":
            yield from _array(text)
        else:
            yield Header(str(name), text.value().value)
        separator = ","
    text.take("}")


class _Text:
    """A window that slides over the file."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._text = ""
        self._at = 0
        self._ended = False
        self._line = 1

    def peek(self) -> str:
        """The next character that is no space, or '' at the end."""
        while True:
            self._move(_SPACE.match(self._text, self._at).end())  # type: ignore[union-attr]
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._read_more():
                return ""

    def take(self, expected: str) -> None:
        found = self.peek()
        if found != expected:
            raise BadJSON(self._line, f"expected '{expected}'" + (f" and found '{found}'" if found else ""))
        self._move(self._at + 1)

    def value(self) -> Record:
        """Decode what comes next."""
        self.peek()
        line = self._line
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
                if end < len(self._text) or not self._read_more():
                    self._move(end)
                    return Record(value, line)
            except (ValueError, RecursionError) as error:
                if len(self._text) - self._at > _LARGEST:
                    raise BadJSON(line, f"what begins here has no end within {_LARGEST >> 20} MB") from error
                if not self._read_more():
                    raise self._bad(error) from error

    def opens_with(self, name: str) -> bool:
        """Whether an object comes next that has this name near its beginning, before any other object or array."""
        while len(self._text) - self._at < 4096 and self._read_more():
            pass
        return bool(re.compile(r'\{[^{}\[\]]*?"' + name + r'"\s*:\s*\[').match(self._text, self._at))

    def _bad(self, error: Exception) -> BadJSON:
        if isinstance(error, json.JSONDecodeError):
            return BadJSON(self._line + self._text.count("\n", self._at, error.pos), error.msg)
        deep = isinstance(error, RecursionError)
        return BadJSON(self._line, "nested too deeply" if deep else "a number has more digits than can be read")

    def _move(self, to: int) -> None:
        self._line += self._text.count("\n", self._at, to)
        self._at = to

    def _read_more(self) -> bool:
        """Make the window twice as long, so that a long record isn't decoded too often. False: that was all."""
        more = "" if self._ended else self._file.read(max(_CHUNK, len(self._text) - self._at))
        if more:
            self._text, self._at = self._text[self._at :] + more, 0
        self._ended = not more
        return bool(more)
