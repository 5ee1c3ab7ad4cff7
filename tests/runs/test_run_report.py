"""The report of a run names the files that it was computed from by their hashes, and can be stopped while it does."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import pytest

from editview.domain.errors import Cancelled, EditViewError
from editview.domain.events import Event, ReportSaved, ReportUnderWay
from editview.domain.plan import Plan
from editview.domain.progress import silent
from editview.domain.requests import SaveReport, SaveSideBySide
from editview.domain.session import Run
from editview.runs import run_report
from editview.runs.run_report import files_of, save_report
from tests import sample, small
from tests.formats.test_report import grown


@pytest.fixture
def plan(world: small.World) -> Plan:
    return small.plan(world.checkpoint, small.edit(world.text), small.tune(world.data))


def told_of(plan: Plan) -> Run:
    """A run like any other, but of that plan's files."""
    run = grown(sample.events(sample.plan(), sample.sheet()))
    edit, tune = run.plan.operations
    steps = edit, tune.model_copy(update={"data": plan.operations[1].data})
    run.plan = run.plan.model_copy(update={"checkpoint": plan.checkpoint, "operations": steps})
    return run


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_checkpoint_and_what_was_trained_on_are_named(plan: Plan, world: small.World, tmp_path: Path) -> None:
    events: list[Event] = []
    path = tmp_path / "report.html"
    save_report(SaveReport(told_of(plan), str(path)), events.append, threading.Event())
    assert events[-1] == ReportSaved(str(path))
    under_way = [event for event in events if isinstance(event, ReportUnderWay)]
    assert under_way[-1].share == 1
    assert {event.path for event in under_way} == {str(path)}
    page = path.read_text("utf-8")
    for file in (*Path(plan.checkpoint.source).glob("*.safetensors"), world.data):
        assert sha256(file) in page
        assert file.name in page


def test_two_runs_name_each_file_once_and_what_is_gone(plan: Plan, world: small.World, tmp_path: Path) -> None:
    other = small.plan(world.checkpoint, small.tune(small.data(tmp_path / "other.jsonl", "scanner")))
    names = [file.name for file in files_of((plan, other), silent)]
    assert len(names) == len(set(names))
    assert [name for name in names if name.startswith("Training data")] == [
        f"Training data, {world.data.name}", "Training data, other.jsonl",
    ]  # fmt: skip
    (tmp_path / "other.jsonl").unlink()
    gone = small.plan(plan.checkpoint.model_copy(update={"source": str(tmp_path / "nowhere")}), *other.operations)
    assert [(file.name, file.sha256) for file in files_of((gone,), silent)] == [
        ("Checkpoint nowhere", ""), ("Training data, other.jsonl", "")
    ]  # fmt: skip


def test_stop_and_a_place_that_can_t_be_written_leave_the_earlier_report(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, stop = tmp_path / "report.html", threading.Event()
    path.write_text("earlier")
    stop.set()
    for asked in (
        SaveReport(told_of(plan), str(path)),
        SaveSideBySide(sample.past("one"), sample.past("two"), str(path)),
    ):
        with pytest.raises(Cancelled):
            save_report(asked, lambda event: None, stop)
    assert path.read_text() == "earlier"

    def hashed(*_: object) -> None:
        raise AssertionError("hashed, though it can't be written")

    monkeypatch.setattr(run_report, "hashed_files", hashed)
    (tmp_path / "in-the-way.html").mkdir()
    with pytest.raises(EditViewError, match="couldn't be saved"):
        save_report(SaveReport(told_of(plan), str(tmp_path / "in-the-way.html")), lambda event: None, threading.Event())
