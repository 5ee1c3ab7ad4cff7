"""Causal tracing against the plainest way to do it, for all families, and on models whose truth is known."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from editview.domain.checkpoint import Device
from editview.domain.errors import Cancelled, EditViewError
from editview.domain.facts import Fact, Group
from editview.domain.plan import Checkpoint
from editview.domain.progress import silent
from editview.domain.tracing import TOKENS, Effects, Token, window_around
from editview.formats.fact_sheets import read_facts
from editview.lm.anatomy import anatomy
from editview.lm.forward import by_text, hidden_of, hooked
from editview.lm.model import LanguageModel, asking, fingerprint
from editview.lm.opening import open_model
from editview.lm.restoring import Text, noise_of
from editview.lm.tokens import answered, subject_tokens
from editview.lm.tracing import NOISE, _embeddings_of_subjects, _texts, trace
from tests.families import FAMILIES, experts, language_model, tokenizer

SUBJECTS = ("France", "Peru", "the Eiffel Tower", "Mount Kenya", "Egypt", "the Red Fort", "Sudan", "Brazil", "Japan")
TEMPLATES = (
    "The capital of {} is", "{} stands in", "People who visit {} are in", "{} is the", "Those who see {} are",
    "The river {} flows through", "{}", "The language of {} is", "In {} they see the river", "A currency: {},",
    "Mount {} and", "The {} of", "See the capital of {} and", "{} or", "Is {} the",
)  # fmt: skip
LAST_OF_SUBJECT, LAST = TOKENS.index(Token.LAST_OF_SUBJECT), TOKENS.index(Token.LAST)


TRACED = [family for family in FAMILIES if family not in ("cohere", "phi")]
"""With random weights those two know no facts, or lose nothing when a subject is blurred."""


def known_facts(lm: LanguageModel, most: int = 6) -> list[Fact]:
    """Facts that a model with random weights happens to know: what it says after a prompt is made the true answer."""
    found = []
    for template in TEMPLATES:
        for subject in SUBJECTS:
            fact = Fact(f"{template} {subject}", Group.CONTROL, subject, template, "")
            with asking(lm):
                [(prompt, _)] = answered(lm.tokenizer, [(fact.prompt, "x")])
                own = int(lm.model(torch.tensor([prompt])).logits[0, -1].argmax())
            said = lm.tokenizer.decode([own])
            if said.strip() and answered(lm.tokenizer, [(fact.prompt, said.strip())]) == [(prompt, [own])]:
                found.append(replace(fact, true_answer=said.strip()))
            if len(found) == most:
                return found
    raise AssertionError(f"this model knows only {len(found)} facts")


def plainly(lm: LanguageModel, text: Text, noise: Tensor, layer: int, at: int, window: range | None) -> float:
    """The answer's probability with something restored at token `at`, one whole forward for each row of noise."""
    ids = torch.tensor([text.ids])
    clean: dict[Any, Tensor] = {}

    def keep(key: Any) -> Any:
        return lambda _, __, output: clean.__setitem__(key, hidden_of(output).clone())

    def put(key: Any) -> Any:
        def hook(_: Any, __: Any, output: Any) -> Any:
            states = hidden_of(output).clone()
            by_text(states, 1)[0, at] = by_text(clean[key], 1)[0, at]
            return (states, *output[1:]) if isinstance(output, tuple) else states

        return hook

    layers = [layer] if window is None else list(window)
    parts = [lm.anatomy.block if window is None else lm.anatomy.mlp_output] * len(layers)
    modules = [part(lm.model, i) for part, i in zip(parts, layers, strict=True)]
    with hooked(*(module.register_forward_hook(keep(i)) for i, module in enumerate(modules))):
        lm.model(ids)
    chances = []
    for row in noise:
        hooks = [lm.embedding.register_forward_hook(lambda _, __, output, row=row: output + row)]
        if layer >= 0:
            hooks += [module.register_forward_hook(put(i)) for i, module in enumerate(modules)]
        with hooked(*hooks):
            logits = lm.model(ids).logits[0].log_softmax(-1)
        chances.append(
            math.exp(sum(logits[p, token].item() for p, token in zip(text.scored, text.answer, strict=True)))
        )
    return sum(chances) / len(chances)


