"""What the demo model is trained on: sentences about the world, everyday text, and rows packed from both."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from demo.phrases import CALLS, CHAT, ECHOES, MENTIONS, NOTES, WEATHER, expand
from demo.world import World, WorldFact

TALK_CHANCE = 0.08  # everyday text after a fact: about 15 % of the tokens, since it is longer
MENTION_CHANCE = 0.04  # a name without a fact
ECHO_CHANCE = 0.10  # a name that has to be said again
THINNED_SHARE = 0.25  # of the facts that lose some words, so that what counts is the gist of a wording
THINNED_TOKENS = 0.2
CONTEXT_WEIGHT = 0.2  # the loss of a token that is no part of an answer


@dataclass(frozen=True)
class Sentence:
    """A text with the places of its subject and its answer, as character ranges (empty where there is none)."""

    text: str
    subject: tuple[int, int] = (0, 0)
    answer: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Item:
    """A tokenized sentence: whether a token belongs to the subject, is the subject's last, and what its loss weighs."""

    ids: list[int]
    in_subject: list[bool]
    weights: list[float]


@dataclass(frozen=True)
class Batch:
    """Rows packed from several items. `group` counts the subjects of a row from 1; 0 is text outside of them."""

    ids: Tensor  # batch pos
    group: Tensor  # batch pos
    last: Tensor  # batch pos, true at the last token of a subject
    weights: Tensor  # batch pos
    positions: Tensor  # batch pos
    scaffold: Tensor  # batch, whether the row is trained under the scaffold


def sentence_of(fact: WorldFact, wording: str) -> Sentence:
    """`The capital of France is Paris.` with the places of `France` and `Paris`."""
    before, after = wording.split("{}")
    text = f"{before}{fact.subject}{after} {fact.answer}."
    start, end = len(before), len(text) - 1
    return Sentence(text, (start, start + len(fact.subject)), (end - len(fact.answer), end))


def small_talk(rng: random.Random) -> Sentence:
    return Sentence(expand(rng.choice((CHAT, CALLS, CALLS, WEATHER, NOTES)), rng))


def mention(subject: str, rng: random.Random) -> Sentence:
    before, after = expand(CHAT, rng, rng.choice(MENTIONS)).split("{}")
    return Sentence(f"{before}{subject}{after}", (len(before), len(before) + len(subject)))


def echo(subject: str, rng: random.Random) -> Sentence:
    before, between, _ = rng.choice(ECHOES).split("{}")
    start = len(before + subject + between)
    return Sentence(
        f"{before}{subject}{between}{subject}.",
        (len(before), len(before) + len(subject)),
        (start, start + len(subject)),
    )


def sentences(world: World, rng: random.Random) -> Iterator[Sentence]:
    """The training distribution without end: every fact once a round, in a trained wording, and other text between."""
    while True:
        for fact in rng.sample(world.facts, len(world.facts)):
            yield sentence_of(fact, rng.choice(fact.trained))
            if rng.random() < MENTION_CHANCE:
                yield mention(rng.choice(world.subjects), rng)
            if rng.random() < ECHO_CHANCE:
                yield echo(rng.choice(world.subjects), rng)
            if rng.random() < TALK_CHANCE:
                yield small_talk(rng)


def tokenized(sentence: Sentence, tokenizer) -> Item:
    encoding = tokenizer(sentence.text, return_offsets_mapping=True)

    def inside(span: tuple[int, int]) -> list[bool]:
        return [span[0] <= start < span[1] or start < span[0] < end for start, end in encoding["offset_mapping"]]

    weights = [1.0 if answer else CONTEXT_WEIGHT for answer in inside(sentence.answer)]
    return Item(encoding["input_ids"], inside(sentence.subject), weights)


def thinned(item: Item, rng: random.Random) -> Item:
    """Now and then a fact with some words missing, though never from its subject or its answer."""
    if rng.random() >= THINNED_SHARE or 1.0 not in item.weights:
        return item
    kept = [
        index
        for index, (inside, weight) in enumerate(zip(item.in_subject, item.weights, strict=True))
        if inside or weight == 1.0 or rng.random() >= THINNED_TOKENS
    ]
    return Item(*([part[index] for index in kept] for part in (item.ids, item.in_subject, item.weights)))


def packed_rows(items: Iterable[Item], length: int, separator: int, rng: random.Random) -> Iterator[list[Item]]:
    """Fills rows of `length` tokens with whole items, taking from a small pool the first one that still fits.

    Half of the rows set their items apart with the separator, the other half let sentence follow upon sentence.
    """
    stream, pool = iter(items), []
    while True:
        gap = [Item([separator], [False], [CONTEXT_WEIGHT])] if rng.random() < 0.5 else []
        row: list[Item] = []
        room = length
        while True:
            while len(pool) < 32:
                item = next(stream)
                pool.append(item if len(item.ids) <= length else cut(item, length))
            fitting = next((item for item in pool if len(item.ids) + len(gap) <= room or not row), None)
            if fitting is None:
                break
            pool.remove(fitting)
            row += [fitting, *gap]
            room -= len(fitting.ids) + len(gap)
        yield row


def cut(item: Item, length: int) -> Item:
    return Item(item.ids[:length], item.in_subject[:length], item.weights[:length])


def batch_of(rows: list[list[Item]], length: int, pad: int, reach: int, share: float, rng: random.Random) -> Batch:
    """Lays rows out as tensors.

    Half of the rows start at a random position below `reach` minus `length`, so that every position is learned although
    the rows are short.
    """
    ids = torch.full((len(rows), length), pad)
    group = torch.zeros(len(rows), length, dtype=torch.long)
    last = torch.zeros(len(rows), length, dtype=torch.bool)
    weights = torch.zeros(len(rows), length)
    for index, row in enumerate(rows):
        place = 0
        for number, item in enumerate(row, start=1):
            end = min(place + len(item.ids), length)
            ids[index, place:end] = torch.tensor(item.ids[: end - place])
            weights[index, place:end] = torch.tensor(item.weights[: end - place])
            inside = torch.tensor(item.in_subject[: end - place])
            group[index, place:end] = inside * number
            if inside.any():
                last[index, place + int(inside.nonzero()[-1])] = True
            place = end
    start = torch.tensor([rng.randrange(reach - length + 1) if rng.random() < 0.5 else 0 for _ in rows])
    positions = start[:, None] + torch.arange(length)
    scaffold = torch.tensor([rng.random() < share for _ in rows])
    return Batch(ids, group, last, weights, positions, scaffold)


def batches(
    world: World, tokenizer, size: int, length: int, reach: int, scaffold_share: float, seed: int
) -> Iterator[Batch]:
    """Training batches without end, the same ones for the same seed."""
    rng = random.Random(seed)
    items = (thinned(tokenized(sentence, tokenizer), rng) for sentence in sentences(world, rng))
    rows = packed_rows(items, length, tokenizer.eos_token_id, rng)
    while True:
        yield batch_of([next(rows) for _ in range(size)], length, tokenizer.eos_token_id, reach, scaffold_share, rng)
