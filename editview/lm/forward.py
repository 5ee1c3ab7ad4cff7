"""Running a model only as far, and only where, its results are needed.

Three small tools: stop after a block, skip the blocks below one, and compute the head at chosen positions alone. They
act on the model's own forward, so masks, positions and caps on the logits stay the model's business.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, partial
from typing import Any, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import DynamicCache
from transformers.activations import FastGELUActivation, NewGELUActivation

from editview.lm.model import LanguageModel

T = TypeVar("T")
SLOW_GELU = (NewGELUActivation, FastGELUActivation)


class _Enough(Exception):
    """Ends a forward whose rest isn't needed."""


def hidden_of(output: Any) -> Tensor:
    """The hidden states in what a block returns: [batch, tokens, width]."""
    states: Tensor = output[0] if isinstance(output, tuple) else output
    return states


def by_text(tensor: Tensor, texts: int) -> Tensor:
    """[texts, tokens, size], also where a model has flattened its texts before a matrix."""
    return tensor.reshape(texts, -1, tensor.shape[-1])


@contextmanager
def hooked(*handles: Any) -> Iterator[None]:
    """Hooks that are taken off at the end, whatever happens."""
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def padded(rows: Sequence[Sequence[int]], device: torch.device, left: bool = False) -> tuple[Tensor, Tensor]:
    """Token rows as one block [rows, longest], and the mask of what isn't padding.

    Padding repeats a token of the row: any id does, since nothing reads it.
    """
    longest = max(map(len, rows))
    ids, mask = [], []
    for row in rows:
        fill = longest - len(row)
        padding, real = [row[-1] if row else 0] * fill, list(row)
        ids.append(padding + real if left else real + padding)
        mask.append([0] * fill + [1] * len(row) if left else [1] * len(row) + [0] * fill)
    whole = torch.long  # said, since rows may be empty
    return torch.tensor(ids, dtype=whole, device=device), torch.tensor(mask, dtype=whole, device=device)


def alike(items: Iterable[T], length: Callable[[T], int], most: int) -> Iterator[list[T]]:
    """Items of similar length together: padded, a batch has at most `most` tokens, and a quarter of padding or so."""
    batch: list[T] = []
    real = 0
    for item in sorted(items, key=length):
        size = (len(batch) + 1) * length(item)
        real += length(item)
        if batch and (size > most or size > 1.25 * real + 64):
            yield batch
            batch, real = [], length(item)
        batch.append(item)
    if batch:
        yield batch


def run(lm: LanguageModel, ids: Tensor, past: DynamicCache | None = None, **arguments: Any) -> Any:
    """The model's own forward, on from `past`, which grows by `ids`.

    Right padding needs no mask: under causal attention nothing real sees what follows.
    """
    if past is not None:
        arguments[_name_of_past(type(lm.model).forward)] = past
    return lm.model(input_ids=ids, use_cache=past is not None, **arguments)


@cache
def _name_of_past(forward: Callable[..., Any]) -> str:
    """What the model calls the keys and values of what it has read: newer transformers have another word for it."""
    return "cache" if "cache" in inspect.signature(forward).parameters else "past_key_values"


def forked(past: DynamicCache) -> DynamicCache:
    """The same keys and values to go on from, without changing what `past` holds. Nothing is copied."""
    fork = copy.copy(past)
    fork.layers = [copy.copy(layer) for layer in past.layers]
    return fork


@contextmanager
def stopping_after(module: nn.Module, see: Callable[[tuple[Any, ...], Any], None]) -> Iterator[None]:
    """Ends the forward inside once `module` has run, after `see(inputs, output)`. Run inside at most one forward."""

    def hook(_: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        see(inputs, output)
        raise _Enough

    with hooked(module.register_forward_hook(hook)):
        try:
            yield
        except _Enough:
            return


@contextmanager
def stopping_before(module: nn.Module, see: Callable[[Tensor], None]) -> Iterator[None]:
    """Ends the forward inside when `module` is reached, after `see(its input)`. Run inside at most one forward."""

    def hook(_: nn.Module, inputs: tuple[Any, ...]) -> None:
        see(inputs[0])
        raise _Enough

    with hooked(module.register_forward_pre_hook(hook)):
        try:
            yield
        except _Enough:
            return


@contextmanager
def head_only_at(lm: LanguageModel, rows: Tensor, columns: Tensor) -> Iterator[None]:
    """Inside, the model's logits are [len(rows), vocabulary]: those of the positions (rows[i], columns[i])."""
    head = lm.model.get_output_embeddings()
    with hooked(head.register_forward_pre_hook(lambda _, inputs: (inputs[0][rows, columns],))):
        yield


@contextmanager
def resumed_after(lm: LanguageModel, layer: int, output: Any) -> Iterator[None]:
    """Inside, blocks 0 to `layer` aren't computed: each returns `output`, in the form that blocks of this model use."""
    with replaced([lm.anatomy.block(lm.model, i) for i in range(layer + 1)], lambda *_, **__: output):
        yield


@contextmanager
def fused(model: nn.Module) -> Iterator[None]:
    """Inside, GPT-2's GELU is computed in one piece instead of eight: the same function, several times faster."""
    with replaced([m for m in model.modules() if isinstance(m, SLOW_GELU)], partial(F.gelu, approximate="tanh")):
        yield


@contextmanager
def replaced(modules: Sequence[nn.Module], forward: Callable[..., Any]) -> Iterator[None]:
    """Inside, these modules compute `forward`."""
    before = [module.__dict__.get("forward") for module in modules]
    try:
        for module in modules:
            module.forward = forward
        yield
    finally:
        for module, old in zip(modules, before, strict=True):
            if old is None:
                del module.forward
            else:
                module.forward = old
