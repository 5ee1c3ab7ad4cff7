"""Covariances of keys: what they are, and that no state of the weights gets another one's."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from editview.domain import places
from editview.domain.errors import Cancelled, EditViewError
from editview.domain.progress import silent
from editview.lm import statistics
from editview.lm.model import LanguageModel
from editview.lm.statistics import covariances
from editview.lm.tokens import encode
from tests.families import FAMILIES, TEXT, language_model


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text("\n".join(TEXT.split(". ")) + "\n\n" + TEXT, "utf-8")
    return path


def plain(lm: LanguageModel, text: Path, layer: int, tokens: int) -> Tensor:
    """Passage by passage, without padding, in float64."""
    seen: list[Tensor] = []
    hook = lm.anatomy.mlp_output(lm.model, layer).register_forward_pre_hook(
        lambda _, given: seen.append(given[0].flatten(0, -2))
    )
    left = tokens
    with torch.no_grad():
        for line in text.read_text("utf-8").splitlines():
            ids = encode(lm.tokenizer, line)[:left] if line.strip() else []
            for start in range(0, len(ids), lm.longest):
                lm.model(input_ids=torch.tensor([ids[start : start + lm.longest]]))
            left -= len(ids)
    hook.remove()
    keys = torch.cat(seen).double()
    return keys.T @ keys / len(keys)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_mean_over_real_tokens(family: str, text: Path) -> None:
    lm = language_model(family, bos=True)
    found = covariances(lm, (0, 2), str(text), 600, silent)
    assert set(found) == {0, 2}
    for layer in (0, 2):
        expected = plain(lm, text, layer, 600)
        assert found[layer].dtype == torch.float32
        assert float((found[layer].double() - expected).norm() / expected.norm()) < 1e-5


def test_kept_for_this_text_and_these_weights(text: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lm = language_model()
    computed: list[tuple[int, ...]] = []
    really = statistics.covariances_of

    def counted(lm: LanguageModel, layers: Any, *rest: Any) -> dict[int, Tensor]:
        computed.append(tuple(layers))
        return really(lm, layers, *rest)

    monkeypatch.setattr(statistics, "covariances_of", counted)
    first = covariances(lm, (0, 1), str(text), 500, silent)
    again = covariances(lm, (0, 1), str(text), 500, silent)
    assert computed == [(0, 1)]
    assert all(torch.equal(first[layer], again[layer]) for layer in (0, 1))
    covariances(lm, (1, 2), str(text), 500, silent)
    covariances(lm, (0,), str(text), 400, silent)
    assert computed[1:] == [(2,), (0,)]
    with torch.no_grad():
        lm.model.get_input_embeddings().weight[encode(lm.tokenizer, "The")[0], 3] += 0.5
    changed = covariances(lm, (0,), str(text), 500, silent)
    assert computed[3:] == [(0,)]
    assert not torch.equal(changed[0], first[0])
    text.write_text(TEXT, "utf-8")
    covariances(lm, (0,), str(text), 500, silent)
    assert len(computed) == 5


@pytest.mark.parametrize("damage", [lambda data: data[:-9], lambda data: data[:-2] + bytes([data[-2] ^ 1]) + data[-1:]])
def test_a_damaged_file_is_computed_anew(text: Path, damage: Callable[[bytes], bytes]) -> None:
    lm = language_model()
    first = covariances(lm, (1,), str(text), 500, silent)
    [kept] = places.statistics().iterdir()
    kept.write_bytes(damage(kept.read_bytes()))
    assert torch.equal(covariances(lm, (1,), str(text), 500, silent)[1], first[1])


def test_what_was_used_longest_ago_makes_room(text: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lm = language_model()
    for number, tokens in enumerate((500, 400, 300)):
        covariances(lm, (1,), str(text), tokens, silent)
        newest = max(places.statistics().iterdir(), key=lambda path: path.stat().st_mtime)
        os.utime(newest, (number, number))
    oldest, *others = sorted(places.statistics().iterdir(), key=lambda path: path.stat().st_mtime)
    covariances(lm, (1,), str(text), 500, silent)  # read, so that it isn't the oldest any more
    monkeypatch.setattr(statistics, "MOST", 3 * oldest.stat().st_size)
    covariances(lm, (2,), str(text), 500, silent)
    left = set(places.statistics().iterdir())
    assert len(left) == 3
    assert {oldest, others[1]} < left


def test_where_nothing_can_be_kept_it_is_computed_each_time(text: Path, home: Path) -> None:
    home.write_text("a file where the folder should be")
    assert covariances(language_model(), (1,), str(text), 500, silent)[1].shape == (96, 96)


def test_a_disk_that_takes_nothing_costs_only_time(text: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(statistics, "save", full)
    assert covariances(language_model(), (1,), str(text), 500, silent)[1].shape == (96, 96)
    assert list(places.statistics().iterdir()) == []


def test_cancelled_in_the_middle_keeps_nothing(text: Path) -> None:
    def stop(done: int, total: int, what: str) -> None:
        if done:
            raise Cancelled

    lm = language_model()
    with pytest.raises(Cancelled):
        covariances(lm, (0,), str(text), 500, stop)
    assert not places.statistics().exists()
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in lm.model.modules())


@pytest.mark.parametrize(
    ("content", "says"), [(b"", "empty"), (b"Few words.", "too short"), (b"caf\xe9 " * 200, "UTF-8")]
)
def test_texts_that_won_t_do(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes(content)
    with pytest.raises(EditViewError, match=says):
        covariances(language_model(), (0,), str(path), 500, silent)


def test_a_text_that_isn_t_there() -> None:
    with pytest.raises(EditViewError, match="isn't there"):
        covariances(language_model(), (0,), "/nowhere/text.txt", 500, silent)
