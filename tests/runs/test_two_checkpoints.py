"""Two checkpoints with the real engine: compared, asked a sheet, hashed; stopped and refused."""

from __future__ import annotations

import hashlib
import shutil
import threading
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from editview.domain.errors import Cancelled, EditViewError
from editview.domain.events import BothAsked, CheckpointsCompared, Comparing, Event, ReportSaved
from editview.domain.plan import Checkpoint
from editview.domain.requests import AskBoth, CompareCheckpoints, SaveComparison
from editview.domain.session import Run, RunState, Session
from editview.domain.two_checkpoints import differing_answers
from editview.lm.answers import check
from editview.lm.opening import open_model
from editview.runs.two_checkpoints import ask_both, compare_checkpoints, save_comparison
from tests import small
from tests.runs.studio import CPU, Studio

CHANGED = "transformer.h.1.mlp.c_proj.weight"


@pytest.fixture(scope="module")
def changed(world: small.World, tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    """The small model with one matrix shaken."""
    folder = tmp_path_factory.mktemp("changed") / "model"
    shutil.copytree(world.checkpoint.source, folder)
    weights = load_file(folder / "model.safetensors")
    weights[CHANGED] = weights[CHANGED] + torch.randn(weights[CHANGED].shape, generator=torch.manual_seed(1))
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return Checkpoint(source=str(folder))


def grown(events: list[Event]) -> Run:
    session = Session()
    for event in events:
        if isinstance(event, BothAsked):
            run = session.apply(event.event)
    return run


def test_what_changed_is_told_first_and_its_spectrum_after(world: small.World, changed: Checkpoint) -> None:
    events: list[Event] = []
    asked = CompareCheckpoints(world.checkpoint, changed)
    compare_checkpoints(asked, events.append, threading.Event())
    first, second = (event for event in events if isinstance(event, CheckpointsCompared))
    assert (first.whole, second.whole) == (False, True)
    assert [tensor.name for tensor in first.found.changed] == [CHANGED]
    assert first.found.changed[0].spectrum is None
    spectrum = second.found.changed[0].spectrum
    assert spectrum is not None
    assert spectrum.rank == spectrum.directions == 32
    assert any(isinstance(event, Comparing) and event.share == 1 for event in events)
    assert all(event.asked is asked for event in events if isinstance(event, Comparing))


def test_a_comparison_can_be_stopped_and_other_models_are_refused(world: small.World, tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Cancelled):
        compare_checkpoints(CompareCheckpoints(world.checkpoint, world.checkpoint), lambda _: None, stop)
    with pytest.raises(EditViewError, match="different models"):
        compare_checkpoints(
            CompareCheckpoints(world.checkpoint, Checkpoint()), lambda _: None, threading.Event()
        )  # fmt: skip


def test_a_sheet_asked_of_both_is_one_run_with_each_ones_own_answers(studio: Studio, changed: Checkpoint) -> None:
    events: list[Event] = []
    asked = AskBoth(studio.world.checkpoint, changed, studio.world.sheet)
    ask_both(studio.runner, asked, events.append, threading.Event())
    run = grown(events)
    assert run.state is RunState.FINISHED
    assert [stage.info.title for stage in run.stages] == ["Before", "Update"]
    for stage, checkpoint in zip(run.stages, (studio.world.checkpoint, changed), strict=True):
        lm = open_model(checkpoint, CPU, lambda *_: None)
        wanted = [one.said for some in check(lm, asked.sheet.facts, lambda *_: None) for one in some]
        assert [stage.checks[fact.id].said for fact in asked.sheet] == wanted
    assert differing_answers(run)

    again: list[Event] = []
    ask_both(studio.another_runner(), asked, again.append, threading.Event())
    assert grown(again).stages[1].checks == run.stages[1].checks
    assert all(stage.state.value == "reused" for stage in grown(again).stages)  # nothing was asked twice


def test_asking_that_is_stopped_or_fails_ends_the_run(studio: Studio, changed: Checkpoint, tmp_path: Path) -> None:
    events: list[Event] = []
    stop = threading.Event()

    def take(event: Event) -> None:
        events.append(event)
        if isinstance(event, BothAsked):
            stop.set()

    ask_both(studio.runner, AskBoth(studio.world.checkpoint, changed, studio.world.sheet), take, stop)
    assert grown(events).state is RunState.STOPPED
    gone = AskBoth(studio.world.checkpoint, Checkpoint(source=str(tmp_path / "nowhere")), studio.world.sheet)
    with pytest.raises(EditViewError):
        ask_both(studio.runner, gone, events.append, threading.Event())


def test_a_report_names_the_files_by_their_hashes(world: small.World, changed: Checkpoint, tmp_path: Path) -> None:
    events: list[Event] = []
    compare_checkpoints(CompareCheckpoints(world.checkpoint, changed), events.append, threading.Event())
    found = next(event.found for event in events if isinstance(event, CheckpointsCompared) and event.whole)
    path = tmp_path / "report.html"
    save_comparison(SaveComparison(found, str(path)), events.append, threading.Event())
    assert events[-1] == ReportSaved(str(path))
    page = path.read_text("utf-8")
    for checkpoint in (world.checkpoint, changed):
        weights = Path(checkpoint.source) / "model.safetensors"
        assert hashlib.sha256(weights.read_bytes()).hexdigest() in page
    stop = threading.Event()
    stop.set()
    with pytest.raises(Cancelled):
        save_comparison(SaveComparison(found, str(tmp_path / "none.html")), events.append, stop)
    assert not (tmp_path / "none.html").exists()
