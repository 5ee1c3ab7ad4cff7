"""How many tokens are read when nobody says: until an edit has settled, whatever was asked before."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from editview.domain import places
from editview.domain.progress import silent
from editview.lm.model import fingerprint
from editview.lm.statistics import converge, key_statistics
from editview.lm.statistics.chapters import Measure
from editview.lm.statistics.reading import Reading, Sums
from tests.families import language_model
from tests.lm.statistics.conftest import forwards, words
from tests.lm.statistics.test_reading import elsewhere, same

pytestmark = pytest.mark.usefixtures("short_chapters")


def sums_of(keys: torch.Tensor) -> Sums:
    """Of keys [tokens, inputs]."""
    products = (keys.T @ keys).float()
    return Sums(products, float(keys.square().sum(1).square().sum()), len(keys), (0, 0))


def test_an_edit_s_loss_beyond_the_least_is_what_doubling_tells() -> None:
    draw = torch.Generator().manual_seed(0)
    keys = torch.randn(5, 12, generator=draw, dtype=torch.float64)
    few, many = (torch.cat([keys, torch.randn(n, 12, generator=draw, dtype=torch.float64)]) for n in (40, 80))
    weight = 2.5

    def loss(solved: torch.Tensor) -> float:
        covariance = many[5:].T @ many[5:] / 80
        written = keys @ solved - torch.eye(5)
        return weight * float(torch.trace(solved.T @ covariance @ solved)) + float(written.square().sum())

    first, second = (converge.probe_edit(sums_of(seen), keys.T, weight) for seen in (few, many))
    found = second.doubling(85, first.solved)
    least = loss(second.solved)
    assert 5 - second.gained == pytest.approx(least, rel=1e-5)
    assert found.worse == pytest.approx((loss(first.solved) - least) / min(least, 5 - least), rel=1e-4)
    assert found.worse > 0
    for _ in range(5):  # nothing beside it is better
        beside = second.solved + 0.01 * torch.randn(12, 5, generator=draw, dtype=torch.float64)
        assert loss(beside) > loss(second.solved)


def test_it_stops_at_the_first_doubling_that_changes_little() -> None:
    lm = language_model()
    found = key_statistics(lm, (0, 2), words(2000), None, silent, weight=1.0)
    for one in found.values():
        assert one.converged is True
        assert one.remark == ""
        assert one.curve[-1].worse < converge.SETTLED <= min(point.worse for point in one.curve[:-1])
        assert [point.tokens // 256 for point in one.curve] == [2 ** (n + 1) for n in range(len(one.curve))]
        assert one.tokens == one.curve[-1].tokens


def test_another_weight_is_measured_on_what_was_read() -> None:
    lm, text = language_model(), words(2000)
    with forwards(lm) as count:
        converge.probe_keys(lm, text, (1,))
        probing = count()
        first = key_statistics(lm, (1,), text, None, silent, weight=1.0)
        read = count()
        again = key_statistics(lm, (1,), text, None, silent, weight=1.1)
        assert count() - read == probing
        assert again[1].curve != first[1].curve
        assert same(key_statistics(lm, (1,), text, None, silent, weight=1.0), first)
        assert count() - read == probing


def test_what_was_asked_before_decides_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lm, text = language_model(), words(2000)
    elsewhere(monkeypatch, home, "fresh")
    fresh = key_statistics(lm, (0, 2), text, None, silent, weight=5.0)
    elsewhere(monkeypatch, home, "used")
    key_statistics(lm, (0,), text, 3000, silent)
    key_statistics(lm, (2,), text, None, silent, weight=50.0)
    key_statistics(lm, (0, 1, 2), text, None, silent, weight=5.0)
    with forwards(lm) as count:
        assert same(key_statistics(lm, (0, 2), text, None, silent, weight=5.0), fresh)
        assert count() == 0


def test_a_text_that_ends_too_early_is_said() -> None:
    found = key_statistics(language_model(), (1,), words(60), None, silent, weight=1e4)[1]
    assert found.converged is False
    assert f"hadn't settled after {found.tokens:,} tokens: the last doubling" in found.remark


def test_there_is_an_end_to_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(converge, "FURTHEST", 5)
    monkeypatch.setattr(converge, "SETTLED", 1e-9)
    found = key_statistics(language_model(), (1,), words(2000), None, silent)[1]
    assert found.tokens // 256 == 5
    assert found.converged is False
    assert [point.tokens // 256 for point in found.curve] == [2, 4]


def test_evicted_sums_are_read_again() -> None:
    lm, text = language_model(), words(300)
    first = key_statistics(lm, (1,), text, None, silent)
    for path in places.statistics().iterdir():
        if "settled" not in path.name:
            path.unlink()
    assert same(key_statistics(lm, (1,), text, None, silent), first)


def test_probes_are_the_text_s_own_keys() -> None:
    lm, text = language_model(), words(300)
    keys = converge.probe_keys(lm, text, (0, 2))
    assert {layer: tuple(found.shape) for layer, found in keys.items()} == dict.fromkeys((0, 2), (96, converge.PROBES))
    state = fingerprint(lm.model, lm.tokenizer)
    reading = Reading(lm, state, text, None, 1, silent)
    sums = reading.up_to((0, 2), 1)
    for layer, found in keys.items():  # their share is in the sums: without it nothing negative is left
        products = sums[layer].covariance().double() * sums[layer].tokens
        assert torch.linalg.eigvalsh(products - found @ found.T).min() > -1e-4 * products.diagonal().mean()


def test_marks_double_from_as_many_tokens_as_dimensions() -> None:
    assert converge.marks(Measure(2, 200)) == [2, 4, 8, 16, 32, 64, 128, 200]
    assert Measure.for_inputs(96) == Measure(1, 256)
    assert Measure.for_inputs(1000) == Measure(4, 250)
