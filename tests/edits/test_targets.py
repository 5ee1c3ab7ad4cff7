"""Target vectors, against the search done one fact at a time, from the embeddings up, in the plainest way."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from editview.domain.errors import Cancelled, EditViewError
from editview.domain.facts import Fact, Group
from editview.domain.operations import Memit
from editview.domain.progress import silent
from editview.edits import targets
from editview.edits.contexts import BEGINNINGS, context_templates
from editview.edits.targets import target_vectors
from editview.edits.workings import Workings
from editview.lm.forward import hidden_of
from editview.lm.model import LanguageModel
from editview.lm.tokens import encode, last_token_before
from tests.families import FAMILIES, edits, language_model

TEMPLATES = ("{}", "The river. {}", "Because Paris is large, {}")
SEARCH = Memit(layers=(0, 1), steps=6, learning_rate=0.3, clamp=0.8)


def plain(lm: LanguageModel, fact: Fact, layer: int, operation: Memit, templates: Sequence[str]) -> Tensor:
    """z of one fact: row by row, whole forwards, torch's own Adam."""
    answer = encode(lm.tokenizer, f"{fact.prompt} {fact.new_answer}")[len(encode(lm.tokenizer, fact.prompt)) :]
    rows = []
    for template in templates:
        text = template.replace("{}", fact.prompt)
        end = template.index("{}") + fact.prompt.index(fact.subject) + len(fact.subject)
        rows.append((encode(lm.tokenizer, text) + answer[:-1], last_token_before(lm.tokenizer, text, end)))
    text = f"{fact.subject} is a"
    essence = (encode(lm.tokenizer, text), last_token_before(lm.tokenizer, text, len(fact.subject)))

    def logs(row: tuple[list[int], int], delta: Tensor) -> tuple[Tensor, Tensor]:
        seen = []

        def add(_: object, __: object, output: object) -> object:
            hidden = hidden_of(output)
            seen.append(hidden[0, row[1]])
            moved = hidden.clone()
            moved[0, row[1]] = moved[0, row[1]] + delta
            return (moved, *output[1:]) if isinstance(output, tuple) else moved

        hook = lm.anatomy.block(lm.model, layer).register_forward_hook(add)
        logits = lm.model(input_ids=torch.tensor([row[0]]), use_cache=False).logits[0]
        hook.remove()
        return logits.log_softmax(-1), seen[0].detach()

    delta = torch.zeros(lm.config.hidden_size, requires_grad=True)
    with torch.no_grad():
        _, start = logs(rows[0], delta)
        first = logs(essence, delta)[0][essence[1]]
    scale = float(start.norm()) / len(start) ** 0.5 if operation.relative_rate else 1.0
    adam = torch.optim.Adam([delta], lr=operation.learning_rate * scale)
    for step in range(operation.steps):
        nll = torch.zeros(())
        for row in rows:
            scored = logs(row, delta)[0][-len(answer) :]
            nll = nll - scored[range(len(answer)), answer].mean() / len(rows)
        now = logs(essence, delta)[0][essence[1]]
        kl = (now.exp() * (now - first)).sum()
        loss = nll + operation.kl_weight * kl + operation.weight_decay * delta.norm() / start.norm() ** 2
        if loss < 0.05 or step == operation.steps - 1:
            break
        adam.zero_grad()
        loss.backward()
        adam.step()
        with torch.no_grad():
            most = operation.clamp * start.norm()
            if delta.norm() > most:
                delta.mul_(most / delta.norm())
    lm.model.zero_grad()
    return (start + delta).detach()


def far(one: Tensor, other: Tensor) -> float:
    return float((one - other).norm() / other.norm())


@pytest.mark.parametrize("family", FAMILIES)
def test_the_same_as_one_by_one(family: str) -> None:
    lm = language_model(family, bos=family in ("llama", "gpt2"))
    found = target_vectors(lm, edits(), 1, SEARCH, TEMPLATES, silent)
    for fact, z in zip(edits(), found, strict=True):
        assert far(z, plain(lm, fact, 1, SEARCH, TEMPLATES)) < 1e-4


@pytest.mark.parametrize("changes", [{"relative_rate": True}, {"clamp": 0.05}, {"weight_decay": 9.0, "kl_weight": 5.0}])
def test_every_setting_counts(changes: dict[str, float]) -> None:
    lm = language_model("llama", bos=True)
    operation = SEARCH.model_copy(update=changes)
    found = target_vectors(lm, edits(), 1, operation, TEMPLATES, silent)
    usual = target_vectors(lm, edits(), 1, SEARCH, TEMPLATES, silent)
    for fact, z, other in zip(edits(), found, usual, strict=True):
        assert far(z, plain(lm, fact, 1, operation, TEMPLATES)) < 1e-4
        assert far(z, other) > 1e-3


