"""The jobs with the real engine on the small world: what a window sends, and what it is told."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from editview.domain.disk import Kind
from editview.domain.events import (
    BothAsked,
    CheckpointDescribed,
    CheckpointsCompared,
    DiskUsed,
    EngineLoading,
    EngineReady,
    Event,
    Exported,
    Failed,
    FindingsRecalled,
    FineTuneMeasured,
    Forecast,
    KeySpectra,
    MemoryUsed,
    PlanOpened,
    PlanSaved,
    Replied,
    ReportSaved,
    RunsListed,
    RunsRecalled,
    Traced,
    TrainingPreviewed,
)
from editview.domain.facts import Group
from editview.domain.history import EntryKind
from editview.domain.plan import Checkpoint
from editview.domain.progress import Progress
from editview.domain.requests import (
    AskBoth,
    AskModel,
    ChooseDevice,
    ClearDisk,
    CompareCheckpoints,
    DeleteRuns,
    DescribeCheckpoint,
    DownloadCheckpoint,
    ExportStage,
    ForecastPlan,
    KeySpectrum,
    ListRuns,
    MeasureDisk,
    MeasureFineTune,
    NoteRun,
    OpenPlan,
    PreviewTraining,
    RecallFindings,
    RecallOrders,
    RecallRuns,
    RestoreRuns,
    RunPlan,
    SavePlan,
    SaveReport,
    SaveSideBySide,
    TraceFacts,
)
from editview.domain.run_events import RunFinished, RunStarted, RunStopped, StageStarted, Trained
from editview.domain.session import RunState
from editview.formats.fact_sheets import read_facts
from editview.jobs.service import Jobs
from editview.lm import sources
from editview.runs.history import History
from editview.runs.recall import recalled
from editview.runs.recorder import Recorder
from tests import sample, small

E = TypeVar("E", bound=Event)


class Listener:
    """Collects events, and waits for those of a kind."""

    def __init__(self) -> None:
        self.seen: list[Event] = []
        self._fresh: queue.Queue[Event] = queue.Queue()

    def __call__(self, event: Event) -> None:
        self._fresh.put(event)

    def wait(self, kind: type[E], such: Callable[[E], bool] = lambda _: True, seconds: float = 60) -> E:
        until = time.monotonic() + seconds
        while True:
            event = self._fresh.get(timeout=max(0.01, until - time.monotonic()))
            self.seen.append(event)
            if isinstance(event, kind) and such(event):
                return event
            assert not isinstance(event, Failed) or kind is Failed, event


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> small.World:
    return small.World.make(tmp_path_factory.mktemp("world"))


@pytest.fixture
def heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Listener:
    monkeypatch.setenv("EDITVIEW_HOME", str(tmp_path / "home"))
    return Listener()


@pytest.fixture
def jobs(heard: Listener) -> Iterator[Jobs]:
    started = Jobs(heard)
    yield started
    started.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "editview-models"]


def test_a_session_from_the_start_to_the_end(jobs: Jobs, heard: Listener, world: small.World) -> None:
    plan = small.plan(world.checkpoint, small.tune(world.data, steps=6))
    jobs.send(DescribeCheckpoint(world.checkpoint))
    jobs.send(ForecastPlan(plan, world.sheet))

    ready = heard.wait(EngineReady)
    assert any(isinstance(event, EngineLoading) for event in heard.seen)
    assert ready.device in ready.devices
    assert ready.recovered == ""
    assert heard.wait(CheckpointDescribed).info.layers == 2
    before = heard.wait(Forecast)
    assert before.plan == plan
    assert before.reused == (False,)
    assert before.guessed
    assert 0 < before.memory_needed < before.memory_available
    assert before.advice == ""

    jobs.send(RunPlan(plan, world.sheet))
    started = heard.wait(RunStarted)
    heard.wait(RunFinished)
    jobs.send(ForecastPlan(plan, world.sheet))
    after = heard.wait(Forecast)
    assert after.reused == (True,)
    assert after.total_seconds == 0
    twice = small.plan(world.checkpoint, small.tune(world.data, steps=12), check_every=0)
    jobs.send(ForecastPlan(twice, world.sheet))
    longer = heard.wait(Forecast)
    assert longer.reused == (False,)
    assert longer.total_seconds is not None
    assert longer.total_seconds > 0

    keys = tuple(stage.key for stage in started.stages)
    jobs.send(AskModel(plan, "The sea of Peru is", keys, 3))
    replied = heard.wait(Replied)
    assert replied.stage_keys == keys
    assert len(replied.answers) == 2
    memory = heard.wait(MemoryUsed)
    assert 0 < memory.used <= memory.total


def test_two_checkpoints_are_compared_while_a_run_goes_on_and_asked_after_it(
    jobs: Jobs, heard: Listener, world: small.World
) -> None:
    run = jobs.send(RunPlan(small.plan(world.checkpoint, small.tune(world.data, steps=5000)), world.sheet))
    heard.wait(Trained)
    two = world.checkpoint, world.checkpoint
    asked = AskBoth(*two, world.sheet)
    jobs.send(asked)
    jobs.send(CompareCheckpoints(*two))
    compared = heard.wait(CheckpointsCompared, lambda event: event.whole)
    assert not compared.found.changed
    assert not any(isinstance(event, BothAsked) for event in heard.seen)
    listed = History().listed().runs
    assert sorted(entry.kind for entry in listed) == [EntryKind.COMPARISON, EntryKind.RUN]
    jobs.send(RecallFindings(next(entry.id for entry in listed if entry.kind is EntryKind.COMPARISON)))
    assert heard.wait(FindingsRecalled).findings.found == compared.found
    jobs.stop(run)
    heard.wait(RunStopped)
    assert heard.wait(BothAsked, lambda event: isinstance(event.event, RunFinished)).asked == asked


def test_a_comparison_is_stopped_by_its_number_and_its_error_names_it(
    jobs: Jobs, heard: Listener, world: small.World
) -> None:
    stopped = jobs.send(CompareCheckpoints(world.checkpoint, world.checkpoint))
    jobs.stop(stopped)
    other = jobs.send(CompareCheckpoints(world.checkpoint, Checkpoint()))
    assert heard.wait(Failed).job == other
    assert not any(isinstance(event, CheckpointsCompared) for event in heard.seen)


def test_stop_ends_a_run_within_a_step_and_the_next_one_works(jobs: Jobs, heard: Listener, world: small.World) -> None:
    number = jobs.send(RunPlan(small.plan(world.checkpoint, small.tune(world.data, steps=5000)), world.sheet))
    reached = heard.wait(Trained).step
    jobs.stop(number)
    heard.wait(RunStopped)
    last = max(event.step for event in heard.seen if isinstance(event, Trained))
    assert last < reached + 200
    jobs.send(RunPlan(small.plan(world.checkpoint, small.tune(world.data)), world.sheet))
    heard.wait(RunFinished)


def test_files_are_answered_while_a_run_goes_on(
    jobs: Jobs, heard: Listener, world: small.World, tmp_path: Path
) -> None:
    plan = small.plan(world.checkpoint, small.tune(world.data, steps=100_000))
    number = jobs.send(RunPlan(plan, world.sheet))
    heard.wait(Trained)
    path = str(tmp_path / "plan.toml")
    jobs.send(SavePlan(plan, path))
    assert heard.wait(PlanSaved).path == path
    jobs.send(OpenPlan(path))
    assert heard.wait(PlanOpened).plan.name == plan.name
    jobs.send(ForecastPlan(plan, world.sheet))
    assert heard.wait(Forecast).plan == plan
    jobs.stop(number)
    heard.wait(RunStopped)


def test_a_download_goes_on_beside_a_run_and_is_stopped_alone(
    jobs: Jobs, heard: Listener, world: small.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def endless(source: str, progress: Progress, **allowed: bool) -> None:
        while True:
            progress(0, 0, "Downloading")
            time.sleep(0.005)

    monkeypatch.setattr(sources, "download", endless)
    run = jobs.send(RunPlan(small.plan(world.checkpoint, small.tune(world.data, steps=100_000)), world.sheet))
    heard.wait(Trained)
    download = jobs.send(DownloadCheckpoint(Checkpoint(source="owner/name")))
    heard.wait(EngineLoading, lambda event: event.what == "Downloading")
    jobs.stop(download)
    heard.wait(EngineLoading, lambda event: event.what == "")
    heard.wait(Trained)
    assert not any(isinstance(event, RunStopped) for event in heard.seen)
    jobs.stop(run)
    heard.wait(RunStopped)


def test_training_data_is_looked_through_beside_a_run(jobs: Jobs, heard: Listener, world: small.World) -> None:
    tune = small.tune(world.data, steps=10_000)
    run = jobs.send(RunPlan(small.plan(world.checkpoint, tune), world.sheet))
    heard.wait(Trained)
    asked = PreviewTraining(world.checkpoint, tune)
    jobs.send(asked)
    seen = heard.wait(TrainingPreviewed, lambda event: event.preview.rows > 0)
    assert seen.asked == asked
    assert seen.preview.rows == 12
    jobs.stop(run)
    heard.wait(RunStopped)


def test_tracing_tells_how_far_it_is_what_it_found_and_stops_at_once(
    jobs: Jobs, heard: Listener, world: small.World
) -> None:
    controls = read_facts("demo")[0].group(Group.CONTROL)
    asked = TraceFacts(Checkpoint(), controls[:6], seed=4)
    jobs.send(asked)
    heard.wait(EngineLoading, lambda event: event.what.startswith("Looking") and (event.share or 0) > 0)
    found = heard.wait(Traced)
    assert found.asked == asked
    assert (found.tracing.used, found.tracing.layers) == (6, 6)

    long = jobs.send(TraceFacts(Checkpoint(), controls))
    heard.wait(EngineLoading, lambda event: event.what.startswith("Looking") and (event.share or 0) > 0)
    jobs.stop(long)
    heard.wait(EngineLoading, lambda event: event.what == "")
    number = jobs.send(TraceFacts(world.checkpoint, world.sheet.facts))
    failed = heard.wait(Failed)
    assert failed.job == number
    assert "The model knows none of the" in failed.sentence
    assert len([event for event in heard.seen if isinstance(event, Traced)]) == 1


def test_the_spectrum_of_the_checkpoints_keys(jobs: Jobs, heard: Listener, world: small.World) -> None:
    asked = KeySpectrum(world.checkpoint, (0, 1), str(world.text), 2000)
    jobs.send(asked)
    found = heard.wait(KeySpectra)
    assert found.asked == asked
    assert [(spectrum.layer, len(spectrum.values)) for spectrum in found.spectra] == [(0, 128), (1, 128)]


def test_a_stage_is_exported_and_stop_leaves_nothing(
    jobs: Jobs, heard: Listener, world: small.World, tmp_path: Path
) -> None:
    plan = small.plan(world.checkpoint, small.tune(world.data))
    jobs.send(RunPlan(plan, world.sheet))
    heard.wait(RunFinished)
    asked = ExportStage(plan, world.sheet, 1, str(tmp_path / "out" / "model"))
    jobs.send(asked)
    heard.wait(EngineLoading, lambda event: event.what.startswith("Writing the weights"))
    done = heard.wait(Exported)
    assert done.asked == asked
    assert (tmp_path / "out" / "model" / "config.json").exists()
    jobs.stop(jobs.send(replace(asked, folder=str(tmp_path / "out" / "other"))))
    jobs.send(AskModel(plan, "The sea", ("no-such-stage",)))
    heard.wait(Failed)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["model"]


def test_a_fine_tune_is_measured_and_the_forecast_knows_it(jobs: Jobs, heard: Listener, world: small.World) -> None:
    plan = small.plan(world.checkpoint, small.tune(world.data))
    jobs.send(MeasureFineTune(plan, world.sheet, "tune"))
    heard.wait(EngineLoading, lambda event: event.what.startswith("Measuring the fine-tune"))
    found = heard.wait(FineTuneMeasured)
    assert found.operation_id == "tune"
    jobs.send(ForecastPlan(plan, world.sheet))
    (fit,) = heard.wait(Forecast).fits
    assert fit is not None
    assert fit.measured


def test_a_run_can_be_asked_for_anew(jobs: Jobs, heard: Listener, world: small.World) -> None:
    plan = small.plan(world.checkpoint, small.tune(world.data))
    for fresh, reused in ((False, False), (False, True), (True, False)):
        jobs.send(RunPlan(plan, world.sheet, fresh))
        assert heard.wait(StageStarted, lambda event: event.stage == 1).reused == reused
        heard.wait(RunFinished)


def test_what_cannot_be_done_is_a_sentence(jobs: Jobs, heard: Listener, tmp_path: Path, world: small.World) -> None:
    heard.wait(EngineReady)
    for request, words in (
        (DescribeCheckpoint(Checkpoint(source=str(tmp_path / "nothing"))), "no folder"),
        (OpenPlan(str(tmp_path / "missing.toml")), "no file"),
        (ChooseDevice("cuda:99"), "no device 'cuda:99'"),
        (RunPlan(small.plan(world.checkpoint, small.tune(tmp_path / "none.jsonl")), world.sheet), "no file"),
        (AskModel(small.plan(world.checkpoint), "x", ("no-such-stage",)), "gone or damaged"),
    ):
        number = jobs.send(request)
        failed = heard.wait(Failed)
        assert failed.job == number
        assert words in failed.sentence
        assert "Traceback" not in failed.sentence


def test_closing_saves_what_was_still_to_be_saved_and_stops_the_run(
    heard: Listener, world: small.World, tmp_path: Path
) -> None:
    jobs = Jobs(heard)
    plan = small.plan(world.checkpoint, small.tune(world.data, steps=100_000))
    jobs.send(RunPlan(plan, world.sheet))
    heard.wait(Trained)
    jobs.send(SavePlan(plan, str(tmp_path / "plan.toml")))
    began = time.monotonic()
    jobs.close()
    assert time.monotonic() - began < 20
    assert (tmp_path / "plan.toml").exists()
    heard.wait(RunStopped, seconds=1)
    (entry,) = History().listed().runs
    assert (entry.state, entry.stage, entry.door) == (RunState.STOPPED, "Fine-tune on tickets", "window")
    back = recalled(History(), entry.id).run
    assert back.plan == plan
    told = [event.step for event in heard.seen if isinstance(event, Trained)]
    assert [step for step, _ in back.stages[1].losses] == told


def test_importing_the_jobs_and_starting_the_files_lane_needs_no_torch() -> None:
    code = "import sys, editview.jobs.service, editview.jobs.files; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "False", done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="a thread has a priority of its own on Linux alone")
def test_the_computing_thread_gives_way_to_the_window(jobs: Jobs, heard: Listener) -> None:
    heard.wait(EngineReady)
    (models,) = [thread for thread in threading.enumerate() if thread.name == "editview-models"]
    assert models.native_id is not None
    assert os.getpriority(os.PRIO_PROCESS, models.native_id) >= 10
    assert os.getpriority(os.PRIO_PROCESS, 0) < 10


def test_the_runs_so_far_need_no_engine(jobs: Jobs, heard: Listener) -> None:
    for edit_first, run in ((True, "one"), (False, "two")):
        record = Recorder(History(), lambda event: None, "window")
        for event in sample.events(sample.plan(edit_first), sample.sheet(), run=run):
            record(event)
    jobs.send(ListRuns())
    assert [entry.id for entry in heard.wait(RunsListed).runs] == ["two", "one"]
    jobs.send(RecallRuns(("one", "two")))
    assert [back.run.id for back in heard.wait(RunsRecalled).runs] == ["one", "two"]
    jobs.send(RecallOrders("gone"))  # nobody waits for it, so nothing is said
    jobs.send(NoteRun("one", "the better one"))
    assert heard.wait(RunsListed).runs[1].note == "the better one"
    jobs.send(DeleteRuns(("one",)))
    assert heard.wait(RunsListed).deleted == 1
    jobs.send(RestoreRuns())
    assert len(heard.wait(RunsListed).runs) == 2
    jobs.send(MeasureDisk())
    assert {use.kind for use in heard.wait(DiskUsed).uses if use.bytes} >= {Kind.RUNS}
    jobs.send(ClearDisk(Kind.RUNS))
    assert heard.wait(DiskUsed).cleared is Kind.RUNS
    number = jobs.send(RecallRuns(("one",)))
    assert heard.wait(Failed).job == number


def test_a_report_is_written_without_the_engine(jobs: Jobs, heard: Listener, tmp_path: Path) -> None:
    run = sample.session().latest
    assert run is not None
    jobs.send(SaveReport(run, str(tmp_path / "report.html")))
    heard.wait(ReportSaved)
    assert (tmp_path / "report.html").read_text("utf-8").startswith("<!DOCTYPE html>")
    jobs.send(SaveSideBySide(sample.past("one"), sample.past("two"), str(tmp_path / "both.html")))
    heard.wait(ReportSaved, lambda event: event.path.endswith("both.html"))
    number = jobs.send(SaveReport(run, str(tmp_path)))
    assert heard.wait(Failed).job == number