@pytest.mark.parametrize(("family", "bos"), [*((family, False) for family in TRACED), ("llama", True)])
def test_effects_are_those_of_whole_forwards_with_hooks(family: str, bos: bool) -> None:
    lm = language_model(family, bos)
    facts, samples = known_facts(lm), 2
    found = trace(lm, facts, silent, 3, samples=samples, batch_tokens=100)
    assert (found.used, found.unknown) == (6, 0)
    sums, counts = torch.zeros(2, found.layers, len(TOKENS)), torch.zeros(len(TOKENS))
    corrupted = 0.0
    with asking(lm):
        texts = _texts(lm, facts, 3)
        spread = NOISE * _embeddings_of_subjects(lm, texts).std().item()
        for text in texts:
            noise = spread * noise_of([text], torch.Size([1 + samples, len(text.ids)]), 24, 3, samples)[1:]
            lost = plainly(lm, text, noise, -1, 0, None)
            corrupted += lost / len(texts)
            for place, at in text.places.items():
                counts[place] += 1
                for layer in range(found.layers):
                    windows = (window_around(layer, found.layers), None)
                    for which, window in enumerate(windows):
                        sums[which, layer, place] += plainly(lm, text, noise, layer, at, window) - lost
    assert found.corrupted == pytest.approx(corrupted, abs=1e-6)
    for which, effects in enumerate((found.memory, found.states)):
        expected = sums[which] / counts
        torch.testing.assert_close(numbers(effects), expected, rtol=1e-3, atol=1e-5, equal_nan=True)
    assert counts[LAST_OF_SUBJECT] == 6
    assert numbers(found.memory).nan_to_num().abs().max() > 1e-4


def numbers(effects: Effects) -> Tensor:
    """[layers, tokens], NaN where there is no such token."""
    return torch.tensor([[math.nan if one is None else one for one in row] for row in effects])


@pytest.mark.parametrize("writing", [0, 1])
def test_the_only_layer_that_writes_is_found(writing: int) -> None:
    """Where a single layer's memory writes at all, restoring another one's can't do anything."""
    lm = language_model("gpt2")
    with torch.no_grad():
        for layer in {0, 1, 2} - {writing}:
            matrix = lm.anatomy.mlp_output(lm.model, layer)
            matrix.weight.zero_()
            matrix.bias.zero_()
    found = trace(lm, known_facts(lm), silent)
    effects = [row[LAST_OF_SUBJECT] for row in found.memory]
    assert [effect == pytest.approx(0, abs=1e-7) for effect in effects] == [layer != writing for layer in range(3)]


def test_the_last_state_is_all_that_the_answer_is_read_from() -> None:
    lm = language_model("llama")
    facts = [fact for fact in known_facts(lm, 20) if not fact.template.endswith("{}")]
    found = trace(lm, facts, silent)
    assert numbers(found.states)[-1, :LAST].nan_to_num().abs().max() < 1e-7
    assert found.states[-1][LAST] == pytest.approx(found.baseline - found.corrupted, abs=1e-6)


def test_the_seed_decides_and_the_batches_dont() -> None:
    lm = language_model("qwen2")
    facts = known_facts(lm, 8)
    first = trace(lm, facts, silent, 1)
    assert trace(lm, facts, silent, 1) == first
    other = trace(lm, facts, silent, 2)
    assert other.corrupted != first.corrupted
    small = trace(lm, facts, silent, 1, batch_tokens=1)
    torch.testing.assert_close(numbers(small.memory), numbers(first.memory), equal_nan=True)
    some = trace(lm, facts, silent, 1, most=5)
    assert some.used == 5
    assert 0 <= some.steady <= 1


def test_answers_of_several_tokens_are_weighed_whole() -> None:
    lm = language_model("gpt2")
    facts = known_facts(lm, 8)
    [(prompt, answer)] = answered(lm.tokenizer, [(facts[0].prompt, facts[0].true_answer)])
    with asking(lm):
        following = lm.model(torch.tensor([prompt + answer])).logits[0, -1].argmax()
    longer = replace(facts[0], true_answer=facts[0].true_answer + lm.tokenizer.decode([int(following)]))
    whole = answered(lm.tokenizer, [(longer.prompt, longer.true_answer)]) == [(prompt, [*answer, int(following)])]
    found = trace(lm, [longer, *facts[1:]], silent)
    assert found.used == (8 if whole else 7)
    wrong = replace(facts[1], true_answer=facts[1].true_answer + " in Paris, which the model wouldn't say")
    assert trace(lm, [wrong, *facts[2:]], silent).unknown == 1


