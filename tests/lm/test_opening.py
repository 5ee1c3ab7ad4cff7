"""Checkpoints are described from headers, opened exactly, and refused with a sentence when something is wrong."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, BertConfig, BertForMaskedLM, T5Config

from editview.domain.checkpoint import Device
from editview.domain.errors import EditViewError
from editview.domain.plan import Checkpoint
from editview.domain.progress import silent
from editview.lm import sources
from editview.lm.opening import describe, open_model
from editview.ui.opening.checkpoint_dialog import RISKS
from tests.families import FAMILIES, experts, families, language_model, not_readable, tokenizer

CPU = Device("cpu", "CPU", 2**34)


def saved(folder: Path, family: str = "llama", dtype: torch.dtype = torch.float32) -> Path:
    lm = language_model(family)
    lm.model.to(dtype).save_pretrained(folder)
    lm.tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return saved(tmp_path / "model")


def refusal(folder: Path | str, **settings: Any) -> str:
    """What both describing and opening say."""
    checkpoint = Checkpoint(source=str(folder), **settings)
    with pytest.raises(EditViewError) as described:
        describe(checkpoint, CPU)
    with pytest.raises(EditViewError) as opened:
        open_model(checkpoint, CPU, silent)
    assert str(described.value) == str(opened.value)
    return str(described.value)


@pytest.mark.parametrize("family", FAMILIES)
def test_what_was_saved_is_what_is_opened(family: str, tmp_path: Path) -> None:
    folder = saved(tmp_path / family, family)
    info = describe(Checkpoint(source=str(folder)), CPU)
    lm = open_model(Checkpoint(source=str(folder)), CPU, silent)
    original = language_model(family)
    assert all(torch.equal(tensor, original.weights()[name]) for name, tensor in lm.weights().items())
    assert info.parameters == sum(tensor.numel() for tensor in lm.weights().values())
    assert [tensor.name for tensor in info.tensors] == list(lm.weights())
    assert (info.dtype, info.layers, info.width, info.fits) == ("float32", 3, 24, True)
    assert info.model_type == families()[family].config.get_text_config().model_type
    assert info.not_editable is None
    assert lm.anatomy == original.anatomy
    assert not lm.model.training


def test_describing_reads_no_weights_and_says_a_sentence(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AutoModelForCausalLM, "from_pretrained", None)
    info = describe(Checkpoint(source=str(folder)), CPU)
    assert info.sentence.startswith("model: Llama with 0.0 million parameters in 3 layers (float32")
    assert describe(Checkpoint(source=str(folder)), Device("cpu", "CPU", 2**34)).bytes == (
        (folder / "model.safetensors").stat().st_size - header_size(folder / "model.safetensors")
    )


def header_size(path: Path) -> int:
    return 8 + int.from_bytes(path.read_bytes()[:8], "little")


def test_fingerprints_tell_weights_tokenizers_and_settings_apart(tmp_path: Path) -> None:
    one, same = saved(tmp_path / "one"), saved(tmp_path / "same")
    other = saved(tmp_path / "other")
    weights = load_file(other / "model.safetensors")
    weights["model.norm.weight"][3] += 1e-6
    save_file(weights, other / "model.safetensors", {"format": "pt"})
    settings = saved(tmp_path / "settings")
    config = json.loads((settings / "config.json").read_text())
    (settings / "config.json").write_text(json.dumps(config | {"rms_norm_eps": 1e-3}))
    words = saved(tmp_path / "words")
    tokenizer(bos=True).save_pretrained(words)
    chat = saved(tmp_path / "chat")
    (chat / "chat_template.jinja").write_text("{% for m in messages %}<{{ m.role }}> {{ m.content }}{% endfor %}")
    ends = saved(tmp_path / "ends")
    generation = json.loads((ends / "generation_config.json").read_text())
    (ends / "generation_config.json").write_text(json.dumps(generation | {"eos_token_id": [0, 11]}))
    prints = [
        open_model(Checkpoint(source=str(path)), CPU, silent).fingerprint
        for path in (one, same, other, settings, words, chat, ends)
    ]
    assert prints[0] == prints[1]
    assert len(set(prints)) == 6


def test_number_formats(tmp_path: Path) -> None:
    folder = saved(tmp_path / "half", "gpt2", torch.bfloat16)
    assert describe(Checkpoint(source=str(folder)), CPU).dtype == "bfloat16"
    assert open_model(Checkpoint(source=str(folder)), CPU, silent).dtype == torch.float32
    assert open_model(Checkpoint(source=str(folder), dtype="bfloat16"), CPU, silent).dtype == torch.bfloat16
    assert "float16 loses too much" in refusal(folder, dtype="float16")
    half = saved(tmp_path / "float16", "llama", torch.float16)
    assert describe(Checkpoint(source=str(half)), CPU).dtype == "float16"
    assert open_model(Checkpoint(source=str(half)), CPU, silent).dtype == torch.float32


def test_a_model_that_is_too_large_doesn_t_fit(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("editview.lm.layout.memory_free", lambda device: 1000)
    info = describe(Checkpoint(source=str(folder)), CPU)
    assert (info.fits, info.layout) == (False, "")
    assert "doesn't fit on the CPU" in info.sentence


def test_a_card_that_is_too_small_is_said_before_loading(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("editview.lm.layout.memory_free", lambda device: 1000)
    monkeypatch.setattr(AutoModelForCausalLM, "from_pretrained", None)
    with pytest.raises(EditViewError, match="Small card has"):
        open_model(Checkpoint(source=str(folder)), Device("cuda:0", "Small card", 1000), silent)


def test_weights_in_many_files(folder: Path, tmp_path: Path) -> None:
    many = tmp_path / "many"
    AutoModelForCausalLM.from_pretrained(folder).save_pretrained(many, max_shard_size="10KB")
    tokenizer().save_pretrained(many)
    assert len(list(many.glob("*.safetensors"))) > 2
    whole, parts = (Checkpoint(source=str(path)) for path in (folder, many))
    one, other = (open_model(checkpoint, CPU, silent) for checkpoint in (whole, parts))
    assert all(torch.equal(tensor, one.weights()[name]) for name, tensor in other.weights().items())
    assert one.fingerprint == other.fingerprint
    assert describe(whole, CPU).bytes == describe(parts, CPU).bytes


def test_experts_open_but_can_t_be_edited(tmp_path: Path) -> None:
    AutoModelForCausalLM.from_config(experts()).save_pretrained(tmp_path / "moe")
    tokenizer().save_pretrained(tmp_path / "moe")
    info = describe(Checkpoint(source=str(tmp_path / "moe")), CPU)
    assert info.not_editable is not None
    assert "can't be edited" in info.sentence
    assert open_model(Checkpoint(source=str(tmp_path / "moe")), CPU, silent).anatomy.mlp_outputs == ()


@pytest.mark.parametrize("kind", ["mamba", "qwen3.5"])
def test_models_that_can_t_be_read_aren_t_opened(kind: str, tmp_path: Path) -> None:
    config, reason = not_readable()[kind]
    AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path / "state")
    tokenizer().save_pretrained(tmp_path / "state")
    assert reason in refusal(tmp_path / "state")


def test_an_encoder_with_a_decoder_is_no_model_to_ask(folder: Path) -> None:
    config_with(model_type="t5", architectures=["T5ForConditionalGeneration"])(folder)
    assert "(T5ForConditionalGeneration) doesn't write text on from a prompt" in refusal(folder)


# ---- bad input --------------------------------------------------------------------------------


def config_with(**changes: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return change


def cut_off(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def cut_in_header(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:50])


def huge_header(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes((2**60).to_bytes(8, "little") + b"{}")


def lost_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def pickled(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    lost_weights(folder)
    torch.save(weights, folder / "pytorch_model.bin")


def lost_shard(folder: Path) -> None:
    AutoModelForCausalLM.from_pretrained(folder).save_pretrained(folder, max_shard_size="10KB")
    (folder / "model.safetensors").unlink(missing_ok=True)
    next(folder.glob("model-00002-of-*.safetensors")).unlink()


def lost_tokenizer(folder: Path) -> None:
    for path in folder.glob("*token*"):
        path.unlink()


def lost_config(folder: Path) -> None:
    (folder / "config.json").unlink()


def broken_config(folder: Path) -> None:
    (folder / "config.json").write_text('{"model_type": "llama", ')


def index_with(weight_map: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        lost_weights(folder)
        (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))

    return change


def header_with(**changes: Any) -> Callable[[Path], None]:
    """Changes what the header says of one tensor."""

    def change(folder: Path) -> None:
        path = folder / "model.safetensors"
        content, size = path.read_bytes(), header_size(path)
        header = json.loads(content[8:size])
        header["model.norm.weight"] |= changes
        written = json.dumps(header).encode()
        path.write_bytes(len(written).to_bytes(8, "little") + written + content[size:])

    return change


def tokenizer_code(folder: Path) -> None:
    (folder / "tokenizer_config.json").write_text('{"auto_map": "tokenizer.Tokenizer"}')


def deep_config(folder: Path) -> None:
    (folder / "config.json").write_text("[" * 100_000)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (cut_off, "cut off or damaged"),
        (cut_in_header, "cut off or damaged"),
        (huge_header, "cut off or damaged"),
        (lost_weights, "holds no weights"),
        (pickled, "pickle files only"),
        (lost_shard, "weight files are missing"),
        (index_with({"a": "../../secret.safetensors"}), "lies outside the folder"),
        (lost_tokenizer, "holds no tokenizer"),
        (lost_config, "no config.json"),
        (broken_config, "can't be read"),
        (config_with(auto_map={"AutoModelForCausalLM": "modeling.Model"}), "Python code of its own"),
        (config_with(model_type="nonesuch"), "'nonesuch' is unknown"),
        (config_with(quantization_config={"quant_method": "bitsandbytes"}), "quantised"),
        (config_with(vocab_size=300), "tokenizer doesn't match"),
        (config_with(hidden_size="wide"), "damaged"),
        (config_with(auto_map="modeling.Model"), "config.json' doesn't hold what it should. The checkpoint is damaged"),
        (config_with(model_type=[]), "config.json' doesn't hold what it should"),
        (config_with(architectures="LlamaForCausalLM"), "config.json' doesn't hold what it should"),
        (config_with(architectures=[1]), "config.json' doesn't hold what it should"),
        (deep_config, "config.json' can't be read. The checkpoint is damaged"),
        (tokenizer_code, "tokenizer_config.json' doesn't hold what it should"),
        (index_with(["a.safetensors"]), "index.json' doesn't hold what it should"),
        (index_with({"a": 5, "b": "b.safetensors"}), "index.json' doesn't hold what it should"),
        (header_with(shape="24"), "cut off or damaged"),
        (header_with(dtype=["F32"]), "cut off or damaged"),
    ],
)
def test_bad_checkpoints(folder: Path, damage: Callable[[Path], None], says: str) -> None:
    damage(folder)
    assert says in refusal(folder)


@pytest.mark.parametrize("changes", [{"hidden_size": 32}, {"num_hidden_layers": 4}])
def test_weights_that_don_t_fit_the_config(folder: Path, changes: dict[str, int]) -> None:
    config_with(**changes)(folder)
    with pytest.raises(EditViewError, match=r"isn't whole|couldn't be loaded"):
        open_model(Checkpoint(source=str(folder)), CPU, silent)


def test_pickles_are_read_when_allowed(folder: Path) -> None:
    pickled(folder)
    lm = open_model(Checkpoint(source=str(folder), allow_pickle=True), CPU, silent)
    original = language_model("llama").weights()
    assert all(torch.equal(tensor, original[name]) for name, tensor in lm.weights().items())


def test_code_is_not_run_where_it_isn_t_needed(folder: Path) -> None:
    (folder / "modeling.py").write_text("raise SystemExit('this ran')")
    config_with(auto_map={"AutoModelForCausalLM": "modeling.Model"})(folder)
    assert open_model(Checkpoint(source=str(folder), allow_code=True), CPU, silent).anatomy.mlp_outputs


def test_a_refusal_says_in_the_windows_words_what_can_be_allowed(folder: Path) -> None:
    config_with(auto_map={"AutoModelForCausalLM": "modeling.Model"})(folder)
    assert RISKS["allow_code"][0] in refusal(folder)
    config_with(auto_map={})(folder)
    pickled(folder)
    assert RISKS["allow_pickle"][0] in refusal(folder)


def test_tokenizer_code_is_refused_too(folder: Path) -> None:
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"auto_map": {"AutoTokenizer": ["t.T", None]}}))
    assert "Python code of its own" in refusal(folder)


def test_models_that_don_t_write_text(tmp_path: Path) -> None:
    small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    BertForMaskedLM(BertConfig(vocab_size=400, **small)).save_pretrained(tmp_path / "bert")
    assert "causal language model" in refusal(tmp_path / "bert")
    T5Config(vocab_size=400).save_pretrained(tmp_path / "t5")
    assert "causal language model" in refusal(tmp_path / "t5")


def test_folders_that_aren_t_there(tmp_path: Path) -> None:
    assert "There is no folder" in refusal(tmp_path / "nowhere")
    assert "There is no folder" in refusal("~nobody-of-this-name/model")
    (tmp_path / "file").write_text("x")
    assert "is a file" in refusal(tmp_path / "file")


def test_an_id_that_isn_t_on_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sources, "snapshot_download", not_cached)
    with pytest.raises(EditViewError, match="isn't on this machine"):
        describe(Checkpoint(source="someone/some-model"), CPU)


def not_cached(*_: Any, **__: Any) -> str:
    from huggingface_hub.errors import LocalEntryNotFoundError

    raise LocalEntryNotFoundError("not cached")


def test_an_id_in_the_cache_opens(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "snapshot_download", lambda source, local_files_only: str(folder))
    info = describe(Checkpoint(source="someone/some-model"), CPU)
    assert info.name == "someone/some-model"
    assert open_model(Checkpoint(source="someone/some-model"), CPU, silent).anatomy.mlp_outputs


# ---- adapters --------------------------------------------------------------------------------


def adapter(base: Path, folder: Path, **settings: Any) -> Path:
    torch.manual_seed(5)
    model = get_peft_model(
        AutoModelForCausalLM.from_pretrained(base),
        LoraConfig(r=2, target_modules=["q_proj", "down_proj"], init_lora_weights=False, **settings),
    )
    model.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("dora", [False, True])
def test_an_adapter_is_merged(folder: Path, tmp_path: Path, dora: bool) -> None:
    tuned = adapter(folder, tmp_path / "adapter", use_dora=dora)
    lm = open_model(Checkpoint(source=str(folder), adapter=str(tuned)), CPU, silent)
    base = open_model(Checkpoint(source=str(folder)), CPU, silent)
    changed = {name for name, tensor in lm.weights().items() if not torch.equal(tensor, base.weights()[name])}
    assert changed == {
        f"model.layers.{i}.{part}.weight" for i in range(3) for part in ("self_attn.q_proj", "mlp.down_proj")
    }
    assert list(lm.weights()) == list(base.weights())
    assert lm.fingerprint != base.fingerprint
    assert lm.anatomy == base.anatomy
    assert "with adapter" in describe(Checkpoint(source=str(folder), adapter=str(tuned)), CPU).name


def test_an_adapter_of_another_model(folder: Path, tmp_path: Path) -> None:
    tuned = adapter(folder, tmp_path / "adapter")
    assert "made for another model" in refusal(saved(tmp_path / "gpt2", "gpt2"), adapter=str(tuned))
    narrow = saved(tmp_path / "narrow")
    config_with(hidden_size=16, num_attention_heads=2)(narrow)
    with pytest.raises(EditViewError, match="made for another model"):
        describe(Checkpoint(source=str(narrow), adapter=str(tuned)), CPU)


def test_an_adapter_in_place_of_a_model(folder: Path, tmp_path: Path) -> None:
    tuned = adapter(folder, tmp_path / "adapter")
    assert "is an adapter, not a whole model" in refusal(tuned)
    assert "holds no adapter" in refusal(folder, adapter=str(folder))


def test_a_pickled_adapter_is_refused(folder: Path, tmp_path: Path) -> None:
    tuned = adapter(folder, tmp_path / "adapter")
    torch.save(load_file(tuned / "adapter_model.safetensors"), tuned / "adapter_model.bin")
    (tuned / "adapter_model.safetensors").unlink()
    assert "pickle files only" in refusal(folder, adapter=str(tuned))
    shutil.rmtree(tuned)
    assert "no folder" in refusal(folder, adapter=str(tuned))


def test_a_folder_that_happens_to_be_called_demo_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "demo").mkdir()
    monkeypatch.chdir(tmp_path)
    assert describe(Checkpoint(source="demo"), CPU).name == "Demo model"
