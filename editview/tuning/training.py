"""The training loop: transformers' Trainer, kept quiet, steered by steps, reporting each of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from transformers import (
    PrinterCallback,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from editview.domain.memory import Layout
from editview.domain.operations import FineTune
from editview.domain.progress import Progress
from editview.lm.model import LanguageModel
from editview.tuning.batches import Rows, batch
from editview.tuning.packing import Packed, packed_batch
from editview.tuning.protection.mixing import Piece
from editview.tuning.protection.protection import Protection
from editview.tuning.resuming import ResumingTrainer, Snapshots
from editview.tuning.validation import Looks
from editview.tuning.watch import LiveChecks, Watch
from editview.tuning.weights import diverged

OnLog = Callable[[int, float, float], None]
"""Called after every step with the step (from 1), its loss and its learning rate."""


def train(
    lm: LanguageModel,
    operation: FineTune,
    rows: Rows | Packed,
    padding: int,
    seed: int,
    watch: Watch | None,
    looks: Looks | None,
    progress: Progress,
    on_log: OnLog,
    protection: Protection,
    layout: Layout,
    snapshots: Snapshots | None,
) -> None:
    """Trains what requires a gradient, in place, by AdamW (0.9, 0.999) with gradients clipped to a norm of 1.

    Rows are shuffled anew each time through, from the seed. Raises EditViewError when the loss is no number any more,
    and whatever `progress`, `on_log` or the watch raise, within one step.
    """
    model = lm.model
    callbacks: list[TrainerCallback] = [_Reports(operation.steps, progress, on_log), *protection.callbacks]
    if watch is not None and watch.every:
        callbacks.append(LiveChecks(watch, lm))
    if looks is not None:
        callbacks.append(looks)
    if model.loss_type is None:  # GPT-2's class isn't named '...ForCausalLM', by which transformers tells the loss
        model.loss_type = "ForCausalLM"

    def together(found: Sequence[Piece]) -> dict[str, torch.Tensor]:
        packs = [piece if isinstance(piece, list) else [piece] for piece in protection.mixed(found)]
        return packed_batch(packs, padding) if isinstance(rows, Packed) else batch([row for (row,) in packs], padding)

    trainer = _Trainer(
        layout,
        snapshots,
        model=model,
        args=_arguments(operation, seed, model.device),
        train_dataset=rows,
        data_collator=together,
        callbacks=callbacks,
    )
    trainer.remove_callback(PrinterCallback)
    sparing = layout.checkpointing and model.supports_gradient_checkpointing
    with _layer_by_layer(model) if sparing else nullcontext():
        trainer.begin()


class _Trainer(ResumingTrainer):
    """A step takes its batch in parts and adds their gradients up: what is in a batch never depends on the parts."""

    def __init__(self, layout: Layout, snapshots: Snapshots | None, **settings: Any) -> None:
        super().__init__(snapshots, **settings)
        self._part = layout.part

    def training_step(
        self, model: torch.nn.Module, inputs: dict[str, Any], num_items_in_batch: torch.Tensor | int | None = None
    ) -> torch.Tensor:
        if num_items_in_batch is None:  # the rare model that averages its loss itself can't be told by how many tokens
            return super().training_step(model, inputs, num_items_in_batch)
        parts = [tensor.split(self._part) for tensor in inputs.values()]
        return torch.stack(
            [
                super(_Trainer, self).training_step(model, dict(zip(inputs, part, strict=True)), num_items_in_batch)
                for part in zip(*parts, strict=True)
            ]
        ).sum()

    def autocast_smart_context_manager(self, cache_enabled: bool | None = True) -> AbstractContextManager[Any]:
        """Where the GPU multiplies bfloat16, it does, though weights, gradients and moments stay in float32.

        Not by the Trainer's own `bf16`, which wraps the model: whoever asks it meanwhile would be answered in bfloat16.
        """
        device = self.args.device.type
        return torch.autocast(device, torch.bfloat16) if computes_in_bfloat16(device) else nullcontext()


def computes_in_bfloat16(device: str) -> bool:
    """Whether training on a kind of device computes in bfloat16. Emulated, as on older cards, it would gain nothing."""
    return device == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)


@contextmanager
def _layer_by_layer(model: Any) -> Iterator[None]:
    """Keep each layer's input alone for the way back, and compute the layer again there, with the same dropout.

    Chen et al. 2016, arXiv 1604.06174.
    """
    current = hasattr(model, "activation_checkpointing_enable")  # the older name warns where there is a newer one
    kind = "activation" if current else "gradient"
    settings = {f"{kind}_checkpointing_kwargs": {"use_reentrant": False}}
    getattr(model, f"{kind}_checkpointing_enable")(**settings)
    try:
        model.disable_input_require_grads()  # which the other kind of checkpointing needs
        yield
    finally:
        getattr(model, f"{kind}_checkpointing_disable")()


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
