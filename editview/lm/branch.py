"""From what a block should put out to what its feed-forward matrix has to put out for it.

MEMIT's closed form (arXiv 2210.07229, eq. 14) takes both for the same: the matrix writes straight into the residual
stream. Some architectures put something between them, found here by running the block, not by a list of names: a
norm on the branch (Gemma 2 and 3, OLMo 2, GLM-4) or a factor (Granite). A norm lets only one length through, so a
change can be out of its reach; then the reachable output nearest to the wanted one is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from editview.lm.forward import by_text, hidden_of, hooked, padded, run, stopping_after
from editview.lm.model import LanguageModel, asking
from editview.lm.tokens import encoded_at

ROWS = 64  # texts in one forward
PLAIN = 0.05  # a factor this close to one is one, but for the rounding of 16-bit formats


@dataclass(frozen=True)
class Branch:
    """What lies between the feed-forward matrix and the stream: first a norm, if there is one, then a factor."""

    norm: nn.Module | None
    factor: float


def branch_of(lm: LanguageModel, layer: int) -> Branch:
    """What block `layer` does to the output of its feed-forward matrix, seen at a few tokens."""
    ids = torch.arange(2, 10, device=lm.device)[None] % len(lm.embedding.weight)
    norm, inner, outer = _seen(lm, layer, ids, None)
    _, moved_inner, moved_outer = _seen(lm, layer, ids, outer.roll(1, -1))  # as large as the stream: rounding drowns
    factor = float(((moved_outer - outer) / (moved_inner - inner)).nanmedian())  # some coordinates are far too large
    return Branch(norm, 1.0 if abs(factor - 1) < PLAIN else factor)


def asked_of_matrix(
    lm: LanguageModel, layer: int, texts: Sequence[tuple[str, int]], change: Tensor, branch: Branch | None = None
) -> Tensor:
    """By how much the output of the feed-forward matrix has to change for the block's output to change by `change`.

    At the token that holds the last character before each text's `end`; `texts` are pairs of both, `change` and the
    result are [texts, width], float64. Where the matrix writes straight into the stream the answer is `change` itself.
    Through a norm it is the nearest that can be reached, at the length the output has now: the length is what the norm
    takes away. `branch` is what `branch_of` says, where it is known already.
    """
    branch = branch or branch_of(lm, layer)
    wanted = change if branch.factor == 1 else change / branch.factor
    if branch.norm is None:
        return wanted
    now = _outputs(lm, layer, encoded_at(lm.tokenizer, texts))
    gain = _normed(lm, branch.norm, torch.ones_like(now[:1]))  # an RMS norm leaves a row of ones to its gains alone
    size = now.square().mean(1, keepdim=True).sqrt()
    return size * nearest(gain, gain * now / size + wanted.to(now)) - now


def nearest(gain: Tensor, wanted: Tensor) -> Tensor:
    """The u [rows, width] of mean square one with gain·u nearest to `wanted`: u = g·t / (g² + μ), μ found by halving.

    It is the least-squares problem on a sphere; its mean square falls as μ grows from -min g² on.
    """
    squares, product = gain.square(), gain * wanted
    low = -squares.amin(1, keepdim=True)
    high = product.square().mean(1, keepdim=True).sqrt()  # u is at most product / μ long where μ is positive
    for _ in range(200):
        middle = (low + high) / 2
        long = (product / (squares + middle).clamp(min=1e-300)).square().mean(1, keepdim=True) > 1
        low, high = torch.where(long, middle, low), torch.where(long, high, middle)
    found = product / (squares + high).clamp(min=1e-300)
    return found / found.square().mean(1, keepdim=True).sqrt()


def _normed(lm: LanguageModel, norm: nn.Module, rows: Tensor) -> Tensor:
    with torch.no_grad():
        return norm(rows.to(lm.device, next(norm.parameters()).dtype)).to(rows)  # type: ignore[no-any-return]


def _outputs(lm: LanguageModel, layer: int, rows: Sequence[tuple[list[int], int]]) -> Tensor:
    """What the feed-forward matrix puts out at a token of each text [texts, width], float64."""
    order = sorted(range(len(rows)), key=lambda i: len(rows[i][0]))
    found: dict[int, Tensor] = {}
    with asking(lm):
        for start in range(0, len(order), ROWS):
            part = order[start : start + ROWS]
            seen: list[Tensor] = []
            ids, _ = padded([rows[i][0] for i in part], lm.device)
            module = lm.anatomy.mlp_output(lm.model, layer)
            with stopping_after(module, lambda _, output, seen=seen: seen.append(output)):  # type: ignore[misc]
                run(lm, ids)
            found |= {i: by_text(seen[0], len(ids))[place, rows[i][1]] for place, i in enumerate(part)}
    return torch.stack([found[i] for i in range(len(rows))]).cpu().double().clone()


def _seen(lm: LanguageModel, layer: int, ids: Tensor, added: Tensor | None) -> tuple[nn.Module | None, Tensor, Tensor]:
    """With `added` on the matrix's output: the norm that takes it, what comes out of it (or else of the matrix), and
    what comes out of the block; float64 on the CPU.
    """
    block, matrix = lm.anatomy.block(lm.model, layer), lm.anatomy.mlp_output(lm.model, layer)
    written: list[Tensor] = []
    normed: list[tuple[nn.Module, Tensor]] = []
    out: list[Tensor] = []

    def write(_: nn.Module, __: Any, output: Tensor) -> Tensor:
        written.append(output if added is None else output + added.view_as(output).to(output))
        return written[0]

    def look(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        if written and inputs and inputs[0] is written[0] and any(True for _ in module.parameters(recurse=False)):
            normed.append((module, output))

    others = [module for module in block.modules() if module not in (block, matrix)]
    hooks = [matrix.register_forward_hook(write), *(module.register_forward_hook(look) for module in others)]
    with asking(lm), hooked(*hooks), stopping_after(block, lambda _, output: out.append(hidden_of(output))):
        run(lm, ids)
    norm, inner = normed[0] if normed else (None, written[0])
    return norm, inner.cpu().double().view(out[0].shape), out[0].cpu().double()
