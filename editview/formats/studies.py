"""A study's files: rows as they come in, and the table that is made of them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path

from editview.domain.comparison import Interval
from editview.domain.errors import EditViewError
from editview.domain.files import write_atomically
from editview.domain.study import Row, Summed, summed
from editview.formats.study_picture import picture

ROWS, TABLE, SUMMARY, PICTURE = "rows.jsonl", "rows.csv", "study.md", "study.svg"

_HEADINGS = (
    "edit", "fine-tune", "layers", "order", "protection", "seeds", "edits stand, %", "took, %", "flipped, %",
    "neighbours, %", "controls, %", "validation loss", "steps",
)  # fmt: skip


def read_rows(folder: Path) -> dict[str, Row]:
    """The rows that an earlier run of the study has left in its folder, by key; damaged lines are passed over."""
    path, known, names = folder / ROWS, {}, {field.name for field in fields(Row)}
    if not path.exists():
        return {}
    for line in path.read_text("utf-8", "replace").splitlines():
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict) and found.keys() == names:
            known[found["key"]] = Row(**found)
    return known


def add_row(folder: Path, row: Row) -> None:
    """Append a row at once, so that nothing that was computed is lost. Raises EditViewError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / ROWS).open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(row)) + "\n")
    except OSError as error:
        raise EditViewError(
            f"'{folder}' can't be written: {error.strerror or error}. Choose another folder, or make room.", str(error)
        ) from error


def write_study(folder: Path, rows: Sequence[Row], lead: str) -> None:
    """Write the table of rows, the summary with a sentence before it, and the picture. Raises EditViewError."""
    plain = io.StringIO()
    writer = csv.writer(plain, lineterminator="\n")
    writer.writerow([field.name for field in fields(Row)])
    writer.writerows(asdict(row).values() for row in rows)
    write_atomically(folder / TABLE, plain.getvalue().encode())
    found = tuple(summed(rows))
    write_atomically(folder / SUMMARY, f"{lead}\n\n{markdown(found)}\n\n![Survival by cell]({PICTURE})\n".encode())
    write_atomically(folder / PICTURE, picture(found).encode())


def markdown(found: Sequence[Summed]) -> str:
    """Means over seeds with their 95 % intervals (Student), one line a place of the grid."""
    lines = [f"| {' | '.join(_HEADINGS)} |", "|---" * len(_HEADINGS) + "|"]
    for each in found:
        shares = (lambda r: r.hold, lambda r: r.took, lambda r: r.flipped, lambda r: r.neighbours, lambda r: r.controls)
        cells = [*(name or "–" for name in each.place), str(len(each.rows))]
        cells += [figure_said(each.figure(share), 100, 1) for share in shares]
        cells += [figure_said(each.figure(lambda r: r.loss), 1, 3), figure_said(each.figure(lambda r: r.steps), 1, 0)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def figure_said(interval: Interval | None, times: float, digits: int) -> str:
    """'45.0 ± 12.3'; '45.0' where there is no spread, '–' where there is no figure."""
    if interval is None:
        return "–"
    reach = times * (interval.high - interval.estimate)
    mean = f"{times * interval.estimate:.{digits}f}"
    return f"{mean} ± {reach:.{digits}f}" if reach else mean
