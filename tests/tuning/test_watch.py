"""Watching training must not change it: trained weights are bit-identical with live checks on and off."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from editview.domain.facts import Fact, Group
from editview.domain.operations import FullFineTune, Lora
from editview.domain.verdicts import LiveCheck
from editview.lm.anatomy import anatomy
from editview.lm.answers import live_check
from editview.lm.model import LanguageModel
from editview.tuning.fine_tune import fine_tune
from editview.tuning.watch import SHARE, Rhythm, Watch, undisturbed
from tests.tuning.models import examples, gpt2, same, weights

OPERATIONS = {
    "lora": Lora(rank=4, dropout=0.3, steps=6, learning_rate=1e-2, batch_size=4),
    "dora": Lora(rank=4, dropout=0.3, steps=6, learning_rate=1e-2, batch_size=4, dora=True),
    "full": FullFineTune(steps=6, learning_rate=1e-3, batch_size=4),
}


class Asker:
    """A check that meddles as much as it can: draws at random, and runs the model."""

    def __init__(self, lm: LanguageModel) -> None:
        self.lm = lm
        self.logits: dict[int, torch.Tensor] = {}
        self.seen: list[LiveCheck] = []

    def check(self, step: int) -> LiveCheck:
        random.random()
        np.random.rand(3)
        torch.rand(5)
        assert not self.lm.model.training
        tokens = torch.tensor([self.lm.tokenizer("Ticket 3: the")["input_ids"]])
        self.logits[step] = self.lm.model(tokens).logits
        assert not self.logits[step].requires_grad
        return LiveCheck(step, ("a",), (True,), (0.5,), (1.0,))

    def watch(self, every: int) -> Watch:
        return Watch(every, self.check, self.seen.append)


@pytest.mark.parametrize("method", OPERATIONS)
def test_trained_weights_are_the_same_with_and_without_checks(method: str) -> None:
    watched, unwatched = gpt2(), gpt2()
    assert unwatched.model.config.resid_pdrop > 0  # so that a disturbed generator would show
    asker = Asker(watched)
    fine_tune(watched, OPERATIONS[method], examples(), seed=3, watch=asker.watch(2))
    fine_tune(unwatched, OPERATIONS[method], examples(), seed=3)
    assert [check.step for check in asker.seen] == [0, 2, 4, 6]
    assert same(weights(watched), weights(unwatched))


def test_a_check_that_left_its_draws_behind_would_show(monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard of the test above: without the protection, the weights do differ."""
    from contextlib import nullcontext

    import editview.tuning.watch

    watched, unwatched = gpt2(), gpt2()
    monkeypatch.setattr(editview.tuning.watch, "kept_random_state", nullcontext)
    fine_tune(watched, OPERATIONS["full"], examples(), seed=3, watch=Asker(watched).watch(2))
    fine_tune(unwatched, OPERATIONS["full"], examples(), seed=3)
    assert not same(weights(watched), weights(unwatched))


@pytest.mark.parametrize("method", OPERATIONS)
def test_checks_see_the_model_as_it_is_trained(method: str) -> None:
    lm = gpt2()
    tokens = torch.tensor([lm.tokenizer("Ticket 3: the")["input_ids"]])
    with torch.no_grad():
        before = lm.model(tokens).logits
    asker = Asker(lm)
    fine_tune(lm, OPERATIONS[method], examples(), seed=3, watch=asker.watch(3))
    with torch.no_grad():
        after = lm.model(tokens).logits
    assert torch.allclose(asker.logits[0], before, atol=1e-5)
    assert not torch.allclose(asker.logits[3], before, atol=1e-3)
    assert not torch.allclose(asker.logits[3], asker.logits[6], atol=1e-3)
    assert torch.allclose(asker.logits[6], after, atol=1e-4)  # the adapter then, merged now


def test_undisturbed_gives_modes_and_chance_back_after_an_error() -> None:
    model = gpt2().model.train()
    model.transformer.h[0].eval()
    modes, state = [module.training for module in model.modules()], torch.get_rng_state()

    def broken() -> None:
        torch.rand(1)
        assert not model.training
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"), undisturbed(model):
        broken()
    assert [module.training for module in model.modules()] == modes
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("method", OPERATIONS)
def test_the_live_check_of_facts_leaves_training_as_it_is(method: str) -> None:
    """As the runner does it, with answers right and wrong, of one token and of several."""
    watched, unwatched = gpt2(), gpt2()
    lm = LanguageModel(watched.model, watched.tokenizer, anatomy(watched.model), "small")
    facts = [Fact(f"e{i}", Group.EDITED, f"{i}", "The printer on floor {} is", "new", "jammed") for i in range(5)]
    seen: list[LiveCheck] = []
    watch = Watch(2, lambda step: live_check(lm, facts, step), seen.append)
    fine_tune(lm, OPERATIONS[method], examples(), seed=3, watch=watch)
    fine_tune(unwatched, OPERATIONS[method], examples(), seed=3)
    assert [check.step for check in seen] == [0, 2, 4, 6]
    assert len({check.nll_wanted for check in seen}) == 4
    assert same(weights(watched), weights(unwatched))


class Clock:
    """Time that passes only where it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def asked_at(steps: int, step_takes: Callable[[int], float], asking_takes: Callable[[int], float]) -> list[int]:
    clock, asked = Clock(), []
    rhythm = Rhythm("auto", steps, clock)
    for step in range(1, steps + 1):
        clock.now += step_takes(step)
        if rhythm.is_due(step):
            asked.append(step)
            with rhythm.asking(step):
                clock.now += asking_takes(step)
    return asked


@given(st.integers(2, 3000), st.floats(0.001, 10), st.floats(0.0001, 100))
def test_asking_takes_a_small_share_of_the_time_whatever_it_costs(steps: int, step: float, asking: float) -> None:
    asked = asked_at(steps, lambda _: step, lambda _: asking)
    assert asked[0] == 1  # the first time tells what it costs
    assert len(asked) == 1 or len(asked) * asking <= 1.001 * SHARE * steps * step
    assert len(asked) <= 201
    assert steps not in asked[1:]


def test_checks_are_spread_over_all_steps_and_follow_what_they_cost() -> None:
    even = asked_at(1000, lambda _: 1.0, lambda _: 1.0)
    assert len(even) == pytest.approx(1000 * SHARE, abs=2)
    assert max(b - a for a, b in pairwise([*even, 1000])) <= 25
    dearer = asked_at(1000, lambda _: 1.0, lambda step: 1.0 if step < 500 else 4.0)
    assert len([step for step in dearer if step < 500]) > 2 * len([step for step in dearer if step >= 500])
    assert sum(1.0 if step < 500 else 4.0 for step in dearer) <= 1.2 * SHARE * 1000


@pytest.mark.parametrize("method", OPERATIONS)
def test_how_often_it_is_asked_changes_no_weight(method: str) -> None:
    found = []
    for seconds in (0.0, 0.001, 5.0):
        lm, clock = gpt2(), Clock()
        asker = Asker(lm)

        def check(step: int, asker: Asker = asker, clock: Clock = clock, seconds: float = seconds) -> LiveCheck:
            clock.now += seconds
            return asker.check(step)

        def stepped(*_: object, clock: Clock = clock) -> None:
            clock.now += 1.0

        watch = Watch("auto", check, asker.seen.append, clock=clock)
        fine_tune(lm, OPERATIONS[method], examples(), 3, watch, on_log=stepped)
        found.append((len(asker.seen), weights(lm)))
    assert [count for count, _ in found] == [6, 6, 2]
    assert all(same(found[0][1], other) for _, other in found[1:])
