"""Small language models with random weights, for tests that train."""

from __future__ import annotations

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    set_seed,
)

from editview.domain.examples import Example
from editview.lm.anatomy import anatomy
from editview.lm.model import LanguageModel


def tokenizer() -> PreTrainedTokenizerFast:
    """Bytes as tokens 1 to 256, and an end-of-text token 0 that pads as well, as GPT-2 has it."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {"<end>": 0} | {letter: i for i, letter in enumerate(letters, start=1)}
    bytes_ = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    bytes_.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bytes_.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=bytes_, eos_token="<end>")


def gpt2(dtype: torch.dtype = torch.float32) -> LanguageModel:
    """Two blocks, Conv1D matrices, dropout 0.1, tied embeddings."""
    set_seed(7)
    config = GPT2Config(vocab_size=257, n_positions=64, n_embd=32, n_layer=2, n_head=2, eos_token_id=0, bos_token_id=0)
    model = GPT2LMHeadModel(config).to(dtype).eval()
    return LanguageModel(model, tokenizer(), anatomy(model), "small")


def llama() -> LanguageModel:
    """Two blocks, nn.Linear matrices, untied head."""
    set_seed(7)
    config = LlamaConfig(
        vocab_size=257, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2,
        max_position_embeddings=64, eos_token_id=0, bos_token_id=0,
    )  # fmt: skip
    model = LlamaForCausalLM(config).eval()
    return LanguageModel(model, tokenizer(), anatomy(model), "small")


def examples(count: int = 24) -> list[Example]:
    return [Example(f"Ticket {i}: the printer on floor {i % 5} is jammed again.") for i in range(count)]


def weights(lm: LanguageModel) -> dict[str, torch.Tensor]:
    return {name: weight.detach().clone() for name, weight in lm.model.named_parameters()}


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)
