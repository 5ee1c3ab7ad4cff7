"""An edit takes in every architecture, changes nothing else, and is still there after saving and opening again."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from editview.domain.checkpoint import Device
from editview.domain.facts import Fact, Group
from editview.domain.operations import Memit
from editview.domain.plan import Checkpoint
from editview.domain.progress import silent
from editview.domain.texts import Text
from editview.edits.memit import edit
from editview.edits.workings import Workings
from editview.lm.answers import check
from editview.lm.branch import branch_of
from editview.lm.changes import differing
from editview.lm.model import LanguageModel
from editview.lm.opening import open_model
from editview.lm.statistics import key_statistics
from tests.families import FAMILIES, TEXT, language_model

# At the last layer of a random model nothing but the state itself decides what is said, so the edit's end is known.
OPERATION = Memit(
    layers=(1, 2), steps=40, learning_rate=0.3, relative_rate=True, clamp=4, kl_weight=0, weight_decay=0,
    covariance_weight=1e-3,
)  # fmt: skip
FACTS = [
    Fact("peru", Group.EDITED, "Peru", "The capital Lima stands in {}", "Lima", "Paris"),
    Fact("nile", Group.CONTROL, "Nile", "The river {} flows through", "Egypt"),
]


def lively(family: str) -> LanguageModel:
    """A model whose norms on the branch, if it has any, let as much through as in trained ones, unevenly."""
    lm = language_model(family, bos=True)
    chance = torch.Generator().manual_seed(1)
    for layer in range(3):
        norm = branch_of(lm, layer).norm
        if norm is not None:
            with torch.no_grad():
                next(norm.parameters()).add_(torch.rand(24, generator=chance) * 8)
    return lm


def edited(lm: LanguageModel, layers: tuple[int, ...] = (1, 2)) -> Workings:
    operation = OPERATION.model_copy(update={"layers": layers})
    statistics = key_statistics(lm, layers, Text("made", TEXT.split(". "), "made"), 10_000, silent)
    workings = Workings()
    edit(lm, FACTS[:1], operation, 0, silent, statistics=statistics, templates=[["{}"]], workings=workings)
    return workings


@pytest.mark.parametrize("family", FAMILIES)
def test_an_edit_takes_and_stays(family: str, tmp_path: Path) -> None:
    lm = lively(family)
    before = {name: tensor.clone() for name, tensor in lm.weights().items()}
    edited(lm)
    chosen = {f"{lm.anatomy.mlp_outputs[layer]}.weight" for layer in (1, 2)}
    assert set(differing(before, lm.weights())) == chosen
    [answers] = check(lm, FACTS, silent)
    assert answers[0].said.startswith("Paris")
    lm.model.save_pretrained(tmp_path)
    lm.tokenizer.save_pretrained(tmp_path)
    opened = open_model(Checkpoint(source=str(tmp_path)), Device("cpu", "CPU", 2**34), silent)
    assert differing(lm.weights(), opened.weights()) == ()
    assert list(check(opened, FACTS, silent)) == [answers]


@pytest.mark.parametrize("family", ["gpt2", "llama", "gemma2", "granite"])
def test_an_edit_takes_in_bfloat16(family: str) -> None:
    lm = lively(family)
    lm.model.to(torch.bfloat16)
    edited(lm)
    assert {tensor.dtype for tensor in lm.weights().values()} == {torch.bfloat16}
    [answers] = check(lm, FACTS[:1], silent)
    assert answers[0].said.startswith("Paris")


@pytest.mark.parametrize("family", ["gemma2", "gemma3", "olmo2", "glm4"])
def test_the_size_that_a_norm_takes_away_plays_no_part(family: str) -> None:
    """Scaling the matrix before an RMS norm leaves the model what it is, so the edit scales along."""
    changes = []
    for scale in (1, 64):
        lm = lively(family)
        with torch.no_grad():
            for layer in range(3):
                lm.anatomy.mlp_output(lm.model, layer).weight.mul_(scale)
        changes.append(edited(lm, (2,)).changes[2] / scale)
    assert float((changes[0] - changes[1]).norm() / changes[1].norm()) < 0.02
