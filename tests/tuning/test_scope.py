"""Which tensors a fine-tune trains: those that were chosen, and nothing else by a single bit."""

from __future__ import annotations

import pytest
import torch
from peft.tuners.lora import LoraModel
from transformers import (
    AutoModelForCausalLM,
    DeepseekV3Config,
    Phi3Config,
    Phi3ForCausalLM,
    PretrainedConfig,
    set_seed,
)

from editview.domain.errors import EditViewError
from editview.domain.operations import FullFineTune, Lora
from editview.domain.scope import parameters, trained
from editview.domain.weights import MatrixKind
from editview.lm.anatomy import anatomy
from editview.lm.model import LanguageModel
from editview.tuning import fine_tune as tuning
from editview.tuning import lora
from editview.tuning.fine_tune import fine_tune
from tests.families import experts, families
from tests.tuning.models import examples, gpt2, llama, tokenizer, weights

FULL = FullFineTune(steps=2, learning_rate=1e-2, batch_size=4)
LORA = Lora(rank=4, alpha=8, steps=2, learning_rate=1e-1, batch_size=4)
KINDS = (MatrixKind.MLP_OUT, MatrixKind.ATTENTION_IN)


def phi3() -> LanguageModel:
    """Query, key and value in one matrix, gate and up in another."""
    set_seed(7)
    config = Phi3Config(
        vocab_size=257, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=2, max_position_embeddings=64, eos_token_id=0, bos_token_id=0, pad_token_id=0,
    )  # fmt: skip
    model = Phi3ForCausalLM(config).eval()
    return LanguageModel(model, tokenizer(), anatomy(model), "small")


@pytest.mark.parametrize("make", [gpt2, llama, phi3])
@pytest.mark.parametrize(
    "operation",
    [FULL, LORA, LORA.model_copy(update={"dora": True}), LORA.model_copy(update={"rank_stabilized": True})],
    ids=["full", "lora", "dora", "rslora"],
)
@pytest.mark.parametrize(("layers", "kinds"), [(None, ()), ((1,), KINDS)])
def test_nothing_else_changes(make, operation: FullFineTune | Lora, layers, kinds) -> None:
    lm = make()
    operation = operation.model_copy(update={"matrices": kinds})
    chosen = {tensor.name for tensor in trained(anatomy(lm.model).tensors, operation, layers)}
    before = weights(lm)
    done = fine_tune(lm, operation, examples(), seed=0, layers=layers)
    after = weights(lm)
    assert set(done.tensors) == chosen
    assert {name for name in before if not torch.equal(before[name], after[name])} == chosen


def test_what_is_chosen_is_what_was_asked_for() -> None:
    tensors = anatomy(llama().model).tensors
    everything = trained(tensors, FULL, None)
    assert everything == tensors
    one = trained(tensors, FULL, (1,))
    assert {tensor.layer for tensor in one} == {1}
    assert {tensor.kind for tensor in trained(tensors, FULL.model_copy(update={"matrices": KINDS}), (0, 1))} == {*KINDS}
    adapted = trained(tensors, LORA, None)
    assert {tensor.kind for tensor in tensors} - {tensor.kind for tensor in adapted} == {
        MatrixKind.EMBEDDING, MatrixKind.HEAD, MatrixKind.NORM
    }  # fmt: skip


@pytest.mark.parametrize("dora", [False, True])
@pytest.mark.parametrize("make", [gpt2, llama])
def test_the_number_of_trained_parameters_is_pefts(make, dora: bool) -> None:
    lm = make()
    operation = LORA.model_copy(update={"dora": dora})
    found = trained(anatomy(lm.model).tensors, operation, None)
    seen = []

    def count(step: int, loss: float, rate: float) -> None:
        seen.append(sum(weight.numel() for weight in lm.model.parameters() if weight.requires_grad))

    fine_tune(lm, operation, examples(), seed=0, on_log=count)
    assert set(seen) == {parameters(found, operation)}


def test_a_choice_that_matches_nothing_is_refused() -> None:
    lm = llama()
    with pytest.raises(EditViewError, match="Nothing of this model matches"):
        fine_tune(lm, FULL.model_copy(update={"matrices": (MatrixKind.EMBEDDING,)}), examples(), seed=0, layers=(0,))
    with pytest.raises(EditViewError, match="adds to matrices inside the layers alone"):
        fine_tune(lm, LORA.model_copy(update={"matrices": (MatrixKind.NORM,)}), examples(), seed=0)


