"""Running only a part of a model gives what running all of it gives."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from editview.lm.forward import alike, head_only_at, hidden_of, padded, resumed_after, run, stopping_after
from editview.lm.model import asking
from tests.families import FAMILIES, language_model

ROWS = [[5, 9, 30, 2], [7, 8], [40, 41, 42, 43, 44, 45]]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_resumed_forward_equals_the_whole_one(family: str) -> None:
    lm = language_model(family)
    ids, _ = padded(ROWS, lm.device)
    kept: list[Any] = []
    ran = []
    with asking(lm):
        whole = run(lm, ids).logits
        with stopping_after(lm.anatomy.block(lm.model, 1), lambda _, output: kept.append(output)):
            run(lm, ids)
        watch = lm.anatomy.mlp_output(lm.model, 0).register_forward_hook(lambda *_: ran.append(0))
        with resumed_after(lm, 1, kept[0]):
            resumed = run(lm, ids).logits
        watch.remove()
        again = run(lm, ids).logits
    assert hidden_of(kept[0]).shape == (3, 6, 24)
    assert ran == []
    torch.testing.assert_close(resumed, whole, rtol=1e-6, atol=1e-5)
    assert torch.equal(again, whole)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_head_at_chosen_positions(family: str) -> None:
    lm = language_model(family)
    ids, _ = padded(ROWS, lm.device)
    rows, columns = torch.tensor([2, 0, 2]), torch.tensor([5, 3, 0])
    with asking(lm):
        whole = run(lm, ids).logits
        with head_only_at(lm, rows, columns):
            some = run(lm, ids).logits
    torch.testing.assert_close(some, whole[rows, columns], rtol=1e-5, atol=1e-5)


def test_stopping_leaves_no_hook_behind_after_an_error() -> None:
    lm = language_model()
    ids, _ = padded(ROWS, lm.device)

    def fail(*_: Any) -> None:
        raise RuntimeError("seen")

    with pytest.raises(RuntimeError, match="seen"), stopping_after(lm.anatomy.block(lm.model, 0), fail):
        run(lm, ids)
    assert run(lm, ids).logits.shape[:2] == ids.shape


def test_alike_keeps_everything_within_its_budget() -> None:
    items = [[0] * n for n in (3, 40, 4, 5, 41, 3, 90)]
    batches = list(alike(items, len, 100))
    assert sorted(len(item) for batch in batches for item in batch) == sorted(map(len, items))
    assert all(len(batch) * max(map(len, batch)) <= 100 for batch in batches)
    assert [[len(item) for item in batch] for batch in batches] == [[3, 3, 4, 5], [40, 41], [90]]
