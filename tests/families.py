"""Tiny models of many architectures with random weights, and tokenizers with and without a beginning-of-text token."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    AutoModelForCausalLM,
    BloomConfig,
    CohereConfig,
    DeepseekV3Config,
    FalconConfig,
    Gemma2Config,
    Gemma3Config,
    Gemma3TextConfig,
    Glm4Config,
    GPT2Config,
    GPTJConfig,
    GPTNeoConfig,
    GPTNeoXConfig,
    GraniteConfig,
    LlamaConfig,
    Mamba2Config,
    MambaConfig,
    MistralConfig,
    MixtralConfig,
    Olmo2Config,
    OlmoeConfig,
    OPTConfig,
    Phi3Config,
    PhiConfig,
    PretrainedConfig,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen3_5TextConfig,
    Qwen3Config,
    Qwen3MoeConfig,
    RwkvConfig,
    SmolLM3Config,
    StableLmConfig,
    Starcoder2Config,
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
        "gpt-neox-serial": Family(
            GPTNeoXConfig(
                vocab_size=VOCABULARY, hidden_size=24, num_hidden_layers=3, num_attention_heads=2,
                intermediate_size=40, max_position_embeddings=128, bos_token_id=1, eos_token_id=0,
                use_parallel_residual=False,
            ),
            "gpt_neox.layers.1", "mlp.dense_4h_to_h",
        ),
        "llama3": Family(
            LlamaConfig(
                **_LLAMA_LIKE, tie_word_embeddings=True,
                rope_parameters={
                    "rope_type": "llama3", "rope_theta": 5e5, "factor": 8.0, "low_freq_factor": 1.0,
                    "high_freq_factor": 4.0, "original_max_position_embeddings": 64,
                },
            ),
            "model.layers.1", "mlp.down_proj",
        ),
        "qwen3": Family(Qwen3Config(**_LLAMA_LIKE, head_dim=8), "model.layers.1", "mlp.down_proj"),
        "gemma3": Family(
            Gemma3TextConfig(**_LLAMA_LIKE, head_dim=8, sliding_window=64), "model.layers.1", "mlp.down_proj"
        ),
        "gemma3-with-eyes": Family(
            Gemma3Config(
                text_config={**_LLAMA_LIKE, "head_dim": 8, "sliding_window": 64},
                vision_config={
                    "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 3, "num_attention_heads": 2,
                    "image_size": 28, "patch_size": 14,
                },
                mm_tokens_per_image=4, image_token_index=399, boi_token_index=398, eoi_token_index=397,
            ),
            "model.language_model.layers.1", "mlp.down_proj",
        ),
        "glm4": Family(Glm4Config(**_LLAMA_LIKE, head_dim=8), "model.layers.1", "mlp.down_proj"),
        "granite": Family(
            GraniteConfig(**_LLAMA_LIKE, residual_multiplier=0.22), "model.layers.1", "mlp.down_proj"
        ),
        "cohere": Family(CohereConfig(**_LLAMA_LIKE), "model.layers.1", "mlp.down_proj"),
        "smollm3": Family(SmolLM3Config(**_LLAMA_LIKE), "model.layers.1", "mlp.down_proj"),
        "stablelm": Family(StableLmConfig(**_LLAMA_LIKE), "model.layers.1", "mlp.down_proj"),
        "starcoder2": Family(Starcoder2Config(**_LLAMA_LIKE), "model.layers.1", "mlp.c_proj"),
        "phi": Family(
            PhiConfig(**_LLAMA_LIKE | {"num_attention_heads": 3, "num_key_value_heads": 3}),
            "model.layers.1", "mlp.fc2",
        ),
        "falcon": Family(
            FalconConfig(
                vocab_size=VOCABULARY, hidden_size=24, num_hidden_layers=3, num_attention_heads=2,
                bos_token_id=1, eos_token_id=0,
            ),
            "transformer.h.1", "mlp.dense_4h_to_h",
        ),
        "opt": Family(
            OPTConfig(
                vocab_size=VOCABULARY, hidden_size=24, ffn_dim=40, num_hidden_layers=3, num_attention_heads=2,
                max_position_embeddings=128, word_embed_proj_dim=24, pad_token_id=0, bos_token_id=1, eos_token_id=0,
            ),
            "model.decoder.layers.1", "fc2",
        ),
    }  # fmt: skip


def experts() -> PretrainedConfig:
    return MixtralConfig(**_LLAMA_LIKE, num_local_experts=4)


def not_editable() -> dict[str, tuple[PretrainedConfig, str]]:
    """Models that open but can't be edited, and a word of the reason."""
    return {
        "mixtral": (experts(), "experts"),
        "qwen3-moe": (Qwen3MoeConfig(**_LLAMA_LIKE, num_experts=4, head_dim=8), "experts"),
        "olmoe": (OlmoeConfig(**_LLAMA_LIKE, num_experts=4), "experts"),
        "deepseek-v3": (DeepseekV3Config(**_LLAMA_LIKE, first_k_dense_replace=1, n_routed_experts=8), "experts"),
    }


def not_readable() -> dict[str, tuple[PretrainedConfig, str]]:
    """Models that aren't even opened, and a word of the reason."""
    few = {"num_hidden_layers": 3, "vocab_size": VOCABULARY, "hidden_size": 24}
    return {
        "mamba": (MambaConfig(**few), "running state"),
        "mamba2": (Mamba2Config(**few, num_heads=6, head_dim=8), "running state"),
        "rwkv": (RwkvConfig(**few), "running state"),
        "qwen3.5": (Qwen3_5TextConfig(**_LLAMA_LIKE), "running state"),
        "bloom": (BloomConfig(vocab_size=VOCABULARY, hidden_size=24, n_layer=3, n_head=2), "ALiBi"),
        "falcon-rw": (FalconConfig(**few, num_attention_heads=2, alibi=True), "ALiBi"),
    }


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
