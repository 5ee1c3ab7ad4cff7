"""Protections of edits: what each of them is said to do, against a literal computation."""

from __future__ import annotations

import pytest
import torch
from transformers import TrainerControl, TrainerState, TrainingArguments

from editview.domain.errors import Cancelled, EditViewError
from editview.domain.facts import Fact, Group
from editview.domain.operations import FullFineTune, Lora
from editview.domain.progress import silent
from editview.lm.tokens import encode
from editview.tuning import training
from editview.tuning.batches import IGNORED, Row
from editview.tuning.fine_tune import fine_tune
from editview.tuning.protection.mixing import Mixture, rows_of
from editview.tuning.protection.projection import basis
from editview.tuning.protection.protection import FactsGiven
from editview.tuning.protection.shift import ShiftPenalty
from tests.tuning.models import examples, gpt2, llama, same, weights

FACTS = tuple(
    Fact(f"f{i}", Group.EDITED, name, "{} lives in", "Rome", city, ("The home of {} is",))
    for i, (name, city) in enumerate([("Ann Lee", "Bonn"), ("Bob", "Oslo"), ("Cleo", "Bern"), ("Dan Day", "Riga")])
)
GIVEN = FactsGiven(FACTS, FACTS, (0, 1))
FULL = FullFineTune(validation=0.0, steps=6, learning_rate=1e-2, batch_size=4, weight_decay=0.1)
LORA = Lora(validation=0.0, rank=4, alpha=8, steps=6, learning_rate=1e-1, batch_size=4, weight_decay=0.1)
BOTH = pytest.mark.parametrize("operation", [FULL, LORA], ids=["full", "lora"])


def keys(lm, fact: Fact) -> list[torch.Tensor]:
    """What each edited matrix is given at the subject's last token, one plain forward a fact."""
    seen: list[torch.Tensor] = []
    at = len(encode(lm.tokenizer, fact.subject)) - 1  # letters are tokens, and the prompts begin with their subjects
    handles = [
        lm.anatomy.mlp_output(lm.model, layer).register_forward_pre_hook(
            lambda _, inputs: seen.append(inputs[0].view(-1, inputs[0].shape[-1])[at].double())
        )
        for layer in GIVEN.layers
    ]
    with torch.no_grad():
        lm.model(torch.tensor([encode(lm.tokenizer, fact.prompt)]))
    for handle in handles:
        handle.remove()
    return seen


def answers_moved(lm, train) -> list[float]:
    """‖ΔW·K‖ of each edited matrix, relative to what ΔW does to unit directions on average."""
    given = [torch.stack(found) for found in zip(*(keys(lm, fact) for fact in FACTS), strict=True)]
    matrices = [lm.anatomy.mlp_output(lm.model, layer) for layer in GIVEN.layers]

    def read() -> list[torch.Tensor]:
        return [
            (m.weight if isinstance(m, torch.nn.Linear) else m.weight.T).detach().double().clone() for m in matrices
        ]

    before = read()
    train()
    moved = []
    for was, now, key in zip(before, read(), given, strict=True):
        change = now - was
        assert change.norm() > 1e-2 * was.norm()  # there is something to keep away
        moved.append(float((change @ key.T).norm() / key.norm() / (change.norm() / change.shape[1] ** 0.5)))
    return moved


@BOTH
@pytest.mark.parametrize("make", [gpt2, llama], ids=["Conv1D", "Linear"])
def test_projection_spares_the_keys_to_float_precision(operation: FullFineTune | Lora, make) -> None:
    lm, free = make(), make()
    projected = operation.model_copy(update={"projection": True})
    moved = answers_moved(lm, lambda: fine_tune(lm, projected, examples(), 3, facts=GIVEN))
    assert max(moved) < 1e-4
    assert min(answers_moved(free, lambda: fine_tune(free, operation, examples(), 3, facts=GIVEN))) > 1e-2


def test_a_basis_is_orthonormal_and_leaves_out_what_repeats() -> None:
    torch.manual_seed(0)
    found = torch.randn(5, 12, dtype=torch.float64)
    directions = basis(torch.cat([found, 3 * found[:2], found[:1] + found[1:2]]))
    assert directions.shape == (12, 5)
    assert torch.allclose(directions.T @ directions, torch.eye(5, dtype=torch.float64))
    assert torch.allclose(found @ directions @ directions.T, found)


