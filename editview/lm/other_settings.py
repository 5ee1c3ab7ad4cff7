"""What two checkpoints' config.json say in other words, where that decides what the same weights compute."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_BOOKKEEPING = """
    _name_or_path architectures attn_implementation auto_map chunk_size_feed_forward dtype gradient_checkpointing
    id2label initializer_range is_encoder_decoder label2id model_type name_or_path output_attentions
    output_hidden_states pretraining_tp problem_type return_dict task_specific_params tokenizer_class torch_dtype
    torchscript transformers_version use_bfloat16 use_cache
"""  # decides nothing that is computed, or only by which way
_SEEN_IN_WEIGHTS = "vocab_size tie_word_embeddings n_inner intermediate_size ffn_dim"  # told where these are compared
_LITTLE = """
    bos_token_id eos_token_id pad_token_id sep_token_id decoder_start_token_id
    max_position_embeddings n_positions n_ctx max_sequence_length
"""  # ends or limits a text, and decides no word of it
_IN_TRAINING = ("dropout", "pdrop", "aux_loss", "z_loss")
_UNUSED = "summary_"  # of a head that no causal language model has
_LONGEST = 40  # characters of a value that is shown


def other_settings(first: Any, second: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Clauses on the settings that differ: those that decide what is computed, and those that count little.

    `first` and `second` are transformers' configurations, in which what a file leaves out has its usual value.
    """
    one, other = (dict(_flat(config.get_text_config().to_dict())) for config in (first, second))
    elsewhere, little = {*_BOOKKEEPING.split(), *_SEEN_IN_WEIGHTS.split()}, _LITTLE.split()
    found: dict[bool, list[str]] = {True: [], False: []}  # by whether it counts little
    for name in sorted(one.keys() | other.keys()):
        mine, theirs, last = one.get(name), other.get(name), name.rpartition(".")[2]
        if (
            mine == theirs
            or name in elsewhere
            or last.startswith(_UNUSED)
            or any(sign in last for sign in _IN_TRAINING)
        ):
            continue
        found[last in little].append(_told(name, mine, theirs))
    return tuple(found[False]), tuple(found[True])


def _flat(settings: dict[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Settings within settings as 'rope_parameters.rope_theta'."""
    for name, value in settings.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


def _told(name: str, mine: object, theirs: object) -> str:
    shown = [_value(value) for value in (mine, theirs)]
    if max(map(len, shown)) > _LONGEST or shown[0] == shown[1]:
        return f"{name} is another one in the second"
    return f"{name} is {shown[0]} in the first and {shown[1]} in the second"


def _value(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "not set", True: "on", False: "off"}[value]
    return str(value)
