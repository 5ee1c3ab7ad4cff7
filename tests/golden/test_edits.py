"""`benchmarks.golden` from end to end on cases made by an independent program: what it accepts and what it doesn't."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from benchmarks.golden.__main__ import main
from tests.golden.cases import case

SOON = {"v_num_grad_steps": 30, "v_lr": 0.5, "v_weight_decay": 1e-3, "kl_factor": 1e-3,
        "clamp_norm_factor": 50, "mom2_update_weight": 0.01}  # fmt: skip
CASES: dict[str, tuple[tuple[str, str], dict[str, Any]]] = {
    "memit, early stop": (("MEMIT", "gpt2"), {"bos": False, "chunks": [5], **SOON}),
    "memit, two batches, BOS": (("MEMIT", "llama"), {"bos": True, "chunks": [3, 2]}),
    "alphaedit, two batches, BOS": (("AlphaEdit", "llama"), {"bos": True, "chunks": [3, 2]}),
    "alphaedit, square": (("AlphaEdit", "gpt2-square"), {"bos": False, "chunks": [2, 3]}),
    "rome, independent": (("ROME", "gpt2"), {"bos": False, "chunks": [5], "rome_mode": "independent"}),
    "rome, sequential, BOS": (("ROME", "llama"), {"bos": True, "chunks": [5], "rome_mode": "sequential"}),
}
Made = Callable[[str], Path]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Cases by name, each made once."""
    made: dict[str, Path] = {}

    def make(name: str) -> Path:
        if name not in made:
            (method, family), given = CASES[name]
            made[name] = case(tmp_path_factory.mktemp("golden"), method, family, **given)
        return made[name]

    return make


@pytest.fixture
def own(kept: Made, tmp_path: Path) -> Made:
    """A copy of a case to spoil, with what lies beside it."""

    def make(name: str) -> Path:
        folder = kept(name)
        shutil.copytree(folder.parent, tmp_path / "own")
        return tmp_path / "own" / folder.name

    return make


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    return json.loads(capsys.readouterr().out.splitlines()[-1])


@pytest.mark.parametrize("name", CASES)
def test_what_the_published_procedures_compute_is_what_is_computed_here(
    name: str, kept: Made, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(kept(name)), "--json"]) == 0
    result = told(capsys)
    lines = result["lines"]
    assert result["fits"]
    seen = {line["quantity"] for line in lines if line["tolerance"] is not None}
    expected = {"answers", "first choices", "scores", "weight change"}
    if name.startswith("rome"):
        expected |= {"rank one"}
    else:
        expected |= {"target vectors", "keys", "current values"}
    if name.startswith("alphaedit"):
        expected |= {"keys after", "null space"}
    assert seen == expected
    assert max(line["distance"] for line in lines) < 2e-4
    places = {line["of"] for line in lines if line["quantity"] == "weight change"}
    assert ("layer 1, chunk 1" in places) == ("two batches" in name or "square" in name)


def test_a_search_stopped_early_is_among_them(kept: Made) -> None:
    folder = kept("memit, early stop")
    iterations = json.loads((folder / "run_stats.json").read_text("utf-8"))["iters"]
    assert min(iterations) < max(iterations) == SOON["v_num_grad_steps"]


