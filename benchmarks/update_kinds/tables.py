"""What was taken for what, as tables: for the terminal and docs/update-kinds.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from demo.quality import write_into
from editview.domain.update_kind import Judgement, UpdateKind

PAGE = Path(__file__).parent.parent.parent / "docs" / "update-kinds.md"
LIKE = 0.75  # a number told is right from this share of the true one up to the inverse


@dataclass(frozen=True)
class Row:
    """An update and what was said of it."""

    kind: UpdateKind
    name: str
    model: str
    storage: str
    found: Judgement
    facts: int | None  # that were edited, where each makes one direction
    rank: int | None  # of the adapter
    seconds: float  # CPU time that reading and judging took

    def __str__(self) -> str:
        right = "right" if self.found.kind is self.kind else f"taken for {self.found.kind.value}"
        return f"{self.kind.value} ({self.name}; {self.model}; {self.storage}): {right}"


def matrix(rows: Sequence[Row]) -> str:
    """Markdown: a row for each true kind, a column for each that was told."""
    met = {kind for row in rows for kind in (row.kind, row.found.kind)}
    kinds = [kind for kind in UpdateKind if kind in met]
    counts = Counter((row.kind, row.found.kind) for row in rows)
    lines = [f"| was ↓, told → | {' | '.join(kind.value for kind in kinds)} |", "|---" * (len(kinds) + 1) + "|"]
    for kind in kinds:
        if any(row.kind is kind for row in rows):
            cells = [str(counts[kind, told] or "") for told in kinds]
            lines.append(f"| **{kind.value}** | {' | '.join(cells)} |")
    return "\n".join(lines)


def summary(name: str, rows: Sequence[Row]) -> str:
    right = sum(row.kind is row.found.kind for row in rows)
    unclear = sum(row.found.kind is UpdateKind.UNCLEAR for row in rows)
    models = Counter(row.model for row in rows)
    return (
        f"{name.capitalize()}: of {len(rows)} updates {right} were told rightly, {unclear} were called unclear and "
        f"{len(rows) - right - unclear} were taken for another kind. Models (layers × width): "
        f"{'; '.join(f'{model} ({count})' for model, count in models.items())}."
    )


def numbers(rows: Sequence[Row]) -> str:
    """How often the number of facts and the rank were right, where a number was told."""
    said = []
    for what, pairs in (
        ("number of facts", [(row.facts, row.found.facts) for row in rows if row.facts and row.found.facts]),
        ("rank", [(row.rank, row.found.rank) for row in rows if row.rank and row.found.rank]),
    ):
        exact = sum(true == told for true, told in pairs)
        near = sum(LIKE * true <= told <= true / LIKE for true, told in pairs)
        said.append(f"the {what} was told {len(pairs)} times, {exact} times exactly and {near} within a quarter")
    return f"{said[0][0].upper()}{said[0][1:]}; {said[1]}."


def by_storage(rows: Sequence[Row]) -> str:
    lines = ["| number formats | updates | right | unclear | another kind |", "|---|---|---|---|---|"]
    for storage in sorted({row.storage for row in rows}):
        some = [row for row in rows if row.storage == storage]
        right = sum(row.kind is row.found.kind for row in some)
        unclear = sum(row.found.kind is UpdateKind.UNCLEAR for row in some)
        lines.append(f"| {storage} | {len(some)} | {right} | {unclear} | {len(some) - right - unclear} |")
    return "\n".join(lines)


def mistakes(rows: Sequence[Row]) -> str:
    """Every update that was taken for another kind."""
    wrong = [row for row in rows if row.found.kind not in (row.kind, UpdateKind.UNCLEAR)]
    return "\n".join(f"- {row}" for row in wrong) or "None."


def write_page(found: Mapping[str, Sequence[Row]]) -> None:
    parts = []
    for name, rows in found.items():
        parts.append(f"## {name.capitalize()}\n\n{summary(name, rows)}\n\n{matrix(rows)}\n\n{numbers(rows)}")
        parts.append(by_storage(rows))
        parts.append(f"Taken for another kind:\n\n{mistakes(rows)}")
    write_into(PAGE, "\n\n".join(parts))
