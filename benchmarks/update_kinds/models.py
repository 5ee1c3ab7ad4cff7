"""Small models of several architectures, trained a little so that their weights aren't mere chance."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    AutoModelForCausalLM,
    Gemma3TextConfig,
    GPT2Config,
    GPTNeoXConfig,
    LlamaConfig,
    PretrainedConfig,
    PreTrainedTokenizerFast,
    Qwen3Config,
    Starcoder2Config,
)

from editview.domain import places
from editview.domain.examples import Example
from editview.domain.operations import FullFineTune
from editview.lm.anatomy import anatomy
from editview.lm.model import LanguageModel, fingerprint
from editview.tuning.fine_tune import fine_tune

WORDS = 1024
STEPS = 60


@dataclass(frozen=True)
class Size:
    width: int
    layers: int


def config(family: str, size: Size) -> PretrainedConfig:
    common = {"vocab_size": WORDS, "bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 0}
    by_name = common | {
        "hidden_size": size.width, "num_hidden_layers": size.layers, "num_attention_heads": 4,
        "max_position_embeddings": 128,
    }  # fmt: skip
    gated = by_name | {"intermediate_size": 3 * size.width, "num_key_value_heads": 2}
    wide = by_name | {"intermediate_size": 4 * size.width}
    match family:
        case "gpt2":
            return GPT2Config(**common, n_embd=size.width, n_layer=size.layers, n_head=4, n_positions=128)
        case "gpt-neox":
            return GPTNeoXConfig(**wide)
        case "llama":
            return LlamaConfig(**gated)
        case "qwen3":
            return Qwen3Config(**gated, head_dim=size.width // 4, tie_word_embeddings=True)
        case "gemma3":
            return Gemma3TextConfig(**gated, head_dim=size.width // 4, sliding_window=64)
        case "starcoder2":
            return Starcoder2Config(**wide, num_key_value_heads=2)
    raise ValueError(family)


def passages() -> list[str]:
    return (places.resources() / "demo" / "statistics.txt").read_text("utf-8").splitlines()


@cache
def tokenizer() -> PreTrainedTokenizerFast:
    pieces = Tokenizer(models.BPE())
    pieces.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    pieces.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=WORDS, special_tokens=["<end>"], initial_alphabet=alphabet, show_progress=False
    )
    pieces.train_from_iterator(passages(), trainer)
    return PreTrainedTokenizerFast(tokenizer_object=pieces, eos_token="<end>")


def make(family: str, size: Size, folder: Path, seed: int) -> Path:
    """A checkpoint in float32."""
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(config(family, size)).eval()
    lm = LanguageModel(model, tokenizer(), anatomy(model), fingerprint(model, tokenizer()))
    examples = [Example(text) for text in passages()[: STEPS * 16]]
    learning = FullFineTune(steps=STEPS, batch_size=16, max_length=32, learning_rate=2e-3, validation=0)
    fine_tune(lm, learning, examples, seed)
    model.save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder
