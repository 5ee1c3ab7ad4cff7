"""The training loop: transformers' Trainer, kept quiet, steered by steps, reporting each of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from transformers import (
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from editview.domain.operations import FineTune
from editview.domain.progress import Progress
from editview.lm.model import LanguageModel
from editview.tuning.batches import Row, batch
from editview.tuning.validation import Looks
from editview.tuning.watch import LiveChecks, Watch
from editview.tuning.weights import diverged

OnLog = Callable[[int, float, float], None]
"""Called after every step with the step (from 1), its loss and its learning rate."""


def train(
    lm: LanguageModel,
    operation: FineTune,
    rows: Sequence[Row],
    padding: int,
    seed: int,
    watch: Watch | None,
    looks: Looks | None,
    progress: Progress,
    on_log: OnLog,
) -> None:
    """Trains what requires a gradient, in place, by AdamW (0.9, 0.999) with gradients clipped to a norm of 1.

    Rows are shuffled anew each time through, from the seed. Raises EditViewError when the loss is no number any more,
    and whatever `progress`, `on_log` or the watch raise, within one step.
    """
    model = lm.model
    callbacks: list[TrainerCallback] = [_Reports(operation.steps, progress, on_log)]
    if watch is not None and watch.every:
        callbacks.append(LiveChecks(watch, lm))
    if looks is not None:
        callbacks.append(looks)
    if model.loss_type is None:  # GPT-2's class isn't named '...ForCausalLM', by which transformers tells the loss
        model.loss_type = "ForCausalLM"
    trainer = Trainer(
        model=model,
        args=_arguments(operation, seed, model.device),
        train_dataset=list(rows),
        data_collator=partial(batch, padding=padding),
        callbacks=callbacks,
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train()


class _Arguments(TrainingArguments):
    """Trains where the model is and writes nothing; the Trainer takes the first GPU, or all, and makes a folder."""

    chosen: torch.device

    @property
    def should_save(self) -> bool:
        return False

    @property
    def device(self) -> torch.device:
        found = super().device  # also sets accelerate up
        return getattr(self, "chosen", found)

    @property
    def n_gpu(self) -> int:
        return 0 if self.device.type == "cpu" else 1


def _arguments(operation: FineTune, seed: int, device: torch.device) -> TrainingArguments:
    schedule: str = operation.schedule
    if schedule == "constant" and operation.warmup:
        schedule = "constant_with_warmup"
    arguments = _Arguments(
        max_steps=operation.steps,
        per_device_train_batch_size=operation.batch_size,
        learning_rate=operation.learning_rate,
        lr_scheduler_type=schedule,
        warmup_steps=round(operation.warmup * operation.steps),
        weight_decay=operation.weight_decay,
        seed=seed,
        use_cpu=device.type == "cpu",
        dataloader_pin_memory=False,
        remove_unused_columns=False,
        logging_steps=1,
        logging_nan_inf_filter=False,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )
    arguments.chosen = device
    return arguments


class _Reports(TrainerCallback):
    """Tells the world how far training is. Each report is a point where it can be cancelled."""

    def __init__(self, steps: int, progress: Progress, on_log: OnLog) -> None:
        self._steps = steps
        self._progress = progress
        self._on_log = on_log

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._progress(state.global_step, self._steps, "Training")

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        if not logs or "loss" not in logs:  # the Trainer's summary at the end
            return
        if not math.isfinite(logs["loss"]):
            raise diverged(state.global_step)
        self._on_log(state.global_step, logs["loss"], logs["learning_rate"])
        self._progress(state.global_step, self._steps, "Training")
