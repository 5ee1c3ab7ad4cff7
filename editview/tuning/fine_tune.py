"""Fine-tuning as an operation: one call trains a model on examples by the method of a plan's card."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from transformers import PreTrainedModel, PreTrainedTokenizerBase, set_seed

from editview.domain.errors import EditViewError, is_out_of_memory
from editview.domain.examples import Example
from editview.domain.memory import Fit, Layout, Memory
from editview.domain.operations import FineTune, FullFineTune, Lora
from editview.domain.progress import Progress, silent
from editview.tuning.batches import tokenised
from editview.tuning.full import tune_everything
from editview.tuning.lora import tune_adapter
from editview.tuning.randomness import kept_random_state
from editview.tuning.resuming import Snapshots
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
    fit: Fit | None = None,
    snapshots: Snapshots | None = None,
) -> None:
    """Trains `lm.model` on the examples, in place, whole or not at all: after any error it is as it was before.

    The same call gives bit-identical weights on one machine, whatever was drawn before it and whether or not anybody
    watches; the random state outside is left alone. An adapter is merged, so that the model is a stock one again.
    `fit` says how to get by with the memory there is (else each batch goes through whole), `snapshots` where to go on.
    Raises EditViewError (no examples, nothing to train on, out of memory, a loss that is no number any more) and what
    `progress`, `on_log` or the watch raise, `Cancelled` among it.
    """
    if not examples:
        raise EditViewError("The training data holds no examples, so there is nothing to train on. Choose other data.")
    model = lm.model
    reads = getattr(model.config.get_text_config(), "max_position_embeddings", None) or operation.max_length
    rows = tokenised(lm.tokenizer, examples, min(operation.max_length, reads), progress)
    ends = lm.tokenizer.eos_token_id
    padding = next((token for token in (lm.tokenizer.pad_token_id, ends) if token is not None), 0)

    fits = fit or Fit(Layout(operation.batch_size), Memory(0))

    def run() -> None:
        train(model, operation, rows, padding, seed, watch, progress, on_log, fits.layout, snapshots)

    with kept_random_state(), _kept_settings(model), _memory_in_words(operation, fits):
        set_seed(seed)
        if isinstance(operation, Lora):
            tune_adapter(model, operation, run)
        else:
            tune_everything(model, run)


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
def _memory_in_words(operation: FineTune, fit: Fit) -> Iterator[None]:
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise EditViewError(
            "The memory ran out during fine-tuning. What was finished before is kept, and the next run goes on from "
            f"there. Choose {fit.levers(operation)}.",
            str(error),
        ) from error
