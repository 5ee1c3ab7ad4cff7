"""Training that was interrupted goes on at its last snapshot and ends with the weights that it would have had, bit by
bit (on the CPU; on a GPU as far as its sums repeat).

The Trainer's own way of resuming finds the place in the data again; what it reads from its folder of pickles comes
from one set of tensors instead, which is written whole or not at all by whoever keeps it.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, cast, runtime_checkable

import torch
from torch import Tensor
from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer import TRAINER_STATE_NAME

from editview.tuning.randomness import random_state, set_random_state
from editview.tuning.tensors import as_json, as_tensor

_SHARE = 0.03  # of the time that snapshots take at most
_WEIGHT, _MOMENT, _MEMORY, _REST = "weight.", "moment.", "memory.", "rest"


@dataclass(frozen=True, slots=True)
class Snapshots:
    """Where training puts down what it needs to go on, and what was found there."""

    every: float  # seconds of training between snapshots, at least
    keep: Callable[[int, dict[str, Tensor]], None]  # after this step; the tensors may change once it returns
    found: Mapping[str, Tensor] | None = None  # where training goes on; None: from the start
    clock: Callable[[], float] = time.perf_counter


@runtime_checkable
class Remembers(Protocol):
    """A callback whose findings decide what comes later, so that they go on with the training."""

    def remembered(self) -> dict[str, Tensor]: ...

    def recall(self, found: Mapping[str, Tensor]) -> None: ...


class ResumingTrainer(Trainer):
    """A Trainer that goes on where a snapshot was taken and takes others. Its callbacks see steps counted on."""

    def __init__(self, snapshots: Snapshots | None, **settings: Any) -> None:
        super().__init__(**settings)
        self._snapshots = snapshots
        if snapshots is not None:
            self._rhythm = _Rhythm(snapshots)
            self.add_callback(self._rhythm)

    def begin(self) -> None:
        """Train all steps, or those that are left. The Trainer asks for a folder that says which: it gets one."""
        if self._snapshots is None or self._snapshots.found is None:
            self.train()
            return
        with tempfile.TemporaryDirectory(prefix="editview-") as folder:
            state = as_json(self._snapshots.found[_REST])["trainer"]
            Path(folder, TRAINER_STATE_NAME).write_text(json.dumps(state), "utf-8")
            self.train(resume_from_checkpoint=folder)

    # ---- what the Trainer calls ------------------------------------------------------------------------------

    def _save_checkpoint(self, model: torch.nn.Module, trial: Any) -> None:
        self._rhythm.keep(self.state.global_step, self._snapshot)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: torch.nn.Module | None = None) -> None:
        with torch.no_grad():
            for name, weight in self._trained().items():
                weight.copy_(self._found[_WEIGHT + name])
        for at, callback in enumerate(self._rememberers()):
            own = f"{_MEMORY}{at}."
            callback.recall({name.removeprefix(own): t for name, t in self._found.items() if name.startswith(own)})

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if checkpoint is None:
            return
        rest = as_json(self._found[_REST])
        moments: dict[int, dict[str, Tensor]] = {}
        for name, tensor in self._found.items():
            if name.startswith(_MOMENT):
                at, _, kind = name.removeprefix(_MOMENT).partition(".")
                moments.setdefault(int(at), {})[kind] = tensor.clone()
        cast(Any, self.optimizer).load_state_dict({"state": moments, "param_groups": rest["groups"]})
        cast(Any, self.lr_scheduler).load_state_dict(rest["schedule"])

    def _load_rng_state(self, checkpoint: str | None) -> None:
        if checkpoint is not None:
            set_random_state(self._found)

    # ---- the snapshot ----------------------------------------------------------------------------------------

    @property
    def _found(self) -> Mapping[str, Tensor]:
        assert self._snapshots is not None
        assert self._snapshots.found is not None
        return self._snapshots.found

    def _trained(self) -> dict[str, Tensor]:
        return {name: weight for name, weight in cast(Any, self.model).named_parameters() if weight.requires_grad}

    def _rememberers(self) -> list[Remembers]:
        return [callback for callback in self.callback_handler.callbacks if isinstance(callback, Remembers)]

    def _snapshot(self) -> dict[str, Tensor]:
        """Everything that decides the steps to come, on the CPU."""
        optimiser = cast(Any, self.optimizer).state_dict()
        rest = {
            "trainer": {**asdict(self.state), "log_history": []},
            "groups": optimiser["param_groups"],
            "schedule": cast(Any, self.lr_scheduler).state_dict(),
        }
        tensors = {_WEIGHT + name: weight for name, weight in self._trained().items()}
        for at, moments in optimiser["state"].items():
            tensors |= {f"{_MOMENT}{at}.{kind}": tensor for kind, tensor in moments.items()}
        for at, callback in enumerate(self._rememberers()):
            tensors |= {f"{_MEMORY}{at}.{name}": tensor for name, tensor in callback.remembered().items()}
        tensors |= {**random_state(), _REST: as_tensor(rest)}
        return {name: tensor.detach().to("cpu").contiguous() for name, tensor in tensors.items()}


class _Rhythm(TrainerCallback):
    """Asks for a snapshot once enough time has gone by since the last: short runs never write, large ones seldom."""

    def __init__(self, snapshots: Snapshots) -> None:
        self._snapshots, self._clock, self._wait = snapshots, snapshots.clock, snapshots.every

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._last = self._clock()

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        ends = control.should_training_stop or state.global_step >= state.max_steps
        if self._clock() - self._last >= self._wait and not ends:
            control.should_save = True

    def keep(self, step: int, snapshot: Callable[[], dict[str, Tensor]]) -> None:
        began = self._clock()
        self._snapshots.keep(step, snapshot())
        self._last = self._clock()
        self._wait = max(self._snapshots.every, (self._last - began) / _SHARE)
