"""The grid of a study, and what is counted of it."""

from __future__ import annotations

import pytest

from editview.domain.operations import AlphaEdit, FullFineTune, Lora, Memit
from editview.domain.plan import Plan
from editview.domain.study import Row, cells, spread, summed

PLAN = Plan(operations=(Memit(layers=(0,)), AlphaEdit(layers=(1,), enabled=False), Lora(), FullFineTune()))


def test_every_edit_meets_every_fine_tune_and_stands_alone_once_a_seed() -> None:
    grid = cells(PLAN, seeds=(0, 1))
    assert len(grid) == 2 * (2 + 2 * 2 * 3 * 2)
    assert sum(cell.tune is None for cell in grid) == 4
    assert len({(cell.names, cell.seed) for cell in grid}) == len(grid)
    assert all(operation.enabled for cell in grid for operation in cell.plan(PLAN, 0.0).operations)


def test_protections_go_with_edits_that_stand_before() -> None:
    grid = cells(PLAN, layers=("all",), protections=("none", "replay", "repair"), seeds=(0,))
    assert {cell.protection for cell in grid if cell.order == "edit last"} == {"none"}
    replayed = next(cell for cell in grid if cell.protection == "replay").plan(PLAN, 1.5)
    assert (replayed.operations[1].replay, replayed.operations[1].until) == (0.1, 1.5)
    repaired = next(cell for cell in grid if cell.protection == "repair").plan(PLAN, 0.0)
    assert [operation.method for operation in repaired.operations] == ["memit", "lora", "memit"]
    assert repaired.operations[2].failing
    assert repaired.operations[2].id != repaired.operations[0].id


def test_the_order_turns_round_and_layers_and_seed_go_in() -> None:
    grid = cells(PLAN, layers=("edited",), orders=("edit last",), seeds=(7,))
    plan = next(cell for cell in grid if cell.tune is not None).plan(PLAN, 0.0)
    assert [operation.method for operation in plan.operations] == ["lora", "memit"]
    assert plan.operations[0].trained == "edited"
    assert plan.seed == 7


def test_the_interval_is_students() -> None:
    found = spread([0.5, 0.6, 0.7, None])
    assert found is not None
    assert found.estimate == pytest.approx(0.6)
    assert found.high - found.estimate == pytest.approx(4.303 * 0.1 / 3**0.5, rel=1e-3)
    assert spread([None]) is None
    alone = spread([0.4])
    assert alone is not None
    assert alone.low == alone.high


def test_seeds_of_one_place_are_taken_together_and_failures_left_out() -> None:
    place = ("MEMIT", "LoRA", "all", "edit first", "none")
    rows = [Row(*place, 0, "a", hold=0.5), Row(*place, 1, "b", hold=1.0), Row(*place, 2, failure="no room")]
    (found,) = summed(rows)
    assert len(found.rows) == 2
    interval = found.figure(lambda row: row.hold)
    assert interval is not None
    assert interval.estimate == 0.75
