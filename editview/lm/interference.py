"""What a change of weights does to some facts: their keys and states read off, and a change held against chance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from editview.domain.facts import Fact
from editview.domain.progress import Progress
from editview.lm.anatomy import sizes
from editview.lm.forward import alike, by_text, head_only_at, hidden_of, hooked, padded, run
from editview.lm.model import LanguageModel, asking
from editview.lm.tokens import encoded_at, subject_end

TINY = torch.finfo(torch.float32).tiny
BATCH_TOKENS = 2048  # read in one forward
DRAWS = 20  # of random directions, for each fact


@dataclass(frozen=True)
class Reading:
    """Of each fact, by layer; float32 on the CPU.

    `keys[layer]` [facts, inputs] is what the feed-forward output matrix is given at the subject's last token; `subject`
    and `prompt` [facts, layers, width] are the states behind each layer at the last token of either.
    """

    keys: list[Tensor]
    subject: Tensor
    prompt: Tensor


def read(lm: LanguageModel, facts: Sequence[Fact], progress: Progress, what: str) -> Reading:
    """Read each fact's prompt once. Raises EditViewError for a prompt that lacks its subject."""
    layers = range(len(lm.anatomy.blocks))
    matrices = [lm.anatomy.mlp_output(lm.model, layer) for layer in layers]
    states = torch.zeros(2, len(facts), len(layers), lm.config.hidden_size)
    keys = [torch.zeros(len(facts), sizes(matrix)[0]) for matrix in matrices]
    rows = encoded_at(lm.tokenizer, [(fact.prompt, subject_end(fact, fact.template)) for fact in facts])
    batch: list[int] = []
    subjects = lasts = batch

    def see_key(layer: int, inputs: Tensor) -> None:
        keys[layer][batch] = by_text(inputs, len(batch))[range(len(batch)), subjects].float().cpu()

    def see_state(layer: int, output: Tensor) -> None:
        for place, at in enumerate((subjects, lasts)):
            states[place, batch, layer] = output[range(len(batch)), at].float().cpu()

    def watching(layer: int, matrix: nn.Module) -> tuple[Any, Any]:
        return (
            matrix.register_forward_pre_hook(lambda _, inputs: see_key(layer, inputs[0])),
            lm.anatomy.block(lm.model, layer).register_forward_hook(
                lambda _, __, output: see_state(layer, hidden_of(output))
            ),
        )

    hooks = [hook for layer, matrix in zip(layers, matrices, strict=True) for hook in watching(layer, matrix)]
    nowhere = torch.empty(0, dtype=torch.long, device=lm.device)
    done = 0
    with asking(lm), hooked(*hooks), head_only_at(lm, nowhere, nowhere):
        for batch in alike(range(len(rows)), lambda i: len(rows[i][0]), BATCH_TOKENS):
            progress(done, len(rows), what)
            subjects, lasts = [rows[i][1] for i in batch], [len(rows[i][0]) - 1 for i in batch]
            run(lm, padded([rows[i][0] for i in batch], lm.device)[0])
            done += len(batch)
    progress(len(rows), len(rows), what)
    return Reading(keys, states[0], states[1])


def shifts(before: Tensor, after: Tensor) -> Tensor:
    """How far states [facts, layers, width] moved, ‖after - before‖ / ‖before‖ [facts, layers]."""
    moved: Tensor = (after - before).norm(dim=-1) / before.norm(dim=-1).clamp(min=TINY)
    return moved


def responses(change: Tensor, keys: Tensor) -> Tensor:
    """‖ΔW k‖ of each key [facts] for a change [outputs, inputs] and keys [facts, inputs]."""
    responses: Tensor = (keys @ change.T).norm(dim=1)
    return responses


def gain(change: Tensor, keys: Tensor) -> float:
    """‖ΔW K‖ / ‖K‖ in the Frobenius norm: how strongly a change acts on some keys, whatever their lengths."""
    return float(responses(change, keys).norm() / keys.norm())


def chance(change: Tensor, lengths: Tensor, seed: int) -> Iterator[float]:
    """The gain of a change on random directions with the lengths [facts] of some keys, draw by draw.

    Directions are uniform on the sphere: drawn on the CPU from the seed, the same on every device.
    """
    source = torch.Generator().manual_seed(seed)
    for _ in range(DRAWS):
        directions = torch.randn(len(lengths), change.shape[1], generator=source).to(change)
        yield gain(change, nn.functional.normalize(directions, dim=1) * lengths[:, None])
