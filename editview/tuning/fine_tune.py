"""Fine-tuning as an operation: one call trains a model on examples by the method of a plan's card."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase, set_seed

from editview.domain.errors import EditViewError
from editview.domain.examples import Example
from editview.domain.left_out import LeftOut
from editview.domain.operations import FineTune, FullFineTune, Lora
from editview.domain.progress import Progress, silent
from editview.tuning.batches import row_length, tokenised
from editview.tuning.full import tune_everything
from editview.tuning.lora import tune_adapter
from editview.tuning.packing import Packed, refuse_unless_apart
from editview.tuning.randomness import kept_random_state
from editview.tuning.training import OnLog, train
from editview.tuning.watch import Watch


class Tunable(Protocol):
    """What fine-tuning needs of a language model."""

    @property
    def model(self) -> PreTrainedModel: ...

    @property
    def tokenizer(self) -> PreTrainedTokenizerBase: ...


def _unheard(step: int, loss: float, learning_rate: float) -> None:
    """Tell nobody."""


def fine_tune(
    lm: Tunable,
    operation: Lora | FullFineTune,
    examples: Sequence[Example],
    seed: int,
    watch: Watch | None = None,
    progress: Progress = silent,
    on_log: OnLog = _unheard,
) -> list[LeftOut]:
    """Trains `lm.model` on the examples, in place, whole or not at all: after any error it is as it was before.

    The same call gives bit-identical weights on one machine, whatever was drawn before it and whether or not anybody
    watches; the random state outside is left alone. An adapter is merged, so that the model is a stock one again.
    Gives the examples that had nothing to be trained on.
    Raises EditViewError (no examples, nothing to train on, out of memory, a loss that is no number any more) and what
    `progress`, `on_log` or the watch raise, `Cancelled` among it.
    """
    if not examples:
        raise EditViewError("The training data holds no examples, so there is nothing to train on. Choose other data.")
    model = lm.model
    most = row_length(model.config, operation.max_length)
    rows = tokenised(lm.tokenizer, examples, most, progress, operation.train_on)
    if operation.packing:
        refuse_unless_apart(model)
    ends = lm.tokenizer.eos_token_id
    padding = next((token for token in (lm.tokenizer.pad_token_id, ends) if token is not None), 0)

    def run() -> None:
        data = Packed(rows, most) if operation.packing else rows
        train(model, operation, data, padding, seed, watch, progress, on_log)

    with kept_random_state(), _kept_settings(model), _memory_in_words(operation):
        set_seed(seed)
        if isinstance(operation, Lora):
            tune_adapter(model, operation, run)
        else:
            tune_everything(model, run)
    return rows.left_out


@contextmanager
def _kept_settings(model: PreTrainedModel) -> Iterator[None]:
    """Which parameters are frozen, which modules drop out, cache and loss: as before. No gradients stay."""
    frozen = [(weight, weight.requires_grad) for weight in model.parameters()]
    modes = [(module, module.training) for module in model.modules()]
    caching, loss = getattr(model.config, "use_cache", True), model.loss_type
    try:
        yield
    finally:
        for weight, requires_grad in frozen:
            weight.requires_grad_(requires_grad)
            weight.grad = None
        for module, training in modes:
            module.training = training
        model.config.use_cache, model.loss_type = caching, loss


@contextmanager
def _memory_in_words(operation: FineTune) -> Iterator[None]:
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not _is_out_of_memory(error):
            raise
        cheaper = "" if isinstance(operation, Lora) else ", or LoRA, which needs far less"
        raise EditViewError(
            "The memory ran out during fine-tuning. The model is as it was before. Choose a smaller batch size (now "
            f"{operation.batch_size:,}), shorter examples (now {operation.max_length:,} tokens){cheaper}.",
            str(error),
        ) from error


def _is_out_of_memory(error: Exception) -> bool:
    """CUDA has a class of its own for it; the allocators of the CPU and of Apple's GPUs only say so."""
    words = ("can't allocate memory", "not enough memory", "out of memory")
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or any(word in str(error).lower() for word in words)
