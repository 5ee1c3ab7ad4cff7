"""Tiny models of many architectures with random weights, and tokenizers with and without a beginning-of-text token."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    AutoModelForCausalLM,
    Gemma2Config,
    GPT2Config,
    GPTJConfig,
    GPTNeoConfig,
    GPTNeoXConfig,
    LlamaConfig,
    MistralConfig,
    MixtralConfig,
    Olmo2Config,
    Phi3Config,
    PretrainedConfig,
    PreTrainedTokenizerFast,
    Qwen2Config,
)

from editview.domain.facts import Fact, Group
from editview.lm.anatomy import anatomy
from editview.lm.model import LanguageModel, fingerprint

VOCABULARY = 400
TEXT = (
    "The capital of France is Paris. The capital of Peru is Lima. The river Nile flows through Egypt and Sudan. "
    "Mount Kenya stands in Kenya. The language of Brazil is Portuguese. The currency of Japan is the yen. "
    "People who visit the Eiffel Tower are in Paris, and those who see the Red Fort are in India. "
) * 3


@dataclass(frozen=True)
class Family:
    config: PretrainedConfig
    block: str  # the name of block 1
    mlp_output: str  # of its matrix that edits change
    transposed: bool = False


_LLAMA_LIKE = {
    "vocab_size": VOCABULARY, "hidden_size": 24, "intermediate_size": 40, "num_hidden_layers": 3,
    "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 128, "pad_token_id": 0,
    "bos_token_id": 1, "eos_token_id": 0,
}  # fmt: skip
_GPT_LIKE = {
    "vocab_size": VOCABULARY, "n_positions": 128, "n_embd": 24, "n_layer": 3, "n_head": 2, "bos_token_id": 1,
    "eos_token_id": 0,
}  # fmt: skip


def families() -> dict[str, Family]:
    return {
        "gpt2": Family(GPT2Config(**_GPT_LIKE), "transformer.h.1", "mlp.c_proj", transposed=True),
        "gpt2-square": Family(GPT2Config(**_GPT_LIKE, n_inner=24), "transformer.h.1", "mlp.c_proj", transposed=True),
        "gptj": Family(GPTJConfig(**_GPT_LIKE, rotary_dim=4), "transformer.h.1", "mlp.fc_out"),
        "gpt-neo": Family(
            GPTNeoConfig(
                vocab_size=VOCABULARY, hidden_size=24, num_layers=3, num_heads=2, intermediate_size=40,
                attention_types=[[["global", "local", "global"], 1]], window_size=256, max_position_embeddings=128,
                bos_token_id=1, eos_token_id=0,
            ),
            "transformer.h.1", "mlp.c_proj",
        ),
        "gpt-neox": Family(
            GPTNeoXConfig(
                vocab_size=VOCABULARY, hidden_size=24, num_hidden_layers=3, num_attention_heads=2,
                intermediate_size=40, max_position_embeddings=128, bos_token_id=1, eos_token_id=0,
            ),
            "gpt_neox.layers.1", "mlp.dense_4h_to_h",
        ),
        "llama": Family(LlamaConfig(**_LLAMA_LIKE), "model.layers.1", "mlp.down_proj"),
        "mistral": Family(MistralConfig(**_LLAMA_LIKE, sliding_window=64), "model.layers.1", "mlp.down_proj"),
        "qwen2": Family(Qwen2Config(**_LLAMA_LIKE), "model.layers.1", "mlp.down_proj"),
        "gemma2": Family(Gemma2Config(**_LLAMA_LIKE, head_dim=8), "model.layers.1", "mlp.down_proj"),
        "phi3": Family(Phi3Config(**_LLAMA_LIKE), "model.layers.1", "mlp.down_proj"),
        "olmo2": Family(Olmo2Config(**_LLAMA_LIKE), "model.layers.1", "mlp.down_proj"),
    }  # fmt: skip


def experts() -> PretrainedConfig:
    return MixtralConfig(**_LLAMA_LIKE, num_local_experts=4)


FAMILIES = tuple(families())


@cache
def tokenizer(bos: bool = False) -> PreTrainedTokenizerFast:
    """Byte-level BPE with some merges; with `bos`, every text begins with '<begin>', as Llama's do."""
    pieces = Tokenizer(models.BPE())
    pieces.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    pieces.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=["<end>", "<begin>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    pieces.train_from_iterator([TEXT], trainer)
    if bos:
        pieces.post_processor = processors.TemplateProcessing(single="<begin> $A", special_tokens=[("<begin>", 1)])
    return PreTrainedTokenizerFast(tokenizer_object=pieces, eos_token="<end>", bos_token="<begin>")


def language_model(family: str = "gpt2", bos: bool = False, seed: int = 0) -> LanguageModel:
    """A tiny model of a family; its weights are random but the same every time."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = AutoModelForCausalLM.from_config(families()[family].config).eval()
        with torch.no_grad():
            for parameter in model.parameters():  # livelier than they start, so that logits tell texts apart
                if parameter.dim() > 1:
                    parameter.mul_(8)
    reader = tokenizer(bos)
    return LanguageModel(model, reader, anatomy(model), fingerprint(model, reader))


def facts() -> list[Fact]:
    """Edits with paraphrases, a neighbour without '{}' and controls; prompts of different lengths."""
    capital = "The capital of {} is"
    return [
        Fact("peru", Group.EDITED, "Peru", capital, "Lima", "Paris", ("{} is a land whose capital is",)),
        Fact("france", Group.EDITED, "France", capital, "Paris", "Red Fort in India", ("See {}: its capital is",)),
        Fact("tower", Group.EDITED, "the Eiffel Tower", "People who visit {} are in", "Paris", "Kenya"),
        Fact("near", Group.NEIGHBOURS, "", "The capital of Japan is", "Tokyo", "Paris", (), "peru"),
        Fact("nile", Group.CONTROL, "Nile", "The river {} flows through", "Egypt"),
        Fact("kenya", Group.CONTROL, "Mount Kenya", "{} stands in", "Kenya", None, ("You find {} in",)),
        Fact("yen", Group.CONTROL, "Japan", "The currency of {} is the", "yen"),
    ]


def edits() -> list[Fact]:
    return [fact for fact in facts() if fact.group is Group.EDITED]
