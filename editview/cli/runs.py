"""`editview runs`: the runs so far and what was found of checkpoints, listed, shown again, and two runs compared."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from editview.cli import diff, inspect
from editview.cli.outcome import run_outcome
from editview.cli.report import save, try_report
from editview.cli.saying import say
from editview.cli.screen import grid, show, table
from editview.domain.errors import EditViewError
from editview.domain.history import EntryKind, RunEntry
from editview.domain.history_words import about, opened, outcome, when
from editview.domain.inspection import Inspection
from editview.domain.look import mark_of
from editview.domain.orders import FactPair, Kept, told
from editview.domain.requests import SaveSideBySide
from editview.domain.side_by_side import SideBySide, side_by_side
from editview.runs.findings import findings
from editview.runs.history import History
from editview.runs.recall import recalled

_MOST = 30
"""Facts that the table of two runs shows: those that end differently come first."""

_SHORT = 8  # signs of an id that the table shows; any beginning of one that fits no other will do


def runs(as_json: bool) -> int:
    """List them, the latest first; returns the exit code. Raises EditViewError when the list can't be read."""
    found = History().listed()
    if found.remark:
        say(found.remark)
    if as_json:
        print(json.dumps({"runs": [_outcome(entry) for entry in found.runs]}))
    elif found.runs:
        show(_table(found.runs))
    else:
        show("No run yet. 'editview run demo' is one to begin with.")
    return 0


def show_again(beginning: str, as_json: bool) -> int:
    """Print what the command that found it printed; returns the exit code. Raises EditViewError where it is gone."""
    history = History()
    entry = history.named(beginning)
    if entry.kind is EntryKind.RUN:
        back = recalled(history, entry.id)
        _say_when(entry, back.remarks)
        if as_json:
            print(json.dumps(run_outcome(back.run)))
        elif back.run.last_checked is not None:
            table(back.run)
    else:
        then = findings(history, entry.id)
        _say_when(entry, then.remarks)
        if isinstance(then.found, Inspection):
            inspect.tell(then.found, as_json)
        else:
            diff.tell(then.found, then.whole, as_json)
    return 0


def _say_when(entry: RunEntry, remarks: tuple[str, ...]) -> None:
    for sentence in (opened(entry, time.time()), *remarks):
        say(sentence)


def compare(beginnings: tuple[str, str], out: Path | None, as_json: bool) -> int:
    """Lay two runs side by side, and write that as a report where one is wanted; returns the exit code.

    Raises EditViewError where one is gone, they can't be compared, or the report can't be written.
    """
    if out is not None:
        try_report(out)
    history = History()
    entries = [history.named(beginning) for beginning in beginnings]
    for entry in entries:
        if entry.kind is not EntryKind.RUN:
            raise EditViewError(f"{entry.id} is the {entry.kind.value} of *{entry.name}*, and no run. Choose two runs.")
    if entries[0].id == entries[1].id:
        raise EditViewError(f"{entries[0].id} can't be compared with itself. Choose two runs.")
    first, second = (recalled(history, entry.id) for entry in entries)
    found = side_by_side(first, second, time.time())
    if not found.pairs:
        raise EditViewError(found.sentence)
    if out is not None:
        save(SaveSideBySide(first, second, str(out)))
    if as_json:
        print(json.dumps(_compared(found)))
        return 0
    show(_facts_table(found))
    for sentence in (*map(told, found.others), *found.remarks):
        say(sentence)
    show(found.sentence)
    if out is not None:
        show(f"Written to {out}.")
    return 0


def _facts_table(found: SideBySide) -> Table:
    more = f"{len(found.pairs) - _MOST:,} more; --json lists all" if len(found.pairs) > _MOST else None
    shown = grid("Fact by fact; those that only one keeps first", more)
    for name in ("Fact", "Wanted", "First", "Second"):
        shown.add_column(name)
    for pair in found.pairs[:_MOST]:
        ends = (mark_of(verdict) for verdict in (pair.first, pair.second))
        cells = (pair.fact.prompt, pair.fact.wanted, *(f"{mark.glyph} {mark.word}" for mark in ends))
        shown.add_row(*map(Text, cells))
    return shown


def _table(entries: tuple[RunEntry, ...]) -> Table:
    shown, now = grid("Runs so far"), time.time()
    for name in ("When, and id", "What", "What came of it"):
        shown.add_column(name)
    for entry in entries:
        found = (outcome(entry).replace("*", ""), f"Note: {entry.note}" if entry.note else "")
        cells = ((when(entry.began, now), entry.id[:_SHORT]), (entry.name, about(entry)), filter(None, found))
        shown.add_row(*map(Text, map("\n".join, cells)), end_section=True)
    return shown


def _outcome(entry: RunEntry) -> dict[str, Any]:
    """Times are seconds since 1970."""
    return {
        "id": entry.id,
        "kind": entry.kind.value,
        "began": entry.began,
        "ended": entry.ended,
        "state": entry.state.value,
        "name": entry.name,
        "checkpoint": entry.checkpoint,
        "steps": entry.steps,
        "stage": entry.stage,
        "sentence": entry.sentence.replace("*", ""),
        "failure": entry.failure or None,
        "note": entry.note,
        "begun_from": entry.door,
    }


def _compared(found: SideBySide) -> dict[str, Any]:
    """Verdicts are null where a run didn't ask a fact; `edits` is null where both edited none."""
    return {
        "names": found.names,
        "sentence": found.sentence.replace("*", ""),
        "remarks": [remark.replace("*", "") for remark in found.remarks],
        "edits": _kept(found.edits) if found.edits else None,
        "others": [_kept(each) for each in found.others],
        "facts": [_pair(pair) for pair in found.pairs],
    }


def _kept(kept: Kept) -> dict[str, Any]:
    return {**asdict(kept), "sentence": told(kept)}


def _pair(pair: FactPair) -> dict[str, Any]:
    ends = ((pair.first, pair.said_first), (pair.second, pair.said_second))
    first, second = ({"verdict": verdict.value if verdict else None, "said": said} for verdict, said in ends)
    fact = pair.fact
    about_it = {"id": fact.id, "group": fact.group.value, "prompt": fact.prompt, "wanted": fact.wanted}
    return {**about_it, "first": first, "second": second}