def test_keys_in_every_direction_are_refused_in_words() -> None:
    lm = llama()  # 48 inputs
    before = weights(lm)
    many = tuple(Fact(f"f{i}", Group.EDITED, f"{i:03}", "{} is", "a", "b") for i in range(150))
    with pytest.raises(EditViewError, match="all 48 directions"):
        fine_tune(lm, FULL.model_copy(update={"projection": True}), examples(), 0, facts=FactsGiven((), many, (0, 1)))
    assert same(before, weights(lm))


def test_dora_and_projection_are_refused_in_words() -> None:
    with pytest.raises(EditViewError, match="DoRA"):
        fine_tune(gpt2(), LORA.model_copy(update={"projection": True, "dora": True}), examples(), 0, facts=GIVEN)


def literal_shift(lm, before) -> torch.Tensor:
    """One plain forward a fact, layer by layer."""
    terms = []
    for fact in FACTS:
        ids = encode(lm.tokenizer, fact.prompt)
        places = [len(encode(lm.tokenizer, fact.subject)) - 1, len(ids) - 1]
        states = lm.model.transformer(torch.tensor([ids]), output_hidden_states=True).hidden_states
        known = before.transformer(torch.tensor([ids]), output_hidden_states=True).hidden_states
        terms += [(states[1][0, at] - known[1][0, at]).square().sum() / known[1][0, at].square().sum() for at in places]
    return torch.stack(terms).mean()


def test_the_penaltys_gradient_is_that_of_a_literal_computation() -> None:
    lm, before = gpt2(), gpt2()
    penalty = ShiftPenalty(lm, FACTS, (0,), 3.0, 16, 0, silent)
    torch.manual_seed(5)
    with torch.no_grad():
        for weight in lm.model.parameters():
            weight += 0.02 * torch.randn_like(weight)
    lm.model.train()
    penalty.on_step_begin(TrainingArguments(use_cpu=True), TrainerState(), TrainerControl())
    assert lm.model.training
    found = {name: weight.grad for name, weight in lm.model.named_parameters()}
    lm.model.zero_grad()
    lm.model.eval()
    (3.0 * literal_shift(lm, before.model)).backward()
    reached = 0
    for name, weight in lm.model.named_parameters():
        if weight.grad is None or not weight.grad.any():
            assert found[name] is None or not found[name].any()
        else:
            assert torch.allclose(found[name], weight.grad, rtol=1e-4, atol=1e-6)
            reached += 1
    assert reached > 10


@BOTH
def test_a_penalty_of_no_weight_trains_as_without_and_a_large_one_holds(operation: FullFineTune | Lora) -> None:
    def trained(weight: float):
        lm = gpt2()
        fine_tune(lm, operation.model_copy(update={"shift_penalty": weight}), examples(), 0, facts=GIVEN)
        return lm

    none, next_to_none, much = trained(0.0), trained(1e-30), trained(1e4)
    assert same(weights(none), weights(next_to_none))
    shift = {name: literal_shift(lm, gpt2().model).item() for name, lm in (("none", none), ("much", much))}
    assert shift["much"] < 0.3 * shift["none"]


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[list[Row]]:
    """The rows of every batch that is trained on."""
    seen: list[list[Row]] = []
    real = training.batch

    def watching(rows, padding):
        seen.append(list(rows))
        return real(rows, padding)

    monkeypatch.setattr(training, "batch", watching)
    return seen


@pytest.mark.parametrize(("share", "size", "asked"), [(0.05, 4, 1), (0.25, 8, 2), (0.5, 6, 3)])
@pytest.mark.parametrize("kind", ["replay", "teach"])
def test_every_batch_asks_exactly_its_share_and_is_otherwise_the_same(
    kind: str, share: float, size: int, asked: int, batches: list[list[Row]]
) -> None:
    lm = gpt2()
    plain = FULL.model_copy(update={"batch_size": size, "steps": 9})
    fine_tune(lm, plain, examples(), 3, facts=GIVEN)
    without = list(batches)
    batches.clear()
    fine_tune(gpt2(), plain.model_copy(update={kind: share}), examples(), 3, facts=GIVEN)
    facts = [row.tokens for row in rows_of(lm, FACTS, paraphrases=kind == "teach")]
    assert len(batches) == len(without) >= 9
    came = []
    for mixed, pure in zip(batches, without, strict=True):
        assert mixed[: len(mixed) - asked] == pure[: len(pure) - asked]
        assert [row.tokens in facts for row in mixed] == [False] * (size - asked) + [True] * asked
        came += [facts.index(row.tokens) for row in mixed[-asked:]]
    often = [came.count(at) for at in range(len(facts))]
    assert max(often) - min(often) <= 1  # each comes as often as any other


