"""The table of methods: one row a method and number of facts, figures from what the model says."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo.methods import COLUMNS, EDITORS, measured, table
from editview.domain.operations import AlphaEdit, Memit, Rome
from editview.formats.presets import preset


def test_every_method_has_settings_for_the_demo_model() -> None:
    assert [method for method in EDITORS if preset(method, "gpt2", 6, 256, 8192) is None] == []


@pytest.mark.slow
def test_a_few_facts_take_by_every_method_that_searches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDITVIEW_HOME", str(tmp_path))
    rows = list(measured([Memit, AlphaEdit, Rome], [3], [77]))
    assert [row["method"] for row in rows] == ["MEMIT", "AlphaEdit", "ROME"]
    for row in rows:
        assert len(row["efficacy"]) == 1
        assert row["efficacy"][0] > 60
        assert row["controls"][0] > 90
    assert len(table(rows).splitlines()) == 5
    assert all(name in table(rows) for name in COLUMNS)
