"""The table of protections: one plan a row, each another than the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo.protections import COLUMNS, measured, plans, table
from editview.domain.operations import FineTune, Memit
from editview.domain.orders import order_key
from editview.formats.plans import demo_plan


def test_every_row_is_another_plan_that_edits_or_teaches_the_demos_facts() -> None:
    found = plans(demo_plan())
    assert len({order_key(plan) for plan in found.values()}) == len(found)
    for plan in found.values():
        taught = [operation for operation in plan.active if isinstance(operation, FineTune) and operation.teach]
        assert taught or any(isinstance(operation, Memit) for operation in plan.active)


@pytest.mark.slow
def test_replay_keeps_edits_that_are_lost_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDITVIEW_HOME", str(tmp_path))
    without, with_ = measured(["none", "replay 20 %"], [7])
    assert with_["edits"][0] > without["edits"][0]
    assert all(name in table([without, with_]) for name in COLUMNS)
