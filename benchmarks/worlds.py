"""Models, facts and statistics that edits are timed on. Nothing is downloaded; the same every time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import Tensor
from transformers import (
    AutoModelForCausalLM,
    GPT2Config,
    GPTJConfig,
    PretrainedConfig,
    PreTrainedTokenizerFast,
)

from demo.sheet import draw_sheet
from demo.world import read_world
from editview.domain.checkpoint import Device
from editview.domain.facts import Fact, Group
from editview.domain.operations import Memit
from editview.domain.plan import Checkpoint
from editview.domain.progress import silent
from editview.edits.contexts import BEGINNINGS, context_templates
from editview.edits.requests import settled
from editview.formats.statistics_text import statistics_text
from editview.lm.anatomy import anatomy
from editview.lm.model import LanguageModel
from editview.lm.opening import open_model
from editview.lm.statistics import KeyStatistics, key_statistics
from editview.lm.tokens import encode

OPENING = 10  # tokens
RIDGE = 1e-3  # of the mean of its diagonal added to a covariance: the text is too short for models this wide


@dataclass
class World:
    """What an edit needs."""

    lm: LanguageModel
    operation: Memit
    facts: Sequence[Fact]
    templates: list[list[str]]
    covariances: dict[int, Tensor]

    @property
    def statistics(self) -> dict[int, KeyStatistics]:
        return {layer: KeyStatistics.given(covariance) for layer, covariance in self.covariances.items()}


def covariances(lm: LanguageModel, layers: Sequence[int], tokens: int) -> dict[int, Tensor]:
    found = key_statistics(lm, layers, statistics_text("packaged"), tokens, silent)
    return {layer: one.covariance for layer, one in found.items()}


def demo(facts: int) -> World:
    """The demo model with its preset, and edits drawn as the demo's are."""
    lm = open_model(Checkpoint(source="demo"), Device("cpu", "CPU", 0), silent)
    operation = settled(lm, Memit())
    templates = context_templates(lm, operation.prefixes, seed=0)
    known = covariances(lm, operation.layers, operation.statistics_tokens)
    return World(lm, operation, demo_facts(facts), templates, known)


def gpt2_small(facts: int) -> World:
    """A model of the size of GPT-2 with its whole vocabulary; the weights are random."""
    lm = random_model(GPT2Config())
    return _at_random(lm, Memit(layers=(3, 4, 5)), demo_facts(facts), tokens=10_000)


def gpt_j(facts: int) -> World:
    """A model of the size of GPT-J in bfloat16 on a GPU; the weights are random."""
    lm = random_model(GPTJConfig(), "cuda", torch.bfloat16)
    return _at_random(lm, Memit(layers=(3, 4, 5, 6, 7, 8)), demo_facts(facts), tokens=40_000)


def tiny(facts: int) -> World:
    """So small that ten thousand facts can be edited in a minute or two; their subjects are made up."""
    lm = random_model(
        GPT2Config(n_embd=64, n_layer=4, n_head=2, n_positions=128, vocab_size=8192, bos_token_id=0, eos_token_id=0)
    )
    return _at_random(lm, Memit(layers=(0, 1), steps=5, prefixes=2), made_up_facts(facts), tokens=10_000)


def demo_facts(count: int) -> list[Fact]:
    records = [record for record in draw_sheet(read_world(), 0, count, 0) if record["group"] == "edited"]
    return [
        Fact(r["id"], Group.EDITED, r["subject"], r["template"], r["true_answer"], r["new_answer"]) for r in records
    ]


def made_up_facts(count: int) -> list[Fact]:
    """Of people whose names are two subjects of the demo's world put together, in prompts of the demo's world."""
    world = read_world()
    found = []
    for number in range(count):
        known = world.facts[101 * number % len(world.facts)]  # of all relations in turn
        other = world.facts[(7 * number + number // len(world.facts)) % len(world.facts)]
        subject = f"{known.subject} {other.subject}"
        answer = world.by_relation[known.relation.id][number % 3].answer
        found.append(Fact(str(number), Group.EDITED, subject, known.trained[0], known.answer, answer))
    return found


def random_model(config: PretrainedConfig, device: str = "cpu", dtype: torch.dtype = torch.float32) -> LanguageModel:
    """A model with random weights, and a tokenizer that knows the packaged text's words."""
    torch.manual_seed(0)
    with torch.device(device):
        model = AutoModelForCausalLM.from_config(config, dtype=dtype).eval()
    pieces = Tokenizer(models.BPE())
    pieces.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    pieces.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=config.vocab_size,
        special_tokens=["<end>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    pieces.train_from_iterator(statistics_text("packaged").lines, trainer)
    return LanguageModel(model, PreTrainedTokenizerFast(tokenizer_object=pieces, eos_token="<end>"), anatomy(model), "")


def _at_random(lm: LanguageModel, operation: Memit, facts: Sequence[Fact], tokens: int) -> World:
    """The openings are beginnings of the text's lines, as long as sampled ones: a random model says nothing."""
    lines = (encode(lm.tokenizer, line) for line in statistics_text("packaged").lines if line.startswith(BEGINNINGS))
    starts = [lm.tokenizer.decode(ids[:OPENING]) for ids in lines if len(ids) > OPENING]
    openings = [f"{start}. {{}}" for start in starts[: operation.prefixes]]
    known = covariances(lm, operation.layers, tokens)
    for covariance in known.values():
        covariance.diagonal().add_(RIDGE * covariance.diagonal().mean())
    return World(lm, operation, facts, [["{}"], openings], known)
