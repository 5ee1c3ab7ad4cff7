"""Two checkpoints compared from their files, however they were saved."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from editview.domain.difference import Difference, headline
from editview.domain.errors import Cancelled, EditViewError
from editview.domain.plan import Checkpoint
from editview.domain.progress import silent
from editview.domain.update_kind import UpdateKind, judged
from editview.domain.weights import MatrixKind
from editview.lm.adapters import merge_adapter
from editview.lm.comparing import compare
from editview.lm.stored import StoredCheckpoint
from tests import small

LLAMA = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2, "vocab_size": 64}
OUT = "model.layers.1.mlp.down_proj.weight"


def llama(seed: int = 0, **settings: object) -> LlamaForCausalLM:
    torch.manual_seed(seed)
    return LlamaForCausalLM(LlamaConfig(**{**LLAMA, **settings}))


def difference(first: Path, second: Path, adapter: Path | None = None) -> Difference:
    changed = Checkpoint(source=str(second), adapter=str(adapter) if adapter else None)
    return compare(StoredCheckpoint(Checkpoint(source=str(first))), StoredCheckpoint(changed), silent)


def test_equal_weights_are_the_same(tmp_path: Path) -> None:
    for name in ("a", "b"):
        llama().save_pretrained(tmp_path / name)
    found = difference(tmp_path / "a", tmp_path / "b")
    assert found.tensors
    assert all(tensor.same for tensor in found.tensors)
    assert not found.changed
    assert found.total == 0


@pytest.mark.parametrize("sharded", [False, True])
def test_a_change_is_measured(tmp_path: Path, sharded: bool) -> None:
    before = llama()
    before.save_pretrained(tmp_path / "a")
    after = llama()
    moved = torch.randn(32, 48) * 0.01
    with torch.no_grad():
        after.model.layers[1].mlp.down_proj.weight += moved
    after.save_pretrained(tmp_path / "b", max_shard_size="10KB" if sharded else "1GB")
    files = len(list((tmp_path / "b").glob("*.safetensors")))
    assert (files > 1) == sharded
    found = difference(tmp_path / "a", tmp_path / "b")
    (changed,) = found.changed
    assert changed.name == OUT
    assert changed.layer == 1
    whole = before.model.layers[1].mlp.down_proj.weight.detach().double()
    assert changed.norm_before == pytest.approx(float(whole.norm()), rel=1e-6)
    told = (f"The weights of the first lie in one file, those of the second in {files} files.",) if sharded else ()
    assert found.otherwise == told
    exact = float((after.model.layers[1].mlp.down_proj.weight.detach().double() - whole).norm())
    assert changed.norm_change == pytest.approx(exact, rel=1e-6)
    assert found.share(changed) == pytest.approx(1.0)


def test_many_pieces_count_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("editview.lm.stored.PIECE", 100)
    monkeypatch.setattr("editview.lm.comparing._BLOCK", 30)
    first, second = llama(0), llama(1)
    first.save_pretrained(tmp_path / "a")
    second.save_pretrained(tmp_path / "b")
    found = difference(tmp_path / "a", tmp_path / "b")
    after = dict(second.named_parameters())
    for name, weight in first.named_parameters():
        (tensor,) = (tensor for tensor in found.tensors if tensor.name == name)
        assert tensor.norm_change == pytest.approx(float((after[name] - weight).detach().double().norm()), rel=1e-5)


def test_another_number_format_alone_is_rounding(tmp_path: Path) -> None:
    llama().save_pretrained(tmp_path / "a")
    half = llama().to(torch.bfloat16)
    half.save_pretrained(tmp_path / "b")
    found = difference(tmp_path / "a", tmp_path / "b")
    assert all(tensor.rounding and not tensor.same for tensor in found.tensors)
    assert not found.changed
    assert {tensor.formats for tensor in found.tensors} == {("F32", "BF16")}
    with torch.no_grad():
        half.model.layers[1].mlp.down_proj.weight *= 1.5
    half.save_pretrained(tmp_path / "c")
    assert [tensor.name for tensor in difference(tmp_path / "a", tmp_path / "c").changed] == [OUT]


def test_names_without_the_inner_models_prefix_are_found(tmp_path: Path) -> None:
    model = GPT2LMHeadModel(GPT2Config(vocab_size=64, n_embd=32, n_layer=2, n_head=2, n_positions=16))
    for name in ("a", "b"):
        model.save_pretrained(tmp_path / name)
    path = tmp_path / "b" / "model.safetensors"
    tensors = {name.removeprefix("transformer."): tensor for name, tensor in load_file(path).items()}
    save_file(tensors, path, metadata={"format": "pt"})
    found = difference(tmp_path / "a", tmp_path / "b")
    assert not found.only_first
    assert not found.only_second
    assert all(tensor.same for tensor in found.tensors)
    (said,) = found.otherwise
    assert "'transformer." in said
    assert "they were matched" in said


def test_a_head_that_is_stored_apart_is_compared_with_the_embedding_that_it_was_tied_to(tmp_path: Path) -> None:
    tied = llama(tie_word_embeddings=True)
    tied.save_pretrained(tmp_path / "a")
    apart = llama(tie_word_embeddings=False)
    apart.load_state_dict(tied.state_dict())
    apart.save_pretrained(tmp_path / "b")
    found = difference(tmp_path / "a", tmp_path / "b")
    assert not found.only_first
    assert not found.only_second
    assert "lm_head.weight" in {tensor.name for tensor in found.tensors}
    assert found.otherwise == ("In the first alone 'lm_head.weight' is shared with 'model.embed_tokens.weight'.",)
    assert all(tensor.same for tensor in found.tensors)


def gpt2(folder: Path, **changed: torch.Tensor) -> None:
    """A model whose head is tied, with some tensors of its file put in place or added."""
    torch.manual_seed(0)
    model = GPT2LMHeadModel(GPT2Config(vocab_size=64, n_embd=32, n_layer=2, n_head=2, n_positions=16))
    model.save_pretrained(folder)
    path = folder / "model.safetensors"
    save_file(load_file(path) | changed, path, metadata={"format": "pt"})


def test_a_tied_head_that_is_stored_as_well_is_an_extra_copy(tmp_path: Path) -> None:
    gpt2(tmp_path / "a")
    words = load_file(tmp_path / "a" / "model.safetensors")["transformer.wte.weight"]
    gpt2(tmp_path / "b", **{"lm_head.weight": words.clone()})
    found = difference(tmp_path / "a", tmp_path / "b")
    assert (found.equal, found.only_second) == (True, ())
    assert found.otherwise == (
        "The second stores 'transformer.wte.weight' twice, the second time as 'lm_head.weight': an extra copy, bit for "
        "bit the same.",
    )


def test_a_copy_that_differs_is_a_head_of_its_own(tmp_path: Path) -> None:
    gpt2(tmp_path / "a")
    words = load_file(tmp_path / "a" / "model.safetensors")["transformer.wte.weight"]
    gpt2(tmp_path / "b", **{"lm_head.weight": 1.5 * words})
    found = difference(tmp_path / "a", tmp_path / "b")
    (head,) = found.changed
    assert (head.name, head.kind) == ("lm_head.weight", MatrixKind.HEAD)
    assert head.change.relative == pytest.approx(0.5, rel=1e-5)
    assert any("is stored as well and differs" in said for said in found.otherwise)
    used = AutoModelForCausalLM.from_pretrained(tmp_path / "b")  # reads it so, too
    torch.testing.assert_close(used.lm_head.weight.data, 1.5 * used.transformer.wte.weight.data)


def test_values_that_are_no_numbers_are_counted_and_the_rest_measured(tmp_path: Path) -> None:
    before = llama()
    before.save_pretrained(tmp_path / "a")
    after = llama()
    with torch.no_grad():
        weight = after.model.layers[1].mlp.down_proj.weight
        weight[0] += 0.5
        weight[1, :3] = torch.tensor([float("nan"), float("inf"), 1e30])
    after.save_pretrained(tmp_path / "b")
    found = difference(tmp_path / "a", tmp_path / "b")
    (tensor,) = found.changed
    assert (tensor.not_numbers, found.measured) == ((0, 2), ())
    assert tensor.norm_change == pytest.approx(1e30, rel=1e-6)
    back = difference(tmp_path / "b", tmp_path / "a").changed[0]
    assert back.not_numbers == (2, 0)
    same = difference(tmp_path / "b", tmp_path / "b")
    assert not same.changed
    assert [one.not_numbers for one in same.tensors if one.broken] == [(2, 2)]
    assert "values that are no numbers" in headline(same)


def test_what_decides_the_answers_beside_the_weights_is_compared(tmp_path: Path) -> None:
    small.checkpoint(tmp_path / "a")
    small.checkpoint(tmp_path / "b")
    assert difference(tmp_path / "a", tmp_path / "b").equal
    path = tmp_path / "b" / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | {"activation_function": "relu"}), "utf-8")
    path = tmp_path / "b" / "tokenizer.json"
    tokenizer = json.loads(path.read_text("utf-8"))
    words = tokenizer["model"]["vocab"]
    words["a"], words["b"] = words["b"], words["a"]
    path.write_text(json.dumps(tokenizer), "utf-8")
    found = difference(tmp_path / "a", tmp_path / "b")
    assert not found.changed
    assert not found.equal
    assert found.settings == ("activation_function is gelu_new in the first and relu in the second",)
    assert found.tokenizer == ("2 of 257 tokens have other numbers in the second ('a', 'b')",)
    assert judged(found).kind is UpdateKind.SETTINGS


def test_added_words_are_told_and_the_others_compared(tmp_path: Path) -> None:
    model = llama()
    model.save_pretrained(tmp_path / "a")
    model.resize_token_embeddings(70)
    model.save_pretrained(tmp_path / "b")
    found = difference(tmp_path / "a", tmp_path / "b")
    rows = {tensor.name: tensor.rows for tensor in found.tensors if tensor.rows != (0, 0)}
    assert rows == {"model.embed_tokens.weight": (64, 70), "lm_head.weight": (64, 70)}
    assert not found.changed
    assert judged(found).kind is UpdateKind.RESIZED
    assert "room for 6 more words" in headline(found)


def test_tensors_that_one_lacks_or_has_in_another_shape_are_listed(tmp_path: Path) -> None:
    llama().save_pretrained(tmp_path / "a")
    llama().save_pretrained(tmp_path / "b")
    path = tmp_path / "b" / "model.safetensors"
    tensors = load_file(path)
    del tensors["model.norm.weight"]
    tensors[OUT] = tensors[OUT][:, :40].contiguous()
    tensors["extra.scale"] = torch.ones(3)
    save_file(tensors, path, metadata={"format": "pt"})
    found = difference(tmp_path / "a", tmp_path / "b")
    assert set(found.only_first) == {"model.norm.weight", OUT}
    assert set(found.only_second) == {"extra.scale", OUT}


@pytest.mark.parametrize("dora", [False, True])
@pytest.mark.parametrize("kind", ["gpt2", "llama"])
def test_an_adapter_counts_as_it_is_merged(tmp_path: Path, kind: str, dora: bool) -> None:
    small.checkpoint(tmp_path / "a")
    if kind == "llama":
        llama().save_pretrained(tmp_path / "a")
    base = AutoModelForCausalLM.from_pretrained(tmp_path / "a")
    targets = ["c_proj", "c_attn"] if kind == "gpt2" else ["down_proj", "q_proj"]
    config = LoraConfig(r=2, lora_alpha=3, target_modules=targets, use_dora=dora, fan_in_fan_out=kind == "gpt2",
                        rank_pattern={targets[0]: 4})  # fmt: skip
    torch.manual_seed(1)
    adapted = get_peft_model(base, config)
    for name, weight in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight)
    adapted.save_pretrained(tmp_path / "adapter")
    merged = merge_adapter(AutoModelForCausalLM.from_pretrained(tmp_path / "a"), tmp_path / "adapter")
    merged.save_pretrained(tmp_path / "merged")
    streamed = difference(tmp_path / "a", tmp_path / "a", tmp_path / "adapter")
    whole = difference(tmp_path / "a", tmp_path / "merged")
    assert [tensor.name for tensor in streamed.changed] == [tensor.name for tensor in whole.changed]
    assert len(streamed.changed) >= 4
    for one, other in zip(streamed.changed, whole.changed, strict=True):
        assert one.norm_change == pytest.approx(other.norm_change, rel=1e-5)


def test_other_models_are_refused(tmp_path: Path) -> None:
    llama().save_pretrained(tmp_path / "a")
    llama(num_hidden_layers=3).save_pretrained(tmp_path / "deeper")
    llama(intermediate_size=64).save_pretrained(tmp_path / "broader")
    llama(head_dim=8).save_pretrained(tmp_path / "heads")
    small.checkpoint(tmp_path / "gpt2")
    shapes = (
        ("broader", "gate_proj.weight') is 48 × 32 in the first and 64 × 32"),
        ("heads", "q_proj.weight') is 32 × 32"),
    )
    for other, reason in (("deeper", "2 layers"), ("gpt2", "gpt2"), *shapes):
        with pytest.raises(EditViewError, match="different models") as error:
            difference(tmp_path / "a", tmp_path / other)
        assert reason in str(error.value)


def test_it_can_be_stopped(tmp_path: Path) -> None:
    llama().save_pretrained(tmp_path / "a")
    stored = StoredCheckpoint(Checkpoint(source=str(tmp_path / "a")))

    def stop(done: int, total: int, what: str) -> None:
        if done:
            raise Cancelled

    with pytest.raises(Cancelled):
        compare(stored, stored, stop)


def test_a_file_that_ends_too_early_is_told(tmp_path: Path) -> None:
    llama().save_pretrained(tmp_path / "a")
    stored = StoredCheckpoint(Checkpoint(source=str(tmp_path / "a")))
    path = tmp_path / "a" / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-5000])
    with pytest.raises(EditViewError, match="ends too early"):
        compare(stored, stored, silent)
