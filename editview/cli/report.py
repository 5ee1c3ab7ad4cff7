"""`editview report`: what became of a plan's facts, as one file that opens in any browser."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from editview.cli.run import carried_out, exit_code, make_runner, read
from editview.cli.screen import Bar, ctrl_c, show
from editview.domain.errors import EditViewError
from editview.domain.files import try_place
from editview.domain.sentences import summary
from editview.domain.session import RunState
from editview.formats.report import SUFFIX, write_report


def report(source: str, facts: str | None, columns: Mapping[str, str], device_id: str | None, out: Path) -> int:
    """Compute what isn't kept, then write the report; returns the exit code. A run that doesn't end leaves none."""
    if out.suffix.lower() != SUFFIX:
        raise EditViewError(f"A report is an HTML file: call it '{out.with_suffix(SUFFIX).name}'.")
    plan, sheet = read(source, facts, columns)
    try_place(out)
    runner = make_runner(device_id)
    with ctrl_c() as stop, Bar() as bar:
        run = carried_out(runner, plan, sheet, stop, bar)
    if run.state is RunState.FINISHED:
        write_report(run, out)
        show(summary(run, len(run.stages) - 1))
        show(f"Written to {out}.")
    return exit_code(run)
