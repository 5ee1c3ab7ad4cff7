"""Presets are for exactly the models they name."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from editview.domain import places
from editview.domain.checkpoint import CheckpointInfo
from editview.domain.operations import Memit
from editview.domain.plan import Checkpoint
from editview.domain.weights import MatrixKind, TensorInfo
from editview.formats.plans import demo_plan
from editview.formats.presets import preset, suggested


def info(model_type: str, layers: int, width: int, vocabulary: int) -> CheckpointInfo:
    tensors = (TensorInfo("embed", None, MatrixKind.EMBEDDING, (vocabulary, width)),)
    return CheckpointInfo(
        Checkpoint(), "m", "M", 10, 40, "float32", layers, tensors, "CPU", True, None, model_type, width
    )  # fmt: skip


def test_published_settings() -> None:
    gpt2, gptj = suggested(info("gpt2", 48, 1600, 50257)), suggested(info("gptj", 28, 4096, 50400))
    assert (gpt2.layers, gpt2.covariance_weight, gpt2.steps) == ((13, 14, 15, 16, 17), 20_000, 20)
    assert (gptj.layers, gptj.covariance_weight, gptj.steps) == ((3, 4, 5, 6, 7, 8), 15_000, 25)
    llama2, llama3 = suggested(info("llama", 32, 4096, 32000)), suggested(info("llama", 32, 4096, 128256))
    assert llama2.layers == llama3.layers == (4, 5, 6, 7, 8)
    assert (llama2.covariance_weight, llama2.clamp) == (1, 4)
    assert (llama3.covariance_weight, llama3.clamp) == (15_000, 0.75)
    assert (suggested(info("qwen2", 28, 3584, 152064)).layers, suggested(info("llama", 28, 3072, 128256)).clamp) == (
        (4, 5, 6, 7, 8), 4,
    )  # fmt: skip


def test_a_model_known_for_another_method_alone_has_no_preset_for_memit() -> None:
    assert preset("gpt_neox", 44, 6144, 50432) is None


@pytest.mark.parametrize("path", sorted((places.resources() / "presets").glob("*.toml")), ids=lambda path: path.stem)
def test_every_preset_names_layers_that_its_model_has(path: Path) -> None:
    content = tomllib.loads(path.read_text("utf-8"))
    model = content.pop("model")
    assert set(content) <= {"memit", "rome", "alphaedit"}
    for method in content.values():
        assert 0 <= min(method["layers"]) <= max(method["layers"]) < model["layers"]
        shared = {name: value for name, value in method.items() if name in Memit.model_fields}
        Memit.model_validate({"id": "edit"} | shared)
        assert set(method) - set(shared) <= {"threshold", "l2"}


def test_no_model_gets_another_ones_settings() -> None:
    assert preset("gpt2", 24, 1024, 50257) is None
    assert preset("llama", 32, 4096, 151_936) is None
    assert suggested(info("opt", 48, 1600, 50257)).content() == Memit().content()


def test_the_demo_model_alone_has_the_settings_of_its_plan() -> None:
    edit, _ = demo_plan().operations
    assert suggested(info("gpt2", 6, 256, 8192)).content() == edit.content()
    assert preset("gpt2", 6, 256, 50257) is None
