"""Taking out what stands out: what was planted goes, and nothing else does."""

from __future__ import annotations

import pytest
import torch

from editview.domain.errors import Cancelled, EditViewError
from editview.domain.operations import Reverse
from editview.domain.progress import silent
from editview.edits.reversing import reverse, without
from editview.lm.standing_out import memory, top
from tests.families import language_model
from tests.lm.test_standing_out import planted


def test_what_was_planted_goes_and_the_rest_stays() -> None:
    lm = language_model()
    before = planted(lm, 1, 2, size=20)
    others = {name: weight.clone() for name, weight in lm.weights().items() if "h.1.mlp.c_proj" not in name}
    outcome = reverse(lm, Reverse(), silent)
    assert outcome.notes == ("Directions taken out: 2 in layer 2.",)
    assert float((memory(lm, 1) - before).norm() / before.norm()) < 0.5  # it was moved by many times its length
    assert all(torch.equal(weight, others[name]) for name, weight in lm.weights().items() if name in others)


def test_nothing_is_done_where_nothing_stands_out() -> None:
    lm = language_model()
    before = lm.current_fingerprint()
    for operation in (Reverse(), Reverse(layers=(1,))):
        outcome = reverse(lm, operation, silent)
        assert outcome.nothing_to_write
        assert "stands out" in outcome.notes[0]
    assert lm.current_fingerprint() == before


def test_layers_and_directions_can_be_given() -> None:
    lm = language_model("llama")
    wanted = memory(lm, 2) - top(memory(lm, 2), 3).whole
    reverse(lm, Reverse(layers=(2,), directions=3), silent)
    torch.testing.assert_close(memory(lm, 2), wanted, rtol=1e-4, atol=1e-5)
    with pytest.raises(EditViewError, match="layers 1 to 3, in a plan file 0 to 2"):
        reverse(lm, Reverse(layers=(3,), directions=1), silent)
    with pytest.raises(EditViewError, match="nothing of it"):
        reverse(lm, Reverse(layers=(2,), directions=24), silent)


def test_stopped_in_the_middle_it_has_changed_nothing() -> None:
    lm = language_model()
    before = lm.current_fingerprint()

    def stop(done: int, total: int, what: str) -> None:
        if what.startswith("Taking") and done == 1:
            raise Cancelled

    with pytest.raises(Cancelled):
        reverse(lm, Reverse(layers=(0, 1), directions=1), stop)
    assert lm.current_fingerprint() == before


def test_a_part_that_is_left_out_for_a_while_is_back_bit_for_bit() -> None:
    lm = language_model()
    before = lm.current_fingerprint()
    with without(lm, {0: top(memory(lm, 0), 2).whole}):
        assert lm.current_fingerprint() != before
    assert lm.current_fingerprint() == before
