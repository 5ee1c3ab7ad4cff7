"""A language model in hand: the weights, the tokenizer, what it was when it was opened and where its parts are."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from editview.lm.anatomy import Anatomy


@dataclass
class LanguageModel:
    """An opened checkpoint. Operations change `model` in place; `fingerprint` names what was opened."""

    model: PreTrainedModel
    tokenizer: Any  # a Hugging Face tokenizer
    anatomy: Anatomy
    fingerprint: str

    @property
    def config(self) -> Any:
        """The text part of the model's configuration."""
        return self.model.config.get_text_config()

    @property
    def device(self) -> torch.device:
        return self.embedding.weight.device

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

    def weights(self) -> dict[str, Tensor]:
        """The parameters by name, tied ones once. Views, not copies."""
        return {name: parameter.detach() for name, parameter in self.model.named_parameters()}


def fingerprint(model: PreTrainedModel, tokenizer: Any) -> str:
    """Names what a model computes: sha256 over configuration, tokenizer and the weights as they are now."""
    digest = hashlib.sha256()
    config = model.config.to_dict()
    for volatile in ("transformers_version", "_name_or_path"):
        config.pop(volatile, None)
    digest.update(json.dumps(config, sort_keys=True, default=str).encode())
    if getattr(tokenizer, "is_fast", False):
        digest.update(tokenizer.backend_tokenizer.to_str().encode())
    else:
        digest.update(json.dumps(tokenizer.get_vocab(), sort_keys=True).encode())
    digest.update(json.dumps(tokenizer.special_tokens_map, sort_keys=True, default=str).encode())
    digest.update(weights_fingerprint(dict(model.named_parameters())).encode())
    return digest.hexdigest()


def weights_fingerprint(weights: dict[str, Tensor]) -> str:
    """sha256 over names, shapes, formats and bytes, one tensor in memory at a time."""
    digest = hashlib.sha256()
    for name in sorted(weights):
        tensor = weights[name].detach().cpu().contiguous()
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


@contextmanager
def asking(lm: LanguageModel) -> Iterator[None]:
    """Dropout off and no gradients while inside; afterwards every module is in the mode it was in.

    Nothing random is drawn, so asking in the middle of training leaves the training as it would have been.
    """
    trained = [module for module in lm.model.modules() if module.training]
    lm.model.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        for module in trained:
            module.training = True
