"""The commands that find again what was found of checkpoints, as a person types them."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path

from editview.domain.difference import Difference
from editview.domain.inspection import Inspection
from editview.domain.plan import Checkpoint
from editview.domain.session import Run
from editview.domain.two_checkpoints import told_about

_PACKAGED = ("demo", "packaged")


def commands(
    found: Difference | None, whole: bool, asked: Run | None, inspection: Inspection | None
) -> tuple[str, ...]:
    """One for what lies between two checkpoints and the sheet asked of both, one for the facts that the change touched.

    Quoted for a shell. Files and folders of this machine are named in full, so that it doesn't matter where they are
    typed. `whole`: the kind of update was told. Each writes a report.
    """
    said = []
    first, *rest = told_about(found, inspection)
    if rest and (found is not None or asked is not None):
        said.append(_comparison(first, rest[0], found is not None and not whole, asked))
    if inspection is not None:
        said.append(_inspection(inspection))
    return tuple(shlex.join(("editview", *parts)) for parts in said)


def _comparison(first: Checkpoint, second: Checkpoint, quick: bool, asked: Run | None) -> Iterator[str]:
    yield from ("diff", in_full(first.source), in_full(second.source))
    yield from (*_opened(first, "first-"), *_opened(second))
    if first.allow_code or second.allow_code:
        yield "--allow-code"
    if quick:
        yield "--quick"
    if asked is not None:
        yield from _sheet(asked.plan.facts, asked.plan.columns.items())
    yield from ("--report", "comparison.html")


def _inspection(found: Inspection) -> Iterator[str]:
    original, edited = found.original, found.edited
    yield from ("inspect", in_full(edited.source))
    if original is not None:
        yield from ("--before", in_full(original.source), *_opened(original, "before-"))
    yield from _opened(edited)
    if edited.allow_pickle:
        yield "--allow-pickle"
    if edited.allow_code or (original is not None and original.allow_code):
        yield "--allow-code"
    if found.subjects:
        yield from ("--subjects", in_full(found.subjects))
    if found.sheet:
        yield from _sheet(found.sheet, found.columns)
    yield from ("--report", "inspection.html")


def _opened(checkpoint: Checkpoint, whose: str = "") -> Iterator[str]:
    """What else than its source says how a checkpoint is opened."""
    if checkpoint.adapter:
        yield from (f"--{whose}adapter", in_full(checkpoint.adapter))
    if checkpoint.dtype != "auto":
        yield from (f"--{whose}dtype", checkpoint.dtype)


def _sheet(source: str, columns: Iterable[tuple[str, str]]) -> Iterator[str]:
    yield from ("--facts", in_full(source))
    for ours, theirs in columns:
        yield from ("--column", f"{ours}={theirs}")


def in_full(source: str) -> str:
    """A file or folder of this machine by its whole path; anything else as it is called."""
    path = Path(os.path.expanduser(source))
    return source if source in _PACKAGED or not path.exists() else str(path.absolute())
