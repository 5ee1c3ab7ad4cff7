"""What is said of the difference between two checkpoints."""

from __future__ import annotations

import pytest

from editview.domain.difference import Difference, TensorDifference, headline, remarks
from editview.domain.plan import Checkpoint
from editview.domain.weights import MatrixKind

HERE = Checkpoint()


def tensor(name: str, change: float, **more: object) -> TensorDifference:
    settings = {
        "layer": 0, "kind": MatrixKind.MLP_OUT, "shape": (2, 2), "formats": ("F32", "F32"), "same": change == 0,
        "rounding": False, "norm_before": 10.0, "norm_change": change,
    } | more  # fmt: skip
    return TensorDifference(name, **settings)  # type: ignore[arg-type]


def test_equal_weights() -> None:
    assert headline(Difference(HERE, HERE, (tensor("a", 0.0),))) == "The weights are the same, bit for bit."
    rounded = tensor("a", 0.01, same=False, rounding=True, formats=("F32", "BF16"))
    found = Difference(HERE, HERE, (rounded,))
    assert headline(found) == "The weights are the same; only their number format differs."
    assert remarks(found) == ("The first keeps weights as F32 that the second keeps as BF16.",)


def test_where_most_of_the_change_lies_is_told() -> None:
    changed = (tensor("a", 3.0), tensor("b", 3.0, layer=1), tensor("c", 1.0, kind=MatrixKind.ATTENTION_IN, layer=4))
    found = Difference(HERE, HERE, (*changed, tensor("d", 0.0)))
    assert headline(found) == (
        "3 of 4 tensors changed, by 25 % of their own length; 95 % of the change lies in *memory: writing* of "
        "layers 1 and 2."
    )
    assert sum(found.share(each) for each in found.tensors) == pytest.approx(1)


def test_what_only_one_has_is_told_and_so_are_numbers_gone_astray() -> None:
    broken = tensor("x", float("nan"), same=False)
    found = Difference(HERE, HERE, (broken,), ("a", "b", "c", "d", "e"), ())
    said = " ".join(remarks(found))
    assert "Only the first has 'a', 'b', 'c' and 2 more" in said
    assert "aren't finite, 'x' first" in said
