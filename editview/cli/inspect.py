"""`editview inspect`: which facts a checkpoint's change touched, with the original or without it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from editview.cli.report import save, try_report
from editview.cli.run import make_runner, read_sheet
from editview.cli.saying import say, say_notes
from editview.cli.screen import Bar, ctrl_c, grid, show
from editview.domain.events import EngineLoading, Event, Inspected
from editview.domain.history import TERMINAL
from editview.domain.inspection import Inspection, headline, memory_sentence, remarks, written_sentence
from editview.domain.plan import Checkpoint
from editview.domain.requests import InspectCheckpoint, SaveComparison
from editview.runs.findings import Keeper
from editview.runs.history import History

_MOST = 20
"""Subjects that the table shows."""


def inspect(
    edited: Checkpoint,
    original: Checkpoint | None,
    subjects: str | None,
    facts: str | None,
    columns: Mapping[str, str],
    device_id: str | None,
    as_json: bool,
    report: Path | None,
) -> int:
    """Print and keep what was found; 0 when something looks touched, else 1."""
    if report is not None:
        try_report(report)
    of_sheet = read_sheet(facts, columns).facts if facts else ()
    asked = InspectCheckpoint(edited, original, subjects or "", of_sheet, facts or "", tuple(columns.items()))
    runner = make_runner(device_id)
    with ctrl_c() as stop, Bar() as bar:

        def emit(event: Event) -> None:
            if isinstance(event, EngineLoading) and event.what:
                bar.show(round(1000 * (event.share or 0)), 1000, event.what, event.seconds_left)

        found = runner.inspect(asked, emit, stop)
    Keeper(History(), say_notes, TERMINAL)(Inspected(asked, found))
    tell(found, as_json)
    if report is not None:
        save(SaveComparison(None, str(report), inspection=found))
        say(f"The report is in '{report}'.")
    return 0 if found.differing else 1


def tell(found: Inspection, as_json: bool) -> None:
    """Print what was found."""
    if as_json:
        print(json.dumps(_outcome(found)))
    else:
        if found.touched:
            show(_table(found))
        for memory in found.memories:
            if memory.looks_edited:
                say(memory_sentence(memory))
        for remark in remarks(found):
            say(remark)
        show(headline(found))
        if said := written_sentence(found):
            show(said)


def _table(found: Inspection) -> Table:
    more = f"{len(found.touched) - _MOST:,} more were asked; --json lists all" if len(found.touched) > _MOST else None
    shown = grid("Subjects that the change acts on most; those answered differently first", more)
    for name in ("Asked", "Before" if found.original else "Without what stands out", "Now"):
        shown.add_column(name)
    for name in ("Times\nthe usual", "Layer"):
        shown.add_column(name, justify="right")
    for one in found.touched[:_MOST]:
        said = one.telling
        shown.add_row(*map(Text, (said.prompt, *said.shown, f"{one.times:.1f}", str(one.layer + 1))))
    return shown


def _outcome(found: Inspection) -> dict[str, Any]:
    """Layers are counted from 0."""
    outcome = asdict(found)
    for name in ("edited", "original"):
        checkpoint = getattr(found, name)
        outcome[name] = checkpoint.model_dump(mode="json") if checkpoint else None
    for one, shown in zip(found.touched, outcome["touched"], strict=True):
        shown["differs"] = one.differs
    written = [{**asdict(one), "probable": one.probable} for one in found.written] if found.original is None else []
    said = {"sentence": headline(found), "written_sentence": written_sentence(found), "remarks": list(remarks(found))}
    return {**said, "written": written, **outcome}
