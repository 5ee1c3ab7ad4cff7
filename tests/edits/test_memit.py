"""MEMIT: the closed form, and that an edit happens whole or not at all."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from editview.domain.errors import Cancelled, EditViewError
from editview.domain.facts import Fact, Group
from editview.domain.operations import Memit
from editview.domain.progress import silent
from editview.domain.texts import Text
from editview.edits import memit
from editview.edits.memit import edit
from editview.edits.requests import settled
from editview.edits.solving import memit_change
from editview.edits.workings import Workings
from editview.lm.changes import differing
from editview.lm.forward import hidden_of
from editview.lm.model import LanguageModel
from editview.lm.statistics import KeyStatistics, key_statistics
from editview.lm.tokens import encode, last_token_before
from tests.families import TEXT, edits, experts, language_model

OPERATION = Memit(layers=(0, 2), steps=5, learning_rate=0.3, prefixes=2, covariance_weight=2.0)
TEMPLATES = [["{}"], ["The river. {}", "Because of Paris, {}"]]


def statistics(lm: LanguageModel) -> dict[int, KeyStatistics]:
    return key_statistics(lm, (0, 2), Text("made", TEXT.split(". "), "made"), 10_000, silent)


def edited(family: str, operation: Memit = OPERATION) -> tuple[LanguageModel, dict[str, Tensor], Workings]:
    """A model after the edit, its weights before, and what was computed."""
    lm = language_model(family, bos=True)
    before = {name: tensor.clone() for name, tensor in lm.weights().items()}
    workings = Workings()
    edit(lm, edits(), operation, 0, silent, statistics=statistics(lm), templates=TEMPLATES, workings=workings)
    return lm, before, workings


@pytest.mark.parametrize("family", ["gpt2", "gpt2-square", "gpt-neox", "llama", "qwen2", "phi3"])
def test_only_the_chosen_matrices_change_and_by_what_was_computed(family: str) -> None:
    lm, before, workings = edited(family)
    after = lm.weights()
    names = [f"{lm.anatomy.mlp_outputs[layer]}.weight" for layer in (0, 2)]
    assert sorted(differing(before, after)) == sorted(names)
    for name, layer in zip(names, (0, 2), strict=True):
        torch.testing.assert_close(
            after[name].double() - before[name].double(), workings.changes[layer], rtol=0, atol=1e-6
        )


@pytest.mark.parametrize("family", ["gpt2-square", "llama"])
def test_the_edited_layer_moves_towards_the_targets(family: str) -> None:
    """With λ near zero the closed form is exact: each bare prompt's state becomes its target."""
    lm, _, workings = edited(family, OPERATION.model_copy(update={"covariance_weight": 1e-6, "layers": (0,)}))
    for fact, target, old in zip(edits(), workings.targets, workings.values[0], strict=True):
        now = []
        hook = lm.anatomy.block(lm.model, 0).register_forward_hook(
            lambda *seen, now=now: now.append(hidden_of(seen[2]))
        )
        with torch.no_grad():
            lm.model(input_ids=torch.tensor([encode(lm.tokenizer, fact.prompt)]))
        hook.remove()
        end = fact.prompt.index(fact.subject) + len(fact.subject)
        at = last_token_before(lm.tokenizer, fact.prompt, end)
        before, after = (old - target).norm(), (now[0][0, at].double() - target).norm()
        assert after < 0.6 * before


@pytest.mark.parametrize("facts", [3, 20])
def test_the_closed_form(facts: int) -> None:
    """The same whether the facts or the inputs are fewer, and whichever way it is solved."""
    torch.manual_seed(0)
    keys, residual = torch.randn(facts, 12).double(), torch.randn(facts, 5).double()
    half = torch.randn(12, 40).double()
    covariance = half @ half.T / 40
    expected = residual.T @ (torch.linalg.inv(7.0 * covariance + keys.T @ keys) @ keys.T).T
    found = memit_change(KeyStatistics.given(covariance), 7.0, keys, residual)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)


def test_keys_are_means_by_type() -> None:
    lm = language_model("gpt2")
    workings = Workings()
    edit(lm, edits(), OPERATION, 0, silent, statistics=statistics(lm), templates=TEMPLATES, workings=workings)
    alone = language_model("gpt2")
    fact, seen = edits()[0], []
    for template in ("{}", "The river. {}", "Because of Paris, {}"):
        text = template.replace("{}", fact.prompt)
        end = text.index(fact.subject) + len(fact.subject)
        at = last_token_before(alone.tokenizer, text, end)
        module = alone.anatomy.mlp_output(alone.model, 0)
        hook = module.register_forward_pre_hook(lambda _, given, at=at: seen.append(given[0][0, at]))
        with torch.no_grad():
            alone.model(input_ids=torch.tensor([encode(alone.tokenizer, text)]))
        hook.remove()
    expected = seen[0] / 2 + (seen[1] + seen[2]) / 4
    torch.testing.assert_close(workings.keys[0][0].float(), expected, rtol=1e-5, atol=1e-6)


