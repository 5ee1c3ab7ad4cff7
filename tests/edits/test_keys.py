"""Keys and current values, against whole forwards of one text each; and the whole edit, against the literal one."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from benchmarks import literal
from editview.domain.facts import Fact, Group
from editview.domain.operations import Memit
from editview.domain.progress import silent
from editview.domain.texts import Text
from editview.edits import memit, targets
from editview.edits.keys import at_subject, keys_and_values
from editview.edits.rows import filled
from editview.edits.workings import Workings
from editview.lm.forward import by_text, hidden_of, hooked
from editview.lm.model import LanguageModel
from editview.lm.statistics import KeyStatistics, key_statistics
from editview.lm.tokens import encode, last_token_before
from tests.families import FAMILIES, TEXT, edits, language_model

GROUPS = [["{}"], ["The river. {}", "Because Paris is large, {}"]]


def plain(lm: LanguageModel, fact: Fact, template: str, layer: int, last: int) -> tuple[Tensor, Tensor]:
    """The input of the matrix of `layer` and the output of block `last`, read from one whole forward."""
    text, end = filled(template, fact)
    at = last_token_before(lm.tokenizer, text, end)
    seen: list[Tensor] = []
    matrix, block = lm.anatomy.mlp_output(lm.model, layer), lm.anatomy.block(lm.model, last)
    with (
        torch.no_grad(),
        hooked(
            matrix.register_forward_pre_hook(lambda _, given: seen.append(by_text(given[0], 1)[0, at])),
            block.register_forward_hook(lambda *run: seen.append(hidden_of(run[2])[0, at])),
        ),
    ):
        lm.model(input_ids=torch.tensor([encode(lm.tokenizer, text)]), use_cache=False)
    return seen[0].double(), seen[1].double()


@pytest.mark.parametrize("family", FAMILIES)
def test_keys_and_values_are_those_of_whole_forwards(family: str) -> None:
    lm = language_model(family, bos=family in ("llama", "gpt2"))
    found, values = keys_and_values(lm, edits(), [0, 1], GROUPS, 2)
    for number, fact in enumerate(edits()):
        for layer in (0, 1):
            bare, *openings = (plain(lm, fact, template, layer, 2)[0] for group in GROUPS for template in group)
            expected = bare / 2 + sum(openings) / 4
            torch.testing.assert_close(found[layer][number], expected, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(values[number], plain(lm, fact, "{}", 0, 2)[1], rtol=1e-4, atol=1e-5)


def test_one_fact_in_all_contexts_at_once() -> None:
    lm = language_model("gpt-neox")
    fact, templates = edits()[2], [template for group in GROUPS for template in group]
    [inputs], outputs = at_subject(lm, [fact], templates, [lm.anatomy.mlp_output(lm.model, 1)], None)
    assert outputs is None
    expected = torch.stack([plain(lm, fact, template, 1, 2)[0] for template in templates])
    torch.testing.assert_close(inputs[0], expected, rtol=1e-4, atol=1e-5)


def test_the_edit_is_the_literal_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many facts with prompts of many lengths, some of which begin with their subject, some of which stop early."""
    monkeypatch.setattr(targets, "ENOUGH", 6.2)  # a random model comes no closer
    monkeypatch.setattr(literal, "ENOUGH", 6.2)
    lm = language_model("gptj")
    lands = ("Peru", "France", "Egypt", "the Nile", "Mount Kenya", "Japan", "India", "Brazil", "Sudan")
    prompts = ("The capital of {} is", "{} is a land whose capital is", "{} is", "People who see {} are in")
    facts = [
        Fact(str(number), Group.EDITED, land, prompts[number % 4], "x", ("Lima", "Paris and India")[number % 2])
        for number, land in enumerate(lands)
    ]
    operation = Memit(layers=(0, 1), steps=9, learning_rate=1.0, covariance_weight=2.0)
    found = key_statistics(lm, (0, 1), Text("made", TEXT.split(". "), "made"), 10_000, silent)
    known = {layer: one.covariance for layer, one in found.items()}
    for covariance in known.values():
        covariance.diagonal().add_(1e-2 * covariance.diagonal().mean())
    before = {name: tensor.clone() for name, tensor in lm.weights().items()}
    workings, statistics = Workings(), {layer: KeyStatistics.given(covariance) for layer, covariance in known.items()}
    memit.edit(lm, facts, operation, 0, silent, statistics=statistics, templates=GROUPS, workings=workings)
    with torch.no_grad():
        for name, tensor in lm.weights().items():
            tensor.copy_(before[name])
    made = literal.edit(lm, facts, operation, known, GROUPS)
    assert workings.iterations == made.iterations
    assert len(set(made.iterations)) > 1
    torch.testing.assert_close(workings.targets, made.targets, rtol=1e-3, atol=1e-4)
    for layer in (0, 1):
        far = (workings.changes[layer] - made.changes[layer]).norm() / made.changes[layer].norm()
        assert float(far) < 1e-4
