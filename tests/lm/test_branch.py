"""What the feed-forward matrix has to put out for a block to put out what is wanted."""

from __future__ import annotations

import pytest
import torch

from editview.lm.branch import asked_of_matrix, branch_of, nearest
from editview.lm.forward import hidden_of, hooked, run, stopping_after
from editview.lm.model import LanguageModel, asking
from editview.lm.tokens import encoded_at
from tests.families import FAMILIES, language_model

TEXTS = [("The capital of Peru is", 19), ("Mount Kenya", 5)]
NORMED = {"gemma2", "gemma3", "gemma3-with-eyes", "olmo2", "glm4"}


def put_out(lm: LanguageModel, row: list[int], at: int, added: torch.Tensor) -> torch.Tensor:
    """What block 1 puts out when `added` is added to what its matrix does."""
    seen: list[torch.Tensor] = []

    def add(_: object, __: object, output: torch.Tensor) -> torch.Tensor:
        moved = output.view(1, len(row), -1).clone()
        moved[0, at] += added.to(moved)
        return moved.view_as(output)

    hook = lm.anatomy.mlp_output(lm.model, 1).register_forward_hook(add)
    block = lm.anatomy.block(lm.model, 1)
    with asking(lm), hooked(hook), stopping_after(block, lambda _, output: seen.append(hidden_of(output))):
        run(lm, torch.tensor([row]))
    return seen[0][0, at].double()


@pytest.mark.parametrize("family", FAMILIES)
def test_the_block_puts_out_what_was_wanted(family: str) -> None:
    """A change that the block can make is made; it was found by moving the matrix's output about."""
    lm = language_model(family)
    torch.manual_seed(0)
    rows = encoded_at(lm.tokenizer, TEXTS)
    nothing = torch.zeros(24, dtype=torch.float64)
    before = torch.stack([put_out(lm, row, at, nothing) for row, at in rows])
    added = torch.randn(2, 24).double()
    wanted = torch.stack([put_out(lm, *row, moved) for row, moved in zip(rows, added, strict=True)]) - before
    asked = asked_of_matrix(lm, 1, TEXTS, wanted)
    got = torch.stack([put_out(lm, *row, moved) for row, moved in zip(rows, asked, strict=True)]) - before
    torch.testing.assert_close(got, wanted, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("family", FAMILIES)
def test_plain_branches_are_left_alone(family: str) -> None:
    lm = language_model(family)
    branch = branch_of(lm, 1)
    assert (branch.norm is not None) == (family in NORMED)
    assert branch.factor == pytest.approx(0.22 if family == "granite" else 1, abs=1e-5)
    change = torch.randn(2, 24).double()
    plain = branch.norm is None and branch.factor == 1
    assert (asked_of_matrix(lm, 1, TEXTS, change) is change) == plain


@pytest.mark.parametrize("family", ["llama", "granite", "gemma2"])
def test_rounding_to_sixteen_bits_doesn_t_mislead(family: str) -> None:
    """Not even where the stream is much larger than what the matrix writes, and one coordinate larger still."""
    lm = language_model(family)
    with torch.no_grad():
        lm.embedding.weight.mul_(100)
        lm.embedding.weight[:, 3] *= 100
    lm.model.to(torch.bfloat16)
    branch = branch_of(lm, 1)
    assert (branch.norm is not None) == (family in NORMED)
    assert branch.factor == (pytest.approx(0.22, rel=0.02) if family == "granite" else 1)


def test_no_other_point_of_the_sphere_is_nearer() -> None:
    torch.manual_seed(0)
    gain, wanted = torch.rand(1, 12).double() + 0.1, torch.randn(4, 12).double() * torch.tensor([[0.1], [1], [9], [99]])
    found = nearest(gain, wanted)
    torch.testing.assert_close(found.square().mean(1), torch.ones(4).double())
    for _ in range(200):
        other = found + 0.1 * torch.randn_like(found)
        other = other / other.square().mean(1, keepdim=True).sqrt()
        assert ((gain * other - wanted).norm(dim=1) >= (gain * found - wanted).norm(dim=1) - 1e-9).all()
