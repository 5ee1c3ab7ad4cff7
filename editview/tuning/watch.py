"""Live checks: facts are asked while training goes on, as often as is cheap beside it, and training doesn't notice."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from editview.domain.plan import Every
from editview.domain.validation import Validation
from editview.domain.verdicts import LiveCheck
from editview.lm.model import LanguageModel, at_rest
from editview.tuning.randomness import kept_random_state

SHARE = 0.05
"""Of the training's own time that asking takes at most where it is asked as often as is cheap. Looking at the examples
kept for validation comes on top of it."""

_MOST = 200  # checks of one fine-tune: more than a curve can show


def unheard(*_: object) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Watch:
    """What to ask during training, and who hears of it.

    `check(step)` asks the model as it is after that step; 0: before the first. `validated` hears of looks at the
    examples kept for validation, `went_back` of the step whose weights were kept where training went on after it.
    `clock` tells seconds.
    """

    every: Every
    check: Callable[[int], LiveCheck]
    report: Callable[[LiveCheck], None]
    validated: Callable[[Validation], None] = unheard
    went_back: Callable[[int], None] = unheard
    clock: Callable[[], float] = time.perf_counter


class Rhythm:
    """Says after which steps to ask: every so many, or as often as takes no more than `SHARE` of the training's time.

    'auto' asks after the first step, to learn what asking costs, then spreads evenly over the steps to come what the
    whole training can still afford at the pace measured so far. After the last step the whole sheet is asked anyway.
    """

    def __init__(self, every: Every, steps: int, clock: Callable[[], float], first: int = 0) -> None:
        """`first` is the step that training goes on from."""
        self._every, self._steps, self._clock = every, steps, clock
        self._least = -(-steps // _MOST)
        self._began = clock()
        self._asked = 0.0  # seconds in all
        self._costs: float | None = None  # seconds that asking took lately
        self._first = self._last = first

    def is_due(self, step: int) -> bool:
        if self._every != "auto":
            return self._every > 0 and step % self._every == 0
        if step == self._steps:
            return False
        if self._costs is None:
            return True
        if step - self._last < self._least:
            return False
        trained = self._clock() - self._began - self._asked
        affordable = SHARE * trained * (self._steps - self._first) / (step - self._first) - self._asked  # seconds
        return (step - self._last) * affordable >= (self._steps - self._last) * self._costs

    @contextmanager
    def asking(self, step: int) -> Iterator[None]:
        began = self._clock()
        yield
        seconds = self._clock() - began
        self._asked += seconds
        self._costs = seconds if self._costs is None else (self._costs + seconds) / 2
        self._last = step


@contextmanager
def undisturbed(model: torch.nn.Module) -> Iterator[None]:
    """Inside, the model answers as it does at rest; afterwards training goes on as if nothing had been asked."""
    with kept_random_state(), torch.no_grad(), at_rest(model):
        yield


class LiveChecks(TrainerCallback):
    """Asks before the first step, then as the watch's rhythm has it."""

    def __init__(self, watch: Watch, lm: LanguageModel) -> None:
        self._watch, self._lm = watch, lm

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        if state.global_step == 0:  # training that goes on was asked at its start
            self._ask(0)
        self._rhythm = Rhythm(self._watch.every, state.max_steps, self._watch.clock, state.global_step)

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        if self._watch.every == "auto" and self._lm.device.type == "cuda":
            torch.cuda.synchronize(self._lm.device)  # what was trained is no part of what asking takes
        if self._rhythm.is_due(state.global_step):
            with self._rhythm.asking(state.global_step):
                self._ask(state.global_step)

    def _ask(self, step: int) -> None:
        with undisturbed(self._lm.model):
            check = self._watch.check(step)
        self._watch.report(check)
