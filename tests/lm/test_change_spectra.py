"""The directions of a change, found in the files of two checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import Tensor
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, PreTrainedModel

from editview.domain.change_spectrum import ChangeSpectrum
from editview.domain.difference import Difference
from editview.domain.errors import Cancelled
from editview.domain.plan import Checkpoint
from editview.domain.progress import Progress, silent
from editview.domain.update_kind import UpdateKind, judged
from editview.lm.change_spectra import with_spectra
from editview.lm.comparing import compare
from editview.lm.rescaling import rescaled
from editview.lm.stored import StoredCheckpoint

OUT = "model.layers.1.mlp.down_proj.weight"


def llama() -> LlamaForCausalLM:
    torch.manual_seed(0)
    return LlamaForCausalLM(
        LlamaConfig(
            hidden_size=32, intermediate_size=48, num_hidden_layers=3, num_attention_heads=2, vocab_size=64
        )
    )  # fmt: skip


def gpt2() -> GPT2LMHeadModel:
    torch.manual_seed(0)
    return GPT2LMHeadModel(GPT2Config(vocab_size=64, n_embd=32, n_layer=2, n_head=2, n_positions=16))


def found(tmp_path: Path, before: PreTrainedModel, after: PreTrainedModel, progress: Progress = silent) -> Difference:
    stored = []
    for name, model in (("before", before), ("after", after)):
        model.save_pretrained(tmp_path / name)
        stored.append(StoredCheckpoint(Checkpoint(source=str(tmp_path / name))))
    return with_spectra(*stored, compare(*stored, silent), progress)


def spectra(difference: Difference) -> dict[str, ChangeSpectrum]:
    return {tensor.name: tensor.spectrum for tensor in difference.changed if tensor.spectrum}


def changed(model: PreTrainedModel, name: str, change: Callable[[Tensor], Tensor]) -> PreTrainedModel:
    with torch.no_grad():
        weight = model.get_parameter(name)
        weight.copy_(change(weight))
    return model


def product(rows: int, columns: int, rank: int, seed: int = 1) -> Tensor:
    chance = torch.Generator().manual_seed(seed)
    return torch.randn(rows, rank, generator=chance) @ torch.randn(rank, columns, generator=chance) * 0.01


@pytest.mark.parametrize("exact", [True, False])
def test_singular_values_of_a_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exact: bool) -> None:
    if not exact:
        monkeypatch.setattr("editview.lm.singular.EXACT", 8)
        monkeypatch.setattr("editview.lm.singular._FIRST", 4)
    moved = product(32, 48, 3)
    after = changed(llama(), OUT, lambda weight: weight + moved)
    [(name, spectrum)] = spectra(found(tmp_path, llama(), after)).items()
    assert name == OUT
    assert (spectrum.rank, spectrum.rank_is_known, spectrum.directions) == (3, True, 32)
    assert (len(spectrum.values) == 32) == exact
    assert spectrum.values[:3] == pytest.approx(torch.linalg.svdvals(moved)[:3].tolist(), rel=1e-4)
    assert spectrum.norm == pytest.approx(float(moved.norm()), rel=1e-4)
    assert spectrum.held == pytest.approx(1)


@pytest.mark.parametrize("kept_as", ["bfloat16", "float32"])
def test_rounding_hides_no_directions_that_stand_out_of_it_and_adds_none(tmp_path: Path, kept_as: str) -> None:
    """Whether the weights are kept in the format that rounded them or in a finer one."""
    before = llama().to(torch.bfloat16)
    after = changed(llama(), OUT, lambda weight: weight + product(32, 48, 3)).to(torch.bfloat16)
    [spectrum] = spectra(found(tmp_path, *(model.to(getattr(torch, kept_as)) for model in (before, after)))).values()
    assert spectrum.rank == 3
    assert spectrum.values[3] > spectrum.values[0] * 1e-4  # which is rounding, and far above float32's


def test_a_finer_second_shows_what_the_firsts_format_would_hide(tmp_path: Path) -> None:
    before = llama().to(torch.bfloat16)
    after = changed(llama().to(torch.bfloat16).float(), OUT, lambda weight: weight + 1e-3 * product(32, 48, 3))
    [spectrum] = spectra(found(tmp_path, before, after)).values()
    assert spectrum.rank == 3


@pytest.mark.parametrize("dora", [False, True])
@pytest.mark.parametrize("make", [llama, gpt2])
def test_a_merged_adapter_is_told_with_its_rank(
    tmp_path: Path, make: Callable[[], PreTrainedModel], dora: bool
) -> None:
    conv = make is gpt2
    targets = ["c_proj", "c_fc"] if conv else ["down_proj", "q_proj"]
    config = LoraConfig(r=4, target_modules=targets, use_dora=dora, fan_in_fan_out=conv)
    adapted = get_peft_model(make(), config)
    for name, weight in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.02)
        if "magnitude" in name:
            weight.data *= torch.linspace(0.95, 1.05, len(weight))
    difference = found(tmp_path, make(), adapted.merge_and_unload())
    told = judged(difference)
    assert (told.kind, told.rank) == (UpdateKind.DORA if dora else UpdateKind.LORA, 4)
    for spectrum in spectra(difference).values():
        assert (spectrum.rescaled is not None) == dora
        if spectrum.rescaled:
            assert spectrum.rank > 20
            assert spectrum.rescaled.least < spectrum.rescaled.most - 0.05


@pytest.mark.parametrize("dora", [False, True])
def test_factors_are_seen_under_rounding_that_hides_them_as_directions(tmp_path: Path, dora: bool) -> None:
    factors = torch.linspace(0.998, 1.002, 32)[torch.randperm(32, generator=torch.Generator().manual_seed(0))]
    after = changed(
        llama(), OUT, lambda weight: (weight + product(32, 48, 2)) * (factors[:, None] if dora else 1)
    ).to(torch.bfloat16)  # fmt: skip
    [spectrum] = spectra(found(tmp_path, llama().to(torch.bfloat16), after)).values()
    assert spectrum.rank == 2
    assert (spectrum.rescaled is not None) == dora


def test_factors_are_told_from_directions_that_are_like_the_rows() -> None:
    """As a layer's inputs share much, rows and what is learnt lean to one side."""
    chance = torch.Generator().manual_seed(0)
    shared = torch.randn(128, generator=chance)
    old = 0.02 * torch.randn(64, 128, generator=chance) + 0.05 * shared
    learnt = torch.randn(64, 4, generator=chance) @ (product(4, 128, 4) + 0.01 * shared)
    factors = torch.linspace(0.98, 1.02, 64)
    found = rescaled(old, factors[:, None] * (old + learnt), limit=1e-5, guess=0)
    assert (found.rank, found.is_whole, found.is_clear) == (4, True, True)
    assert (found.least, found.most) == pytest.approx((0.98, 1.02), abs=1e-3)


