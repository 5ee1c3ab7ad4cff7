"""`editview report`: what became of the facts of a plan or of two, as one file that opens in any browser."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from editview.cli.run import carried_out, exit_code, make_runner, read
from editview.cli.screen import Bar, ctrl_c, show
from editview.domain.errors import EditViewError
from editview.domain.files import try_place
from editview.domain.history import Recalled, RunEntry
from editview.domain.orders import ingredients, order_key, order_name
from editview.domain.sentences import summary
from editview.domain.session import Run, RunState
from editview.domain.side_by_side import shared
from editview.formats.report import ENDINGS, write_report, write_side_by_side


def report(
    source: str, other: str | None, facts: str | None, columns: Mapping[str, str], device_id: str | None, out: Path
) -> int:
    """Compute what isn't kept, then write the report; returns the exit code. A run that doesn't end leaves none."""
    try_report(out)
    read_in = [read(each, facts, columns) for each in (source, other) if each is not None]
    (first, sheet), (second, other_sheet) = read_in[0], read_in[-1]
    same_facts = sheet.content_hash == other_sheet.content_hash
    if other is not None:
        if not shared(sheet, other_sheet).facts:
            raise EditViewError("These plans can't be compared: they ask no fact in common.")
        if same_facts and order_key(first) == order_key(second):
            raise EditViewError("These plans can't be compared: they do the same steps in the same order.")
    runner = make_runner(device_id)
    runs, began = [], time.time()
    with ctrl_c() as stop, Bar() as bar:
        for plan, sheet in read_in:
            runs.append(carried_out(runner, plan, sheet, stop, bar))
            if runs[-1].state is not RunState.FINISHED:
                return exit_code(runs[-1])
    if same_facts and ingredients(first) == ingredients(second):
        write_report(runs[0], out, *runs[1:])
    else:
        one, two = (_as_listed(run, began) for run in runs)
        write_side_by_side(one, two, out)
    for run in runs:
        show(f"{order_name(run.plan)}: {summary(run, len(run.stages) - 1)}")
    print(f"Written to {out}.")
    return 0


def try_report(out: Path) -> None:
    """Raises EditViewError where no report can be written, or its name doesn't say what it is to be."""
    if out.suffix.lower() not in ENDINGS:
        names = " or ".join(f"'{out.with_suffix(ending).name}'" for ending in ENDINGS)
        raise EditViewError(f"A report is an HTML file or a PDF: call it {names}.")
    try_place(out)


def _as_listed(run: Run, began: float) -> Recalled:
    plan = run.plan
    entry = RunEntry(run.id, began, None, run.state, plan.name, plan.checkpoint.source, order_name(plan), "", "")
    return Recalled(entry, run)
