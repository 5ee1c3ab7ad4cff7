"""Fact sheets from files: what form a file has is told from its content, never from its name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import TextIO

from editview.domain import places
from editview.domain.errors import EditViewError
from editview.domain.events import FactsPreviewed
from editview.domain.facts import FactSheet
from editview.formats import fact_csv
from editview.formats.fact_json import Reader, reader_of
from editview.formats.json_stream import BadJSON, Header, records
from editview.formats.oddities import Found, Odd, sifted
from editview.formats.texts import opens_as_json, place_of, reading

FORMAT = 1
"""Version of our own JSON form; newer ones are refused."""
MOST_MEGABYTES = 200
PREVIEWED = 8  # rows


def read_facts(source: str, columns: Mapping[str, str] | None = None) -> tuple[FactSheet, tuple[str, ...]]:
    """The facts of 'demo', or of a file: our own JSON, CounterFact's, or a table (CSV).

    `columns` say for a table which of its headings is which of ours; without it they are told from the headings.
    Returns the sheet and a sentence for everything that was left out. Raises EditViewError when nothing can be used.
    """
    path = places.resources() / "demo" / "facts.json" if source == "demo" else place_of(source)
    found: list[Found] = []
    odd: list[str] = []
    with reading(path, MOST_MEGABYTES) as file:
        facts = _from_json(file, path, odd) if opens_as_json(file) else _from_table(file, path, columns or {}, odd)
        found.extend(facts)
    kept, problems = sifted(found)
    problems = odd + problems
    if not kept:
        if not problems:
            raise EditViewError(f"'{path.name}' holds no facts. Choose a sheet with facts in it.")
        raise EditViewError(
            f"None of the facts in '{path.name}' can be used. {problems[0]} See Details for all.", "\n".join(problems)
        )
    return FactSheet("demo" if source == "demo" else path.stem, kept), tuple(problems)


def preview(source: str) -> FactsPreviewed:
    """The headings and first rows of a table. Raises EditViewError for what is none."""
    path = place_of(source)
    with reading(path, MOST_MEGABYTES) as file:
        if opens_as_json(file):
            raise EditViewError(f"'{path.name}' is JSON, so it has no columns to choose. Open it as it is.")
        table = fact_csv.Table(file, path.name)
        rows = tuple(tuple(row) for _, row in islice(table, PREVIEWED))
    return FactsPreviewed(source, table.headings, rows, tuple(fact_csv.suggested(table.headings).items()))


def _from_json(file: TextIO, path: Path, odd: list[str]) -> Iterator[Found]:
    number, reader = 0, None
    try:
        for item in records(file, under="facts"):
            if isinstance(item, Header):
                _check_format(item, path)
                continue
            number += 1
            where = f"Record {number:,}"
            reader = reader_of(item.value) or reader
            if reader is None:
                raise EditViewError(
                    f"'{path.name}' holds JSON in a form that EditView doesn't know. It reads its own fact sheets, "
                    "CounterFact, and tables (CSV).",
                    f"The record in line {item.line} is neither: {str(item.value)[:300]}",
                )
            yield from _found(reader, item.value, where, str(number), odd)
    except BadJSON as error:
        raise EditViewError(
            f"Line {error.line:,} of '{path.name}' isn't valid JSON: {error.reason}. Is the file complete?", str(error)
        ) from error


def _found(reader: Reader, record: object, where: str, number: str, odd: list[str]) -> Iterator[Found]:
    try:
        if not isinstance(record, dict):
            raise Odd("is no object with named fields")
        yield from [Found(where, fact) for fact in reader(record, number)]
    except Odd as reason:
        odd.append(f"{where} {reason}.")


def _check_format(header: Header, path: Path) -> None:
    if header.name == "format" and isinstance(header.value, int) and header.value > FORMAT:
        raise EditViewError(
            f"'{path.name}' was made by a newer EditView: it has format {header.value}, and this one reads up to "
            f"{FORMAT}. Update EditView to open it."
        )


def _from_table(file: TextIO, path: Path, columns: Mapping[str, str], odd: list[str]) -> Iterator[Found]:
    table = fact_csv.Table(file, path.name)
    place = fact_csv.places(table, path.name, columns)
    for number, (line, row) in enumerate(table, start=1):
        where = f"Line {line:,}"
        try:
            yield from [Found(where, fact) for fact in fact_csv.facts_of(row, place, len(table.headings), str(number))]
        except Odd as reason:
            odd.append(f"{where} {reason}.")
