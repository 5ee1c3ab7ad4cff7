"""A plan runs on a model that is larger than its device as it does on one that isn't."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event

import pytest
import torch

from editview.domain.events import Forecast, Noted
from editview.domain.export import Form
from editview.domain.operations import Operation, UndoEdit
from editview.domain.placement import Placement
from editview.domain.requests import ExportStage
from editview.domain.session import Run, RunState
from editview.domain.verdicts import Check
from editview.lm import opening
from editview.runs import forecast as forecasts
from editview.runs import memory
from tests import small
from tests.offloaded import placement
from tests.runs.studio import CPU, Studio


@pytest.fixture
def lay_out(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From now on the first of the model's two layers waits on the disk."""

    def laid_out(*_: object) -> Placement:
        return placement(2, 1)

    def begin() -> None:
        monkeypatch.setattr(opening, "laid_out", laid_out)
        monkeypatch.setattr(memory, "laid_out", laid_out)

    return begin


def edits(studio: Studio, **parameters: object) -> tuple[Operation, ...]:
    first = small.edit(studio.world.text, id="first", only=("e0", "e1"), **parameters)
    second = small.edit(studio.world.text, id="second", only=("e2",))
    return first, second, UndoEdit(id="undo", edit="first")


def answers(run: Run) -> list[list[Check]]:
    return [[stage.checks[fact.id] for fact in run.sheet] for stage in run.stages]


def rounded(checks: Sequence[Sequence[Check]]) -> list[list[tuple[object, ...]]]:
    return [[(c.fact_id, c.verdict, [(a.said, round(a.nll_wanted, 3)) for a in c.answers]) for c in s] for s in checks]


def test_a_plan_gives_what_it_gives_where_the_model_fits(
    studio: Studio, world: small.World, lay_out: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = studio.run(studio.plan(*edits(studio)))
    wanted, asked = studio.weights(whole), answers(whole)
    lay_out()
    runner = studio.another_runner()
    partly = studio.run(studio.plan(*edits(studio)), runner=runner, fresh=True)
    assert partly.state is RunState.FINISHED
    assert rounded(answers(partly)) == rounded(asked)
    for before, after in zip(wanted, studio.weights(partly), strict=True):
        assert before.keys() == after.keys()
        for name, tensor in before.items():
            torch.testing.assert_close(after[name], tensor, rtol=1e-4, atol=1e-5)
    assert [event.sentence for event in studio.events if isinstance(event, Noted)] == [
        "1 of 2 layers on the CPU, the rest on the disk: slower."
    ]

    studio.count(monkeypatch)
    stronger = studio.plan(*edits(studio, strength=120.0))
    studio.run(stronger, runner=runner)
    assert studio.done.count("memit") == 1  # the second: the first is scaled
    assert runner.scaled(stronger, world.sheet, "first", 50.0, studio.events.append, Event()) is not None
    studio.run(studio.plan(*edits(studio)), runner=runner)
    assert studio.done == []


def test_the_model_is_put_back_after_stop(studio: Studio, lay_out: Callable[[], None]) -> None:
    lay_out()
    first, *_ = edits(studio)

    def stop(event: object, signal: Event) -> None:
        if "Writing the facts" in str(getattr(event, "what", "")):
            signal.set()

    assert studio.run(studio.plan(first), meanwhile=stop).state is RunState.STOPPED
    held = studio.runner._bench._at_hand.lm.offloaded
    assert held is not None
    assert held.written
    assert small.same(dict(held.opened), dict(held))
    assert studio.run(studio.plan(first)).state is RunState.FINISHED


def test_training_is_refused_with_what_to_do(studio: Studio, lay_out: Callable[[], None]) -> None:
    lay_out()
    run = studio.run(studio.plan(edits(studio)[0], small.tune(studio.world.data)))
    assert run.state is RunState.FAILED
    assert "can be edited but not fine-tuned" in str(studio.events[-1])
    assert run.stages[1].changes


@pytest.mark.parametrize("form", [Form.STORED, Form.ADAPTER])
def test_a_stage_is_exported(studio: Studio, lay_out: Callable[[], None], tmp_path: Path, form: Form) -> None:
    lay_out()
    plan, folder = studio.plan(edits(studio)[0]), tmp_path / "exported"
    studio.run(plan)
    asked = ExportStage(plan, studio.world.sheet, 1, str(folder), form)
    done = studio.runner.export(asked, studio.events.append, Event())
    assert done.off == 0 or form is Form.ADAPTER
    assert done.facts == len(studio.world.sheet)


def test_the_forecast_says_how_it_will_be_laid_out(
    studio: Studio, lay_out: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def of(*operations: Operation) -> Forecast:
        plan = studio.plan(*operations)
        return forecasts.forecast(plan, studio.world.sheet, CPU, studio.store, studio.fingerprints, studio.timings)

    edit, tune = edits(studio)[0], small.tune(studio.world.data)
    assert (of(edit).layout, of(edit).advice) == ("", "")
    needed = of(edit).memory_needed
    lay_out()
    assert of(edit).layout == "1 of 2 layers on the CPU, the rest on the disk: slower."
    assert of(edit).advice == ""
    assert of(edit).memory_needed < needed
    monkeypatch.setattr(forecasts, "memory_available", lambda device: 10)
    assert of(tune).layout == ""
    assert "not fine-tuned" in of(tune).advice