def test_an_adapter_that_merging_spoils_is_an_error_that_says_by_how_much(monkeypatch: pytest.MonkeyPatch) -> None:
    lm = llama()
    before = weights(lm)
    merge = LoraModel.merge_and_unload

    def spoilt(self, *arguments, **options):
        merged = merge(self, *arguments, **options)
        with torch.no_grad():
            merged.model.layers[0].mlp.down_proj.weight.mul_(3)
        return merged

    monkeypatch.setattr(LoraModel, "merge_and_unload", spoilt)
    with pytest.raises(EditViewError, match=r"answers otherwise than before: the scores of its words moved by \d"):
        fine_tune(lm, LORA, examples(), seed=0)
    after = weights(lm)
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert not hasattr(lm.model, "peft_config")


@pytest.mark.parametrize("dora", [False, True])
def test_a_merge_in_half_precision_passes_and_what_it_rounds_is_told(dora: bool) -> None:
    lm = gpt2(torch.bfloat16)
    done = fine_tune(lm, LORA.model_copy(update={"dora": dora, "steps": 20}), examples(), seed=0)
    assert done.notes == () or "which rounds" in done.notes[0]


def test_a_tied_head_is_trained_as_the_embedding_and_carries_no_adapter() -> None:
    lm = gpt2()
    before = weights(lm)
    done = fine_tune(lm, FULL.model_copy(update={"matrices": (MatrixKind.EMBEDDING,)}), examples(), seed=0)
    after = weights(lm)
    assert "transformer.wte.weight" in done.tensors
    assert {name for name in before if not torch.equal(before[name], after[name])} == set(done.tensors)
    assert lm.model.lm_head.weight is lm.model.transformer.wte.weight
    for kind in (MatrixKind.EMBEDDING, MatrixKind.HEAD):
        with pytest.raises(EditViewError, match="choose other"):
            fine_tune(lm, LORA.model_copy(update={"matrices": (kind,)}), examples(), seed=0)


@pytest.mark.parametrize("family", ["qwen2", "gemma2", "gptj", "opt", "falcon"])
@pytest.mark.parametrize(
    "operation", [FULL, LORA, LORA.model_copy(update={"dora": True})], ids=["full", "lora", "dora"]
)
def test_other_architectures_keep_to_the_choice_too(family: str, operation: FullFineTune | Lora) -> None:
    changed, claimed = trained_of(families()[family].config, operation.model_copy(update={"steps": 1}), (0, 2))
    assert changed == claimed


@pytest.mark.parametrize("dora", [False, True])
@pytest.mark.parametrize(
    "config",
    [
        experts(),
        DeepseekV3Config(
            vocab_size=400, hidden_size=24, intermediate_size=40, moe_intermediate_size=16, num_hidden_layers=2,
            num_attention_heads=4, num_key_value_heads=4, n_routed_experts=8, num_local_experts=8, n_group=1,
            topk_group=1, num_experts_per_tok=2, first_k_dense_replace=1, q_lora_rank=8, kv_lora_rank=8,
            qk_rope_head_dim=4, qk_nope_head_dim=4, v_head_dim=6, max_position_embeddings=128, pad_token_id=0,
            bos_token_id=1, eos_token_id=0,
        ),
    ],
    ids=["mixtral", "deepseek"],
)  # fmt: skip
def test_among_experts_an_adapter_goes_on_linear_layers_alone(config: PretrainedConfig, dora: bool) -> None:
    """Routers and experts are no linear layers; a dense layer named as experts were once isn't taken for them."""
    changed, claimed = trained_of(config, LORA.model_copy(update={"dora": dora, "dropout": 0.1, "steps": 1}), None)
    assert changed == claimed
    assert not any("router" in name or "experts." in name.replace("shared_experts.", "") for name in changed)


def test_texts_of_any_length_are_compared_over_their_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []
    monkeypatch.setattr(lora, "_moved", lambda before, after: compared.append((before.shape, after.shape)) or 0.0)
    monkeypatch.setattr(tuning, "_READ", 8)
    fine_tune(llama(), LORA, examples(), seed=0)
    assert compared == [((4 * 8, 257), (4 * 8, 257))]


def trained_of(
    config: PretrainedConfig, operation: FullFineTune | Lora, layers: tuple[int, ...] | None
) -> tuple[set[str], set[str]]:
    """What a fine-tune of a random model changed, and what it says it trained."""
    set_seed(7)
    model = AutoModelForCausalLM.from_config(config).eval()
    lm = LanguageModel(model, tokenizer(), anatomy(model), "small")
    before = weights(lm)
    done = fine_tune(lm, operation, examples(), seed=0, layers=layers)
    after = weights(lm)
    return {name for name in before if not torch.equal(before[name], after[name])}, set(done.tensors)
