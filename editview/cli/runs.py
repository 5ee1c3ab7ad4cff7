"""`editview runs`: the runs so far, from the window and from the command line."""

from __future__ import annotations

import json
import time
from typing import Any

from rich.table import Table
from rich.text import Text

from editview.cli.saying import say
from editview.cli.screen import grid, show
from editview.domain.history import RunEntry
from editview.domain.history_words import checkpoint_name, outcome, when
from editview.runs.history import History


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


def _table(entries: tuple[RunEntry, ...]) -> Table:
    shown, now = grid("Runs so far"), time.time()
    for name in ("When", "Plan", "What came of it"):
        shown.add_column(name)
    for entry in entries:
        plan = (entry.plan, entry.steps, checkpoint_name(entry.checkpoint))
        found = (outcome(entry).replace("*", ""), f"Note: {entry.note}" if entry.note else "")
        cells = (when(entry.began, now), "\n".join(plan), "\n".join(filter(None, found)))
        shown.add_row(*map(Text, cells), end_section=True)
    return shown


def _outcome(entry: RunEntry) -> dict[str, Any]:
    """Times are seconds since 1970."""
    return {
        "id": entry.id,
        "began": entry.began,
        "ended": entry.ended,
        "state": entry.state.value,
        "plan": entry.plan,
        "checkpoint": entry.checkpoint,
        "steps": entry.steps,
        "stage": entry.stage,
        "sentence": entry.sentence.replace("*", ""),
        "failure": entry.failure or None,
        "note": entry.note,
        "begun_from": entry.door,
    }