def test_facts_stop_on_their_own() -> None:
    """One fact is answered rightly from the start and must not move; the others go on as if it weren't there."""
    lm = language_model("gpt2")
    easy = Fact("easy", Group.EDITED, "Peru", "The capital of {} is", "x", "Lima")
    row = torch.tensor([encode(lm.tokenizer, "The capital of Peru is Lima")])
    adam = torch.optim.Adam(lm.model.parameters(), lr=3e-3)
    for _ in range(150):
        lm.model(input_ids=row, labels=row).loss.backward()
        adam.step()
        adam.zero_grad()
    operation = SEARCH.model_copy(update={"steps": 8})
    others = [edits()[1], edits()[2]]
    z = target_vectors(lm, [others[0], easy, others[1]], 1, operation, ("{}",), silent)
    alone = target_vectors(lm, others, 1, operation, ("{}",), silent)
    start = target_vectors(lm, [easy], 1, operation.model_copy(update={"steps": 1}), ("{}",), silent)
    assert far(z[1], start[0]) < 1e-6
    assert far(z[0], alone[0]) < 1e-4
    assert far(z[2], alone[1]) < 1e-4
    assert far(z[0], plain(lm, others[0], 1, operation, ("{}",))) < 1e-4


def test_asking_less_often_which_facts_are_done_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    lm = language_model("gptj")
    eager, patient = Workings(), Workings()
    operation = SEARCH.model_copy(update={"steps": 10, "clamp": 100.0, "learning_rate": 1.0})
    monkeypatch.setattr(targets, "ENOUGH", 5.5)  # a random model comes no closer
    target_vectors(lm, edits(), 0, operation, TEMPLATES, silent, workings=eager)
    monkeypatch.setattr(targets, "_patience", lambda _: 4)
    target_vectors(lm, edits(), 0, operation, TEMPLATES, silent, workings=patient)
    assert len(set(eager.iterations)) > 1
    assert 1 < min(eager.iterations) < 10
    assert patient.iterations == eager.iterations
    assert far(patient.targets, eager.targets) < 1e-5


def test_a_model_that_looks_back_only_a_few_tokens() -> None:
    lm = language_model("mistral")
    lm.model.config.sliding_window = 6
    for layer in lm.model.model.layers:
        layer.self_attn.sliding_window = 6
    found = target_vectors(lm, edits(), 1, SEARCH, TEMPLATES, silent)
    for fact, z in zip(edits(), found, strict=True):
        assert far(z, plain(lm, fact, 1, SEARCH, TEMPLATES)) < 1e-4


def test_half_precision_comes_close() -> None:
    lm = language_model("gptj")
    whole = target_vectors(lm, edits(), 1, SEARCH, TEMPLATES, silent)
    lm.model.to(torch.bfloat16)
    half = target_vectors(lm, edits(), 1, SEARCH, TEMPLATES, silent)
    assert half.dtype == torch.float32
    assert far(half, whole) < 0.2


def test_company_and_chunks_don_t_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    lm = language_model("gpt-neox")
    together = target_vectors(lm, edits(), 1, SEARCH, TEMPLATES, silent)
    monkeypatch.setattr(targets, "alike", lambda items, length, most: ([item] for item in items))
    apart = target_vectors(lm, edits(), 1, SEARCH, TEMPLATES, silent)
    assert far(apart, together) < 1e-5


def test_the_search_leaves_the_model_alone() -> None:
    lm = language_model("llama")
    lm.model.train()
    before = {name: tensor.clone() for name, tensor in lm.weights().items()}

    def stop(done: int, total: int, what: str) -> None:
        if done > 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        target_vectors(lm, edits(), 1, SEARCH, TEMPLATES, stop)
    target_vectors(lm, edits(), 1, SEARCH, TEMPLATES, silent)
    assert all(torch.equal(tensor, before[name]) for name, tensor in lm.weights().items())
    assert all(parameter.requires_grad and parameter.grad is None for parameter in lm.model.parameters())
    assert all(module.training for module in lm.model.modules())
    assert not any("forward" in module.__dict__ for module in lm.model.modules())


def test_a_prompt_without_its_subject() -> None:
    fact = Fact("odd-one", Group.EDITED, "Peru", "The capital of Chile is", "Santiago", "Lima")
    with pytest.raises(EditViewError, match="odd-one"):
        target_vectors(language_model(), [fact], 1, SEARCH, TEMPLATES, silent)


def test_braces_in_a_subject_are_only_letters() -> None:
    fact = Fact("f", Group.EDITED, "{Peru} {0}", "The capital of {} is", "Lima", "Paris")
    assert target_vectors(language_model(), [fact], 1, SEARCH, TEMPLATES, silent).isfinite().all()


def test_openings_are_sampled_from_the_model_and_repeatable() -> None:
    lm = language_model("llama", bos=True)
    state = torch.random.get_rng_state()
    bare, sampled = context_templates(lm, 7, seed=3)
    assert bare == ["{}"]
    assert len(sampled) == 7
    assert all(template.endswith(". {}") and template.count("{") == 1 for template in sampled)
    assert all(template.startswith(BEGINNINGS[index % 5]) for index, template in enumerate(sampled))
    assert context_templates(lm, 7, seed=3) == [bare, sampled]
    assert context_templates(lm, 7, seed=4) != [bare, sampled]
    assert context_templates(lm, 0, seed=3) == [["{}"]]
    assert torch.equal(torch.random.get_rng_state(), state)


def test_a_prompt_that_is_too_long_names_its_fact() -> None:
    fact = Fact("endless", Group.EDITED, "Peru", "Far " * 90 + "{} is", "Lima", "Paris")
    with pytest.raises(EditViewError, match="endless"):
        target_vectors(language_model(), [fact], 1, SEARCH, TEMPLATES, silent)
