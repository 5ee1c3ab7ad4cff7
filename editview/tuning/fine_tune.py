"""Fine-tuning as an operation: one call trains a model on examples by the method of a plan's card."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice

import torch
from torch import Tensor
from transformers import PreTrainedModel, set_seed

from editview.domain.errors import EditViewError, is_out_of_memory
from editview.domain.examples import Example
from editview.domain.left_out import LeftOut
from editview.domain.memory import Fit, Layout, Memory
from editview.domain.operations import FineTune, FullFineTune, Lora
from editview.domain.progress import Progress, silent
from editview.domain.scope import parameters, trained
from editview.lm.model import LanguageModel, at_rest
from editview.tuning.batches import batch, row_length, tokenised
from editview.tuning.full import tune_weights
from editview.tuning.lora import tune_adapter
from editview.tuning.packing import Packed, refuse_unless_apart
from editview.tuning.protection.protection import NO_FACTS, FactsGiven, protection
from editview.tuning.randomness import kept_random_state
from editview.tuning.resuming import Snapshots
from editview.tuning.training import OnLog, train
from editview.tuning.validation import FEWEST, Kept, Looks, split
from editview.tuning.watch import Watch, unheard

_PROBES, _READ = 4, 64  # texts that are read before and after an adapter is merged, and tokens of each
_NOTICEABLE = 0.01


@dataclass(frozen=True)
class Tuned:
    """What was trained."""

    tensors: tuple[str, ...]  # or those that the adapter's matrices were added to
    parameters: int  # numbers that were trained
    notes: tuple[str, ...] = ()  # what is worth saying
    left_out: tuple[LeftOut, ...] = ()  # examples with nothing to train on


def fine_tune(
    lm: LanguageModel,
    operation: Lora | FullFineTune,
    examples: Sequence[Example],
    seed: int,
    watch: Watch | None = None,
    progress: Progress = silent,
    on_log: OnLog = unheard,
    layers: Collection[int] | None = None,
    facts: FactsGiven = NO_FACTS,
    fit: Fit | None = None,
    snapshots: Snapshots | None = None,
) -> Tuned:
    """Trains `lm.model` on the examples, but for those kept for validation, in place, whole or not at all.

    Of `layers`, or None for the whole model, those kinds of matrix that the operation names are trained; all else
    stays as it is, bit for bit. After any error everything does. `facts` are those that the operation teaches and
    protects.

    The same call gives bit-identical weights on one machine, whatever was drawn before it and whether or not anybody
    watches; the random state outside is left alone. An adapter is merged, so that the model is a stock one again.
    `fit` says how to get by with the memory there is (else each batch goes through whole), `snapshots` where to go on.
    Raises EditViewError (no examples, nothing to train or to train on, out of memory, a loss that is no number any
    more, an adapter that merging spoils) and what
    `progress`, `on_log` or the watch raise, `Cancelled` among it.
    """
    if not examples:
        raise EditViewError("The training data holds no examples, so there is nothing to train on. Choose other data.")
    model = lm.model
    most = row_length(model.config, operation.max_length)
    examples, held = split(examples, operation.validation)
    rows = tokenised(lm.tokenizer, examples, most, progress, operation.train_on)
    if operation.packing:
        refuse_unless_apart(model)
    kept = Kept.of(lm, held, operation, most)
    if (operation.patience or operation.until) and kept is None:
        raise EditViewError(
            f"Stopping early needs examples that are kept for validation, and this data is too small for it: {FEWEST} "
            "examples are needed at least. Choose other data, or train all steps."
        )
    ends = lm.tokenizer.eos_token_id
    padding = next((token for token in (lm.tokenizer.pad_token_id, ends) if token is not None), 0)

    looks = None
    if kept is not None and (watch is not None or operation.patience or operation.until):
        heard = (watch.validated, watch.went_back) if watch is not None else (unheard, unheard)
        looks = Looks(lm, kept, operation, padding, progress, *heard)
    found = trained(lm.anatomy.tensors, operation, layers)
    names = {tensor.name for tensor in found}
    fits = fit or Fit(Layout(operation.batch_size), Memory(0))

    def run() -> None:
        data = Packed(rows, most) if operation.packing else rows
        train(lm, operation, data, padding, seed, watch, looks, progress, on_log, protected, fits.layout, snapshots)

    def answers() -> Tensor:
        return _answers(model, batch(list(islice(rows, _PROBES)), padding))

    with kept_random_state(), _kept_settings(model), _memory_in_words(operation, fits):
        protected = protection(lm, operation, facts, seed, progress)
        set_seed(seed)
        notes = protected.notes
        if isinstance(operation, Lora):
            moved = tune_adapter(model, operation, names, run, answers)
            if moved > _NOTICEABLE:
                notes += (
                    f"Merging the adapter moved the scores of words by {100 * moved:.1f} % of their spread: the "
                    f"weights are kept in {str(model.dtype)[6:]}, which rounds.",
                )
        else:
            tune_weights(model, names, run)
    return Tuned(tuple(tensor.name for tensor in found), parameters(found, operation), notes, tuple(rows.left_out))


def _answers(model: PreTrainedModel, texts: dict[str, Tensor]) -> Tensor:
    """The logits of every token that some texts begin with, [tokens, vocabulary], float32."""
    ids, mask = (texts[name][:, :_READ].to(model.device) for name in ("input_ids", "attention_mask"))
    with torch.no_grad(), at_rest(model):
        logits = model(input_ids=ids, attention_mask=mask).logits
    return logits[mask.bool()].float()  # type: ignore[no-any-return]


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
