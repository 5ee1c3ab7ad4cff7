"""Disk space: each kind counted and cleared where the platform keeps it, never while a run needs it."""

from __future__ import annotations

import logging.handlers
from pathlib import Path

import platformdirs
import pytest

from editview.domain import places
from editview.domain.disk import Kind
from editview.domain.errors import EditViewError
from editview.domain.history import WINDOW
from editview.domain.session import RunState
from editview.runs import disk
from editview.runs.history import History
from editview.runs.journal import Journal
from editview.runs.recall import recalled
from editview.runs.recorder import Recorder
from tests import sample, small
from tests.runs.studio import Studio


def sizes() -> dict[Kind, int]:
    return {use.kind: use.bytes for use in disk.uses()}


def needed() -> set[Kind]:
    return {use.kind for use in disk.uses() if use.needed}


def test_an_empty_home_takes_nothing() -> None:
    assert set(sizes().values()) == {0}
    for kind in Kind:
        disk.clear(kind)
    assert all(size == 0 for kind, size in sizes().items() if kind is not Kind.RUNS)


def test_each_kind_is_counted_and_cleared_alone(studio: Studio) -> None:
    plan = studio.plan(small.edit(studio.world.text))
    studio.runner.run(plan, studio.world.sheet, Recorder(History(), lambda event: None, WINDOW))
    for path, content in ((places.window_settings(), "[look]"), (places.logs() / "editview.log", "it went wrong\n")):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    before = sizes()
    stages = sum(path.stat().st_size for path in places.stages().rglob("*") if path.is_file())
    assert before[Kind.STAGES] == stages > 0
    assert all(before.values())
    (entry,) = History().listed().runs
    record = Recorder(History(), lambda event: None, WINDOW)
    for event in sample.events(sample.plan(), sample.sheet(200, 200, 200)):
        record(event)
    for kind in Kind:
        before = sizes()
        disk.clear(kind)
        after = sizes()
        assert after[kind] < before[kind] if kind is Kind.RUNS else after[kind] == 0
        assert all(after[other] == before[other] for other in list(Kind)[list(Kind).index(kind) + 1 :])
        if kind is Kind.STAGES:  # what a run has found stays, and it can be computed again
            assert "aren't kept any more" in recalled(History(), entry.id).remarks[0]
            assert studio.run(plan).state is RunState.FINISHED
            disk.clear(kind)
    assert History().listed().runs == ()


def test_nothing_is_cleared_under_a_run() -> None:
    journal = Journal(places.stages(), "Capitals")
    journal.under_way("Edit 40 facts", 1)
    kept = places.stages() / "stage" / "weights.safetensors"
    kept.parent.mkdir()
    kept.write_bytes(b"weights")
    assert needed() == {Kind.STAGES, Kind.STATISTICS}
    for kind in needed():
        with pytest.raises(EditViewError, match=r"\*Capitals\* is being run"):
            disk.clear(kind)
    assert kept.exists()
    journal.end()
    assert not needed()
    disk.clear(Kind.STAGES)
    assert not kept.exists()


def test_what_a_killed_clearing_left_goes_with_the_next() -> None:
    left = places.stages().parent / ".stages.999999999-abcd.part"
    left.mkdir(parents=True)
    disk.clear(Kind.STAGES)
    assert not left.exists()


def test_a_log_goes_on_after_it_was_cleared() -> None:
    places.logs().mkdir(parents=True)
    path = places.logs() / "editview.log"
    handler = logging.handlers.RotatingFileHandler(path, encoding="utf-8")
    handler.emit(logging.makeLogRecord({"msg": "before"}))
    disk.clear(Kind.LOGS)
    assert path.read_text() == ""
    handler.emit(logging.makeLogRecord({"msg": "after"}))
    handler.close()
    assert path.read_text() == "after\n"


def test_damaged_lists_that_were_put_aside_count_too() -> None:
    places.runs().parent.mkdir(parents=True)
    places.runs().write_bytes(b"nonsense" * 1000)
    assert History().listed().remark
    assert sizes()[Kind.RUNS] > 8000


@pytest.fixture
def platform_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("EDITVIEW_HOME")
    for kind in ("data", "cache", "config", "log"):
        monkeypatch.setattr(
            platformdirs, f"user_{kind}_dir", lambda app, appauthor, kind=kind: str(tmp_path / kind / app)
        )
    return tmp_path


def test_everything_lies_where_the_platform_has_it(platform_home: Path) -> None:
    kinds = {
        "cache": (places.stages(), places.statistics(), places.timings(), places.measured(), places.fingerprints()),
        "data": (places.runs(), places.autosaved_plan()),
        "config": (places.window_settings(),),
        "log": (places.logs(),),
    }
    for kind, found in kinds.items():
        assert all(path.is_relative_to(platform_home / kind / "EditView") for path in found)


def test_what_an_earlier_version_kept_moves_in_once(platform_home: Path) -> None:
    old = platform_home / "data" / "EditView"
    (old / "stages" / "key").mkdir(parents=True)
    (old / "timings.json").write_text("{}")
    (old / "plan.toml").write_text("editview = 1")
    places.move_in()
    assert (places.stages() / "key").is_dir()
    assert places.timings().read_text() == "{}"
    assert [path.name for path in old.iterdir()] == ["plan.toml"]
    (old / "timings.json").write_text("older")
    places.move_in()
    assert places.timings().read_text() == "{}"
