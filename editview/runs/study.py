"""Carries a study out: every cell of the grid is a run, and what runs share is computed once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from editview.domain.errors import Cancelled, EditViewError
from editview.domain.events import Event
from editview.domain.facts import FactSheet
from editview.domain.plan import Plan
from editview.domain.run_events import RunEvent
from editview.domain.session import Run, RunState, Session
from editview.domain.study import Cell, Row, row, tune_name
from editview.runs.operations import digest
from editview.runs.runner import Runner

Told = Callable[[Event, Run | None], None]
"""Hears what happens in the run under way."""


def reachable_loss(
    runner: Runner, base: Plan, sheet: FactSheet, grid: Sequence[Cell], tell: Told, stop: threading.Event
) -> float:
    """The lowest validation loss that every fine-tune of the grid reaches on the unedited checkpoint.

    Each trains all its steps once, with the first seed. Raises EditViewError when one can't be run or has no
    validation loss, and Cancelled.
    """
    lowest: dict[tuple[str, str, str], float] = {}
    for cell in grid:
        if cell.tune is None or cell.seed != grid[0].seed:
            continue
        kind = (tune_name(cell.tune), cell.layers, "" if cell.layers == "all" else cell.edit.label)
        if kind in lowest:
            continue
        alone = replace(cell, order="edit last", protection="none")
        run = _run(runner, alone.plan(base, 0.0), sheet, tell, stop)
        losses = [look.loss for look in run.stages[1].validations.values()]
        if not losses:
            raise EditViewError(
                f"The fine-tune '{tune_name(cell.tune)}' keeps no examples for validation, so fine-tunes can't be "
                "compared where they have learnt equally much. Set 'validation' in the plan, or give --until 0."
            )
        lowest[kind] = min(losses)
    return max(lowest.values(), default=0.0)


def carry_out(
    runner: Runner,
    base: Plan,
    sheet: FactSheet,
    grid: Sequence[Cell],
    until: float,
    known: Mapping[str, Row],
    tell: Told,
    stop: threading.Event,
) -> Iterator[Row]:
    """A row for each cell, in order. `known` rows, by key, are given again without a run.

    A cell that fails gives a row that says why, and the others go on. Raises Cancelled.
    """
    for cell in grid:
        plan = cell.plan(base, until)
        try:
            keys = runner.keys(plan, sheet)
            if keys and (found := known.get(_key(keys[-1], sheet))):
                yield found
                continue
            run = _run(runner, plan, sheet, tell, stop)
            yield row(cell, run, _key(run.stages[-1].info.key, sheet))
        except EditViewError as error:
            yield Row(*cell.names, cell.seed, failure=str(error))


def _key(stage: str, sheet: FactSheet) -> str:
    return digest([stage, sheet.content_hash])[:32]


def _run(runner: Runner, plan: Plan, sheet: FactSheet, tell: Told, stop: threading.Event) -> Run:
    """Run a plan to its end. Raises what stops or fails it."""
    session = Session()

    def take(event: Event) -> None:
        if isinstance(event, RunEvent):
            session.apply(event)
        tell(event, session.latest)

    runner.run(plan, sheet, take, stop)
    run = session.latest
    assert run is not None
    if run.state is RunState.STOPPED:
        raise Cancelled
    if run.state is RunState.FAILED:
        raise EditViewError(*(run.failure or ("The run failed.", "")))
    return run
