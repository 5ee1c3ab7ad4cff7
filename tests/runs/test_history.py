"""The runs so far: kept while they go on, brought back as they were, in a file that outlives kills and damage."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from editview.domain import places
from editview.domain.errors import EditViewError
from editview.domain.events import Event, Inspected, Noted
from editview.domain.facts import FactSheet
from editview.domain.history import WINDOW, EntryKind
from editview.domain.plan import Plan
from editview.domain.requests import InspectCheckpoint
from editview.domain.run_events import RunEvent, RunFailed, RunFinished, RunStarted, StageStarted, Trained
from editview.domain.session import RunState, Session
from editview.runs import history, recorder, told
from editview.runs.findings import Keeper
from editview.runs.history import History
from editview.runs.named import same_files
from editview.runs.recall import other_orders, recalled
from editview.runs.recorder import Recorder
from tests import sample, small, two
from tests.runs.studio import Studio

GONE = "1-1"  # a process that lives no more


def record(
    run: str = "one", events: list[RunEvent] | None = None, kept: History | None = None, edit_first: bool = True
) -> list[Event]:
    """Let a run be recorded; what was passed on of it."""
    heard: list[Event] = []
    record_ = Recorder(kept or History(), heard.append, WINDOW)
    for event in events or list(sample.events(sample.plan(edit_first), sample.sheet(), run=run)):
        record_(event)
    return heard


def until(kind: type[RunEvent], count: int = 1, run: str = "one") -> list[RunEvent]:
    """A run's events up to the so-manieth of a kind."""
    events = list(sample.events(sample.plan(), sample.sheet(), run=run))
    places_ = [at for at, event in enumerate(events) if isinstance(event, kind)]
    return events[: places_[count - 1] + 1]


def began_alike(run: str, plan: Plan, sheet: FactSheet | None = None, checkpoint: str = "same") -> list[RunEvent]:
    """A whole run whose first stage has a key of its own."""
    start, *rest = sample.events(plan, sheet or sample.sheet(), run=run)
    assert isinstance(start, RunStarted)
    first, *others = start.stages
    return [replace(start, stages=(replace(first, key=checkpoint), *others)), *rest]


# ---- a run -----------------------------------------------------------------------------------------------------------


def test_a_run_is_passed_on_and_comes_back_as_it_was() -> None:
    events = list(sample.events(sample.plan(), sample.sheet(), run="one"))
    assert record(events=events) == events
    (entry,) = History().listed().runs
    assert (entry.name, entry.checkpoint, entry.steps, entry.state) == (
        "Sample", "demo", "Edit → Fine-tune", RunState.FINISHED
    )  # fmt: skip
    assert " of 10 edits stand" in entry.sentence
    assert entry.ended is not None
    assert entry.ended >= entry.began
    session = Session()
    for event in events:
        session.apply(event)
    run, was = recalled(History(), "one").run, session.runs["one"]
    assert run.plan == was.plan  # the steps' names too, by which stages know them
    assert run.sheet == was.sheet
    for stage in run.stages:
        stage.progress, stage.phases = None, {}  # how far it was, while it was
    for stage in was.stages:
        stage.progress, stage.phases = None, {}
    assert run == was


def test_what_goes_on_is_listed_as_such_and_what_was_cut_off_as_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    record("live", until(StageStarted, 2, "live"))
    monkeypatch.setattr(history, "mark", lambda: GONE)
    record("gone", until(StageStarted, 2, "gone"))
    gone, live = History().listed().runs
    assert (live.state, gone.state) == (RunState.RUNNING, RunState.STOPPED)
    assert live.stage == "Edit 10 facts"
    assert "40 edits" in gone.sentence or "10 edits are still to be made" in gone.sentence
    for one in ("live", "gone"):
        run = recalled(History(), one).run
        assert run.state is RunState.STOPPED
        assert run.last_checked == 0
        assert run.stages[0].checks


def test_in_the_middle_of_a_training_little_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "_EVERY", 0.0)
    record(events=until(Trained, 30))
    run = recalled(History(), "one").run
    assert [step for step, _ in run.stages[2].losses] == list(range(1, 31))
    assert [live.step for live in run.stages[2].live] == [10, 20]


def test_a_run_that_failed_says_why() -> None:
    record(events=[*until(StageStarted, 3), RunFailed("one", "The disk is full. Make room.", "details")])
    (entry,) = History().listed().runs
    assert (entry.state, entry.failure) == (RunState.FAILED, "The disk is full. Make room.")
    assert recalled(History(), "one").run.failure == ("The disk is full. Make room.", "details")


