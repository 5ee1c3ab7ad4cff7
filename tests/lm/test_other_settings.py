"""Which settings of two configurations are told, and how loudly."""

from __future__ import annotations

from transformers import GPT2Config, LlamaConfig

from editview.lm.other_settings import other_settings


def test_what_decides_the_computation_is_told() -> None:
    much, little = other_settings(LlamaConfig(), LlamaConfig(rms_norm_eps=1e-5, attention_bias=True, rope_theta=5e5))
    assert much == (
        "attention_bias is off in the first and on in the second",
        "rms_norm_eps is 1e-06 in the first and 1e-05 in the second",
        "rope_parameters.rope_theta is 10000.0 in the first and 500000.0 in the second",
    )
    assert little == ()
    heads, _ = other_settings(GPT2Config(), GPT2Config(n_head=6))
    assert heads == ("n_head is 12 in the first and 6 in the second",)


def test_bookkeeping_training_and_what_the_weights_show_are_not() -> None:
    other = GPT2Config(
        resid_pdrop=0.5, dtype="bfloat16", use_cache=False, name_or_path="elsewhere", vocab_size=60_000,
        initializer_range=1.0, summary_type="last", architectures=["GPT2Model"], n_inner=3072,
    )  # fmt: skip
    assert other_settings(GPT2Config(), other) == ((), ())


def test_what_ends_or_limits_a_text_counts_little() -> None:
    much, little = other_settings(GPT2Config(), GPT2Config(n_positions=2048, eos_token_id=5, pad_token_id=0))
    assert much == ()
    assert little == (
        "eos_token_id is 50256 in the first and 5 in the second",
        "n_positions is 1024 in the first and 2048 in the second",
        "pad_token_id is not set in the first and 0 in the second",
    )


def test_a_value_too_long_to_show_is_only_named() -> None:
    first, second = LlamaConfig(), LlamaConfig()
    first.layer_types, second.layer_types = ["full_attention"] * 32, ["sliding_attention"] * 32
    assert other_settings(first, second)[0] == ("layer_types is another one in the second",)
