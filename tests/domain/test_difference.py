"""What is said of the difference between two checkpoints."""

from __future__ import annotations

from dataclasses import replace

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


def test_what_only_one_has_is_told() -> None:
    found = Difference(HERE, HERE, (tensor("x", 0.0),), ("a", "b", "c", "d", "e"), ("f",))
    assert headline(found) == (
        "What both have is the same, bit for bit, but the second lacks 5 tensors of the first, or has them in another "
        "shape; the first lacks one tensor of the second, or has it in another shape."
    )
    assert "Only the first has 'a', 'b', 'c' and 2 more" in " ".join(remarks(found))
    assert not found.equal


def test_other_row_counts_are_not_the_same() -> None:
    words = [tensor(name, 0.0, kind=MatrixKind.EMBEDDING, rows=(90, 97)) for name in ("wte", "lm_head")]
    found = Difference(HERE, HERE, (*words, tensor("wpe", 0.0, rows=(4, 3)), tensor("a", 0.0)))
    assert not found.equal
    assert headline(found) == (
        "What both have is the same, bit for bit, but the second has room for 7 more words; the second has room for 1 "
        "fewer position."
    )
    changed = Difference(HERE, HERE, (words[0], tensor("a", 1.0)))
    assert headline(changed).endswith("*memory: writing* of layer 1. Besides, the second has room for 7 more words.")
    rounded = tensor("wte", 0.01, rows=(90, 97), same=False, rounding=True, formats=("F32", "BF16"))
    assert headline(Difference(HERE, HERE, (rounded,))).startswith("What both have is the same; only the number format")


def test_settings_and_tokenizers_are_told_with_equal_weights() -> None:
    settings = tuple(f"setting_{at} is 1 in the first and 2 in the second" for at in range(4))
    found = Difference(HERE, HERE, (tensor("a", 0.0),), settings=settings, tokenizer=("2 of 9 tokens have moved",))
    assert not found.equal
    assert headline(found) == (
        "The weights are the same, bit for bit, but the two may answer differently: "
        f"{'; '.join(settings[:3])}; 2 more such differences."
    )
    assert remarks(replace(found, tokenizer=(), settings=settings[:3])) == ()
    assert remarks(found)[3:] == (f"In config.json {settings[3]}.", "2 of 9 tokens have moved.")
    resized = replace(found, tensors=(tensor("wte", 0.0, rows=(1, 2)),), settings=())
    assert remarks(resized)[0] == "2 of 9 tokens have moved."  # no other sentence says which
    changed = Difference(HERE, HERE, (tensor("a", 1.0),), settings=settings[:1])
    assert headline(changed).endswith(f"Besides, {settings[0]}.")


def test_values_that_are_no_numbers_have_no_share_in_what_was_measured() -> None:
    broken = tensor("x", 100.0, same=False, not_numbers=(0, 2))
    found = Difference(HERE, HERE, (broken, tensor("a", 1.0, layer=3)))
    assert (found.total, found.share(broken), found.measured) == (1.0, 0.0, found.tensors[1:])
    assert headline(found) == (
        "2 of 2 tensors changed, by 10 % of their own length; 100 % of the change lies in *memory: writing* of layer "
        "4. Besides, 'x' holds values that are no numbers (NaN or infinite), 2 in the second."
    )
    in_both = [tensor(name, 0.0, not_numbers=(1, 1)) for name in "xy"]
    assert headline(Difference(HERE, HERE, tuple(in_both))) == (
        "The weights are the same, bit for bit, but 'x' and 1 more hold values that are no numbers (NaN or infinite), "
        "2 in the first and 2 in the second."
    )
