"""Keys and states as the model's own forward has them, and a change held against chance."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from editview.domain.errors import Cancelled
from editview.domain.facts import Fact, Group
from editview.domain.progress import silent
from editview.lm.interference import DRAWS, chance, gain, read, responses, shifts
from editview.lm.model import LanguageModel
from editview.lm.tokens import encode, last_token_before
from tests.families import language_model

FACTS = [
    Fact("a", Group.EDITED, "France", "The capital of {} is", "Paris", "Lima"),
    Fact("b", Group.CONTROL, "the Red Fort", "Those who see {}", "India"),
    Fact("c", Group.CONTROL, "Kenya", "Mount Kenya stands in Kenya", "Kenya"),
]


def plainly(lm: LanguageModel, ids: list[int]) -> list[tuple[Tensor, Tensor]]:
    """By layer what the feed-forward output matrix is given and what the block puts out [tokens, size]."""
    given, put_out, hooks = [], [], []
    for layer in range(len(lm.anatomy.blocks)):
        matrix, block = lm.anatomy.mlp_output(lm.model, layer), lm.anatomy.block(lm.model, layer)
        hooks.append(matrix.register_forward_pre_hook(lambda _, inputs: given.append(inputs[0])))
        hooks.append(block.register_forward_hook(lambda _, __, output: put_out.append(output)))
    with torch.no_grad():
        lm.model.eval()(input_ids=torch.tensor([ids]))
    for hook in hooks:
        hook.remove()
    states = [output[0] if isinstance(output, tuple) else output for output in put_out]
    return [(a.reshape(len(ids), -1), b.reshape(len(ids), -1)) for a, b in zip(given, states, strict=True)]


@pytest.mark.parametrize("family", ["gpt2", "llama", "gemma2"])
def test_keys_and_states_are_those_of_a_plain_forward(family: str) -> None:
    lm = language_model(family)
    found = read(lm, FACTS, silent, "Reading")
    for number, fact in enumerate(FACTS):
        ids = encode(lm.tokenizer, fact.prompt)
        at = last_token_before(lm.tokenizer, fact.prompt, fact.prompt.rindex(fact.subject) + len(fact.subject))
        for layer, (given, states) in enumerate(plainly(lm, ids)):
            torch.testing.assert_close(found.keys[layer][number], given[at], rtol=1e-4, atol=1e-5)
            torch.testing.assert_close(found.subject[number, layer], states[at], rtol=1e-4, atol=1e-5)
            torch.testing.assert_close(found.prompt[number, layer], states[-1], rtol=1e-4, atol=1e-5)


def test_shifts_are_relative_to_the_length_before() -> None:
    before = torch.tensor([[[3.0, 4.0], [0.0, 2.0]]])
    torch.testing.assert_close(shifts(before, before + torch.tensor([0.0, 1.0])), torch.tensor([[0.2, 0.5]]))


def test_responses_and_gain_are_those_written_out() -> None:
    source = torch.Generator().manual_seed(0)
    change, keys = torch.randn(5, 8, generator=source), torch.randn(3, 8, generator=source)
    literal = [sum(float(change[row] @ key) ** 2 for row in range(5)) ** 0.5 for key in keys]
    torch.testing.assert_close(responses(change, keys), torch.tensor(literal))
    lengths = sum(float(key @ key) for key in keys) ** 0.5
    assert gain(change, keys) == pytest.approx(sum(x * x for x in literal) ** 0.5 / lengths)


def test_random_directions_get_what_chance_says_and_a_direction_of_its_own_gets_more() -> None:
    source = torch.Generator().manual_seed(3)
    change, keys = torch.randn(64, 256, generator=source), torch.randn(40, 256, generator=source)
    draws = list(chance(change, keys.norm(dim=1), seed=5))
    usual = sum(draws) / DRAWS
    assert draws == list(chance(change, keys.norm(dim=1), seed=5))
    assert usual == pytest.approx(float(change.norm()) / 256**0.5, rel=0.02)  # E‖ΔW u‖² = ‖ΔW‖² / inputs
    assert gain(change, keys) / usual == pytest.approx(1, abs=0.05)
    aimed = torch.outer(torch.randn(64, generator=source), keys[0])
    aimed_usual = sum(chance(aimed, keys[:1].norm(dim=1), seed=5)) / DRAWS
    assert gain(aimed, keys[:1]) / aimed_usual > 10


def test_a_change_orthogonal_to_the_keys_gets_nothing() -> None:
    source = torch.Generator().manual_seed(4)
    keys = torch.randn(10, 64, generator=source, dtype=torch.float64)
    basis = torch.linalg.qr(keys.T).Q
    change = torch.randn(16, 64, generator=source, dtype=torch.float64)
    spared = change - change @ basis @ basis.T
    assert gain(spared, keys) < 1e-12 < gain(change, keys)


def test_stop_acts_at_once() -> None:
    def stopped(*_: object) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        read(language_model(), FACTS, stopped, "Reading")
