"""What is read from the singular values of a change."""

from __future__ import annotations

import pytest

from editview.domain.change_spectrum import ChangeSpectrum


def test_directions_that_stand_out_of_rounding_are_counted() -> None:
    few = ChangeSpectrum((3.0, 3.0, 0.1, 0.1), 4, 18.02**0.5, rounding=0.2)
    assert (few.rank, few.rank_is_known, few.is_thin) == (2, True, True)
    assert few.effective_rank == pytest.approx(2)
    assert few.held == pytest.approx(18 / 18.02)
    assert not ChangeSpectrum((3.0, 3.0, 3.0, 0.1), 4, 27.01**0.5, rounding=0.2).is_thin


def test_leading_values_alone_bound_the_effective_rank() -> None:
    leading = ChangeSpectrum((1.0, 1.0), directions=16, norm=4.0, rounding=0.1)
    assert not leading.rank_is_known
    assert not leading.is_thin
    assert leading.effective_rank == pytest.approx(16)
    assert ChangeSpectrum((0.1,), 1, 0.1, rounding=0.2).effective_rank == 0
