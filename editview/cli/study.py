"""`editview study`: how edits fare over a grid of methods, fine-tunes, layers and orders, as a table and a picture."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from rich.table import Table
from rich.text import Text

from editview.cli.saying import say
from editview.cli.screen import Bar, ctrl_c, grid, show
from editview.domain import places
from editview.domain.errors import EditViewError
from editview.domain.events import Event
from editview.domain.operations import Trained
from editview.domain.run_events import Progressed
from editview.domain.session import Run
from editview.domain.study import Order, Protection, Row, Summed, cells, edits_and_tunes, summed
from editview.formats.fact_sheets import read_facts
from editview.formats.plans import read_plan
from editview.formats.studies import add_row, figure_said, markdown, read_rows, write_study

_SHARES: tuple[Callable[[Row], float | None], ...] = (
    lambda row: row.hold, lambda row: row.neighbours, lambda row: row.controls,
)  # fmt: skip


def study(
    source: str,
    folder: Path,
    layers: Sequence[Trained],
    orders: Sequence[Order],
    protections: Sequence[Protection],
    seeds: Sequence[int],
    until: float | None,
    device_id: str | None,
    as_json: bool,
) -> int:
    """Run the grid of a plan's edits and fine-tunes; 0 when every cell has its figures, else 1."""
    plan = read_plan(places.demo_study() if source == "demo" else Path(source))
    edits, tunes = edits_and_tunes(plan)
    if not edits:
        raise EditViewError(f"'{source}' holds no edit, so there is nothing to study. Add one operation a method.")
    grid = cells(plan, layers, orders, protections, seeds)
    sheet, problems = read_facts(plan.facts, plan.columns)
    for problem in problems:
        say(str(problem))

    from editview.runs import study as runs
    from editview.runs.fingerprints import Fingerprints
    from editview.runs.machine import device, settle
    from editview.runs.pace import Clock
    from editview.runs.runner import Runner
    from editview.runs.store import StageStore
    from editview.runs.timings import Timings

    settle()
    runner = Runner(StageStore(places.stages()), Fingerprints(), Timings(), device(device_id))
    known, clock = read_rows(folder), Clock()
    rows: list[Row] = []
    with ctrl_c() as stop, Bar() as bar:

        def tell(event: Event, run: Run | None) -> None:
            if isinstance(event, Progressed) and run is not None:
                left = clock.seconds_left(len(rows), len(grid)) if rows else None
                bar.show(len(rows), len(grid), f"{len(rows):,} of {len(grid):,}: {run.plan.name}: {event.what}", left)

        if until is None:
            until = runs.reachable_loss(runner, plan, sheet, grid, tell, stop) if tunes else 0.0
        clock.begin(0, "cells")
        for row in runs.carry_out(runner, plan, sheet, grid, until, known, tell, stop):
            rows.append(row)
            if row.failure:
                say(f"{', '.join(filter(None, row.place))}: {row.failure}")
            elif row.key not in known:
                add_row(folder, row)
    write_study(folder, rows, _lead(plan.name, sheet.name, until, seeds, rows))
    if as_json:
        print(json.dumps({"until": until, "rows": [asdict(row) for row in rows]}))
    elif sys.stdout.isatty():
        show(_table(tuple(summed(rows))))
    else:
        print(markdown(tuple(summed(rows))))
        say(f"The table, the rows and the picture are in '{folder}'.")
    return 1 if any(row.failure for row in rows) else 0


def _table(found: Sequence[Summed]) -> Table:
    """The figures that a terminal has room for; the folder holds all."""
    shown = grid("Shares in per cent, means over seeds with their 95 % interval")
    for name in ("Edit, fine-tune, layers, order, protection", "Edits stand", "Neighbours", "Controls", "Loss"):
        shown.add_column(name, justify="left" if not shown.columns else "right")
    for each in found:
        shares = [figure_said(each.figure(share), 100, 1) for share in _SHARES]
        loss = figure_said(each.figure(lambda row: row.loss), 1, 3)
        shown.add_row(*map(Text, (", ".join(filter(None, each.place)), *shares, loss)))
    return shown


def _lead(plan: str, sheet: str, until: float, seeds: Sequence[int], rows: Sequence[Row]) -> str:
    failed = sum(bool(row.failure) for row in rows)
    matched = f"Fine-tunes end when their validation loss is {until:.3f} or less. " if until else ""
    lost = f" {failed:,} cells have no figures." if failed else ""
    return (
        f"*{plan}* on *{sheet}*, seeds {', '.join(map(str, seeds))}. {matched}Means over seeds ± Student's 95 % "
        f"interval.{lost}"
    )
