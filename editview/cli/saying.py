"""What a person is told on the error stream; what a specialist wants to know stands below it or in a file."""

from __future__ import annotations

import shutil
import sys
from contextlib import suppress
from textwrap import fill

from editview.domain import places
from editview.domain.errors import EditViewError
from editview.domain.events import Event, Noted
from editview.domain.files import write_atomically

_SHORT = 20  # lines of details that are shown at once


def say(sentence: str) -> None:
    """Sentences mark titles with asterisks; the terminal shows them upright, and breaks lines at words."""
    lines = sentence.replace("*", "").split("\n")
    if sys.stderr.isatty():
        width = shutil.get_terminal_size().columns
        lines = [fill(line, width, break_long_words=False, break_on_hyphens=False) for line in lines]
    with suppress(BrokenPipeError):
        print("\n".join(lines), file=sys.stderr)


def say_notes(event: Event) -> None:
    """An `emit` that says what is worth saying, and nothing else."""
    if isinstance(event, Noted):
        say(event.sentence)


def say_error(sentence: str, details: str) -> None:
    """The sentence, and its details below it; long ones and tracebacks go to a file, and where that is, is said."""
    say(sentence)
    if details in sentence:
        return
    if details.count("\n") < _SHORT and "Traceback (most recent call last)" not in details:
        say(details)
        return
    path = places.logs() / "last-error.txt"
    try:
        write_atomically(path, details.encode("utf-8", "backslashreplace"))
        say(f"Details: {path}")
    except EditViewError as error:
        say(f"The details are lost: {error}")
