"""Spectra of memories: what was added stands out, and nothing does where nothing was."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from editview.domain.errors import EditViewError
from editview.domain.inspection import Candidate
from editview.domain.progress import silent
from editview.lm.model import LanguageModel
from editview.lm.standing_out import memory, relative_values, standing_out, top
from editview.lm.written import words_written
from tests.families import language_model


def planted(lm: LanguageModel, layer: int, directions: int, size: float) -> Tensor:
    """Adds so many directions to a memory; returns what it was [outputs, inputs]."""
    before = memory(lm, layer).clone()
    left, _ = torch.linalg.qr(torch.randn(before.shape[0], directions, generator=torch.Generator().manual_seed(1)))
    right, _ = torch.linalg.qr(torch.randn(before.shape[1], directions, generator=torch.Generator().manual_seed(2)))
    matrix = lm.anatomy.mlp_output(lm.model, layer)
    change = size * float(torch.linalg.matrix_norm(before, 2)) * left @ right.T
    with torch.no_grad():
        matrix.weight += change if matrix.weight.shape == change.shape else change.T
    return before


def test_the_top_is_that_of_the_singular_values() -> None:
    matrix = torch.randn(6, 9, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    left, values, right = torch.linalg.svd(matrix, full_matrices=False)
    found = top(matrix, 2)
    torch.testing.assert_close(found.values, values[:2])
    torch.testing.assert_close(found.whole, (left[:, :2] * values[:2]) @ right[:2])


def test_as_many_directions_stand_out_as_were_added() -> None:
    for family in ("gpt2", "llama"):
        lm = language_model(family)
        assert all(count == 0 for _, count in standing_out(relative_values(lm, silent)).values())
        planted(lm, 1, 2, size=5)
        found = standing_out(relative_values(lm, silent))
        assert {layer: count for layer, (_, count) in found.items()} == {0: 0, 1: 2, 2: 0}
        assert found[1][0] > 2


def test_values_that_are_no_numbers_are_refused() -> None:
    lm = language_model()
    with torch.no_grad():
        lm.anatomy.mlp_output(lm.model, 1).weight[0, 0] = float("inf")
    with pytest.raises(EditViewError, match="layer 2 holds values that are no numbers"):
        relative_values(lm, silent)


def test_a_single_layer_has_none_to_compare_with() -> None:
    assert standing_out({0: [9.0, 1.0, 1.0]}) == {0: (1.0, 0)}


def test_a_direction_that_writes_a_word_is_told_by_it() -> None:
    lm = language_model()
    token = lm.tokenizer(" Paris")["input_ids"][0]
    wanted = lm.tokenizer.decode([token]).strip()
    last = len(lm.anatomy.blocks) - 1
    direction = lm.embedding.weight[token].detach().double()
    spiked = memory(lm, last) + 1e3 * torch.outer(direction, torch.ones(memory(lm, last).shape[1], dtype=torch.float64))
    prompts = [Candidate("Peru", ("The capital of {}",)), Candidate("the Nile")]
    assert words_written(lm, last, top(spiked, 1), prompts, silent)[0].startswith(wanted)
    assert words_written(lm, last, top(spiked, 1), [Candidate("the Nile")], silent) == ()