@pytest.mark.parametrize(
    ("name", "file", "tensor", "quantity", "of"),
    [
        ("memit, early stop", "delta_layer1", "delta", "weight change", "layer 1"),
        ("memit, early stop", "intermediates", "z", "target vectors", "z"),
        ("memit, early stop", "intermediates", "ks_call1", "keys", "layer 1"),
        ("memit, early stop", "intermediates", "cur_zs_call0", "current values", "layer 0"),
        ("alphaedit, two batches, BOS", "chunk_deltas", "chunk1_layer0", "weight change", "layer 0, chunk 1"),
        ("alphaedit, two batches, BOS", "intermediates", "ks_call7", "keys after", "layer 1, chunk 1"),
        ("alphaedit, two batches, BOS", "null_space_P", "P_layer1", "null space", "layer 1"),
        ("rome, sequential, BOS", "float64_reference", "u", "rank one", "u"),
        ("rome, sequential, BOS", "delta_layer1", "delta", "weight change", "layer 1"),
    ],
)
def test_a_spoilt_number_is_found(
    own: Made, name: str, file: str, tensor: str, quantity: str, of: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = own(name)
    loose = name.startswith("rome") or quantity == "null space"
    spoil(folder / f"{file}.safetensors", tensor, 0.1 if loose else 1e-2)
    assert main([str(folder), "--json"]) == 1
    far = {(line["quantity"], line["of"].split(":")[0]) for line in told(capsys)["lines"] if not line["fits"]}
    assert (quantity, of) in far
    assert len(far) <= 2  # ROME's u is also part of its change


@pytest.mark.parametrize(
    ("change", "quantity"),
    [
        (lambda record: record["rewrite_prompts_probs"][0].update(target_new=99.0), "answers"),
        (lambda record: record.update(rewrite_prompts_correct=[not record["rewrite_prompts_correct"][0]]), "scores"),
    ],
)
def test_a_spoilt_answer_is_found(
    own: Made, change: Callable[[Any], None], quantity: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = own("memit, early stop")
    judged = json.loads((folder / "eval.json").read_text("utf-8"))
    change(judged["post"][1])
    (folder / "eval.json").write_text(json.dumps(judged), "utf-8")
    assert main([str(folder), "--json"]) == 1
    far = {(line["quantity"], line["of"]) for line in told(capsys)["lines"] if not line["fits"]}
    assert any(found == quantity and of.startswith("after the edit") for found, of in far)


@pytest.mark.parametrize(("off", "code"), [(1e-2, 0), (0.5, 1)])
def test_what_a_float32_inverse_got_wrong_is_judged_by_the_float64_numbers(
    own: Made, off: float, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = own("rome, sequential, BOS")
    spoil(folder / "intermediates.safetensors", "u", off)
    assert main([str(folder)]) == code
    [line] = [line for line in capsys.readouterr().out.splitlines() if "rank one" in line and " u " in line]
    assert ("TOO FAR" in line) == bool(code)
    assert "from float32" in line
    (folder / "float64_reference.safetensors").unlink()
    assert main([str(folder)]) == code


def test_what_wasn_t_kept_isn_t_judged(own: Made, capsys: pytest.CaptureFixture[str]) -> None:
    folder = own("alphaedit, two batches, BOS")
    path = folder / "intermediates.safetensors"
    save_file({"z": load_file(path)["z"]}, path)
    for name in ("null_space_P.safetensors", "float64_reference.safetensors", "chunk_deltas.safetensors", "eval.json"):
        (folder / name).unlink()
    assert main([str(folder), "--json"]) == 0
    judged = [line["quantity"] for line in told(capsys)["lines"] if line["tolerance"] is not None]
    assert judged == ["target vectors", "target vectors", "weight change", "weight change"]


def test_a_folder_of_cases_is_compared_case_by_case(own: Made, capsys: pytest.CaptureFixture[str]) -> None:
    folder = own("memit, early stop")
    (folder / "delta_layer0.safetensors").unlink()
    (folder.parent / "unrelated").mkdir()
    assert main([str(folder.parent)]) == 2
    assert "delta_layer0.safetensors can't be read" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("settings", "says"), [({"method": "MEND"}, "MEND isn't known"), ({"chunks": [2]}, "aren't the 5 requests")]
)
def test_what_can_t_be_compared_is_said(
    own: Made, settings: dict[str, Any], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = own("memit, early stop")
    path = folder / "hparams.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | settings), "utf-8")
    assert main([str(folder)]) == 2
    assert says in capsys.readouterr().err


def spoil(path: Path, name: str, by: float) -> None:
    """Move one tensor of a file by a share of its length."""
    tensors = load_file(path)
    noise = torch.randn(tensors[name].shape, generator=torch.Generator().manual_seed(0))
    tensors[name] = tensors[name] + by * tensors[name].norm() / noise.norm() * noise
    save_file(tensors, path)
