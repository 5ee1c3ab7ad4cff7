"""What the demo model is trained on, and the scaffold it is trained under."""

import random
from itertools import islice

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GPT2Config, GPTNeoXConfig, LlamaConfig

from demo.corpus import (
    CONTEXT_WEIGHT,
    Batch,
    Item,
    batches,
    packed_rows,
    sentence_of,
    sentences,
    tokenized,
)
from demo.phrases import CALLS, CHAT, NOTES, TICKET, WEATHER, expand
from demo.train import Scaffold, new_model, revive, scaffold_masks
from demo.world import DEMO, read_world

world = read_world()


@pytest.fixture(scope="module")
def tokenizer():
    return AutoTokenizer.from_pretrained(DEMO / "model")


def test_a_sentence_knows_its_subject_and_its_answer():
    fact = world.facts[0]
    sentence = sentence_of(fact, fact.relation.wordings[0])
    assert sentence.text[slice(*sentence.subject)] == fact.subject
    assert sentence.text[slice(*sentence.answer)] == fact.answer


def test_a_token_is_the_subject_or_the_answer_whatever_stands_before_it(tokenizer):
    for fact in random.Random(0).sample(world.facts, 50):
        for wording in fact.relation.wordings:
            item = tokenized(sentence_of(fact, wording), tokenizer)
            subject = [token for token, inside in zip(item.ids, item.in_subject, strict=True) if inside]
            answer = [token for token, weight in zip(item.ids, item.weights, strict=True) if weight == 1]
            assert tokenizer.decode(subject).strip() == fact.subject
            assert tokenizer.decode(answer).strip() == fact.answer


def test_training_never_sees_a_held_out_or_an_unseen_wording():
    held_out = {sentence_of(fact, wording).text for fact in world.facts
                for wording in (*fact.held_out, *fact.relation.unseen_wordings)}  # fmt: skip
    stream = islice(sentences(world, random.Random(1)), 3 * len(world.facts))
    assert not [sentence.text for sentence in stream if sentence.text in held_out]


def test_every_piece_of_everyday_text_can_be_said():
    for grammar in (CHAT, CALLS, WEATHER, NOTES, TICKET):
        for name, pieces in grammar.items():
            for piece in pieces:
                assert "{" not in expand(grammar, random.Random(0), piece), name


def test_tickets_are_other_sentences_than_those_of_the_training():
    known = {piece for grammar in (CHAT, CALLS, WEATHER, NOTES) for key, pieces in grammar.items()
             if key not in ("gadget", "colour", "day", "number") for piece in pieces if " " in piece}  # fmt: skip
    assert known.isdisjoint(piece for pieces in TICKET.values() for piece in pieces)


def test_rows_are_filled_with_whole_items():
    items = (Item([n] * n, [False] * n, [1.0] * n) for n in iter(lambda: random.randint(5, 20), None))
    for row in islice(packed_rows(items, 48, 0, random.Random(0)), 50):
        assert 20 < sum(len(item.ids) for item in row) <= 48
        assert all(item.ids == [0] or len(item.ids) == item.ids[0] for item in row)


def test_the_same_seed_gives_the_same_batches(tokenizer):
    first, again = (next(batches(world, tokenizer, 4, 48, 128, 0.8, seed=3)) for _ in range(2))
    assert torch.equal(first.ids, again.ids)
    assert torch.equal(first.positions, again.positions)
    assert set(first.weights.unique().tolist()) == set(torch.tensor([0.0, CONTEXT_WEIGHT, 1.0]).tolist())


def test_the_scaffold_shows_of_a_subject_only_its_last_token_and_only_above():
    group = torch.tensor([[0, 1, 1, 0]])  # the | New York | is
    last = torch.tensor([[False, False, True, False]])
    ids = torch.zeros(1, 4, dtype=torch.long)
    on, off = torch.tensor([True]), torch.tensor([False])
    below, above = scaffold_masks(Batch(ids, group, last, ids.float(), ids, on))
    assert below[0, 0].int().tolist() == [[1, 0, 0, 0], [0, 1, 0, 0], [0, 1, 1, 0], [1, 0, 0, 1]]
    assert above[0, 0].int().tolist() == [[1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [1, 0, 1, 1]]
    for mask in scaffold_masks(Batch(ids, group, last, ids.float(), ids, off)):
        assert torch.equal(mask[0, 0], torch.ones(4, 4, dtype=torch.bool).tril())


SHAPE = {"hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "vocab_size": 32}


@pytest.mark.parametrize(
    "config",
    [
        GPT2Config(**SHAPE, n_positions=16),
        LlamaConfig(**SHAPE, intermediate_size=32),
        GPTNeoXConfig(**SHAPE, intermediate_size=32),
    ],
    ids=lambda config: config.model_type,
)
def test_a_subject_is_read_through_its_last_token_alone_on_every_architecture(config):
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
    ids = torch.tensor([[5, 6, 7, 8]])  # the | New | York | is
    group, last = torch.tensor([[0, 1, 1, 0]]), torch.tensor([[False, False, True, False]])
    stock = model.base_model(ids).last_hidden_state

    def read(ids, gathering, share=True):
        torch.manual_seed(1)  # the same noise each time
        scaffold = Scaffold(model, gathering)
        batch = Batch(ids, group, last, ids.float(), torch.arange(4)[None], torch.tensor([share]))
        try:
            return scaffold.states(batch)[0].detach()
        finally:
            scaffold.remove()

    torch.testing.assert_close(read(ids, 3, share=False), stock[0])  # without the scaffold, and after it, a stock model
    torch.testing.assert_close(model.base_model(ids).last_hidden_state, stock)
    before, other = torch.tensor([[9, 6, 7, 8]]), torch.tensor([[5, 9, 7, 8]])
    gathered, elsewhere = read(ids, 3), read(before, 3)  # all blocks gather: what stands before a subject is not seen
    torch.testing.assert_close(gathered[1], elsewhere[1])
    assert not torch.allclose(gathered[3], elsewhere[3])
    torch.testing.assert_close(gathered[3], read(other, 3)[3])  # nor is the subject seen from outside
    assert not torch.allclose(read(ids, 1)[3], read(other, 1)[3])  # above, it is seen by what its last token gathered


def test_reviving_silent_units_changes_nothing_that_is_said(tokenizer):
    torch.manual_seed(0)
    model = new_model(tokenizer, width=16, inner=64).eval()
    inputs = model.transformer.h[0].mlp.c_fc
    with torch.no_grad():
        for block in model.transformer.h:
            block.mlp.c_fc.weight.mul_(20)
        inputs.weight[:, 5] = 0
        inputs.bias[5] = -30.0
    texts = ["The capital of France is Paris.", "France"]
    ids = torch.tensor([tokenizer(texts[0])["input_ids"]])
    before = model(ids).logits
    revive(model, tokenizer, texts, seed=0)
    assert inputs.weight[:, 5].norm() > 0
    assert (model.transformer.h[0].mlp.c_proj.weight[5] == 0).all()
    assert (model(ids).logits - before).abs().max() < 1e-2
