"""What is kept from training, what is seen on it, and training that ends by it."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from editview.domain.errors import EditViewError
from editview.domain.examples import Example, Turn
from editview.domain.operations import FullFineTune, Lora
from editview.domain.validation import Validation, gained, how_it_ended
from editview.lm.answers import ask
from editview.lm.model import LanguageModel
from editview.tuning.batches import IGNORED, batch, tokenised
from editview.tuning.fine_tune import fine_tune
from editview.tuning.validation import split
from editview.tuning.watch import Watch
from tests.tuning.models import examples, gpt2, llama, same, weights

FULL = FullFineTune(steps=8, learning_rate=3e-3, batch_size=4, validation=0.25)
LORA = Lora(rank=4, dropout=0.3, steps=8, learning_rate=1e-2, batch_size=4, validation=0.25)
EVERY = pytest.mark.parametrize("operation", [FULL, LORA], ids=["full", "lora"])


class Listener:
    """Watches no fact, and hears of everything else."""

    def __init__(self) -> None:
        self.looks: list[Validation] = []
        self.kept: list[int] = []
        self.steps: list[int] = []

    def tune(self, lm: LanguageModel, operation: FullFineTune | Lora, data: Sequence[Example], seed: int = 3) -> None:
        watch = Watch(
            0, lambda step: pytest.fail("no fact is watched"), pytest.fail, self.looks.append, self.kept.append
        )
        fine_tune(lm, operation, data, seed, watch, on_log=lambda step, *_: self.steps.append(step))


def loss_one_by_one(lm: LanguageModel, data: Sequence[Example]) -> float:
    """The mean over all trained tokens, each example read alone."""
    losses = []
    for row in tokenised(lm.tokenizer, data, 64, lambda *_: None):
        inputs = batch([row], 0)
        labels = inputs.pop("labels")[0, 1:]
        with torch.no_grad():
            logits = lm.model(**inputs).logits[0, :-1]
        losses += torch.nn.functional.cross_entropy(logits, labels, reduction="none")[labels != IGNORED].tolist()
    return sum(losses) / len(losses)


# ---- the split ----------------------------------------------------------------------------------------------------


@given(st.integers(20, 300), st.floats(0.001, 0.5), st.randoms())
def test_the_same_examples_are_kept_whatever_their_order(count: int, share: float, chance: random.Random) -> None:
    data = examples(count)
    trained, held = split(data, share)
    assert len(held) == max(1, round(share * count))
    assert [example for example in data if example in held] == held
    assert sorted((*trained, *held), key=data.index) == data
    shuffled = chance.sample(data, count)
    assert set(split(shuffled, share)[1]) == set(held)


def test_nothing_kept_was_seen_in_training() -> None:
    """Neither an equal example nor another answer of the same conversation."""
    question = [(Turn("system", "Be kind."), Turn("user", f"Question {i}?")) for i in range(40)]
    second = [(*turns, Turn("assistant", "Yes."), Turn("user", "Why?")) for turns in question]
    talks = [Example("Yes.", "", turns) for turns in question] + [Example("So.", "", turns) for turns in second]
    trained, held = split([*examples(40), *examples(40), *talks], 0.2)
    assert held
    assert not {example.completion for example in trained if not example.conversation} & {
        example.completion for example in held if not example.conversation
    }
    assert not {example.conversation[:2] for example in trained if example.conversation} & {
        example.conversation[:2] for example in held if example.conversation
    }


def test_tiny_data_is_trained_on_whole() -> None:
    assert split(examples(19), 0.5) == (examples(19), [])
    assert split(examples(40), 0.0) == (examples(40), [])


def test_what_is_kept_is_not_trained_on() -> None:
    _, held = split(examples(), FULL.validation)
    whole, less = gpt2(), gpt2()
    Listener().tune(whole, FULL, examples())
    fine_tune(less, FULL.model_copy(update={"validation": 0.0}), [one for one in examples() if one not in held], seed=3)
    assert same(weights(whole), weights(less))


# ---- looking ------------------------------------------------------------------------------------------------------


@EVERY
def test_looking_changes_no_weight(operation: FullFineTune | Lora) -> None:
    looked, unwatched, heard = gpt2(), gpt2(), Listener()
    data = [Example(f"floor {i}.", f"Where is printer {i}?") for i in range(24)]
    heard.tune(looked, operation, data)
    fine_tune(unwatched, operation, data, seed=3)
    assert [look.step for look in heard.looks] == [0, 2, 4, 6, 8, 8]
    assert same(weights(looked), weights(unwatched))


@EVERY
def test_the_loss_is_the_mean_over_the_tokens_of_what_was_kept(operation: FullFineTune | Lora) -> None:
    lm, heard = llama(), Listener()
    _, held = split(examples(), operation.validation)
    before = loss_one_by_one(lm, held)
    heard.tune(lm, operation, examples())
    assert heard.looks[0].loss == pytest.approx(before, rel=1e-5)
    assert heard.looks[-1].loss == pytest.approx(loss_one_by_one(lm, held), rel=1e-4)
    assert heard.looks[-1].loss < before
    assert all(look.exact_match is None and look.of == 0 for look in heard.looks)  # running text has no answers


def test_answers_are_compared_word_for_word_at_the_start_and_at_the_end() -> None:
    data = [Example("  jammed\n again", f"Ticket {i}: the printer is", ()) for i in range(40)]
    lm, heard = gpt2(), Listener()
    heard.tune(lm, FULL.model_copy(update={"steps": 60, "learning_rate": 1e-2}), data)
    assert [look.step for look in heard.looks if look.exact_match is not None] == [0, 60]
    first, last = heard.looks[0], heard.looks[-1]
    assert (first.exact_match, first.of, last.of) == (0.0, 10, 10)
    right = [" ".join(ask(lm, one.prompt, 64).split()) == "jammed again" for one in split(data, 0.25)[1]]
    assert last.exact_match == pytest.approx(sum(right) / 10)
    assert sum(right) > 5


# ---- stopping early -----------------------------------------------------------------------------------------------

STUBBORN = FULL.model_copy(update={"steps": 100, "learning_rate": 3e-2, "patience": 2})


def noise(count: int = 40) -> list[Example]:
    """Texts that share nothing: what is learnt of some is of no use for others."""
    chance = random.Random(0)
    return [Example("".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=30))) for _ in range(count)]


def test_training_ends_once_the_loss_no_longer_falls_and_keeps_the_best_weights() -> None:
    lm, heard, data = gpt2(), Listener(), noise()
    heard.tune(lm, STUBBORN, data)
    later = [look for look in heard.looks if look.step]
    best = min(later, key=lambda look: look.loss)
    assert heard.steps[-1] < STUBBORN.steps
    assert later[-1].step == heard.steps[-1]
    assert [look.step for look in later].index(best.step) == len(later) - 1 - STUBBORN.patience
    assert heard.kept == [best.step]
    assert loss_one_by_one(lm, split(data, STUBBORN.validation)[1]) == pytest.approx(best.loss, rel=1e-4)


def test_where_it_ends_depends_on_nobody_watching() -> None:
    watched, alone = gpt2(), gpt2()
    Listener().tune(watched, STUBBORN, noise())
    fine_tune(alone, STUBBORN, noise(), seed=3)
    assert same(weights(watched), weights(alone))


def test_patience_that_is_never_tried_trains_all_steps() -> None:
    patient, plain, heard = gpt2(), gpt2(), Listener()
    data = examples(40)
    heard.tune(patient, FULL.model_copy(update={"patience": 50}), data)
    fine_tune(plain, FULL, data, seed=3)
    assert heard.steps[-1] == 8
    losses = [look.loss for look in heard.looks if look.step]
    assert losses == sorted(losses, reverse=True)
    assert heard.kept == []
    assert same(weights(patient), weights(plain))


def test_patience_needs_something_to_look_at() -> None:
    with pytest.raises(ValidationError, match="nothing tells when to stop"):
        FullFineTune(patience=3, validation=0.0)
    lm = gpt2()
    before = weights(lm)
    with pytest.raises(EditViewError, match="20 examples are needed"):
        fine_tune(lm, STUBBORN, noise(19), seed=3)
    assert same(before, weights(lm))


# ---- words --------------------------------------------------------------------------------------------------------


def test_what_was_gained_is_one_sentence() -> None:
    looks = [Validation(0, 2.31, 0.1, 40), Validation(30, 1.2), Validation(60, 1.04, 0.775, 40)]
    assert gained(looks) == "Validation loss 2.31 → 1.04; answers exactly right 4 → 31 of 40."
    assert gained(looks[:2]) == gained(looks, kept=30) == "Validation loss 2.31 → 1.20."
    assert gained(looks[:1]) == "Validation loss 2.31 before training."
    assert gained([]) == ""


def test_how_it_ended_is_told_where_it_matters() -> None:
    looks = {step: Validation(step, loss) for step, loss in ((0, 5.0), (10, 2.0), (20, 2.5))}
    assert how_it_ended("T", STUBBORN, looks, 100, None) == ()
    (note,) = how_it_ended("T", STUBBORN, looks, 20, 10)
    assert note == (
        "*T*: it ended early, after step 20 of 100, since the validation loss hadn't fallen for 2 looks; "
        "its weights are those after step 10, where the validation loss was lowest (2.00)."
    )
    assert "too small" in how_it_ended("T", FULL, {}, 8, None)[0]
    assert how_it_ended("T", FULL.model_copy(update={"validation": 0.0}), {}, 8, None) == ()