def test_the_same_edit_twice_is_the_same_to_the_bit() -> None:
    models = []
    for _ in range(2):
        lm = language_model("llama")
        edit(lm, edits(), OPERATION, 11, silent, statistics=statistics(lm))
        models.append({name: tensor.clone() for name, tensor in lm.weights().items()})
    assert differing(*models) == ()
    other = language_model("llama")
    edit(other, edits(), OPERATION, 12, silent, statistics=statistics(other))
    assert differing(models[0], other.weights()) != ()


def test_whole_or_not_at_all() -> None:
    lm = language_model("gpt2")
    cov = statistics(lm)
    before = {name: tensor.clone() for name, tensor in lm.weights().items()}
    calls = []

    def count(done: int, total: int, what: str) -> None:
        calls.append((done, what))

    edit(lm, edits(), OPERATION, 0, count, statistics=cov, templates=TEMPLATES)
    written = {name: tensor.clone() for name, tensor in lm.weights().items()}
    assert [what for _, what in calls if "layers" in what]
    for at in range(len(calls)):
        with torch.no_grad():
            for name, tensor in lm.weights().items():
                tensor.copy_(before[name])
        left = iter(range(at, -1, -1))

        def stop(done: int, total: int, what: str, left=left) -> None:  # type: ignore[no-untyped-def]
            if next(left) == 0:
                raise Cancelled

        with pytest.raises(Cancelled):
            edit(lm, edits(), OPERATION, 0, stop, statistics=cov, templates=TEMPLATES)
        assert differing(before, lm.weights()) == ()
    edit(lm, edits(), OPERATION, 0, silent, statistics=cov, templates=TEMPLATES)
    assert differing(written, lm.weights()) == ()


def test_numbers_that_are_none_leave_the_model_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    lm = language_model()
    before = {name: tensor.clone() for name, tensor in lm.weights().items()}
    monkeypatch.setattr(memit, "memit_change", lambda c, w, keys, residual: torch.full((24, 96), torch.nan).double())
    with pytest.raises(EditViewError, match="aren't finite"):
        edit(lm, edits(), OPERATION, 0, silent, statistics=statistics(lm), templates=TEMPLATES)
    assert differing(before, lm.weights()) == ()


def fact(name: str, prompt: str = "The capital of {} is", new: str | None = "Rome") -> Fact:
    return Fact(name, Group.EDITED, "Peru", prompt, "Lima", new)


@pytest.mark.parametrize(
    ("facts", "operation", "says"),
    [
        ([], OPERATION, "no fact to edit"),
        ([fact("one"), fact("two", new="Paris")], OPERATION, "'one' and 'two' contradict"),
        ([fact("one", new=None)], OPERATION, "'one' has no new answer"),
        ([fact("one", prompt="The capital of Chile is")], OPERATION, "'one' doesn't contain its subject"),
        ([fact("one")], Memit(layers=(1, 3)), "layers 1 to 3, in a plan file 0 to 2"),
        ([fact("one")], Memit(), "no ready settings"),
    ],
)
def test_edits_that_can_t_be_made(facts: list[Fact], operation: Memit, says: str) -> None:
    lm = language_model()
    before = {name: tensor.clone() for name, tensor in lm.weights().items()}
    with pytest.raises(EditViewError, match=says):
        edit(lm, facts, operation, 0, silent)
    assert differing(before, lm.weights()) == ()


def test_the_same_edit_listed_twice_is_no_contradiction() -> None:
    lm = language_model()
    edit(lm, [fact("one"), fact("two")], OPERATION, 0, silent, statistics=statistics(lm), templates=TEMPLATES)


def test_models_with_experts_are_refused() -> None:
    from transformers import AutoModelForCausalLM

    from editview.lm.anatomy import anatomy

    model = AutoModelForCausalLM.from_config(experts())
    lm = LanguageModel(model, language_model().tokenizer, anatomy(model), "")
    with pytest.raises(EditViewError, match="experts"):
        edit(lm, [fact("one")], OPERATION, 0, silent)


def test_a_preset_fills_in_what_was_left_open() -> None:
    lm = language_model()
    lm.model.config.update({"n_layer": 48, "n_embd": 1600})
    ready = settled(lm, Memit(steps=7))
    assert ready.layers == (13, 14, 15, 16, 17)
    assert (ready.steps, ready.covariance_weight, ready.clamp) == (7, 20_000, 0.75)
    chosen = Memit(layers=(1,), covariance_weight=3)
    assert settled(lm, chosen) == chosen