def test_layers_that_write_to_the_same_outputs_agree(tmp_path: Path) -> None:
    after, other = llama(), llama()
    outputs = product(32, 2, 2)
    for layer in range(3):
        name = f"model.layers.{layer}.mlp.down_proj.weight"
        changed(after, name, lambda weight, layer=layer: weight + outputs @ product(2, 48, 2, seed=layer))
        changed(other, name, lambda weight, layer=layer: weight + product(32, 48, 2, seed=layer))
    alike = [spectrum.agreement for spectrum in spectra(found(tmp_path, llama(), after)).values()]
    assert alike == [None, pytest.approx(1), pytest.approx(1)]
    apart = [spectrum.agreement for spectrum in spectra(found(tmp_path, llama(), other)).values()]
    assert all(share is None or share < 0.5 for share in apart)


def test_added_words_and_numbers_gone_astray_are_passed_over(tmp_path: Path) -> None:
    after = changed(llama(), OUT, lambda weight: torch.full_like(weight, float("nan")))
    changed(after, "model.embed_tokens.weight", lambda weight: weight + product(64, 32, 2))
    after.resize_token_embeddings(70)
    difference = found(tmp_path, llama(), after)
    assert {name: spectrum.rank for name, spectrum in spectra(difference).items()} == {"model.embed_tokens.weight": 2}
    assert judged(difference).kind is UpdateKind.UNCLEAR


def test_it_can_be_stopped(tmp_path: Path) -> None:
    def stop(done: int, total: int, what: str) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        found(tmp_path, llama(), changed(llama(), OUT, torch.neg), stop)
