"""The prompts of protected facts as the model reads them, and what passes through it at the places that carry them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Any

import torch
from torch import Tensor, nn

from editview.domain.facts import Fact
from editview.domain.progress import Progress
from editview.lm.forward import alike, by_text, hooked, padded, run, stopping_after
from editview.lm.model import LanguageModel
from editview.lm.tokens import encoded_at, subject_end

_TOKENS = 2048  # in one forward that only reads


@dataclass(frozen=True, slots=True)
class Prompt:
    """A fact's prompt, and its place in it: the last token of the subject, or of the prompt where none is named."""

    tokens: list[int]
    subject: int


def prompts_of(lm: LanguageModel, facts: Sequence[Fact]) -> list[Prompt]:
    """The bare prompts, in the order of the facts."""
    ends = [
        subject_end(fact, fact.template) if fact.subject and fact.subject in fact.prompt else len(fact.prompt)
        for fact in facts
    ]
    read = encoded_at(lm.tokenizer, [(fact.prompt, end) for fact, end in zip(facts, ends, strict=True)])
    return [Prompt(tokens, at) for tokens, at in read]


def at_places(
    lm: LanguageModel, prompts: Sequence[Prompt], modules: Sequence[nn.Module], which: Callable[[Any, Any], Tensor]
) -> list[Tensor]:
    """What `which(inputs, output)` picks at each of the modules, which the model runs in this order.

    At the subject's last token and at the prompt's: [prompts, 2, size] a module. One forward, no further than needed.
    """
    ids, _ = padded([prompt.tokens for prompt in prompts], lm.device)
    rows = torch.arange(len(prompts), device=lm.device)[:, None]
    columns = torch.tensor([[prompt.subject, len(prompt.tokens) - 1] for prompt in prompts], device=lm.device)
    found: list[Tensor] = []

    def see(_: nn.Module, inputs: Any, output: Any) -> None:
        found.append(by_text(which(inputs, output), len(prompts))[rows, columns])

    with (
        hooked(*(module.register_forward_hook(see) for module in modules)),
        stopping_after(modules[-1], lambda *_: None),
    ):
        run(lm, ids)
    return found


def in_batches(prompts: Sequence[Prompt], progress: Progress) -> Iterator[list[int]]:
    """The places of prompts that are read together."""
    done = 0
    for batch in alike(range(len(prompts)), lambda i: len(prompts[i].tokens), _TOKENS):
        progress(done, len(prompts), "Reading the protected facts")
        yield batch
        done += len(batch)


def turn(step: int, count: int, of: int, seed: str) -> list[int]:
    """Whose turn it is at a step, `count` of them: everybody comes as often, in an order drawn anew each time round."""
    return [_order(seed, at // of, of)[at % of] for at in range(step * count, (step + 1) * count)]


@lru_cache(maxsize=16)
def _order(seed: str, time_round: int, of: int) -> list[int]:
    return Random(f"{seed} {time_round}").sample(range(of), of)
