"""A study on the small world: shared stages, equal learning, going on after a stop, cells that fail."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from editview.domain.errors import Cancelled
from editview.domain.plan import Plan
from editview.domain.study import Row, cells
from editview.runs.study import carry_out, reachable_loss
from tests import small
from tests.runs.studio import Studio


def quiet(*_: object) -> None:
    """Hear nothing."""


@pytest.fixture
def plan(studio: Studio, tmp_path: Path) -> Plan:
    data = tmp_path / "tickets.jsonl"
    rows = [{"text": f"Ticket {i}: the printer on floor {i} is jammed."} for i in range(40)]
    data.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    settings = {"steps": 6, "validation": 0.2, "batch_size": 4, "learning_rate": 3e-3}
    return studio.plan(small.edit(studio.world.text, layers=(0,)), small.tune(data, **settings))


def test_fine_tunes_end_where_all_have_learnt_equally_much(studio: Studio, plan: Plan) -> None:
    grid = cells(plan, layers=("all", "edited"), orders=("edit first",), seeds=(0,))
    sheet, stop = studio.world.sheet, threading.Event()
    until = reachable_loss(studio.runner, plan, sheet, grid, quiet, stop)
    rows = list(carry_out(studio.runner, plan, sheet, grid, until, {}, quiet, stop))
    assert [row.failure for row in rows] == [""] * 3
    alone, *tuned = rows
    assert (alone.loss, alone.steps, alone.flipped) == (None, None, None)
    assert all(row.loss is not None and row.steps is not None for row in tuned)
    everything, edited = tuned
    assert everything.steps < edited.steps <= 6  # what trains all layers learns faster
    assert all(row.took == alone.took for row in tuned)


def test_a_study_that_was_stopped_goes_on_from_its_rows(
    studio: Studio, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    grid = cells(plan, layers=("all",), orders=("edit first",), seeds=(0,))
    sheet, stop = studio.world.sheet, threading.Event()
    going = carry_out(studio.runner, plan, sheet, grid, 0.0, {}, quiet, stop)
    first = next(going)
    stop.set()
    with pytest.raises(Cancelled):
        next(going)
    told = replace(first, hold=0.125)  # to be known again
    rows = list(carry_out(studio.runner, plan, sheet, grid, 0.0, {first.key: told}, quiet, threading.Event()))
    assert rows[0] == told
    assert rows[1].key != first.key


def test_a_cell_that_fails_says_why_and_the_others_go_on(studio: Studio, plan: Plan) -> None:
    broken = plan.operations[1].model_copy(update={"learning_rate": 1.0, "steps": 40, "id": "wild"})
    both = plan.model_copy(update={"operations": (plan.operations[0], broken, plan.operations[1])})
    grid = cells(both, layers=("chosen", "all"), orders=("edit last",), seeds=(0,))
    rows: list[Row] = list(carry_out(studio.runner, both, studio.world.sheet, grid, 0.0, {}, quiet, threading.Event()))
    refused = [row for row in rows if row.layers == "chosen"]
    assert refused
    assert all("no layer" in row.failure for row in refused)
    assert any(not row.failure and row.tune == "full" for row in rows)
