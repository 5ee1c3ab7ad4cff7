"""Live checks: facts are asked while training goes on, and training doesn't notice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from editview.domain.verdicts import LiveCheck
from editview.lm.model import at_rest
from editview.tuning.randomness import kept_random_state


@dataclass(frozen=True, slots=True)
class Watch:
    """What to ask during training. `check(step)` asks the model as it is after that step; 0: before the first."""

    every: int  # steps between checks, 1 or more
    check: Callable[[int], LiveCheck]
    report: Callable[[LiveCheck], None]


@contextmanager
def undisturbed(model: torch.nn.Module) -> Iterator[None]:
    """Inside, the model answers as it does at rest; afterwards training goes on as if nothing had been asked."""
    with kept_random_state(), torch.no_grad(), at_rest(model):
        yield


class LiveChecks(TrainerCallback):
    """Asks before the first step and after every `every` steps. `model` carries the adapter while one is trained."""

    def __init__(self, watch: Watch, model: torch.nn.Module) -> None:
        self._watch = watch
        self._model = model

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._ask(0)

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        if state.global_step % self._watch.every == 0:
            self._ask(state.global_step)

    def _ask(self, step: int) -> None:
        with undisturbed(self._model):
            check = self._watch.check(step)
        self._watch.report(check)