def test_facts_are_trained_on_as_they_are_asked() -> None:
    lm = gpt2()
    prompt, paraphrase = rows_of(lm, FACTS[:1], paraphrases=True)
    assert lm.tokenizer.decode(prompt.tokens) == "Ann Lee lives in Bonn"
    assert lm.tokenizer.decode(prompt.tokens[prompt.answer_at :]) == " Bonn"
    assert lm.tokenizer.decode(paraphrase.tokens) == "The home of Ann Lee is Bonn"
    labels = training.batch([prompt], 0)["labels"][0]
    assert lm.tokenizer.decode(labels[labels != IGNORED]) == " Bonn"


def test_taught_facts_are_learnt() -> None:
    def loss_after(teach: float) -> float:
        lm, longer = gpt2(), FULL.model_copy(update={"teach": teach, "steps": 60, "batch_size": 8})
        fine_tune(lm, longer, examples(), 0, facts=GIVEN)
        asked = training.batch(rows_of(lm, FACTS, paraphrases=True), 0)
        with torch.no_grad():
            return float(lm.model(input_ids=asked["input_ids"], labels=asked["labels"]).loss)

    assert loss_after(0.5) < 0.4 * loss_after(0.0)


def test_both_shares_have_room_and_data_is_left() -> None:
    mixture = Mixture(4, 0)
    facts = [Row([9, at], 1) for at in range(3)]
    mixture.add("replayed", facts[:2], 0.25)
    mixture.add("taught", facts[2:], 0.25)
    data = [Row([1, at], 1) for at in range(4)]
    whole, rest, lone = mixture.mixed(data), mixture.mixed(data[:2]), mixture.mixed(data[:1])
    assert (whole[:2], whole[3]) == (data[:2], facts[2])
    assert whole[2] in facts[:2]
    assert rest[0] == data[0]
    assert rest[1] in facts
    assert lone == data[:1]
    with pytest.raises(EditViewError, match="larger batch"):
        fine_tune(gpt2(), FULL.model_copy(update={"batch_size": 1, "replay": 0.1}), examples(), 0, facts=GIVEN)


def test_where_nothing_was_edited_it_says_so_and_trains_as_without() -> None:
    plain, guarded = gpt2(), gpt2()
    protections = {"replay": 0.25, "shift_penalty": 1.0, "projection": True}
    fine_tune(plain, FULL, examples(), 0)
    tuned = fine_tune(guarded, FULL.model_copy(update=protections), examples(), 0)
    assert same(weights(plain), weights(guarded))
    assert [note for note in tuned.notes if "nothing to protect" in note]


@BOTH
@pytest.mark.parametrize("what", ["Reading the protected facts", "Training"])
def test_stopped_at_any_time_it_leaves_everything_as_it_was(operation: FullFineTune | Lora, what: str) -> None:
    lm = gpt2()
    before = weights(lm)
    guarded = operation.model_copy(
        update={"replay": 0.25, "teach": 0.25, "shift_penalty": 1.0, "projection": True, "batch_size": 8}
    )

    def stop(done: int, total: int, doing: str) -> None:
        if doing == what and (what != "Training" or done == 3):
            raise Cancelled

    with pytest.raises(Cancelled):
        fine_tune(lm, guarded, examples(), 0, None, stop, facts=GIVEN)
    assert same(before, weights(lm))
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in lm.model.modules())
    assert all(weight.grad is None for weight in lm.model.parameters())
    fine_tune(lm, guarded, examples(), 0, facts=GIVEN)
    fresh = gpt2()
    fine_tune(fresh, guarded, examples(), 0, facts=GIVEN)
    assert same(weights(fresh), weights(lm))
