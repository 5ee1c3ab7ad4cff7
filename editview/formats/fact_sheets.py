"""Fact sheets from files: what form a file has is told from its content, never from its name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import TextIO

from editview.domain import places
from editview.domain.errors import EditViewError
from editview.domain.events import FactsPreviewed
from editview.domain.facts import Fact, FactSheet
from editview.domain.left_out import CONTRADICTIONS, Keep, LeftOut
from editview.formats import fact_csv
from editview.formats.fact_forms.fields import Read, answers
from editview.formats.fact_forms.forms import FORMS, Form, Reader, form_of
from editview.formats.json_stream import BadJSON, Header, Record, records
from editview.formats.oddities import Found, Odd, sifted
from editview.formats.texts import opens_as_json, place_of, reading

FORMAT = 1
"""Version of our own JSON form; newer ones are refused."""
MOST_MEGABYTES = 500
PREVIEWED = 8  # rows
TRIED = 100  # records of no known form, after which none is expected any more


def read_facts(source: str, columns: Mapping[str, str] | None = None) -> tuple[FactSheet, tuple[LeftOut, ...]]:
    """The facts of 'demo', or of a file in any form of `fact_forms`, or a table (CSV).

    `columns` say how it is read, as `Plan.columns`: for a table which of its headings is which of our columns (without
    them they are told from the headings), for zsRE which field is the new answer (`target_new`), for all which edits
    are used of those that contradict each other. Returns the sheet and what was left out. Raises EditViewError when
    nothing can be used, or when it has to be said how.
    """
    path = places.resources() / "demo" / "facts.json" if source == "demo" else place_of(source)
    sieve = _Sieve(path, dict(columns or {}))
    with reading(path, MOST_MEGABYTES) as file:
        found = list(sieve.from_json(file) if opens_as_json(file) else sieve.from_table(file))
    kept, odd = sifted(found, sieve.keep)
    left_out = (*sieve.left_out, *odd)
    if not kept:
        if not left_out:
            raise EditViewError(f"'{path.name}' holds no facts. Choose a sheet with facts in it.")
        raise EditViewError(
            f"None of the facts in '{path.name}' can be used. {left_out[0]} See Details for all.",
            "\n".join(map(str, left_out)),
        )
    return FactSheet("Demo fact sheet" if source == "demo" else path.stem, kept, " and ".join(sieve.read_as)), left_out


def preview(source: str) -> FactsPreviewed:
    """The first rows of a table, or of records of which a person has to say which field is the new answer.

    For other records it has no columns, since nothing needs to be said. Raises EditViewError for what is no sheet.
    """
    path = place_of(source)
    with reading(path, MOST_MEGABYTES) as file:
        if opens_as_json(file):
            rows: list[tuple[str, ...]] = []
            form: Form | None = None
            for _, item, kind in _of_known_form(file, path):
                form = form or kind
                if not form or not form.by_new_answer or len(rows) == PREVIEWED:
                    break
                if isinstance(item.value, dict):
                    rows.append(tuple("".join(answers(item.value.get(name))[:1]) for name in form.shown))
            if form is None or not form.by_new_answer:
                return FactsPreviewed(source, (), (), ())
            return FactsPreviewed(source, form.shown, tuple(rows), (), tuple(form.by_new_answer))
        table = fact_csv.Table(file, path.name)
        rows = [tuple(row) for _, row in islice(table, PREVIEWED)]
    return FactsPreviewed(source, table.headings, tuple(rows), tuple(fact_csv.suggested(table.headings).items()))


class _Sieve:
    """One reading of a file: takes facts from it in a stream and keeps what was left out."""

    def __init__(self, path: Path, columns: dict[str, str]) -> None:
        self._path = path
        self.keep = _kept(columns.pop(CONTRADICTIONS, Keep.NONE))
        self._columns = columns
        self.left_out: list[LeftOut] = []
        self.read_as: dict[str, None] = {}

    def from_json(self, file: TextIO) -> Iterator[Found]:
        readers: dict[str, Reader] = {}
        for number, item, form in _of_known_form(file, self._path):
            if form and form.name not in readers:
                readers[form.name] = self._reader(form)
            read = readers[form.name](item.value, str(number)) if form else _strange(item.value)
            yield from self._taken(read, f"Record {number:,}")

    def from_table(self, file: TextIO) -> Iterator[Found]:
        table = fact_csv.Table(file, self._path.name)
        place = fact_csv.places(table, self._path.name, self._columns)
        for number, (line, row) in enumerate(table, start=1):
            yield from self._taken(fact_csv.facts_of(row, place, len(table.headings), str(number)), f"Line {line:,}")

    def _taken(self, read: Read, where: str) -> list[Found]:
        """All of a record or, when it turns out to be odd, nothing."""
        try:
            parts = list(read)
        except Odd as odd:
            parts = [odd]
        self.left_out += [LeftOut(where, part.why, str(part)) for part in parts if isinstance(part, Odd)]
        return [Found(where, part) for part in parts if isinstance(part, Fact)]

    def _reader(self, form: Form) -> Reader:
        """What reads this form, as it was chosen. Raises EditViewError when a choice is missing."""
        chosen = self._columns.get("target_new", "")
        if not form.by_new_answer:
            assert form.reader is not None
            if form.name:
                self.read_as[form.name] = None
            return form.reader
        fields = " and ".join(f"'{name}'" for name in form.by_new_answer)
        if chosen not in form.by_new_answer:
            wrong = f", and '{chosen}' is neither" if chosen else ""
            example = next(iter(form.by_new_answer))
            raise EditViewError(
                f"'{self._path.name}' is {form.name}, where either of {fields} can be the new answers{wrong}. "
                "Say which: in the window under File, How the fact sheet is read…; in a plan under [columns], "
                f'target_new = "{example}"; on the command line --column target_new={example}.'
            )
        self.read_as[f"{form.name} with its '{chosen}' as the new answers"] = None
        return form.by_new_answer[chosen]


def _strange(record: object) -> Read:
    known = isinstance(record, dict)
    yield Odd("has none of the fields by which a fact is known" if known else "is no object with named fields")


def _of_known_form(file: TextIO, path: Path) -> Iterator[tuple[int, Record, Form | None]]:
    """Records with their number and form; None where one has none, which happens beside those that do.

    Raises EditViewError for a file in which no record has any.
    """
    waiting: list[Record] = []
    number, known = 0, False
    try:
        for item in records(file, under="facts"):
            if isinstance(item, Header):
                _check_format(item, path)
                continue
            number += 1
            form = form_of(item.value)
            if known or form:
                for before, strange in enumerate(waiting, start=1):
                    yield before, strange, None
                waiting, known = [], True
                yield number, item, form
            else:
                waiting.append(item)
                if len(waiting) == TRIED:
                    break
    except BadJSON as error:
        raise EditViewError(
            f"Line {error.line:,} of '{path.name}' isn't valid JSON: {error.reason}. Is the file complete?", str(error)
        ) from error
    if waiting:
        names = ", ".join(form.name for form in FORMS if form.name)
        raise EditViewError(
            f"'{path.name}' holds JSON in a form that EditView doesn't know. It reads its own fact sheets, {names}, "
            "and tables (CSV).",
            f"The record in line {waiting[0].line} is none of them: {str(waiting[0].value)[:300]}",
        )


def _kept(choice: str) -> Keep:
    try:
        return Keep(choice)
    except ValueError:
        raise EditViewError(
            f"Of edits that contradict each other, '{choice}' can't be used; choose {', '.join(Keep)}."
        ) from None


def _check_format(header: Header, path: Path) -> None:
    if header.name == "format" and isinstance(header.value, int) and header.value > FORMAT:
        raise EditViewError(
            f"'{path.name}' was made by a newer EditView: it has format {header.value}, and this one reads up to "
            f"{FORMAT}. Update EditView to open it."
        )
