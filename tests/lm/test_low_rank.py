"""Changes of low rank are found as such, in every number format, and others aren't taken for one."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from editview.lm.low_rank import low_rank, steps

CPU = torch.device("cpu")
DTYPES = (torch.float32, torch.bfloat16, torch.float16)


def matrix(dtype: torch.dtype = torch.float32) -> Tensor:
    return (torch.randn(96, 160, generator=torch.Generator().manual_seed(1)) * 0.05).to(dtype)


def change(rank: int, size: float = 2e-3) -> Tensor:
    """Of a rank, in float64."""
    chance = torch.Generator().manual_seed(2)
    up, down = (torch.randn(*shape, generator=chance, dtype=torch.float64) for shape in ((96, rank), (rank, 160)))
    return size * up @ down


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("rank", [1, 5, 24])
def test_the_rank_is_found_and_what_is_left_is_rounding(dtype: torch.dtype, rank: int) -> None:
    base, added = matrix(dtype), change(rank)
    wanted = (base.double() + added).to(dtype)
    found = low_rank(base, wanted, CPU)
    assert found is not None
    assert found.rank == rank
    ours, own = (float((tensor.double() - base.double() - added).norm()) for tensor in (found.merged(), wanted))
    assert ours < 1.5 * own  # as true to what was added as the rounded matrix itself


def test_a_change_in_all_directions_is_none() -> None:
    base = matrix()
    assert low_rank(base, base + 0.01 * torch.randn(96, 160, generator=torch.Generator().manual_seed(3)), CPU) is None


def test_single_weights_here_and_there_are_none() -> None:
    base = matrix(torch.bfloat16)
    wanted = base.clone()
    wanted.diagonal().mul_(1.25)
    assert low_rank(base, wanted, CPU) is None


def test_a_weight_that_is_off_by_more_than_rounding_is_noticed() -> None:
    base = matrix()
    found = low_rank(base, (base.double() + change(3)).float(), CPU)
    assert found is not None
    merged = found.merged()
    assert found.is_exact(merged)
    merged[4, 4] += 1e-4
    assert not found.is_exact(merged)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_steps_lead_to_the_next_number(dtype: torch.dtype) -> None:
    weights = torch.tensor([1.0, 1.5, -0.75, 3e-3, 500.0]).to(dtype)
    following = torch.nextafter(weights, weights.sign() * torch.inf)
    assert torch.equal(steps(weights.double(), dtype), (following.double() - weights.double()).abs())
