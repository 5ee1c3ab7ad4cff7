"""Presets are for exactly the models they name."""

from __future__ import annotations

import tomllib

from editview.domain import places
from editview.domain.checkpoint import CheckpointInfo
from editview.domain.operations import METHODS, ConstrainedFineTune, LocalFineTune, Memit, UltraEdit
from editview.domain.plan import Checkpoint
from editview.domain.weights import MatrixKind, TensorInfo
from editview.formats.plans import demo_plan
from editview.formats.presets import preset, preset_for, presets_for


def info(model_type: str, layers: int, width: int, vocabulary: int) -> CheckpointInfo:
    tensors = (TensorInfo("embed", None, MatrixKind.EMBEDDING, (vocabulary, width)),)
    return CheckpointInfo(
        Checkpoint(), "m", "M", 10, 40, "float32", layers, tensors, "CPU", True, None, model_type, width
    )  # fmt: skip


def suggested_for(checkpoint: CheckpointInfo) -> Memit:
    found = preset_for(Memit, checkpoint)
    assert found is not None
    return found


def test_published_settings() -> None:
    gpt2, gptj = suggested_for(info("gpt2", 48, 1600, 50257)), suggested_for(info("gptj", 28, 4096, 50400))
    assert (gpt2.layers, gpt2.covariance_weight, gpt2.steps) == ((13, 14, 15, 16, 17), 20_000, 20)
    assert (gptj.layers, gptj.covariance_weight, gptj.steps) == ((3, 4, 5, 6, 7, 8), 15_000, 25)
    llama2, llama3 = suggested_for(info("llama", 32, 4096, 32000)), suggested_for(info("llama", 32, 4096, 128256))
    assert llama2.layers == llama3.layers == (4, 5, 6, 7, 8)
    assert (llama2.covariance_weight, llama2.clamp) == (1, 4)
    assert (llama3.covariance_weight, llama3.clamp) == (15_000, 0.75)


def test_published_settings_of_other_methods() -> None:
    assert preset(ConstrainedFineTune, "gpt2", 48, 1600, 50257).limit == 5e-4
    assert preset(ConstrainedFineTune, "gptj", 28, 4096, 50400).limit == 5e-5
    assert preset(LocalFineTune, "llama", 32, 4096, 128_256).layers == (22,)
    assert preset(LocalFineTune, "llama", 32, 4096, 32_000) is None
    assert preset(UltraEdit, "mistral", 32, 4096, 32_768).layers == (29, 30)


def test_every_section_is_some_method_s() -> None:
    methods = {method.model_fields["method"].default: method for method in METHODS}
    for path in (places.resources() / "presets").glob("*.toml"):
        content = tomllib.loads(path.read_text("utf-8"))
        model = content.pop("model")
        for name, settings in content.items():
            assert methods[name](**settings).layers, path
            assert max(settings["layers"]) < model["layers"], path


def test_no_model_gets_another_ones_settings() -> None:
    assert preset(Memit, "gpt2", 24, 1024, 50257) is None
    assert preset(Memit, "llama", 32, 4096, 151_936) is None
    assert presets_for(info("opt", 48, 1600, 50257)) == ()


def test_the_demo_model_alone_has_the_settings_of_its_plan() -> None:
    edit, _ = demo_plan().operations
    assert suggested_for(info("gpt2", 6, 256, 8192)).content() == edit.content()
    assert preset(Memit, "gpt2", 6, 256, 50257) is None
