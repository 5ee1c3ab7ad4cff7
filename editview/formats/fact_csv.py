"""Facts from tables: CSV with any separator and any headings, one fact a row."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from typing import TextIO

from editview.domain.errors import EditViewError
from editview.domain.facts import Fact, Group
from editview.formats.fact_forms.fields import Asked, Read, neighbours
from editview.formats.oddities import Odd, templated, worded

COLUMNS = {
    "subject": ("subject", "entity", "subjectname"),
    "prompt": ("prompt", "template", "question", "text", "src"),
    "target_new": ("targetnew", "newanswer", "new", "newtarget", "newobject", "edit"),
    "target_true": ("targettrue", "trueanswer", "true", "groundtruth", "oldanswer", "old", "answer", "object"),
    "paraphrases": ("paraphrases", "paraphrase", "paraphraseprompts", "rephrase", "rephrases", "rephraseprompt"),
    "neighbours": ("neighbours", "neighbors", "neighbourhood", "neighborhood", "neighborhoodprompts", "locality"),
}
"""Our columns, and headings that mean them, without case and signs. `target_new` empty: a control."""

NEEDED = ("subject", "prompt", "target_true")
SEPARATORS = ",;\t"
LIST = "|"


class Table:
    """A table that is being read: its headings, then its rows."""

    def __init__(self, file: TextIO, name: str) -> None:
        first, self._before = file.readline(), 1
        while first and not first.strip():
            first, self._before = file.readline(), self._before + 1
        if not first:
            raise EditViewError(f"'{name}' is empty. Choose a sheet with facts in it.")
        separator = max(SEPARATORS, key=lambda sign: len(_cells(first, sign)))
        self.headings = tuple(cell.strip() for cell in _cells(first, separator))
        if not self.headings:
            raise EditViewError(
                f"The first line of '{name}' holds a heading of more than {csv.field_size_limit():,} characters, so "
                "this is no table of facts. Choose another file."
            )
        self._rows = csv.reader(file, delimiter=separator)
        self._name = name

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        """Rows that aren't blank, with the line of the file in which each ends."""
        line = self._before
        try:
            for row in self._rows:
                line = self._rows.line_num + self._before
                if any(cell.strip() for cell in row):
                    yield line, [cell.strip() for cell in row]
        except csv.Error as error:
            several = self._rows.line_num + self._before > line + 1
            cause = "Often a quotation mark was opened there and never closed. " if several else ""
            raise EditViewError(
                f"The table '{self._name}' can't be read near line {line + 1:,}: a cell holds more than "
                f"{csv.field_size_limit():,} characters. {cause}Mend it and try again.",
                str(error),
            ) from error


def _cells(line: str, separator: str) -> list[str]:
    """The cells of one line; none when one is longer than the csv module takes."""
    try:
        return next(csv.reader([line], delimiter=separator))
    except csv.Error:
        return []


def suggested(headings: tuple[str, ...]) -> dict[str, str]:
    """Our columns and the headings that seem to mean them."""
    plain = {re.sub(r"[\W_]+", "", heading.casefold()): heading for heading in reversed(headings)}
    return {
        ours: next(plain[name] for name in names if name in plain)
        for ours, names in COLUMNS.items()
        if any(name in plain for name in names)
    }


def places(table: Table, name: str, columns: Mapping[str, str]) -> dict[str, int]:
    """Where each of our columns stands. Raises EditViewError when it can't be told or isn't there."""
    chosen = dict(columns) or suggested(table.headings)
    has = f"The columns of '{name}' are {', '.join(repr(heading) for heading in table.headings)}"
    unknown = [ours for ours in chosen if ours not in COLUMNS]
    if unknown:
        raise EditViewError(f"There is no column '{unknown[0]}' in a fact sheet; there are {', '.join(COLUMNS)}.")
    for theirs in chosen.values():
        if theirs not in table.headings:
            raise EditViewError(f"{has}; there is none called '{theirs}'. Choose the columns again.")
    missing = [ours for ours in NEEDED if ours not in chosen]
    if missing:
        raise EditViewError(f"{has}; which of them is {' and '.join(repr(ours) for ours in missing)} can't be told. "
                            "Say which column is what, or rename the headings.")  # fmt: skip
    return {ours: table.headings.index(theirs) for ours, theirs in chosen.items()}


def facts_of(row: list[str], place: Mapping[str, int], headings: int, number: str) -> Read:
    """The fact of a row, then its neighbours, which come without a subject of their own."""
    if len(row) > headings:
        raise Odd(f"has {len(row)} cells under {headings} headings: texts that hold the separator need quotation marks")
    cells = {ours: row[at] if at < len(row) else "" for ours, at in place.items()}
    for ours in NEEDED:
        if not cells[ours]:
            raise Odd(f"has an empty '{ours}'")
    subject, true, new = cells["subject"], cells["target_true"], cells.get("target_new") or None
    name = f"row-{number}"
    template = templated(cells["prompt"], subject)
    paraphrases = worded(cells.get("paraphrases", "").split(LIST), subject)
    yield Fact(name, Group.EDITED if new else Group.CONTROL, subject, template, true, new, paraphrases)
    prompts = [text.strip() for text in cells.get("neighbours", "").split(LIST)]
    yield from neighbours(name, (Asked(prompt, true, new) for prompt in prompts if prompt))
