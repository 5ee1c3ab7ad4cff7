"""Candidate subjects: the packaged list, made from the demo's world, or a person's own file, one a line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache

from editview.domain import places
from editview.domain.errors import EditViewError
from editview.domain.inspection import Candidate, merged
from editview.formats.texts import is_whole, opens_as_json, place_of, reading

PACKAGED = "packaged"
MOST_MEGABYTES = 20
_MARKED = re.compile(r"\{([^{}]*)\}")


def read_subjects(source: str) -> tuple[Candidate, ...]:
    """The candidates of 'packaged', or of a text file.

    Each line is a subject, or a prompt with its subject in braces: 'The capital of {Peru} is'. Lines that are empty or
    begin with '#' are skipped; lines on one subject make one candidate. Raises EditViewError for a file that can't be
    read, names no subject, or is something else.
    """
    if source == PACKAGED:
        return packaged()
    path = place_of(source)
    with reading(path, MOST_MEGABYTES) as file:
        if opens_as_json(file) and path.suffix.lower() in (".json", ".jsonl"):
            raise EditViewError(
                f"'{path.name}' isn't a list of subjects, which has one a line. If it is a fact sheet, give it as that."
            )
        found = merged(_candidates(path.name, file))
    if not found:
        raise EditViewError(f"'{path.name}' names no subjects. Write one on each line.")
    return found


@cache
def packaged() -> tuple[Candidate, ...]:
    """The subjects that the demo model knows, each with a prompt for every relation it stands in."""
    found: list[Candidate] = []
    for path in sorted((places.resources() / "demo" / "world").glob("*.toml")):
        relation = tomllib.loads(path.read_text("utf-8"))
        found += [Candidate(subject, (relation["wordings"][0],)) for subject in relation["facts"]]
    return merged(found)


def _candidates(name: str, lines: Iterable[str]) -> Iterator[Candidate]:
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text or text.startswith("#") or not is_whole(text):
            continue
        marked = _MARKED.findall(text)
        if not marked and "{" not in text and "}" not in text:
            yield Candidate(text)
        elif len(marked) == 1 and marked[0].strip() and text.count("{") == text.count("}") == 1:
            yield Candidate(marked[0].strip(), (_MARKED.sub("{}", text),))
        else:
            raise EditViewError(
                f"Line {number:,} of '{name}' is neither a subject nor a prompt with one subject in braces, as 'The "
                f"capital of {{Peru}} is' would be: '{text[:80]}'."
            )
