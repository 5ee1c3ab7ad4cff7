"""What the model says and how probable answers are, against the plainest way to compute it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
import torch

from editview.domain.errors import Cancelled, EditViewError
from editview.domain.facts import Fact, Group
from editview.domain.progress import silent
from editview.domain.verdicts import Check
from editview.lm.answers import ask, check, live_check
from editview.lm.model import LanguageModel
from editview.lm.tokens import encode
from tests.families import FAMILIES, facts, language_model


def all_checks(lm: LanguageModel, asked: Sequence[Fact], **options: int) -> list[Check]:
    return [one for batch in check(lm, asked, silent, **options) for one in batch]


def plain_nll(lm: LanguageModel, prompt: str, answer: str) -> float:
    before, whole = encode(lm.tokenizer, prompt), encode(lm.tokenizer, f"{prompt} {answer}")
    with torch.no_grad():
        logs = lm.model(input_ids=torch.tensor([whole])).logits[0].log_softmax(-1)
    return -sum(logs[at - 1, whole[at]].item() for at in range(len(before), len(whole))) / (len(whole) - len(before))


def plain_first(lm: LanguageModel, prompt: str, answer: str) -> int:
    """How many of the answer's tokens are the first choice after what stands before them."""
    before, whole = encode(lm.tokenizer, prompt), encode(lm.tokenizer, f"{prompt} {answer}")
    with torch.no_grad():
        choices = lm.model(input_ids=torch.tensor([whole])).logits[0].argmax(-1).tolist()
    return sum(choices[at - 1] == whole[at] for at in range(len(before), len(whole)))


def plain_likelihood(lm: LanguageModel, prompt: str, answer: str) -> float:
    count = len(encode(lm.tokenizer, f"{prompt} {answer}")) - len(encode(lm.tokenizer, prompt))
    return math.exp(-count * plain_nll(lm, prompt, answer))


def plain_greedy(lm: LanguageModel, prompt: str, count: int) -> str:
    ids = encode(lm.tokenizer, prompt)
    start = len(ids)
    with torch.no_grad():
        for _ in range(count):
            token = int(lm.model(input_ids=torch.tensor([ids])).logits[0, -1].argmax())
            if token == lm.tokenizer.eos_token_id:
                break
            ids.append(token)
    return str(lm.tokenizer.decode(ids[start:], skip_special_tokens=True)).strip()


def teach(lm: LanguageModel, texts: Sequence[str], steps: int = 60) -> None:
    """Make the model know texts by heart."""
    rows = [torch.tensor([encode(lm.tokenizer, text)]) for text in texts]
    optimiser = torch.optim.Adam(lm.model.parameters(), lr=3e-3)
    for _ in range(steps):
        for row in rows:
            lm.model(input_ids=row, labels=row).loss.backward()
        optimiser.step()
        optimiser.zero_grad()


@pytest.mark.parametrize("bos", [False, True])
@pytest.mark.parametrize("family", FAMILIES)
def test_probabilities_and_words_are_the_models_own(family: str, bos: bool) -> None:
    lm = language_model(family, bos)
    found = all_checks(lm, facts())
    assert [one.fact_id for one in found] == [fact.id for fact in facts()]
    for fact, one in zip(facts(), found, strict=True):
        assert [answer.prompt for answer in one.answers] == list(fact.wordings)
        for answer in one.answers:
            assert answer.nll_wanted == pytest.approx(plain_nll(lm, answer.prompt, fact.wanted), rel=1e-4)
            assert answer.p_wanted == pytest.approx(plain_likelihood(lm, answer.prompt, fact.wanted), rel=1e-2)
            assert answer.wanted_first == plain_first(lm, answer.prompt, fact.wanted)
            if fact.other is None:
                assert answer.nll_other is None
            else:
                assert answer.nll_other == pytest.approx(plain_nll(lm, answer.prompt, fact.other), rel=1e-4)
                assert answer.p_other == pytest.approx(plain_likelihood(lm, answer.prompt, fact.other), rel=1e-2)
            assert plain_greedy(lm, answer.prompt, 20).startswith(answer.said.rstrip("\ufffd"))


