"""Packed examples: rows are filled, and what a model learns of each example is what it learns of it alone."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from editview.domain.errors import EditViewError
from editview.domain.examples import Example
from editview.domain.operations import FullFineTune
from editview.tuning.batches import IGNORED, Row, Rows, batch
from editview.tuning.fine_tune import fine_tune
from editview.tuning.packing import Packed, packed_batch, refuse_unless_apart
from tests import families
from tests.tuning.models import gpt2, same, weights

ROWS = [
    Row([5, 9, 33, 20, 7], 2),
    Row([8, 30, 31], 0),
    Row([40, 41, 5, 6, 9, 12, 60], 4),
    Row([2, 17, 80, 3], 1),
]


def rows(*lengths: int) -> Rows:
    made = Rows()
    for length in lengths:
        made.append(Row([length] * length, 0))
    return made


@given(st.lists(st.integers(1, 20), min_size=1, max_size=60))
def test_every_row_is_in_one_pack_and_no_pack_is_too_long(lengths: list[int]) -> None:
    packed = Packed(rows(*lengths), 20)
    assert sorted(at for pack in packed.packs for at in pack) == list(range(len(lengths)))
    assert all(sum(len(row.tokens) for row in pack) <= 20 for pack in packed)
    assert len(packed) <= 2 * -(-sum(lengths) // 20)  # any two packs could not have been one


def test_rows_that_complete_each_other_share_a_pack() -> None:
    packed = Packed(rows(3, 12, 9, 8, 4, 12), 16)
    assert [[len(row.tokens) for row in pack] for pack in packed] == [[3, 12], [12, 4], [9], [8]]


def losses(model: torch.nn.Module, made: dict[str, torch.Tensor]) -> list[float]:
    """Of each learnt token, in order."""
    labels = made.pop("labels")[:, 1:]
    logits = model(**made, use_cache=False).logits[:, :-1].float()
    each = torch.nn.functional.cross_entropy(logits.transpose(1, 2), labels, ignore_index=IGNORED, reduction="none")
    return each[labels != IGNORED].tolist()


@pytest.mark.parametrize("family", ["gpt2", "gptj", "gpt-neox", "llama", "mistral", "qwen3", "gemma2", "gemma3", "phi"])
def test_an_examples_loss_is_the_same_packed_or_alone(family: str) -> None:
    model = families.language_model(family).model
    refuse_unless_apart(model)
    with torch.no_grad():
        alone = [loss for row in ROWS for loss in losses(model, batch([row], 0))]
        packed = losses(model, packed_batch([ROWS[:3], ROWS[3:]], 0))
    assert packed == pytest.approx(alone, rel=1e-4, abs=1e-5)


def test_a_model_that_mixes_packed_examples_is_refused() -> None:
    with pytest.raises(EditViewError, match="Switch off 'Pack short examples'"):
        refuse_unless_apart(families.language_model("opt").model)


def test_training_packed_is_training_on_all_of_a_row_at_once() -> None:
    settings = {"steps": 3, "learning_rate": 1e-3, "max_length": 64, "schedule": "constant"}
    texts = [Example("short"), Example("a longer one", "said: "), Example("the third of them")]
    packed, apart = gpt2(), gpt2()
    for lm in (packed, apart):
        lm.model.config.resid_pdrop = 0.0
        for module in lm.model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
            if hasattr(module, "attn_dropout"):
                module.attn_dropout.p = 0.0
    before = weights(packed)
    fine_tune(packed, FullFineTune(**settings, batch_size=1, packing=True), texts, seed=0)
    fine_tune(apart, FullFineTune(**settings, batch_size=3), texts, seed=0)
    assert not same(before, weights(packed))
    for name, weight in weights(apart).items():
        torch.testing.assert_close(weights(packed)[name], weight, rtol=1e-3, atol=2e-5, msg=name)
