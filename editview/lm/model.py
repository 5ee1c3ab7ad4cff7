"""A language model in hand: the weights, the tokenizer, what it was when it was opened and where its parts are."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from editview.lm.anatomy import Anatomy

if TYPE_CHECKING:
    from editview.lm.offloading import Offloaded

RECIPE = 2
"""Raise it when a fingerprint is made of something else than before."""


@dataclass
class LanguageModel:
    """An opened checkpoint. Operations change `model` in place; `fingerprint` names what was opened."""

    model: PreTrainedModel
    tokenizer: Any  # a Hugging Face tokenizer
    anatomy: Anatomy
    fingerprint: str
    offloaded: Offloaded | None = None  # where the weights lie of a model that is larger than its device

    @property
    def config(self) -> Any:
        """The text part of the model's configuration."""
        return self.model.config.get_text_config()

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return self.embedding.weight.device if self.offloaded is None else self.offloaded.device

    @property
    def dtype(self) -> torch.dtype:
        return self.embedding.weight.dtype

    @property
    def embedding(self) -> nn.Embedding:
        return self.model.get_input_embeddings()  # type: ignore[return-value]

    @property
    def longest(self) -> int:
        """How many tokens the model reads at most."""
        return int(getattr(self.config, "max_position_embeddings", None) or 2048)

    def weights(self) -> Mapping[str, Tensor]:
        """The parameters by name, tied ones once. Views, not copies; offloaded ones are fetched when they're asked."""
        if self.offloaded is not None:
            return self.offloaded
        return {name: parameter.detach() for name, parameter in self.model.named_parameters()}

    def at_hand(self, names: Collection[str]) -> AbstractContextManager[None]:
        """Inside, these weights can be changed in place, through their modules."""
        return nullcontext() if self.offloaded is None else self.offloaded.at_hand(names)

    def gradients(self) -> AbstractContextManager[None]:
        """Gradients are to be computed inside this."""
        return nullcontext() if self.offloaded is None else self.offloaded.gradients()

    def current_fingerprint(self) -> str:
        """Of the weights as they are now."""
        return fingerprint(self.model, self.tokenizer, self.weights())


def fingerprint(model: PreTrainedModel, tokenizer: Any, weights: Mapping[str, Tensor] | None = None) -> str:
    """Names what a model computes: sha256 over configuration, tokenizer and the weights as they are now.

    The tokenizer's chat template counts, since training data is put through it, and so do the tokens that end a text.
    `weights` are the model's own parameters where they aren't given.
    """
    digest = hashlib.sha256()
    config = model.config.to_dict()
    for volatile in ("transformers_version", "_name_or_path"):
        config.pop(volatile, None)
    digest.update(json.dumps(config, sort_keys=True, default=str).encode())
    if getattr(tokenizer, "is_fast", False):
        digest.update(tokenizer.backend_tokenizer.to_str().encode())
    else:
        digest.update(json.dumps(tokenizer.get_vocab(), sort_keys=True).encode())
    told = [tokenizer.special_tokens_map, tokenizer.chat_template, configured_ends(model)]
    digest.update(json.dumps(told, sort_keys=True, default=str).encode())
    digest.update(weights_fingerprint(dict(model.named_parameters()) if weights is None else weights).encode())
    return digest.hexdigest()


def configured_ends(model: PreTrainedModel) -> list[int]:
    """The tokens that end a text, as the model's generation settings name them."""
    ends = getattr(getattr(model, "generation_config", None), "eos_token_id", None)
    return ends if isinstance(ends, list) else [] if ends is None else [ends]


def weights_fingerprint(weights: Mapping[str, Tensor], dtype: torch.dtype | None = None) -> str:
    """sha256 over names, shapes, formats and bytes, one tensor in memory at a time. `dtype`: as if they were of it."""
    digest = hashlib.sha256()
    for name in sorted(weights):
        tensor = weights[name].detach().to("cpu", dtype).contiguous()
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


@contextmanager
def asking(lm: LanguageModel) -> Iterator[None]:
    """Dropout off and no gradients while inside; afterwards every module is in the mode it was in.

    Nothing random is drawn, so asking in the middle of training leaves the training as it would have been.
    """
    with at_rest(lm.model), torch.inference_mode():
        yield


@contextmanager
def at_rest(model: nn.Module) -> Iterator[None]:
    """Nothing drops out while inside; afterwards every module that was in training is so again."""
    trained = [module for module in model.modules() if module.training]
    model.eval()
    try:
        yield
    finally:
        for module in trained:
            module.training = True
