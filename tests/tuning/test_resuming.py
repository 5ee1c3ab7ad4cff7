"""Interrupted training goes on at its last snapshot and ends with the bits of training that was never interrupted."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest
import torch
from torch import Tensor

from editview.domain.errors import Cancelled
from editview.domain.facts import Fact, Group
from editview.domain.operations import FullFineTune, Lora
from editview.lm.model import LanguageModel
from editview.tuning.fine_tune import fine_tune
from editview.tuning.protection.protection import FactsGiven
from editview.tuning.randomness import kept_random_state, random_state, set_random_state
from editview.tuning.resuming import Snapshots
from editview.tuning.watch import Watch
from tests.tuning.models import examples, gpt2, llama, same, weights

# 24 examples in batches of 5: five steps an epoch, the last batch short
SETTINGS = {
    "steps": 13, "batch_size": 5, "schedule": "cosine", "warmup": 0.2, "weight_decay": 0.1, "validation": 0.0
}  # fmt: skip
OPERATIONS = {
    "full": FullFineTune(**SETTINGS, learning_rate=1e-3),
    "lora": Lora(**SETTINGS, rank=4, dropout=0.3, learning_rate=1e-2),
    "dora": Lora(**SETTINGS, rank=4, dropout=0.3, learning_rate=1e-2, dora=True),
}
EVERY = pytest.mark.parametrize("method", OPERATIONS)


@dataclass
class Keeper:
    """Keeps every snapshot, copied; its clock goes on a second as a step is logged."""

    every: float = 0.0
    kept: dict[int, dict[str, Tensor]] = field(default_factory=dict)
    now: float = 0.0

    def keep(self, step: int, state: dict[str, Tensor]) -> None:
        self.kept[step] = {name: tensor.clone() for name, tensor in state.items()}

    def snapshots(self, found: int | None = None) -> Snapshots:
        return Snapshots(self.every, self.keep, None if found is None else self.kept[found], lambda: self.now)

    def tick(self, step: int, loss: float, rate: float) -> None:
        self.now += 1.0


def run(
    lm: LanguageModel, method: str, keeper: Keeper, found: int | None = None, stop_after: int | None = None
) -> list[tuple[int, float, float]]:
    """Train; the log as it was told. `stop_after`: cancelled before the step after that one."""
    log: list[tuple[int, float, float]] = []

    def on_log(*told: float) -> None:
        log.append(told)  # type: ignore[arg-type]
        keeper.tick(*told)  # type: ignore[arg-type]

    def progress(done: int, total: int, what: str) -> None:
        if what == "Training" and done == stop_after:
            raise Cancelled

    fine_tune(lm, OPERATIONS[method], examples(), 5, None, progress, on_log, snapshots=keeper.snapshots(found))
    return log


@EVERY
def test_going_on_gives_the_bits_of_an_uninterrupted_run(method: str) -> None:
    """At a step within an epoch, at an epoch's end and just after it; with dropout and shuffling."""
    through, keeper = gpt2(), Keeper()
    log = run(through, method, keeper)
    assert sorted(keeper.kept) == list(range(1, 13))
    for at in (3, 5, 6, 12):
        resumed = gpt2()
        random.seed(at)
        np.random.seed(at)
        torch.manual_seed(at)  # whatever was drawn in between
        assert run(resumed, method, keeper, found=at) == log[at:]
        assert same(weights(through), weights(resumed)), at


@EVERY
def test_a_run_that_was_cut_off_loses_only_what_came_after_its_last_snapshot(method: str) -> None:
    through, keeper = llama(), Keeper(every=2.0)
    log = run(through, method, Keeper(every=99.0))
    lm = llama()
    before = weights(lm)
    with pytest.raises(Cancelled):
        run(lm, method, keeper, stop_after=9)
    assert same(before, weights(lm))
    assert sorted(keeper.kept) == [3, 6]
    assert run(lm, method, keeper, found=6) == log[6:]
    assert same(weights(through), weights(lm))


