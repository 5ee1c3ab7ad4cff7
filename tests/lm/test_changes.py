"""What changed in the weights, to the bit, and how much."""

from __future__ import annotations

import pytest
import torch

from editview.domain.errors import EditViewError
from editview.domain.weights import MatrixKind
from editview.lm.changes import differing, tensor_changes
from tests.families import language_model


def test_a_change_is_named_and_measured() -> None:
    lm = language_model("llama")
    before = {name: tensor.clone() for name, tensor in lm.weights().items()}
    name = "model.layers.1.mlp.down_proj.weight"
    with torch.no_grad():
        lm.model.get_parameter(name).mul_(1.5)
    [change] = tensor_changes(before, lm.weights(), lm.anatomy)
    assert (change.name, change.layer, change.kind, change.shape) == (name, 1, MatrixKind.MLP_OUT, (24, 40))
    assert change.norm_before == pytest.approx(float(before[name].double().norm()))
    assert change.relative == pytest.approx(0.5)


def test_the_smallest_change_counts() -> None:
    one = {"w": torch.tensor([1.0, 0.0])}
    assert differing(one, {"w": torch.tensor([1.0, -0.0])}) == ("w",)
    assert differing(one, {"w": torch.nextafter(one["w"], torch.tensor(2.0))}) == ("w",)
    assert differing(one, {"w": one["w"].clone()}) == ()
    assert differing({"w": torch.tensor(1.0, dtype=torch.bfloat16)}, {"w": torch.tensor(1.0)}) == ("w",)


def test_what_stayed_as_it_was_is_no_change() -> None:
    lm = language_model()
    assert tensor_changes(lm.weights(), lm.weights(), lm.anatomy) == ()


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_are_none_are_an_error(value: float) -> None:
    lm = language_model()
    before = {name: tensor.clone() for name, tensor in lm.weights().items()}
    with torch.no_grad():
        lm.model.get_parameter("transformer.h.0.mlp.c_fc.weight")[0, 0] = value
    with pytest.raises(EditViewError, match="aren't numbers") as caught:
        tensor_changes(before, lm.weights(), lm.anatomy)
    assert "transformer.h.0.mlp.c_fc.weight" in caught.value.details
