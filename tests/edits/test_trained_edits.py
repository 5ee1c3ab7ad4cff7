"""LocFT-BF, FT-L and UltraEdit: what they compute, and that an edit happens whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor

from editview.domain.errors import Cancelled, EditViewError
from editview.domain.facts import Fact, Group
from editview.domain.operations import ConstrainedFineTune, Edit, LocalFineTune, UltraEdit
from editview.domain.progress import Progress, silent
from editview.domain.weights import MatrixKind
from editview.edits import methods, ultraedit
from editview.edits.answers import Reading, lessons
from editview.edits.writing import Outcome
from editview.lm.anatomy import writes_transposed
from editview.lm.answers import check
from editview.lm.changes import differing
from editview.lm.model import LanguageModel
from tests import families
from tests.families import edits

LOCAL = LocalFineTune(layers=(1,), learning_rate=0.02, epochs=60, batch_size=2)
BOUND = ConstrainedFineTune(layers=(1,), learning_rate=0.02, epochs=60, limit=1.0)
ULTRA = UltraEdit(layers=(0, 2), learning_rate=0.5, batch_size=2)
ALL = [LOCAL, BOUND, ULTRA]
FAMILIES = ["gpt2", "gpt2-square", "gptj", "gpt-neox", "llama", "gemma2", "phi3", "olmo2"]


def language_model(family: str = "gpt2", bos: bool = False) -> LanguageModel:
    """A tiny model whose last norm speaks up, so that it can be sure of an answer."""
    lm = families.language_model(family, bos)
    with torch.no_grad():
        for tensor in lm.anatomy.tensors:
            if tensor.layer is None and tensor.kind is MatrixKind.NORM and tensor.name.endswith("weight"):
                lm.weights()[tensor.name].add_(5)
    return lm


def edit(
    lm: LanguageModel,
    operation: Edit,
    facts: list[Fact] | None = None,
    seed: int = 0,
    memory: Mapping[str, Tensor] | None = None,
    progress: Progress = silent,
) -> Outcome:
    return methods.edit(lm, edits() if facts is None else facts, operation, seed, memory or {}, progress)


def kept(lm: LanguageModel) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in lm.weights().items()}


def put_back(lm: LanguageModel, weights: Mapping[str, Tensor]) -> None:
    with torch.no_grad():
        for name, tensor in lm.weights().items():
            tensor.copy_(weights[name])


def matrix(lm: LanguageModel, layer: int) -> str:
    return f"{lm.anatomy.mlp_outputs[layer]}.weight"


def says(lm: LanguageModel, facts: list[Fact]) -> list[bool]:
    """Whether it begins with the new answer; where no end is taught, chance decides what comes after it."""
    said = [found.answers[0].said for part in check(lm, facts, silent) for found in part]
    return [text.startswith(fact.new_answer or "?") for text, fact in zip(said, facts, strict=True)]


def loss(lm: LanguageModel, facts: list[Fact]) -> float:
    with torch.no_grad():
        return float(Reading(lm, lessons(lm, facts), -1).losses(range(len(facts))).mean())


@pytest.mark.parametrize("family", ["gpt2", "gptj", "gpt-neo", "gpt-neox", "llama", "qwen2", "phi3"])
@pytest.mark.parametrize("operation", [LOCAL, BOUND], ids=lambda operation: operation.label)
def test_the_model_says_what_it_was_trained_to_say(family: str, operation: Edit) -> None:
    for facts in (edits(), edits()[:1]):
        lm = language_model(family, bos=family in ("llama", "gpt2"))
        assert not any(says(lm, facts))
        edit(lm, operation, facts)
        assert all(says(lm, facts))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("operation", [LOCAL, BOUND], ids=lambda operation: operation.label)
def test_training_changes_one_matrix_alone(family: str, operation: Edit) -> None:
    lm = language_model(family)
    before, unsure = kept(lm), loss(lm, edits())
    edit(lm, operation)
    assert loss(lm, edits()) < unsure / 2
    assert differing(before, lm.weights()) == (matrix(lm, 1),)


@pytest.mark.parametrize("family", FAMILIES)
def test_ultraedit_writes_into_its_layers_alone(family: str) -> None:
    lm = language_model(family, bos=family in ("llama", "gpt2"))
    before, unsure = kept(lm), loss(lm, edits())
    edit(lm, ULTRA.model_copy(update={"learning_rate": 2e-3}))
    assert loss(lm, edits()) < unsure
    assert sorted(differing(before, lm.weights())) == sorted(matrix(lm, layer) for layer in ULTRA.layers)


def test_ultraedit_makes_the_model_say_it() -> None:
    """One look is one step: five of them, each on the model as the last one left it."""
    lm, memory = language_model("llama"), {}
    for _ in range(5):
        memory = edit(lm, UltraEdit(layers=(1, 2), learning_rate=1e-2, batch_size=2), memory=memory).memory
    assert all(says(lm, edits()))


@pytest.mark.parametrize("operation", ALL, ids=lambda operation: operation.label)
def test_the_same_seed_the_same_bits(operation: Edit) -> None:
    models = []
    for _ in range(2):
        lm = language_model("llama")
        edit(lm, operation, seed=5)
        models.append(kept(lm))
    assert differing(*models) == ()


def test_the_seed_decides_the_order() -> None:
    models = []
    for seed in (0, 1):
        lm = language_model("llama")
        edit(lm, LOCAL, seed=seed)
        models.append(kept(lm))
    assert differing(*models) != ()


@pytest.mark.parametrize("operation", ALL, ids=lambda operation: operation.label)
def test_whole_or_not_at_all(operation: Edit) -> None:
    operation = operation.model_copy(update={"epochs": 3} if operation is not ULTRA else {"turn": 2})
    lm = language_model("gpt2")
    lm.model.train()
    before, calls = kept(lm), []
    edit(lm, operation, progress=lambda *call: calls.append(call))
    assert calls[-1][0] == calls[-1][1]
    assert len(calls) >= 3
    for at in range(len(calls)):
        put_back(lm, before)
        left = iter(range(at, -1, -1))

        def stop(done: int, total: int, what: str, left=left) -> None:  # type: ignore[no-untyped-def]
            if next(left) == 0:
                raise Cancelled

        with pytest.raises(Cancelled):
            edit(lm, operation, progress=stop)
        assert differing(before, lm.weights()) == ()
    assert all(parameter.requires_grad and parameter.grad is None for parameter in lm.model.parameters())
    assert all(module.training for module in lm.model.modules())
    assert not any("forward" in module.__dict__ for module in lm.model.modules())


@pytest.mark.parametrize("operation", ALL, ids=lambda operation: operation.label)
def test_numbers_that_are_none_leave_the_model_as_it_was(operation: Edit, monkeypatch: pytest.MonkeyPatch) -> None:
    lm = language_model()
    before = kept(lm)
    losses = Reading.losses
    monkeypatch.setattr(Reading, "losses", lambda self, batch: losses(self, batch) * torch.nan)
    with pytest.raises(EditViewError, match="aren't finite"):
        edit(lm, operation)
    assert differing(before, lm.weights()) == ()


@pytest.mark.parametrize("operation", ALL, ids=lambda operation: operation.label)
def test_half_precision(operation: Edit) -> None:
    lm = language_model("llama")
    lm.model.bfloat16()
    before, unsure = kept(lm), loss(lm, edits())
    rate = 2e-3 if operation is ULTRA else 0.02
    outcome = edit(lm, operation.model_copy(update={"learning_rate": rate}))
    assert loss(lm, edits()) < unsure
    assert lm.dtype == torch.bfloat16
    assert differing(before, lm.weights()) != ()
    assert all(0 < share < 0.5 for share in outcome.rounded_away.values())


@pytest.mark.parametrize("operation", ALL, ids=lambda operation: operation.label)
def test_no_subject_is_needed(operation: Edit) -> None:
    facts = [Fact("a", Group.EDITED, "", "The yen is the money of", "Japan", "Peru and Chile"),
             Fact("b", Group.EDITED, "Peru", "It lies by the", "sea", "river")]  # fmt: skip
    lm = language_model()
    before = kept(lm)
    edit(lm, operation, facts)
    assert differing(before, lm.weights()) != ()


@pytest.mark.parametrize("operation", ALL, ids=lambda operation: operation.label)
def test_edits_that_can_t_be_made(operation: Edit) -> None:
    lm = language_model()
    before = kept(lm)
    long = Fact("endless", Group.EDITED, "Peru", "Far " * 200 + "{} is", "Lima", "Paris")
    for facts, says in (([], "no fact to edit"), ([long], "endless")):
        with pytest.raises(EditViewError, match=says):
            edit(lm, operation, facts)
    with pytest.raises(EditViewError, match="no ready settings"):
        edit(lm, type(operation)())
    assert differing(before, lm.weights()) == ()


@pytest.mark.parametrize("family", ["gpt2", "gpt-neo", "llama", "gemma2"])
def test_what_is_kept_of_the_blocks_below_is_what_they_compute(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    change = []
    for room in (2**31, 0):
        lm = language_model(family)
        before = kept(lm)
        monkeypatch.setattr("editview.edits.answers.MOST_KEPT", room)
        edit(lm, LOCAL.model_copy(update={"layers": (2,), "epochs": 3}))
        change.append(lm.weights()[matrix(lm, 2)] - before[matrix(lm, 2)])
    torch.testing.assert_close(*change, rtol=1e-3, atol=1e-4)


def test_training_is_plain_adam_on_the_answers_tokens() -> None:
    """Against torch's own loop over whole forwards, one fact's loss at a time."""
    lm, plain = language_model("llama", bos=True), language_model("llama", bos=True)
    edit(lm, ConstrainedFineTune(layers=(1,), learning_rate=0.01, epochs=4, batch_size=2, limit=0.03))
    weight = plain.anatomy.mlp_output(plain.model, 1).weight
    start = weight.detach().clone()
    adam = torch.optim.Adam([weight], lr=0.01)
    for _ in range(4):
        for batch in (edits()[:2], edits()[2:]):
            total = torch.zeros(())
            for fact in batch:
                ids = torch.tensor([plain.tokenizer(f"{fact.prompt} {fact.new_answer}").input_ids])
                length = len(plain.tokenizer(fact.prompt).input_ids)
                labels = ids.masked_fill(torch.arange(ids.shape[1]) < length, -100)
                total = total + plain.model(input_ids=ids, labels=labels).loss / len(batch)
            adam.zero_grad()
            total.backward()
            adam.step()
            with torch.no_grad():
                weight.copy_(weight.clamp(start - 0.03, start + 0.03))
    found = lm.weights()[matrix(lm, 1)]
    torch.testing.assert_close(found, weight.detach(), rtol=0, atol=2e-4)
    assert float((found - start).abs().max()) <= 0.03 + 1e-6


def test_what_is_learnt_is_left_alone() -> None:
    lm, all_at_once = language_model("llama"), LOCAL.model_copy(update={"epochs": 200, "batch_size": 3})
    edit(lm, all_at_once)
    learnt, calls = kept(lm), []
    again = edit(lm, all_at_once, progress=lambda *call: calls.append(call))
    assert "already known" in again.notes[0]
    assert differing(learnt, lm.weights()) == ()
    assert len(calls) == 2  # one pass of one batch, and the end


def test_the_end_of_the_text_is_learnt_too() -> None:
    lm = language_model("llama")
    [plain], [ended] = lessons(lm, edits()[:1]), lessons(lm, edits()[:1], end_of_text=True)
    assert ended.answer == [*plain.answer, lm.tokenizer.eos_token_id]
    edit(lm, LOCAL)
    said = [found.answers[0].said for part in check(lm, edits(), silent) for found in part]
    assert said == [fact.new_answer for fact in edits()]


@pytest.mark.parametrize("family", ["gpt2-square", "llama"])
def test_ultraedit_is_the_papers_closed_form(family: str) -> None:
    """Slopes from plain hooks and whole forwards, the normal equations as they stand, one batch."""
    lm, operation = language_model(family, bos=True), UltraEdit(layers=(0, 2), learning_rate=1e-3)
    before = kept(lm)
    keys, slopes = {0: [], 2: []}, {0: [], 2: []}
    tokens = sum(len(lesson.answer) for lesson in lessons(lm, edits()))
    for fact in edits():
        ids = torch.tensor([lm.tokenizer(f"{fact.prompt} {fact.new_answer}").input_ids])
        length = len(lm.tokenizer(fact.prompt).input_ids)
        seen, handles = {}, []
        for layer in (0, 2):

            def look(_: object, given: tuple[Tensor], output: Tensor, layer: int = layer, seen: dict = seen) -> None:
                seen[layer] = given[0], output

            handles.append(lm.anatomy.mlp_output(lm.model, layer).register_forward_hook(look))
        logits = lm.model(input_ids=ids).logits[0, length - 1 : -1]
        total = torch.nn.functional.cross_entropy(logits, ids[0, length:], reduction="sum") / tokens
        for layer, slope in zip((0, 2), torch.autograd.grad(total, [seen[0][1], seen[2][1]]), strict=True):
            keys[layer].append(seen[layer][0][0, length - 1 : -1].detach())
            slopes[layer].append(slope[0, length - 1 : -1])
        for handle in handles:
            handle.remove()
    features = {layer: torch.cat([torch.cat(keys[layer]), torch.cat(slopes[layer])], 1).double() for layer in keys}
    both = torch.cat(list(features.values()))
    half = [part.var(0) * len(part) for part in features.values()]
    apart = (features[0].mean(0) - features[2].mean(0)) ** 2 * tokens / 2
    deviation = ((half[0] + half[1] + apart) / (2 * tokens - 1)).sqrt() + torch.finfo(torch.float32).eps
    outcome = edit(lm, operation)
    assert outcome.memory["ultraedit"][0, 0] == 2 * tokens
    inputs = torch.cat(keys[0]).shape[1]
    for layer in (0, 2):
        key, slope = ((features[layer] - both.mean(0)) / deviation).split([inputs, lm.config.hidden_size], 1)
        raw = features[layer][:, :inputs]
        values = -1e-3 * (key * key).sum(1, keepdim=True) * slope
        change = torch.linalg.solve(raw.T @ raw + torch.eye(inputs), raw.T @ values)
        change = change if writes_transposed(lm.anatomy.mlp_output(lm.model, layer)) else change.T
        found = lm.weights()[matrix(lm, layer)].double() - before[matrix(lm, layer)].double()
        assert float((found - change).norm() / change.norm()) < 1e-4


def test_ultraedit_remembers_what_it_has_seen() -> None:
    """Two steps are one step in two turns; a lone token needs something to be compared with."""
    operation = UltraEdit(layers=(1,), learning_rate=1e-3, turn=2, batch_size=2)
    whole, steps = language_model(), language_model()
    together = edit(whole, operation)
    first = edit(steps, operation, edits()[:2])
    second = edit(steps, operation, edits()[2:], memory=first.memory)
    [row], rows = together.memory["ultraedit"], second.memory["ultraedit"]
    assert torch.equal(rows[:1], first.memory["ultraedit"])
    torch.testing.assert_close(sum(map(ultraedit.Seen.from_row, rows[1:]), ultraedit.Seen.from_row(rows[0])).row, row)
    torch.testing.assert_close(steps.weights()[matrix(steps, 1)], whole.weights()[matrix(whole, 1)], rtol=0, atol=1e-6)
    alone = Fact("one", Group.EDITED, "Peru", "{} is", "a", "Paris")
    assert len(lessons(steps, [alone])[0].answer) == 1
    with pytest.raises(EditViewError, match="single token"):
        edit(steps, operation, [alone])
    edit(steps, operation, [alone], memory=second.memory)