@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_what_was_learnt_is_given_and_live_checks_agree(family: str) -> None:
    lm = language_model(family)
    known = [fact for fact in facts() if fact.id != "nile"]
    teach(lm, [f"{wording} {fact.true_answer}." for fact in known for wording in fact.wordings])
    asked = [
        *facts(),
        # Begins with the answer and goes on: 'Parisian', which isn't 'Paris'.
        Fact("longer", Group.CONTROL, "France", "The capital of {} is", "Par"),
        Fact("case", Group.CONTROL, "France", "The capital of {} is", "paris"),
    ]
    found = {one.fact_id: one for one in all_checks(lm, asked)}
    assert found["kenya"].answers[0].said == "Kenya"
    assert found["kenya"].answers[0].gives
    assert found["kenya"].answers[0].p_wanted > 0.5
    assert found["kenya"].answers[0].wanted_first == found["kenya"].answers[0].wanted_tokens
    learnt = [answer for fact in known if fact.wanted == fact.true_answer for answer in found[fact.id].answers]
    assert all(answer.wanted_first == answer.wanted_tokens for answer in learnt)
    assert not found["peru"].answers[0].gives
    assert found["peru"].said == "Lima"
    assert not found["longer"].answers[0].gives
    assert found["case"].answers[0].gives
    live = live_check(lm, asked, step=30)
    assert live.step == 30
    assert live.fact_ids == tuple(fact.id for fact in asked)
    assert live.gives == tuple(found[fact.id].answers[0].gives for fact in asked)
    for index, fact in enumerate(asked):
        first = found[fact.id].answers[0]
        begun = live.said[index]
        assert not begun if first.gives else plain_greedy(lm, fact.prompt, 20).startswith(begun)
        assert live.nll_wanted[index] == pytest.approx(first.nll_wanted, rel=1e-4, abs=1e-6)
        if first.nll_other is None:
            assert math.isnan(live.nll_other[index])
        else:
            assert live.nll_other[index] == pytest.approx(first.nll_other, rel=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_live_checks_agree_on_models_that_babble(family: str) -> None:
    lm = language_model(family, seed=3)
    babble = []
    for index, fact in enumerate(facts()):
        said = plain_greedy(lm, fact.prompt, 1 + index % 4) or "nothing"
        babble.append(Fact(f"b{index}", Group.CONTROL, fact.subject, fact.template, said))
    found = all_checks(lm, babble)
    live = live_check(lm, babble, 1)
    assert live.gives == tuple(one.answers[0].gives for one in found)
    for fact, said in zip(babble, live.said, strict=True):
        assert plain_greedy(lm, fact.prompt, 20).startswith(said)


def test_batches_don_t_matter() -> None:
    lm = language_model("llama", bos=True)
    many = [
        Fact(f"{fact.id}{i}", fact.group, fact.subject, fact.template + " a" * i, fact.true_answer, fact.new_answer)
        for fact in facts()
        for i in range(8)
    ]
    large, small = all_checks(lm, many), all_checks(lm, many, batch_tokens=30)
    for one, other in zip(large, small, strict=True):
        assert one.said == other.said
        assert one.answers[0].nll_wanted == pytest.approx(other.answers[0].nll_wanted, rel=1e-5)


def test_the_first_checks_come_soon_and_progress_can_cancel() -> None:
    lm = language_model()
    many = [Fact(f"f{i}", Group.CONTROL, "Peru", "The capital of {} is", "Lima") for i in range(100)]
    batches = list(check(lm, many, silent))
    assert len(batches[0]) == 16
    assert sum(map(len, batches)) == 100
    seen: list[tuple[int, int]] = []

    def stop(done: int, total: int, what: str) -> None:
        seen.append((done, total))
        if done:
            raise Cancelled

    with pytest.raises(Cancelled):
        list(check(lm, many, stop))
    assert seen[-1] == (16, 100)


def test_no_facts_no_checks() -> None:
    lm = language_model()
    assert list(check(lm, [], silent)) == []
    assert live_check(lm, [], 5).gives == ()


def test_asking_leaves_training_as_it_was() -> None:
    lm = language_model()
    lm.model.train()
    lm.anatomy.block(lm.model, 1).eval()
    modes = [module.training for module in lm.model.modules()]
    state = torch.random.get_rng_state()
    weights = {name: tensor.clone() for name, tensor in lm.weights().items()}
    live_check(lm, facts(), 10)
    all_checks(lm, facts())
    assert [module.training for module in lm.model.modules()] == modes
    assert torch.equal(torch.random.get_rng_state(), state)
    assert all(torch.equal(tensor, weights[name]) for name, tensor in lm.weights().items())
    assert all(parameter.requires_grad and parameter.grad is None for parameter in lm.model.parameters())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in lm.model.modules())


def test_dropout_is_off_while_asking() -> None:
    lm = language_model()
    calm = live_check(lm, facts(), 1)
    lm.model.train()
    assert live_check(lm, facts(), 1).nll_wanted == calm.nll_wanted


def test_ask_speaks_up_to_the_length_asked() -> None:
    lm = language_model("phi3")
    assert ask(lm, "The capital of Peru is", 5) == plain_greedy(lm, "The capital of Peru is", 5)
    assert isinstance(ask(lm, "", 3), str)


@pytest.mark.parametrize("template", ["", "{} " * 120])
def test_prompts_that_can_t_be_read_name_their_fact(template: str) -> None:
    odd = Fact("odd-one", Group.CONTROL, "Peru", template, "Lima")
    with pytest.raises(EditViewError, match="odd-one"):
        live_check(language_model(), [odd], 1)
