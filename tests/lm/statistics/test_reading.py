"""Covariances of keys: what they are, that a reading may stop anywhere, and that no weights get another's."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from editview.domain import places
from editview.domain.errors import Cancelled, EditViewError
from editview.domain.progress import Progress, silent
from editview.domain.texts import Text
from editview.lm.model import LanguageModel
from editview.lm.statistics import KeyStatistics, converge, keep, key_statistics, reading
from editview.lm.statistics.converge import probe_keys
from editview.lm.tokens import encode
from tests.families import FAMILIES, language_model
from tests.lm.statistics.conftest import forwards, words


def plain(lm: LanguageModel, text: Text, layer: int, tokens: int) -> Tensor:
    """Passage by passage, without padding, in float64."""
    seen: list[Tensor] = []
    hook = lm.anatomy.mlp_output(lm.model, layer).register_forward_pre_hook(
        lambda _, given: seen.append(given[0].flatten(0, -2))
    )
    left = tokens
    with torch.no_grad():
        for line in text.lines:
            ids = encode(lm.tokenizer, line)[:left] if line.strip() else []
            for start in range(0, len(ids), lm.longest):
                lm.model(input_ids=torch.tensor([ids[start : start + lm.longest]]))
            left -= len(ids)
    hook.remove()
    keys = torch.cat(seen).double()
    return keys.T @ keys / len(keys)


def stopping_at(number: int, error: type[Exception] = Cancelled) -> Progress:
    calls = itertools.count(1)

    def progress(done: int, total: int, what: str) -> None:
        if next(calls) == number:
            raise error

    return progress


def same(first: dict[int, KeyStatistics], second: dict[int, KeyStatistics]) -> bool:
    """Bit for bit."""
    return first.keys() == second.keys() and all(
        torch.equal(first[layer].covariance, second[layer].covariance)
        and (first[layer].tokens, first[layer].curve) == (second[layer].tokens, second[layer].curve)
        for layer in first
    )


def elsewhere(monkeypatch: pytest.MonkeyPatch, home: Path, name: str) -> None:
    monkeypatch.setenv("EDITVIEW_HOME", str(home / name))


@pytest.mark.parametrize("family", FAMILIES)
def test_the_mean_over_real_tokens(family: str) -> None:
    lm, text = language_model(family, bos=True), words(40)
    text = Text(text.name, [*list(text.lines)[:3], " ", "", " ".join(text.lines)], "with blank lines and a long one")
    found = key_statistics(lm, (2, 0), text, 600, silent)
    assert list(found) == [0, 2]
    for layer in (0, 2):
        expected = plain(lm, text, layer, 600)
        assert found[layer].tokens == 600
        assert found[layer].covariance.dtype == torch.float32
        assert float((found[layer].covariance.double() - expected).norm() / expected.norm()) < 1e-5
        assert found[layer].converged is None
        assert found[layer].remark == ""


@pytest.mark.usefixtures("short_chapters")
@pytest.mark.parametrize("tokens", [1900, None])
@pytest.mark.parametrize("stop", [2, 3, 11, 20, 24])
def test_stopped_anywhere_it_goes_on_as_if_it_never_had(
    tokens: int | None, stop: int, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lm, text = language_model(), words(100)
    monkeypatch.setattr(converge, "SETTLED", 0.01)  # far enough to be stopped on the way
    elsewhere(monkeypatch, home, "whole")
    with forwards(lm) as count:
        whole = key_statistics(lm, (0, 2), text, tokens, silent)
    all_of_it = count()
    with forwards(lm) as count:
        probe_keys(lm, text, (0, 2))
    a_chapter = count()
    elsewhere(monkeypatch, home, "stopped")
    with forwards(lm) as count, pytest.raises(Cancelled):
        key_statistics(lm, (0, 2), text, tokens, stopping_at(stop))
    before = count()
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in lm.model.modules())
    with forwards(lm) as count:
        assert same(key_statistics(lm, (0, 2), text, tokens, silent), whole)
    assert count() <= all_of_it - before + a_chapter  # the probes, or a last chapter that was cut, again
    assert not list(places.statistics().glob("*-going*"))


@pytest.mark.usefixtures("short_chapters")
def test_stopped_again_and_again_with_other_layers_and_lengths(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lm, text = language_model(), words(100)
    elsewhere(monkeypatch, home, "whole")
    whole, longer = (key_statistics(lm, (0, 1, 2), text, tokens, silent) for tokens in (1500, 2100))
    elsewhere(monkeypatch, home, "stopped")
    asked: Sequence[tuple[tuple[int, ...], int | None, int]] = [
        ((1,), 1500, 9), ((0, 1), 700, 4), ((0,), None, 14), ((2, 0), 2100, 7), ((1, 2), 1500, 3)
    ]  # fmt: skip
    for layers, tokens, stop in asked:
        with pytest.raises(Cancelled):
            key_statistics(lm, layers, text, tokens, stopping_at(stop))
    assert same(key_statistics(lm, (0, 1, 2), text, 1500, silent), whole)
    assert same(key_statistics(lm, (0, 1, 2), text, 2100, silent), longer)


@pytest.mark.usefixtures("short_chapters")
def test_what_was_kept_in_time_survives_a_crash(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lm, text = language_model(), words(100)
    elsewhere(monkeypatch, home, "whole")
    whole = key_statistics(lm, (0, 1), text, 1900, silent)
    elsewhere(monkeypatch, home, "crashed")
    monkeypatch.setattr(reading, "EVERY", 0)
    monkeypatch.setattr(reading, "SHARE", 0)
    with forwards(lm) as count, pytest.raises(RuntimeError):
        key_statistics(lm, (0, 1), text, 1900, stopping_at(12, RuntimeError))
    before = count()
    with forwards(lm) as count:
        assert same(key_statistics(lm, (0, 1), text, 1900, silent), whole)
    with forwards(lm) as count_whole:
        elsewhere(monkeypatch, home, "again")
        key_statistics(lm, (0, 1), text, 1900, silent)
    assert before > 0
    assert count() == count_whole() - before


def test_a_layer_s_statistics_don_t_depend_on_the_others_asked() -> None:
    lm, text = language_model(), words(60)
    alone = key_statistics(lm, (1,), text, 1000, silent)
    for path in places.statistics().iterdir():
        path.unlink()
    assert same({1: key_statistics(lm, (0, 1, 2), text, 1000, silent)[1]}, alone)


def test_kept_for_this_text_and_these_weights() -> None:
    lm, text = language_model(), words(60)

    def asked(layers: tuple[int, ...], text: Text, tokens: int) -> tuple[dict[int, KeyStatistics], int]:
        with forwards(lm) as count:
            return key_statistics(lm, layers, text, tokens, silent), count()

    first, read = asked((0, 1), text, 500)
    assert read > 0
    again, read = asked((0, 1), text, 500)
    assert read == 0
    assert same(first, again)
    assert asked((1, 2), text, 500)[1] > 0
    assert asked((0,), text, 400)[1] > 0
    assert asked((0,), words(60, seed=1), 500)[1] > 0
    with torch.no_grad():
        lm.model.get_input_embeddings().weight[:, 0].add_(1)
    changed, read = asked((0,), text, 500)
    assert read > 0
    assert not torch.equal(changed[0].covariance, first[0].covariance)


def test_a_text_that_ended_is_known_for_any_number_of_tokens() -> None:
    lm, text = language_model(), words(20)
    first = key_statistics(lm, (0,), text, 10**6, silent)
    with forwards(lm) as count:
        assert same(key_statistics(lm, (0,), text, 10**5, silent), first)
        assert count() == 0
        assert same(key_statistics(lm, (0,), text, first[0].tokens, silent), first)


def test_progress_counts_tokens_up_to_all_of_them() -> None:
    seen: list[tuple[int, int]] = []
    found = key_statistics(
        language_model(), (0,), words(100), 2500, lambda done, total, what: seen.append((done, total))
    )
    assert seen == sorted(seen)
    assert seen[-1] == (found[0].tokens, found[0].tokens)
    assert all(done <= total for done, total in seen)


@pytest.mark.parametrize("damage", [lambda data: data[:-9], lambda data: data[:-2] + bytes([data[-2] ^ 1]) + data[-1:]])
def test_a_damaged_file_is_computed_anew(damage: Callable[[bytes], bytes]) -> None:
    lm, text = language_model(), words(60)
    first = key_statistics(lm, (1,), text, None, silent, 3.0)
    first[1].factor()
    first[1].eigen()
    kept = list(places.statistics().iterdir())
    assert len(kept) >= 4
    for path in kept:
        path.write_bytes(damage(path.read_bytes()))
    again = key_statistics(lm, (1,), text, None, silent, 3.0)
    assert same(again, first)
    torch.testing.assert_close(again[1].factor() @ again[1].factor().T, first[1].covariance.double())
    assert torch.equal(again[1].eigen().values, torch.linalg.eigh(first[1].covariance.double()).eigenvalues)


def test_a_claim_about_the_content_is_checked_too() -> None:
    """Tensors that are whole but said to be something else."""
    lm, text = language_model(), words(60)
    first = key_statistics(lm, (1,), text, 500, silent)
    [kept] = places.statistics().iterdir()
    content = kept.read_bytes()
    kept.write_bytes(content.replace(b'"chapter":"1"', b'"chapter":"0"'))
    assert kept.read_bytes() != content
    assert same(key_statistics(lm, (1,), text, 500, silent), first)


def test_what_was_used_longest_ago_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    lm, text = language_model(), words(60)
    for number, tokens in enumerate((500, 400, 300)):
        key_statistics(lm, (1,), text, tokens, silent)
        newest = max(places.statistics().iterdir(), key=lambda path: path.stat().st_mtime)
        os.utime(newest, (number, number))
    oldest, *others = sorted(places.statistics().iterdir(), key=lambda path: path.stat().st_mtime)
    key_statistics(lm, (1,), text, 500, silent)  # read, so that it isn't the oldest any more
    monkeypatch.setattr(keep, "MOST", 3 * oldest.stat().st_size)
    key_statistics(lm, (2,), text, 500, silent)
    left = set(places.statistics().iterdir())
    assert len(left) == 3
    assert {oldest, others[1]} < left


@pytest.mark.parametrize("tokens", [500, None])
def test_where_nothing_can_be_kept_it_is_computed_each_time(tokens: int | None, home: Path) -> None:
    home.write_text("a file where the folder should be")
    found = key_statistics(language_model(), (1,), words(60), tokens, silent)[1]
    torch.testing.assert_close(found.factor() @ found.factor().T, found.covariance.double())
    assert found.eigen().values.shape == (96,)


@pytest.mark.parametrize("tokens", [500, None])
def test_a_disk_that_takes_nothing_costs_only_time(tokens: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    lm, text = language_model(), words(60)
    kept = key_statistics(lm, (1,), text, tokens, silent)
    for path in places.statistics().iterdir():
        path.unlink()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keep, "to_bytes", full)
    assert same(key_statistics(lm, (1,), text, tokens, silent), kept)
    assert list(places.statistics().iterdir()) == []
    with pytest.raises(Cancelled):
        key_statistics(lm, (1,), text, tokens, stopping_at(2))


@pytest.mark.parametrize("lines", [[], ["", "  "]])
@pytest.mark.parametrize("tokens", [500, None])
def test_an_empty_text(lines: list[str], tokens: int | None) -> None:
    with pytest.raises(EditViewError, match="'nothing', is empty"):
        key_statistics(language_model(), (0,), Text("nothing", lines, "nothing"), tokens, silent)


def test_a_model_that_computes_no_numbers_is_said() -> None:
    lm = language_model()
    with torch.no_grad():
        lm.model.get_input_embeddings().weight.fill_(float("nan"))
    with pytest.raises(EditViewError, match="aren't finite"):
        key_statistics(lm, (0,), words(10), 500, silent)


@pytest.mark.usefixtures("short_chapters")
def test_stopped_on_the_way_back_to_where_it_was(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept from inside a chapter serves no reading that ends inside that chapter."""
    lm, text = language_model(), words(100)
    elsewhere(monkeypatch, home, "stopped")
    for stop in (17, 2):
        with pytest.raises(Cancelled):
            key_statistics(lm, (0,), text, 10_000, stopping_at(stop))
    [(name, said)] = keep.said_of("").items()
    assert name.endswith("going")
    assert int(said["batch"]) > 0
    tokens = (int(said["tokens"]) + int(said["until"])) // 2
    found = key_statistics(lm, (0,), text, tokens, silent)
    elsewhere(monkeypatch, home, "whole")
    assert same(found, key_statistics(lm, (0,), text, tokens, silent))