def test_a_run_that_was_stopped_goes_on_from_what_came_back(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after closing the window in the middle of a fine-tune, and starting anew."""
    plan = studio.plan(small.lora(studio.world.data), small.tune(studio.world.data))
    stop = threading.Event()

    def take(event: Event) -> None:
        if isinstance(event, Trained) and (event.stage, event.step) == (2, 2):
            stop.set()

    studio.runner.run(plan, studio.world.sheet, Recorder(History(), take, WINDOW), stop)
    (entry,) = History().listed().runs
    assert (entry.state, entry.stage) == (RunState.STOPPED, "Fine-tune on tickets (step 2)")
    back = recalled(History(), entry.id)
    (remark,) = back.remarks  # the plan names the demo's facts, and was run on others
    assert remark.startswith("The fact sheet 'demo' has changed since")
    assert [len(stage.checks) for stage in back.run.stages] == [len(studio.world.sheet)] * 2 + [0]
    studio.count(monkeypatch)
    done = studio.run(back.run.plan, back.run.sheet, runner=studio.another_runner())
    assert done.state is RunState.FINISHED
    assert "lora" not in studio.done
    assert [stage.info.key for stage in done.stages] == [stage.info.key for stage in back.run.stages]


# ---- what isn't there any more ---------------------------------------------------------------------------------------


def test_what_has_changed_since_is_said(studio: Studio) -> None:
    data = small.data(studio.world.folder / "own tickets.jsonl")
    plan = studio.plan(small.tune(data), facts=str(studio.world.sheet_file()))
    emit = Recorder(History(), lambda event: None, WINDOW)
    studio.runner.run(plan, replace(studio.world.sheet, name="sheet"), emit)
    (entry,) = History().listed().runs
    assert recalled(History(), entry.id).remarks == ()
    data.touch()  # the same content, written later
    assert recalled(History(), entry.id).remarks == ()
    small.data(data, "scanner")
    assert recalled(History(), entry.id).remarks == (f"The training data '{data}' has changed since.",)
    data.unlink()
    assert recalled(History(), entry.id).remarks == (f"The training data '{data}' isn't where it was.",)
    (studio.world.folder / "sheet.json").rename(studio.world.folder / "elsewhere.json")
    assert "can't be opened any more: its facts are shown" in recalled(History(), entry.id).remarks[1]
    (studio.world.folder / "elsewhere.json").rename(studio.world.folder / "sheet.json")
    for stage in recalled(History(), entry.id).run.stages:
        studio.store.discard(stage.info.key)
    gone, _ = recalled(History(), entry.id).remarks
    assert gone.startswith("The weights after *Fine-tune on own tickets* aren't kept any more")


def test_damage_to_one_run_leaves_the_others() -> None:
    record("one")
    record("two")
    with sqlite3.connect(places.runs()) as file:
        file.execute("UPDATE pieces SET content = x'00' WHERE run = 'one' AND number = 1")
    assert len(History().listed().runs) == 2
    with pytest.raises(EditViewError, match="Everything else in the list is untouched"):
        recalled(History(), "one")
    assert recalled(History(), "two").run.state is RunState.FINISHED


# ---- notes, deleting -------------------------------------------------------------------------------------------------


def test_notes_stay_with_their_run() -> None:
    record()
    History().note("one", "for the board")
    assert History().listed().runs[0].note == "for the board"


def test_what_is_deleted_comes_back_the_latest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    for run in ("one", "two", "three"):
        record(run)

    def ids() -> list[str]:
        return [entry.id for entry in History().listed().runs]

    History().delete(["one", "two"])
    History().delete(["three"])
    assert ids() == []
    assert History().listed().deleted == 3
    History().restore()
    assert ids() == ["three"]
    History().restore()
    assert ids() == ["three", "two", "one"]
    History().restore()  # nothing is left to bring back
    assert len(ids()) == 3

    History().delete(["one"])
    later = time.time() + 40 * 24 * 3600
    monkeypatch.setattr(history.time, "time", lambda: later)
    History().delete(["two"])
    assert History().listed().deleted == 1  # the first one is gone for good
    with pytest.raises(EditViewError, match="in the list of runs any more"):
        recalled(History(), "one")
    assert recalled(History(), "three").run.sheet == sample.sheet()  # which they had in common


def test_clearing_leaves_what_goes_on() -> None:
    record("done")
    record("live", until(StageStarted, 2, "live"))
    History().clear()
    assert [entry.id for entry in History().listed().runs] == ["live"]
    assert recalled(History(), "live").run.stages[0].checks


# ---- the file --------------------------------------------------------------------------------------------------------


def damage(path: Path) -> bytes:
    content = b"no database at all " * 500
    path.write_bytes(content)
    return content


def test_a_damaged_file_is_put_aside_whole_and_told_of() -> None:
    record("old")
    content = damage(places.runs())
    found = History().listed()
    assert found.runs == ()
    assert "was damaged. It was put aside as" in found.remark
    (aside,) = [path for path in History().aside() if path.suffix == ".sqlite"]
    assert aside.read_bytes() == content
    record("new")
    assert [entry.id for entry in History().listed().runs] == ["new"]
    History().clear()
    assert History().aside() == []


def test_damage_in_the_middle_is_noticed_when_it_is_met() -> None:
    for number in range(8):
        record(f"run-{number}")
    size = places.runs().stat().st_size
    with places.runs().open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))
    found = History().listed()
    assert "was damaged" in found.remark
    assert History().aside()


def test_a_run_goes_on_when_its_list_is_damaged() -> None:
    places.runs().parent.mkdir(parents=True)
    damage(places.runs())
    heard = record()
    assert [event.sentence[:29] for event in heard if isinstance(event, Noted)] == ["The list of runs was damaged."]
    assert len(History().listed().runs) == 1


def test_another_programs_database_is_put_aside_too() -> None:
    places.runs().parent.mkdir(parents=True)
    with sqlite3.connect(places.runs()) as file:
        file.execute("CREATE TABLE songs (title)")
    assert "was damaged" in History().listed().remark
    with sqlite3.connect(History().aside()[0]) as file:
        assert file.execute("SELECT count(*) FROM songs").fetchone() == (0,)


def test_a_newer_file_is_left_alone_and_the_run_goes_on() -> None:
    record("old")
    with sqlite3.connect(places.runs()) as file:
        file.execute("PRAGMA user_version = 99")
    with pytest.raises(EditViewError, match="newer EditView"):
        History().listed()
    heard = record("new")
    assert isinstance(heard[-1], RunFinished)
    assert sum(isinstance(event, Noted) for event in heard) == 1  # said once
    assert History().aside() == []
    with sqlite3.connect(places.runs()) as file:
        assert file.execute("SELECT id FROM runs").fetchall() == [("old",)]


def test_an_older_file_is_brought_to_this_version(monkeypatch: pytest.MonkeyPatch) -> None:
    record("old")
    History().note("old", "kept")
    more = (*history.MIGRATIONS, ("ALTER TABLE runs ADD COLUMN mood TEXT NOT NULL DEFAULT 'calm'",))
    monkeypatch.setattr(history, "MIGRATIONS", more)
    assert [entry.note for entry in History().listed().runs] == ["kept"]
    record("new")
    with sqlite3.connect(places.runs()) as file:
        assert file.execute("SELECT id, mood FROM runs ORDER BY began").fetchall() == [("old", "calm"), ("new", "calm")]
        assert file.execute("PRAGMA user_version").fetchone() == (len(more),)


def test_a_file_of_the_first_version_still_opens() -> None:
    """From before comparisons and inspections were kept: its runs come back, and such rows are added."""
    start, *events = sample.events(sample.plan(), sample.sheet(), run="old")
    assert isinstance(start, RunStarted)
    kept = [event for event in events if told.is_kept(event)]
    places.runs().parent.mkdir(parents=True)
    with sqlite3.connect(places.runs()) as file:
        for statement in history.MIGRATIONS[0]:
            file.execute(statement)
        file.execute(f"PRAGMA application_id = {0x45645677}")
        file.execute("PRAGMA user_version = 1")
        sheet = start.sheet.content_hash, told.sheet_packed(start.sheet)
        file.execute("INSERT INTO sheets VALUES (?, ?)", sheet)
        file.execute(
            "INSERT INTO runs VALUES ('old', 1e9, 1e9, 'finished', 'Sample', 'demo', 'Edit → Fine-tune', 'Fine-tune',"
            " '9 of 10 edits hold.', '', 'for the board', 'window', '1-1', NULL, ?, '[]', ?)",
            (told.plan_said(start.plan), sheet[0]),
        )
        for number, piece in enumerate((told.start_packed(start), told.events_packed(kept))):
            file.execute("INSERT INTO pieces VALUES ('old', ?, ?)", (number, piece))
    (entry,) = History().listed().runs
    assert (entry.kind, entry.name, entry.note) == (EntryKind.RUN, "Sample", "for the board")
    run = recalled(History(), "old").run
    assert (run.plan, run.state) == (start.plan, RunState.FINISHED)
    assert len(run.stages[2].checks) == len(start.sheet)
    Keeper(History(), lambda event: None, WINDOW)(Inspected(InspectCheckpoint(two.AFTER), two.inspection()))
    assert [entry.kind for entry in History().listed().runs] == [EntryKind.INSPECTION, EntryKind.RUN]


def test_a_list_that_cannot_be_written_is_told_of_once_and_caught_up_with() -> None:
    events = list(sample.events(sample.plan(), sample.sheet(), run="one"))
    places.runs().mkdir(parents=True)  # no file can lie there
    heard: list[Event] = []
    record_ = Recorder(History(), heard.append, WINDOW)
    for event in events[:-1]:
        record_(event)
    assert [event for event in heard if not isinstance(event, Noted)] == events[:-1]
    (note,) = [event.sentence for event in heard if isinstance(event, Noted)]
    assert note.startswith("This run can't be kept in the list of runs for now.")
    places.runs().rmdir()
    record_(events[-1])
    assert recalled(History(), "one").run.state is RunState.FINISHED


def test_several_processes_write_at_once(home: Path) -> None:
    code = (
        "import sys, time\nfrom tests import sample\nfrom editview.runs.history import History\n"
        "from editview.runs.recorder import Recorder\n"
        "while time.time() < float(sys.argv[2]): pass\n"
        "for n in range(2):\n    record = Recorder(History(), print, 'window')\n"
        "    for event in sample.events(sample.plan(), sample.sheet(), run=f'{sys.argv[1]}-{n}'):\n"
        "        (record if 'Progressed' not in str(type(event)) else str)(event)\n"
    )
    at = str(time.time() + 1.2)
    started = [
        subprocess.Popen([sys.executable, "-c", code, name, at], stdout=subprocess.PIPE, text=True, env=os.environ)
        for name in "ab"
    ]
    said = [process.communicate(timeout=60)[0] for process in started]
    assert not [each for each in said if "Noted" in each]
    assert sorted(entry.id for entry in History().listed().runs) == [f"{name}-{n}" for name in "ab" for n in range(2)]
    assert recalled(History(), "b-1").run.state is RunState.FINISHED


# ---- other orders of the same steps ----------------------------------------------------------------------------------


def test_the_latest_finished_run_of_another_order_is_found() -> None:
    plan, other = sample.plan(), sample.plan(edit_first=False)
    for run, events in (
        ("before", began_alike("before", other)),
        ("latest", began_alike("latest", other)),
        ("cut off", began_alike("cut off", other)[:-1]),
        ("own", began_alike("own", plan)),
    ):
        record(run, events)
    (found,) = other_orders(History(), "own")
    assert found.run.id == "latest"
    assert found.run.plan == other
    assert [one.run.id for one in other_orders(History(), "latest")] == ["own"]
    History().delete(["latest"])
    assert [one.run.id for one in other_orders(History(), "own")] == ["before"]


def test_another_checkpoint_sheet_seed_or_step_is_no_other_order() -> None:
    plan, other = sample.plan(), sample.plan(edit_first=False)
    steps = other.operations
    for run, events in (
        ("checkpoint", began_alike("checkpoint", other, checkpoint="trained since")),
        ("sheet", began_alike("sheet", other, sample.sheet(3, 3, 3))),
        ("seed", began_alike("seed", other.model_copy(update={"seed": 7}))),
        ("step", began_alike("step", other.model_copy(update={"operations": steps[:1]}))),
        ("own", began_alike("own", plan)),
    ):
        record(run, events)
    assert other_orders(History(), "own") == ()
    with pytest.raises(EditViewError):
        other_orders(History(), "gone")


def test_a_run_that_cant_be_read_is_passed_over() -> None:
    record("broken", began_alike("broken", sample.plan(edit_first=False)))
    record("own", began_alike("own", sample.plan()))
    with sqlite3.connect(places.runs()) as file:
        file.execute("UPDATE pieces SET content = ? WHERE run = 'broken'", (b"no longer what it was",))
    assert other_orders(History(), "own") == ()


def test_files_are_the_same_by_their_content_or_else_by_size_and_time() -> None:
    def said(content: str | None, stamp: int) -> str:
        return json.dumps([["training data", "mine.jsonl", [stamp, 1], content]])

    assert same_files(said("a", 1), said("a", 2))
    assert not same_files(said("a", 1), said("b", 1))
    assert same_files(said(None, 1), said(None, 1))
    assert not same_files(said(None, 1), said(None, 2))
    assert not same_files(said("a", 1), "[]")
