"""How much of a change is lost to the number format."""

from __future__ import annotations

import pytest
import torch

from editview.lm.rounding import rounded_away


def test_the_share_that_rounding_takes() -> None:
    before = torch.ones(3000, 2)  # more rows than are looked at at once
    assert rounded_away(before, before.double() + 2**-20, torch.float32) == 0
    assert rounded_away(before, before.double() + 2**-20, torch.bfloat16) == 1  # it is gone
    assert rounded_away(before, before.double() + 0.75 * 2**-7, torch.bfloat16) == pytest.approx(1 / 3)
    assert rounded_away(before, before.double(), torch.bfloat16) == 0


def test_coarser_formats_take_more() -> None:
    torch.manual_seed(0)
    before = torch.randn(40, 30)
    exact = before.double() + 1e-3 * torch.randn(40, 30).double()
    shares = [rounded_away(before, exact, dtype) for dtype in (torch.float32, torch.float16, torch.bfloat16)]
    assert shares == sorted(shares)
    assert shares[0] < 1e-3 < shares[2]
