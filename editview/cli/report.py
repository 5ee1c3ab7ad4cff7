"""`editview report`: what became of a plan's facts, as one file that opens in any browser."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from editview.cli.run import carried_out, exit_code, make_runner, read
from editview.cli.screen import Bar, ctrl_c, show
from editview.domain.errors import EditViewError
from editview.domain.files import try_place
from editview.domain.orders import ingredients, order_key, order_name
from editview.domain.sentences import summary
from editview.domain.session import RunState
from editview.formats.report import ENDINGS, write_report


def report(
    source: str, other: str | None, facts: str | None, columns: Mapping[str, str], device_id: str | None, out: Path
) -> int:
    """Compute what isn't kept, then write the report; returns the exit code. A run that doesn't end leaves none."""
    if out.suffix.lower() not in ENDINGS:
        names = " or ".join(f"'{out.with_suffix(ending).name}'" for ending in ENDINGS)
        raise EditViewError(f"A report is an HTML file or a PDF: call it {names}.")
    read_in = [read(each, facts, columns) for each in (source, other) if each is not None]
    if len({(ingredients(plan), sheet.content_hash) for plan, sheet in read_in}) > 1:
        raise EditViewError("These plans can't be compared: they don't do the same steps to the same facts.")
    if len({order_key(plan) for plan, _ in read_in}) < len(read_in):
        raise EditViewError("These plans can't be compared: they do the same steps in the same order.")
    try_place(out)
    runner = make_runner(device_id)
    runs = []
    with ctrl_c() as stop, Bar() as bar:
        for plan, sheet in read_in:
            runs.append(carried_out(runner, plan, sheet, stop, bar))
            if runs[-1].state is not RunState.FINISHED:
                return exit_code(runs[-1])
    write_report(runs[0], out, *runs[1:])
    for run in runs:
        show(f"{order_name(run.plan)}: {summary(run, len(run.stages) - 1)}")
    print(f"Written to {out}.")
    return 0