def test_patience_goes_on_too() -> None:
    """The best look so far, and how many since were in vain: training ends at the same step with the same weights."""
    restless = Lora(steps=40, batch_size=5, learning_rate=0.1, rank=4, validation=0.2, patience=4)
    keeper, steps = Keeper(), []

    def trained(snapshots: Snapshots) -> tuple[LanguageModel, list[int]]:
        lm, looked = gpt2(), []
        watch = Watch(0, lambda step: pytest.fail("asked"), lambda check: None, lambda look: looked.append(look.step))
        log = steps.append
        fine_tune(lm, restless, examples(), 5, watch, on_log=lambda step, *_: log(step), snapshots=snapshots)
        return lm, looked

    through, looked = trained(keeper.snapshots())
    last = steps[-1]
    assert last < 40  # it stopped early
    assert max(keeper.kept) < last
    resumed, rest = trained(keeper.snapshots(found=max(keeper.kept)))
    assert steps[-1] == last
    assert set(rest) < set(looked)
    assert same(weights(through), weights(resumed))


def test_a_half_precision_model_goes_on_in_full_precision() -> None:
    through, resumed, keeper = gpt2(torch.bfloat16), gpt2(torch.bfloat16), Keeper()
    run(through, "full", keeper)
    run(resumed, "full", keeper, found=4)
    assert same(weights(through), weights(resumed))


def test_short_runs_never_write() -> None:
    keeper = Keeper(every=60.0)
    run(gpt2(), "lora", keeper)
    assert keeper.kept == {}


def test_snapshots_that_take_long_are_taken_seldom() -> None:
    class Slow(Keeper):
        def keep(self, step: int, state: dict[str, Tensor]) -> None:
            super().keep(step, state)
            self.now += 0.14  # seconds, which the training has to be worth

    keeper = Slow()
    run(gpt2(), "lora", keeper)
    assert sorted(keeper.kept) == [1, 7]


def test_a_snapshot_holds_what_is_trained_and_nothing_else() -> None:
    keeper = Keeper()
    run(gpt2(), "lora", keeper)
    names = {name for name in keeper.kept[5] if name.startswith("weight.")}
    assert names
    assert all("lora_" in name for name in names)


def test_an_error_while_a_snapshot_is_kept_ends_the_training_with_the_model_as_it_was() -> None:
    lm = gpt2()
    before = weights(lm)

    class Broken(Keeper):
        def keep(self, step: int, state: dict[str, Tensor]) -> None:
            raise Cancelled

    with pytest.raises(Cancelled):
        run(lm, "full", Broken())
    assert same(before, weights(lm))


def test_chance_goes_on_where_it_was() -> None:
    draw: Callable[[], tuple[float, ...]] = lambda: (random.gauss(0, 1), np.random.randn(), float(torch.randn(())))  # noqa: E731
    with kept_random_state():
        draw()
        state = random_state()
        first = [draw() for _ in range(3)]
        set_random_state(state)
        assert [draw() for _ in range(3)] == first


@pytest.mark.parametrize(
    "more",
    [{"replay": 0.2, "teach": 0.2}, {"shift_penalty": 2.0}, {"packing": True, "max_length": 64, "replay": 0.2}],
    ids=["facts in batches", "penalty", "packed"],
)
@pytest.mark.parametrize("method", ["full", "lora"])
def test_facts_penalties_and_packs_go_on_too(method: str, more: dict[str, object]) -> None:
    fact = Fact("f", Group.EDITED, "Peru", "The sea of {} is", "red", "blue", ("{} has a sea which is",))
    given = FactsGiven((fact,), (fact,), (0, 1))
    operation = OPERATIONS[method].model_copy(update={"steps": 7, "batch_size": 4, **more})

    def trained(keeper: Keeper, found: int | None = None) -> dict[str, Tensor]:
        lm = llama()
        fine_tune(lm, operation, examples(), 5, facts=given, snapshots=keeper.snapshots(found))
        return weights(lm)

    keeper = Keeper()
    through = trained(keeper)
    for at in (2, 5):
        assert same(through, trained(keeper, found=at)), at


def test_a_projection_goes_on_with_the_directions_it_had() -> None:
    """To rounding: where it goes on, what is projected already is projected once more."""
    fact = Fact("f", Group.EDITED, "Peru", "The sea of {} is", "red", "blue")
    given = FactsGiven((), (fact,), (0, 1))
    operation = OPERATIONS["full"].model_copy(update={"steps": 7, "batch_size": 4, "projection": True})
    keeper, found = Keeper(), []
    for at in (None, 4):
        lm = llama()
        fine_tune(lm, operation, examples(), 5, facts=given, snapshots=keeper.snapshots(at))
        found.append(weights(lm))
    through, resumed = found
    assert all(torch.allclose(through[name], resumed[name], atol=1e-5) for name in through)
