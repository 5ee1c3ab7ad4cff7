"""Shrinkage where there are few tokens, Cholesky factors and eigenvectors."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import Tensor

from editview.domain import places
from editview.domain.errors import EditViewError
from editview.domain.progress import silent
from editview.domain.texts import Text
from editview.lm.statistics import key_statistics
from editview.lm.statistics.key_statistics import LEAST_SHRINKAGE, KeyStatistics, key_statistics_of
from editview.lm.statistics.solving import factored
from tests.families import language_model
from tests.lm.statistics.conftest import words
from tests.lm.statistics.test_converge import sums_of


def random(tokens: int, inputs: int = 30) -> Tensor:
    """Keys that aren't alike in all directions [tokens, inputs]."""
    draw = torch.Generator().manual_seed(1)
    return torch.randn(tokens, inputs, generator=draw, dtype=torch.float64) * torch.linspace(0.1, 3, inputs)


def statistics(covariance: Tensor, name: str = "made") -> KeyStatistics:
    return KeyStatistics(covariance.float(), 1000, None, 0.0, (), name)


def test_few_tokens_are_evened_out_as_ledoit_and_wolf_say() -> None:
    keys = random(12)
    found = key_statistics_of(sums_of(keys))
    plain = keys.T @ keys / 12
    mean = torch.eye(30, dtype=torch.float64) * plain.diagonal().mean()
    noise = sum(float((torch.outer(key, key) - plain).square().sum()) for key in keys) / 12**2
    expected = noise / float((plain - mean).square().sum())
    assert 0.05 < expected < 0.95
    assert found.regularised
    assert found.shrinkage == pytest.approx(expected, rel=1e-5)
    torch.testing.assert_close(found.covariance, ((1 - expected) * plain + expected * mean).float())
    assert "only 12 tokens for 30 dimensions" in found.remark
    assert found.factored().jitter == 0


def test_enough_tokens_are_taken_as_they_are() -> None:
    keys = random(31)
    found = key_statistics_of(sums_of(keys))
    assert not found.regularised
    torch.testing.assert_close(found.covariance, (keys.T @ keys / 31).float())


def test_one_key_over_and_over_isn_t_taken_for_certainty() -> None:
    found = key_statistics_of(sums_of(random(1).repeat(20, 1)))
    assert found.shrinkage == pytest.approx(LEAST_SHRINKAGE)
    assert torch.isfinite(found.factor()).all()


@pytest.mark.parametrize("tokens", [500, None])
def test_a_text_of_a_few_words_works_and_is_said(tokens: int | None) -> None:
    found = key_statistics(
        language_model(), (0,), Text("few", ["The capital of France is Paris."], "few"), tokens, silent
    )
    assert found[0].regularised
    assert found[0].converged is (None if tokens else False)
    assert "A longer text" in found[0].remark
    found[0].factor()


def test_the_factor_serves_any_weight_and_is_kept() -> None:
    [found] = key_statistics(language_model(), (1,), words(60), 1000, silent).values()
    lower = found.factor()
    assert lower.dtype == torch.float64
    assert torch.equal(lower, lower.tril())
    torch.testing.assert_close(lower @ lower.T, found.covariance.double(), rtol=1e-9, atol=1e-12)
    right = torch.randn(96, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    for weight in (0.1, 15000.0):
        exact = torch.linalg.solve(weight * found.covariance.double(), right)
        torch.testing.assert_close(torch.cholesky_solve(right, lower) / weight, exact, rtol=1e-5, atol=1e-12)
    other = dataclasses.replace(found, covariance=torch.eye(96))  # so that computing it again would be seen
    assert torch.equal(other.factor(), lower)
    assert len(list(places.statistics().glob("*-factor*"))) == 1


def test_what_isn_t_positive_definite_gets_the_least_that_makes_it_so() -> None:
    keys = random(10)
    covariance = keys.T @ keys / 10
    found = statistics(covariance).factored()
    assert found.jitter > 0
    torch.testing.assert_close(
        found.lower @ found.lower.T, covariance.float().double() + found.jitter * torch.eye(30), rtol=1e-9, atol=1e-12
    )
    less = covariance.float().double() + found.jitter / 10 * torch.eye(30)
    assert torch.linalg.cholesky_ex(less).info != 0
    assert statistics(covariance).factored().jitter == found.jitter  # from the disk


@pytest.mark.parametrize("content", [0.0, float("nan"), float("inf")])
def test_nothing_makes_these_solvable(content: float) -> None:
    with pytest.raises(EditViewError, match="zero or not finite"):
        factored(torch.full((4, 4), content, dtype=torch.float64))


def test_eigenvectors_ascending_and_kept() -> None:
    keys = random(200)
    found = statistics(keys.T @ keys / 200)
    eigen = found.eigen()
    assert torch.equal(eigen.values, eigen.values.sort().values)
    torch.testing.assert_close(
        eigen.vectors @ torch.diag(eigen.values) @ eigen.vectors.T, found.covariance.double(), rtol=1e-9, atol=1e-12
    )
    torch.testing.assert_close(eigen.vectors.T @ eigen.vectors, torch.eye(30, dtype=torch.float64))
    other = dataclasses.replace(found, covariance=torch.eye(30)).eigen()
    assert torch.equal(other.values, eigen.values)
    assert torch.equal(other.vectors, eigen.vectors)
