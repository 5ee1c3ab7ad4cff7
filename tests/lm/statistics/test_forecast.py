"""What a reading would take, before anything is opened."""

from __future__ import annotations

import pytest

from editview.domain.checkpoint import CheckpointInfo
from editview.domain.plan import Checkpoint
from editview.domain.progress import silent
from editview.domain.texts import Text
from editview.lm.statistics import key_statistics, reading_forecast
from tests.families import language_model
from tests.lm.statistics.conftest import words


def info(family: str) -> CheckpointInfo:
    lm = language_model(family)
    tensors = lm.anatomy.tensors
    return CheckpointInfo(
        checkpoint=Checkpoint(), name="", architecture="", parameters=0, bytes=0, dtype="float32", layers=3,
        tensors=tensors, device="CPU", fits=True, not_editable=None, model_type="", width=24,
    )  # fmt: skip


@pytest.mark.parametrize("family", ["gpt2", "llama", "gpt2-square"])
def test_no_fewer_tokens_are_said_than_are_read(family: str) -> None:
    text = words(60)
    read = key_statistics(language_model(family), (0,), text, None, silent, weight=1e9)[0].tokens
    assert read <= reading_forecast(info(family), (0,), text, None).tokens < 3 * read
    assert reading_forecast(info(family), (0,), text, 500).tokens == 500


def test_there_is_an_end_to_what_is_read() -> None:
    text = Text("long", ["word " * 100] * 10_000, "long")
    assert reading_forecast(info("gpt2"), (0,), text, None).tokens == 100 * 2048


def test_each_layer_takes_its_square_and_only_layers_below_count() -> None:
    one, two = (reading_forecast(info("gpt2"), layers, words(60), 500) for layers in ((0,), (0, 2)))
    inputs = 96
    assert two.memory - one.memory == 8 * inputs**2
    assert two.disk == 2 * one.disk == 2 * inputs**2 * (4 + 4 + 8)
    assert two.work == pytest.approx(3 * one.work)