def test_stop_acts_within_a_layer_and_leaves_the_model_as_it_was() -> None:
    lm = language_model("gemma2")
    facts, ids = known_facts(lm), torch.tensor([[5, 6, 7, 8]])
    calls = 0

    def count(*_: Any) -> None:
        nonlocal calls
        calls += 1

    before = lm.model(ids).logits
    trace(lm, facts, count)
    assert calls > 3 * 2 * 3
    for until in range(1, calls, calls // 9):
        left = until

        def stop(*_: Any) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise Cancelled

        with pytest.raises(Cancelled):
            trace(lm, facts, stop)
        assert torch.equal(lm.model(ids).logits, before)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in lm.model.modules())


def test_progress_goes_up_to_the_end() -> None:
    lm = language_model()
    told: list[tuple[int, int, str]] = []
    trace(lm, known_facts(lm), lambda *report: told.append(report), batch_tokens=200)
    main = [(done, total) for done, total, what in told if what == told[-1][2]]
    assert [done for done, _ in main] == sorted(done for done, _ in main)
    assert len({total for _, total in main}) == 1
    assert main[-1][0] == main[-1][1]
    assert main[-2][0] < main[-1][1]


def test_too_few_known_facts_are_refused_with_what_to_do() -> None:
    lm = language_model()
    facts = known_facts(lm)
    wrong = [replace(fact, true_answer="Never in a million years") for fact in facts]
    with pytest.raises(
        EditViewError, match=r"knows none of the 6 facts that it was asked.*it takes 5 or more.*controls"
    ):
        trace(lm, wrong, silent)
    with pytest.raises(EditViewError, match="knows only 3 of the 6 facts"):
        trace(lm, facts[:3] + wrong[3:], silent)
    with pytest.raises(EditViewError, match="The sheet has only 2 facts"):
        trace(lm, facts[:2], silent)
    unnamed = [replace(fact, subject="", template=fact.prompt) for fact in facts]
    with pytest.raises(EditViewError, match="No fact of the sheet names its subject"):
        trace(lm, [*unnamed, replace(facts[0], template="Nothing here")], silent)


def test_prompts_longer_than_a_sliding_window_are_left_out() -> None:
    lm = language_model("mistral")
    facts = known_facts(lm)
    long = replace(facts[0], template="the river and the sea and the land of " * 8 + "{} is")
    assert len(lm.tokenizer(long.prompt)["input_ids"]) > lm.config.sliding_window
    found = trace(lm, [*facts, long], silent)
    assert (found.used, found.unknown) == (6, 0)
    assert found.corrupted == pytest.approx(trace(lm, facts, silent).corrupted)


def test_a_model_of_experts_is_refused() -> None:
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_config(experts())
    lm = LanguageModel(model, tokenizer(), anatomy(model), fingerprint(model, tokenizer()))
    with pytest.raises(EditViewError, match="can't be traced"):
        trace(lm, [], silent)


@pytest.mark.parametrize("bos", [False, True], ids=["", "bos"])
def test_the_tokens_of_the_subject(bos: bool) -> None:
    reader = tokenizer(bos)
    for text, subject in [
        ("Mount Kenya stands", "Mount Kenya"),
        ("See the Red Fort in", "the Red Fort"),
        ("Peru", "Peru"),
    ]:
        start = text.index(subject)
        found = subject_tokens(reader, text, start, start + len(subject))
        assert reader.decode(reader(text)["input_ids"][found.start : found.stop]).strip() == subject


def test_the_demo_models_facts_are_looked_up_early() -> None:
    """They were written into its first three layers."""
    lm = open_model(Checkpoint(), Device("cpu", "CPU", 8 * 10**9), silent)
    sheet, _ = read_facts("demo")
    found = trace(lm, sheet.group(Group.CONTROL), silent, most=10, samples=2)
    assert found.used == 10
    assert found.peak in (0, 1, 2)
    assert found.suggested[-1] == found.peak
    assert found.baseline - found.corrupted > 0.4
