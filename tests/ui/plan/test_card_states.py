"""What cards and the run say: before, during and after a run, and after the plan was changed under it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from editview.domain.checkpoint import CheckpointInfo
from editview.domain.events import Forecast
from editview.domain.memory import Fit, Layout, Memory
from editview.domain.operations import FineTune
from editview.domain.plan import Plan
from editview.domain.run_events import Progressed, RunFailed, RunStopped
from editview.domain.session import Run, Session
from editview.ui.plan.card_states import (
    card_state,
    measurable,
    needs_sentence,
    overall,
    plan_sentence,
    same_beginning,
    trains,
)
from tests import sample

PLAN = sample.plan()
EDIT, TUNE = PLAN.operations


def forecast(reused: tuple[bool, bool], seconds: tuple[float | None, float | None]) -> Forecast:
    known = [s for s, r in zip(seconds, reused, strict=True) if not r]
    total = None if None in known else sum(s for s in known if s is not None)
    return Forecast(PLAN, reused, seconds, total, 10, 100)


def run_until(stage: int, done: int) -> Run:
    session = Session()
    for event in sample.events(PLAN, sample.sheet()):
        run = session.apply(event)
        if isinstance(event, Progressed) and (event.stage, event.done) == (stage, done):
            return run
    raise AssertionError("never got there")


def finished() -> Run:
    run = sample.session().latest
    assert run is not None
    return run


def test_before_a_run_the_forecast_is_told() -> None:
    told = forecast((True, False), (0.1, 75.0))
    assert card_state(PLAN, EDIT, told, None).words == "reused"
    assert card_state(PLAN, TUNE, told, None).words == "will run · 1 min 15 s"
    assert card_state(PLAN, TUNE, forecast((False, False), (None, None)), None).words == "will run"
    assert card_state(PLAN, TUNE, None, None).words == "will run"


def test_an_interrupted_fine_tune_says_where_it_goes_on() -> None:
    told = replace(forecast((True, False), (0.1, 75.0)), goes_on=(0, 40))
    assert card_state(PLAN, TUNE, told, None).words == f"goes on at step 40 of {TUNE.steps} · 1 min 15 s"
    assert card_state(PLAN, EDIT, told, None).words == "reused"


def test_what_a_fine_tune_needs_is_told_and_whether_it_was_measured() -> None:
    assert isinstance(TUNE, FineTune)
    memory = Memory(weights=2_000_000, gradients=1_000_000, optimiser=3_000_000, activations=500_000)
    fit = Fit(Layout(TUNE.batch_size), memory)
    told = replace(forecast((False, False), (1.0, 75.0)), fits=(None, fit))
    needs = "6.5 MB of memory: optimiser 3.0 MB, weights 2.0 MB, gradients 1.0 MB, activations 500 kB"
    assert needs_sentence(PLAN, TUNE, told) == f"Needs {needs} (estimated)."
    assert measurable(PLAN, told) == TUNE
    assert "save memory" not in plan_sentence(PLAN, told)
    tight = replace(told, fits=(None, Fit(Layout(1, True), memory, measured=True)))
    assert needs_sentence(PLAN, TUNE, tight) == (
        f"Needs {needs} (measured); batches are taken in parts of 1, layer by layer to save memory."
    )
    assert measurable(PLAN, tight) is None
    assert measurable(PLAN, replace(told, reused=(False, True))) is None
    said = "The fine-tune takes its batches in parts of 1, layer by layer to save memory."
    assert plan_sentence(PLAN, tight).endswith(said)
    assert needs_sentence(PLAN, TUNE, None) == ""


def test_a_guess_is_told_as_one() -> None:
    told = forecast((False, False), (10.0, 60.0))
    assert plan_sentence(PLAN, told) == "2 steps will run, about 1 min 10 s."
    assert plan_sentence(PLAN, replace(told, guessed=True)).endswith(
        " That is a guess until this machine has done it once."
    )


def test_a_card_that_is_switched_off_says_so() -> None:
    plan = PLAN.switched("tune")
    assert card_state(plan, plan.operations[1], None, finished()).words == "switched off"


def test_while_it_runs_each_card_says_how_far_it_is() -> None:
    run = run_until(2, 24)
    assert card_state(PLAN, EDIT, None, run).words == "done in 12 s"
    state = card_state(PLAN, TUNE, None, run)
    assert state.words == "32 % · 10 s left"  # 24 of 60 steps; asking the facts comes after them
    assert state.share == pytest.approx(0.32)
    assert card_state(PLAN, TUNE, forecast((False, False), (10.0, 100.0)), run).words == "32 % · 1 min left"
    assert card_state(PLAN, TUNE, None, run_until(1, 3)).words == "waiting"


def test_a_run_that_was_stopped_or_failed() -> None:
    run = run_until(2, 24)
    run.apply(RunStopped("run-1"))
    assert card_state(PLAN, TUNE, None, run).words == "will run"
    run = run_until(2, 24)
    run.apply(RunFailed("run-1", "It went wrong."))
    assert card_state(PLAN, TUNE, None, run).words == "failed"


def test_a_reorder_forgets_the_run_from_where_the_plans_part() -> None:
    swapped = PLAN.moved("tune", 0)
    told = Forecast(swapped, (False, False), (9.0, 8.0), 17.0, 1, 2)
    assert card_state(swapped, TUNE, told, finished()).words == "will run · 9 s"
    changed = PLAN.replaced(TUNE.model_copy(update={"steps": 7}))
    assert card_state(changed, changed.operations[0], told, finished()).words == "done in 12 s"
    assert card_state(changed, changed.operations[1], None, finished()).words == "will run"
    assert card_state(PLAN.model_copy(update={"seed": 5}), EDIT, None, finished()).words == "will run"


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        (None, "2 steps in this order."),
        (forecast((False, False), (5.0, 20.0)), "2 steps will run, about 25 s."),
        (forecast((True, False), (5.0, 20.0)), "1 of 2 steps is reused; 1 will run, about 20 s."),
        (forecast((True, True), (5.0, 20.0)), "Everything here was computed before: the result is shown at once."),
        (
            forecast((False, False), (None, None)),
            "2 steps will run. How long it takes is not known on this machine yet.",
        ),
        (
            Forecast(PLAN, (False, False), (1.0, 1.0), 2.0, 9_000_000_000, 4_000_000_000, "Choose LoRA."),
            "This needs about 9.0 GB of memory and 4.0 GB are free. Choose LoRA.",
        ),
    ],
)
def test_the_plan_says_what_run_would_do(told: Forecast | None, sentence: str) -> None:
    assert plan_sentence(PLAN, told) == sentence


def test_an_empty_plan_says_what_to_do() -> None:
    assert "add an edit or a fine-tune" in plan_sentence(Plan(), None)


def test_the_whole_run_grows_from_nothing_to_all() -> None:
    told = forecast((False, False), (10.0, 30.0))
    session, shares = Session(), []
    for event in sample.events(PLAN, sample.sheet()):
        shares.append(overall(session.apply(event), told).share)
    assert shares[0] == 0
    assert shares[-1] == pytest.approx(1)
    assert shares == sorted(shares)
    half = overall(run_until(2, 24), told)
    assert half.share == pytest.approx(0.25 + 0.75 * 0.32)
    assert half.doing == "Step 2 of 2: Training"
    assert half.seconds_left == pytest.approx(30 * 0.68)
    first = overall(run_until(1, 3), told)
    assert first.seconds_left is not None
    assert first.seconds_left > 30.0
    assert overall(run_until(1, 3), None).seconds_left is None


def test_an_edit_with_several_phases_never_goes_back() -> None:
    run = run_until(1, 3)
    shares = [overall(run, None).share]
    for what in ("Reading", "Searching", "Writing"):
        for done in range(5):
            run.apply(Progressed("run-1", 1, done, 4, what, None))
            shares.append(overall(run, None).share)
    assert shares == sorted(shares)
    assert 0 < shares[0] < shares[-1] < 0.5


def test_what_a_fine_tune_trains_is_told_before_and_what_it_trained_after() -> None:
    info = CheckpointInfo(PLAN.checkpoint, "demo", "GPT-2", 65536, 4, "float32", 4, sample.tensors(), "CPU", True, None)
    told, names = trains(PLAN, TUNE, info, None)
    assert told.startswith(f"Trains {len(names)} tensors")
    assert names == tuple(tensor.name for tensor in sample.tensors())
    run = finished()
    run.stages[2].trained = names[:1]
    told, recorded = trains(PLAN, TUNE, info, run)
    assert told.startswith("Trained 1 tensor")
    assert recorded == names[:1]
    edited = TUNE.model_copy(update={"trained": "edited"})
    told, _ = trains(PLAN.replaced(edited), edited, info, run)
    assert told.startswith("Trains "), "the run was another choice's"
    assert trains(PLAN, TUNE, None, None) == ("", ())
    refused = TUNE.model_copy(update={"trained": "chosen"})
    assert trains(PLAN.replaced(refused), refused, info, None) == ("", ())


def test_a_later_edit_of_other_layers_makes_a_fine_tune_of_edited_layers_another_one() -> None:
    tune = TUNE.model_copy(update={"trained": "edited"})
    plan = PLAN.model_copy(update={"operations": (tune, EDIT)})
    assert same_beginning(plan, plan.replaced(EDIT.model_copy(update={"learning_rate": 0.01})), 0)
    assert not same_beginning(plan, plan.replaced(EDIT.model_copy(update={"layers": (3,)})), 0)
    assert not same_beginning(plan, plan.switched(EDIT.id), 0)
    whole = plan.replaced(TUNE)
    assert same_beginning(whole, whole.replaced(EDIT.model_copy(update={"layers": (3,)})), 0)


def test_a_model_larger_than_its_device_says_how_it_is_laid_out() -> None:
    said = "12 of 32 layers on the card, the rest on the disk: slower."
    partly = replace(forecast((False, False), (1.0, 2.0)), layout=said)
    assert plan_sentence(PLAN, partly).endswith(f" {said}")
