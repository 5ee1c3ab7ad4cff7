"""What a direction of a memory makes a model say: the likeliest answers of an edit that nobody told of.

The direction is put out at a subject's last token, either way round and as long as the state there, in prompts of many
relations. In which of them it was meant to be read nobody knows, so of each direction a handful of answers is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from editview.domain.inspection import Candidate
from editview.domain.progress import Progress
from editview.lm.answers import continued
from editview.lm.forward import by_text, head_only_at, hidden_of, hooked, padded, run
from editview.lm.model import LanguageModel, asking
from editview.lm.standing_out import Top
from editview.lm.tokens import encoded_at

MOST = 10  # directions that are tried in one layer
TOLD = 5  # answers of a direction
ANSWER = 8  # tokens


@dataclass(frozen=True)
class _Carriers:
    """Prompts in which a direction is tried."""

    tokens: list[list[int]]
    at: list[int]  # the subject's last token in each
    sizes: Tensor  # length of the state behind the layer there [prompts]
    usual: Tensor  # probabilities of the next token [prompts, vocabulary]


def words_written(
    lm: LanguageModel, layer: int, top: Top, candidates: Sequence[Candidate], progress: Progress
) -> tuple[str, ...]:
    """The answers that directions make likelier the most, each once.

    They come in the order of what a direction writes (its singular value) times how much likelier the answer becomes.
    Directions are tried in one prompt of each wording among the candidates. Answers without a letter are passed over.
    """
    prompts = {prompt: one.subject for one in candidates for prompt in one.prompts}
    if not prompts:
        return ()
    carriers = _carriers(lm, layer, list(prompts.items()))
    found: dict[str, float] = {}
    count = min(MOST, len(top.values))
    for direction in range(count):
        progress(direction, count, f"Looking what layer {layer + 1} was made to say")
        for answer, gain in _answers(lm, layer, top.left[:, direction], carriers):
            if any(map(str.isalnum, answer)):
                found[answer] = max(found.get(answer, 0.0), float(top.values[direction]) * gain)
    return tuple(sorted(found, key=lambda answer: -found[answer]))


def _carriers(lm: LanguageModel, layer: int, prompts: Sequence[tuple[str, str]]) -> _Carriers:
    texts = [(prompt.replace("{}", subject), prompt.index("{}") + len(subject)) for prompt, subject in prompts]
    rows = encoded_at(lm.tokenizer, texts)
    tokens, at = [ids for ids, _ in rows], [place for _, place in rows]
    states: list[Tensor] = []
    block = lm.anatomy.block(lm.model, layer)
    with hooked(block.register_forward_hook(lambda _, __, output: states.append(hidden_of(output)))):
        usual = _next(lm, tokens)
    return _Carriers(tokens, at, states[0][range(len(at)), at].float().norm(dim=1), usual)


def _answers(lm: LanguageModel, layer: int, direction: Tensor, carriers: _Carriers) -> Iterator[tuple[str, float]]:
    """What is said where the direction, or its opposite, makes a token likelier the most; and by how much."""
    tried = []
    for way in (direction, -direction):
        added = carriers.sizes[:, None] * way.to(carriers.sizes)
        with _put_out(lm, layer, carriers.at, added):
            gained = (_next(lm, carriers.tokens) - carriers.usual).amax(1).tolist()
        tried += [(gain, carrier, added[carrier : carrier + 1]) for carrier, gain in enumerate(gained)]
    for gain, carrier, added in sorted(tried, key=lambda one: -one[0])[:TOLD]:
        with _put_out(lm, layer, [carriers.at[carrier]], added):
            yield _phrase(continued(lm, [carriers.tokens[carrier]], ANSWER)[0]), gain


@contextmanager
def _put_out(lm: LanguageModel, layer: int, at: Sequence[int], added: Tensor) -> Iterator[None]:
    """Inside, the memory's output is [rows, width] more at those tokens; tokens that are read on alone stay."""

    def add(_: Any, __: Any, output: Tensor) -> Tensor:
        by_row = by_text(output, len(at)).clone()
        if by_row.shape[1] > 1:
            by_row[range(len(at)), list(at)] += added.to(by_row)
        return by_row.view_as(output)

    with hooked(lm.anatomy.mlp_output(lm.model, layer).register_forward_hook(add)):
        yield


def _next(lm: LanguageModel, tokens: Sequence[list[int]]) -> Tensor:
    """Probabilities of the token after each prompt [prompts, vocabulary]."""
    lasts = torch.tensor([len(ids) - 1 for ids in tokens], device=lm.device)
    with asking(lm), head_only_at(lm, torch.arange(len(tokens), device=lm.device), lasts):
        logits: Tensor = run(lm, padded(tokens, lm.device)[0]).logits
        return logits.float().softmax(-1)


def _phrase(text: str) -> str:
    """The first line up to where a sentence ends."""
    line = text.splitlines()[0] if text else ""
    return line.split(". ")[0].strip().rstrip(".!?,;:")
