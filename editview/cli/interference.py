"""`editview interference`: what a plan's fine-tune did where its edits had written, and whether it explains losses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from rich.table import Table

from editview.cli.run import carried_out, exit_code, make_runner, read
from editview.cli.screen import Bar, ctrl_c, show
from editview.domain.errors import EditViewError
from editview.domain.interference import (
    CAPTION,
    HEADINGS,
    MEASURES,
    Interference,
    Moved,
    basis,
    figures,
    headline,
    weights_sentence,
)
from editview.domain.losses import question
from editview.domain.session import RunState


def interference(
    source: str,
    facts: str | None,
    columns: Mapping[str, str],
    device_id: str | None,
    step: int | None,
    seed: int | None,
    as_json: bool,
) -> int:
    """Compute what isn't kept of the plan, then measure; returns the exit code."""
    plan, sheet = read(source, facts, columns)
    if seed is not None:
        if not 0 <= seed < 2**32:
            raise EditViewError("A seed is a whole number from 0 to 4,294,967,295: give another one, or none.")
        plan = plan.model_copy(update={"seed": seed})
    runner = make_runner(device_id)
    with ctrl_c() as stop, Bar() as bar:
        run = carried_out(runner, plan, sheet, stop, bar)
        if run.state is not RunState.FINISHED:
            return exit_code(run)
        asked = question(run, step)
        if isinstance(asked, str):
            raise EditViewError(asked)
        found = runner.interference(asked, lambda event: bar.take(event, run), stop)
    if as_json:
        print(json.dumps(_outcome(found)))
    else:
        for sentence in (headline(found), weights_sentence(found), basis(found)):
            show(sentence)
        _table(found)
    return 0


def _table(found: Interference) -> None:
    rows = figures(found)
    shown = Table(caption=CAPTION, box=None, padding=(0, 0, 0, 1), pad_edge=False)
    for heading, cells in zip(HEADINGS, zip(*rows, strict=True), strict=True):
        shown.add_column(heading, justify="right", min_width=max(map(len, cells)))
    for row in rows:
        shown.add_row(*row)
    show(shown)


def _outcome(found: Interference) -> dict[str, Any]:
    """The sentences, and every figure; layers are counted from 0."""
    return {
        "headline": headline(found),
        "weights": weights_sentence(found),
        "basis": basis(found),
        "measures": [measure.value for measure in MEASURES],
        **asdict(found),
        "layers": [
            {**asdict(one), "moved": [None if moved is None else _moved(moved) for moved in one.moved]}
            for one in found.layers
        ],
    }


def _moved(moved: Moved) -> dict[str, Any]:
    further = moved.lost_further
    return {**asdict(moved), "lost_further": None if further is None else asdict(further)}
