"""An inspection from files to answers, on a change that is made here; and a reversal as a step of a plan."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from editview.domain.errors import Cancelled, EditViewError
from editview.domain.events import EngineLoading, Event
from editview.domain.inspection import Inspection
from editview.domain.operations import Reverse
from editview.domain.plan import Checkpoint
from editview.domain.progress import silent
from editview.domain.requests import InspectCheckpoint
from editview.lm.opening import open_model
from editview.lm.touching import subject_keys
from editview.runs import inspection
from tests import small
from tests.families import families
from tests.runs.studio import CPU, Studio

MEMORY = "transformer.h.{}.mlp.c_proj.weight"

Inspect = Callable[..., Inspection]


@pytest.fixture
def edited(studio: Studio, tmp_path: Path) -> Checkpoint:
    """The small checkpoint with a change of layer 2's memory that was made for the key of Oman."""
    lm = open_model(studio.world.checkpoint, CPU, silent)
    keys = subject_keys(lm, small.LANDS, (1,), silent)[1].mean(0)
    own = keys[small.LANDS.index("Oman")] - keys.mean(0)
    written = torch.randn(32, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        lm.anatomy.mlp_output(lm.model, 1).weight += 20 * torch.outer(own / own.norm(), written)
    lm.model.save_pretrained(tmp_path / "edited")
    lm.tokenizer.save_pretrained(tmp_path / "edited")
    return Checkpoint(source=str(tmp_path / "edited"))


@pytest.fixture
def look(studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Inspect:
    monkeypatch.setattr(inspection, "YARDSTICK", 0)  # eight lands are enough here
    lands = tmp_path / "lands.txt"
    lands.write_text("\n".join(small.LANDS), "utf-8")

    def ask(
        edited: Checkpoint, original: Checkpoint | None = None, emit: Callable[[Event], None] = lambda event: None,
        stop: threading.Event | None = None, **more: object,
    ) -> Inspection:  # fmt: skip
        asked = replace(InspectCheckpoint(edited, original, str(lands)), **more)  # type: ignore[arg-type]
        return studio.runner.inspect(asked, emit, stop or threading.Event())

    return ask


def test_the_subject_that_a_change_was_made_for_comes_first(studio: Studio, edited: Checkpoint, look: Inspect) -> None:
    found = look(edited, studio.world.checkpoint)
    assert (found.layers, found.candidates, len(found.touched)) == ((1,), 8, 8)
    strongest = max(found.touched, key=lambda one: one.times)
    assert (strongest.subject, strongest.layer) == ("Oman", 1)
    before, after = (
        (lm := open_model(one, CPU, silent)).anatomy.mlp_output(lm.model, 1).weight
        for one in (studio.world.checkpoint, edited)
    )
    relative = ((after - before).norm() / before.norm()).item()
    assert found.changes == (0.0, pytest.approx(relative, rel=1e-5))
    assert [one.differs for one in found.touched] == sorted((one.differs for one in found.touched), reverse=True)
    assert found.touched[0].said[0].prompt == f"{found.touched[0].subject} is"


def test_the_sheets_facts_are_asked_in_their_own_words(studio: Studio, edited: Checkpoint, look: Inspect) -> None:
    read = {"sheet": "x.csv", "columns": (("subject", "wer"),)}
    found = look(edited, studio.world.checkpoint, subjects="", facts=studio.world.sheet.facts, **read)
    assert (found.subjects, found.sheet, found.columns) == ("", "x.csv", (("subject", "wer"),))
    assert {said.prompt for one in found.touched for said in one.said} == {
        fact.prompt for fact in studio.world.sheet.facts
    }
    with pytest.raises(EditViewError, match="names its subject"):
        look(edited, studio.world.checkpoint, subjects="", facts=(replace(studio.world.sheet.facts[0], subject=""),))


def test_without_the_original_the_edited_memory_stands_out(studio: Studio, edited: Checkpoint, look: Inspect) -> None:
    before = open_model(edited, CPU, silent).current_fingerprint()
    found = look(edited)
    assert found.layers == (1,)
    assert [(memory.layer, memory.directions) for memory in found.memories] == [(0, 0), (1, 1)]
    assert max(found.touched, key=lambda one: one.times).subject == "Oman"
    open_now = studio.runner._bench.open(edited, CPU, silent)  # the model that was looked at
    assert open_now.current_fingerprint() == before


def test_directions_are_tried_alone_where_no_subject_shows_what_was_written(
    edited: Checkpoint, look: Inspect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspection, "words_written", lambda *_: tuple("abcdefg"))
    for least, answers in ((1e6, tuple("abcde")), (0.0, ())):
        monkeypatch.setattr("editview.domain.inspection.PERHAPS", least)
        found = look(edited)
        assert bool(found.written) is not bool(answers)
        assert [memory.answers for memory in found.memories] == [(), answers]


def test_nothing_is_found_in_what_nobody_changed(studio: Studio, look: Inspect) -> None:
    assert look(studio.world.checkpoint).layers == ()
    found = look(studio.world.checkpoint, studio.world.checkpoint)
    assert (found.layers, found.changes, found.candidates, found.touched) == ((), (0.0, 0.0), 8, ())


def test_a_layer_that_one_lacks_is_skipped_and_said(studio: Studio, edited: Checkpoint, look: Inspect) -> None:
    path = Path(edited.source) / "model.safetensors"
    weights = load_file(path)
    save_file({name: one for name, one in weights.items() if name != MEMORY.format(0)}, path, metadata={"format": "pt"})
    found = look(edited, studio.world.checkpoint)
    assert (found.layers, found.skipped, found.unasked) == ((1,), (0,), "after")
    assert found.touched[0].subject == "Oman"
    assert all(said.before is not None and said.after is None for one in found.touched for said in one.said)
    back = look(studio.world.checkpoint, edited)
    assert (back.layers, back.skipped, back.unasked, back.touched[0].subject) == ((1,), (0,), "before", "Oman")
    lacking = {name: one for name, one in weights.items() if name not in (MEMORY.format(0), MEMORY.format(1))}
    save_file(lacking, path, metadata={"format": "pt"})
    with pytest.raises(EditViewError, match="No layer's memory"):
        look(edited, studio.world.checkpoint)
    weights[MEMORY.format(1)][0, 0] = float("nan")
    save_file(weights, path, metadata={"format": "pt"})
    assert look(edited, studio.world.checkpoint).skipped == (1,)


def test_other_models_are_refused(studio: Studio, tmp_path: Path, edited: Checkpoint, look: Inspect) -> None:
    from transformers import AutoModelForCausalLM

    AutoModelForCausalLM.from_config(families()["llama"].config).save_pretrained(tmp_path / "llama")
    with pytest.raises(EditViewError, match="different models"):
        look(edited, Checkpoint(source=str(tmp_path / "llama")))
    with pytest.raises(EditViewError, match="There is no folder"):
        look(edited, Checkpoint(source=str(tmp_path / "nowhere")))


def test_it_tells_how_far_it_is_and_stops(studio: Studio, edited: Checkpoint, look: Inspect) -> None:
    for phase in ("Comparing", "Reading the subjects", "Asking"):
        stop, seen = threading.Event(), list[Event]()

        def emit(event: Event, stop: threading.Event = stop, phase: str = phase, seen: list[Event] = seen) -> None:
            seen.append(event)
            if isinstance(event, EngineLoading) and event.what.startswith(phase):
                stop.set()

        with pytest.raises(Cancelled):
            look(edited, studio.world.checkpoint, emit, stop)
        assert seen[-1] == EngineLoading("")


def test_a_reversal_is_a_step_of_a_plan(studio: Studio, edited: Checkpoint) -> None:
    run = studio.run(small.plan(edited, Reverse()))
    assert [stage.info.title for stage in run.stages] == ["Checkpoint", "Reverse what looks edited"]
    assert [change.layer for change in run.stages[1].changes] == [1]
    assert len(run.stages[1].checks) == len(studio.world.sheet)
    nothing = studio.run(studio.plan(Reverse()))
    assert nothing.stages[1].changes == ()


def test_a_reversal_takes_back_what_the_plan_had_edited(studio: Studio) -> None:
    run = studio.run(studio.plan(small.edit(studio.world.text), Reverse(layers=(0, 1), directions=4)))
    changes = {run.change(fact, 2) for fact in studio.world.sheet.facts if fact.new_answer and not fact.neighbour_of}
    assert {change.value for change in changes if change} <= {"taken back", "already known"}
