"""Weights that wait elsewhere: found and changed by name, wherever they lie."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from editview.domain.checkpoint import Device
from editview.domain.errors import EditViewError
from editview.domain.plan import Checkpoint
from editview.domain.progress import silent
from editview.lm import layout
from editview.lm.answers import check
from editview.lm.changes import differing
from editview.lm.opening import describe, open_model
from editview.lm.statistics import key_statistics
from tests.families import FAMILIES, facts, language_model, tokenizer
from tests.lm.statistics.conftest import words
from tests.lm.test_opening import adapter, pickled, saved
from tests.offloaded import CPU, in_memory, opened

CARD = Device("cuda:0", "Small card", 10**9)


@pytest.mark.parametrize("family", FAMILIES)
def test_it_answers_and_is_read_as_if_all_of_it_lay_on_the_device(family: str) -> None:
    whole, partly = language_model(family, bos=True), in_memory(language_model(family, bos=True))
    assert list(partly.weights()) == list(whole.weights())
    assert partly.current_fingerprint() == whole.fingerprint
    assert (partly.device, partly.dtype) == (whole.device, whole.dtype)
    assert list(check(partly, facts(), silent)) == list(check(whole, facts(), silent))
    text = words(40)
    one, other = (key_statistics(lm, [0, 2], text, 300, silent, state=str(id(lm))) for lm in (whole, partly))
    assert all(torch.equal(one[layer].covariance, other[layer].covariance) for layer in (0, 2))


def test_a_change_is_taken_and_what_was_opened_is_remembered() -> None:
    whole, partly = language_model("llama3"), in_memory(language_model("llama3"))
    held = partly.offloaded
    assert held is not None
    changed = (
        "model.layers.0.mlp.down_proj.weight",
        "model.layers.2.mlp.down_proj.weight",
        "model.embed_tokens.weight",
    )
    for name in changed:
        whole.weights()[name].mul_(2)
        held.write(name, 2 * held[name])
    assert differing(whole.weights(), held) == ()
    assert set(differing(held.opened, held)) == set(changed) == set(held.written)
    assert list(check(partly, facts(), silent)) == list(check(whole, facts(), silent))
    for name in changed:
        held.write(name, held.opened[name])
    assert differing(language_model("llama3").weights(), held) == ()


def test_many_files_of_another_number_format_wait_on_the_disk(tmp_path: Path) -> None:
    AutoModelForCausalLM.from_pretrained(saved(tmp_path / "one", "llama"), dtype=torch.bfloat16).save_pretrained(
        tmp_path / "many", max_shard_size="10KB"
    )
    tokenizer().save_pretrained(tmp_path / "many")
    assert len(list((tmp_path / "many").glob("*.safetensors"))) > 2
    for dtype in ("auto", "bfloat16"):
        checkpoint = Checkpoint(source=str(tmp_path / "many"), dtype=dtype)
        whole, partly = open_model(checkpoint, CPU, silent), opened(checkpoint, 3)
        assert partly.offloaded is not None
        assert partly.offloaded.layout == "1 of 3 layers on the CPU, the rest on the disk: slower."
        assert (partly.fingerprint, partly.dtype) == (whole.fingerprint, whole.dtype)
        assert list(check(partly, facts(), silent)) == list(check(whole, facts(), silent))


def test_an_adapter_is_merged_before_its_model_is_laid_out(tmp_path: Path) -> None:
    base = saved(tmp_path / "base", "llama")
    checkpoint = Checkpoint(source=str(base), adapter=str(adapter(base, tmp_path / "adapter")))
    whole, partly = open_model(checkpoint, CPU, silent), opened(checkpoint, 3)
    assert partly.offloaded is not None
    assert partly.fingerprint == whole.fingerprint
    assert list(check(partly, facts(), silent)) == list(check(whole, facts(), silent))


def test_the_memories_left_free_decide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint = Checkpoint(source=str(saved(tmp_path / "model", "llama")))
    weights = describe(checkpoint, CPU).bytes

    def described(card: int, memory: int) -> str:
        monkeypatch.setattr(layout, "memory_free", lambda device: card)
        monkeypatch.setattr(layout, "main_memory_free", lambda: memory)
        return describe(checkpoint, CARD).layout

    assert described(2 * weights, 0) == ""
    assert describe(checkpoint, CARD).fits
    assert described(weights, 10 * weights).endswith("in main memory: slower.")
    assert described(weights, 0).endswith("on the disk: slower.")
    assert not describe(checkpoint, CARD).fits
    assert described(weights // 10, 10 * weights) == ""
    assert "doesn't fit on the Small card" in describe(checkpoint, CARD).sentence


def test_weights_that_can_t_wait_on_the_disk_are_refused_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = saved(tmp_path / "base", "llama")
    weights = describe(Checkpoint(source=str(base)), CPU).bytes
    monkeypatch.setattr(layout, "memory_free", lambda device: weights)
    monkeypatch.setattr(layout, "main_memory_free", lambda: 0)
    tuned = Checkpoint(source=str(base), adapter=str(adapter(base, tmp_path / "adapter")))
    with pytest.raises(EditViewError, match="safetensors without an adapter"):
        open_model(tuned, CARD, silent)
    pickled(base)
    with pytest.raises(EditViewError, match="safetensors without an adapter"):
        open_model(Checkpoint(source=str(base), allow_pickle=True), CARD, silent)
