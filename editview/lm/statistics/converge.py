"""How many tokens are enough: as many as it takes for an edit to come out no better when their number doubles.

Few times the number of dimensions have been found to do, where the first programs read 100,000 passages (Gupta et al.
2025, arXiv 2506.04226). Whether they do is measured here on an edit of no facts in particular, so that the answer is
one of the model, the text and λ alone. Each layer ends where it has settled, whichever others are asked for with it.

The edit of keys K is A = (λC + KKᵀ)⁻¹K; ΔW = RAᵀ is proportional to it and makes λ tr(ΔW C ΔWᵀ) + ‖ΔWK - R‖² least
(MEMIT, eq. 14). With R = I that least is p - tr(AᵀK), where p would be left without any edit, and an edit B made with
fewer tokens is tr((B-A)ᵀ(λC + KKᵀ)(B-A)) above it. Relative to what is left or to what is gained, whichever is less,
this is asked to be below 5 %. ‖B-A‖/‖A‖ is told beside it but can't be asked for: it falls as 1/√tokens and is above
10 % even at 64 tokens a dimension, since most of it lies where neither the text nor the keys ever point.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count, takewhile
from typing import Any

import torch
from torch import Tensor

from editview.domain.progress import Progress
from editview.domain.texts import Text
from editview.lm.forward import hooked, padded, run, stopping_after
from editview.lm.model import LanguageModel, asking
from editview.lm.statistics import keep
from editview.lm.statistics.chapters import Measure, chapters, expected_tokens
from editview.lm.statistics.key_statistics import Doubling
from editview.lm.statistics.reading import Reading, Sums
from editview.lm.statistics.solving import factored, where_float64_is

SETTLED = 0.05  # by what an edit may be worse with half as many tokens; 2 to 10 times the dimensions, mostly
FURTHEST = 100  # times the number of dimensions, read at most
FIRST_GUESS = 8  # times the number of dimensions, for the remaining time before anything was measured
PROBES = 64


@dataclass(frozen=True)
class Settled:
    sums: Sums
    converged: bool
    curve: tuple[Doubling, ...]


@dataclass(frozen=True)
class ProbeEdit:
    solved: Tensor  # A [inputs, probes] float64
    lower: Tensor  # λC + KKᵀ = L Lᵀ [inputs, inputs] float64
    gained: float  # tr(AᵀK), of p

    def doubling(self, tokens: int, before: Tensor) -> Doubling:
        """How an edit that was solved before compares."""
        moved = self.solved - before
        above = float((self.lower.T @ moved).square().sum())
        scale = max(min(self.gained, self.solved.shape[1] - self.gained), torch.finfo(torch.float64).tiny)
        return Doubling(tokens, above / scale, float(moved.norm() / self.solved.norm()))


def settled(
    lm: LanguageModel, state: str, text: Text, layers: Sequence[int], weight: float, progress: Progress
) -> dict[int, Settled]:
    """By layer, the sums with which the edit of the probe keys has settled, or of all that may be read."""
    names = {layer: named(keep.stem(state, layer, text.content, lm.dtype), weight) for layer in layers}
    measure = Measure.of(lm)
    there = expected_tokens(lm, text.lines, FURTHEST * measure.unit * measure.chapter)
    reading = Reading(lm, state, text, None, min(there, FIRST_GUESS * measure.unit * measure.chapter), progress)
    found = {layer: known for layer in layers if (known := _known(reading, layer, names[layer]))}
    waiting = [layer for layer in layers if layer not in found]
    keys = probe_keys(lm, text, waiting) if waiting else {}
    before: dict[int, Tensor] = {}
    curves: dict[int, list[Doubling]] = {layer: [] for layer in waiting}
    for mark in marks(measure):
        if not waiting:
            break
        sums = reading.up_to(waiting, mark)
        for layer in tuple(waiting):
            one, curve = sums[layer], curves[layer]
            last = one.tokens < mark * measure.chapter or mark == FURTHEST * measure.unit
            if not last:
                now = probe_edit(one, keys[layer], weight)
                if layer in before:
                    curve.append(now.doubling(one.tokens, before[layer]))
                before[layer] = now.solved
            converged = bool(curve) and curve[-1].worse < SETTLED
            if converged or last:
                found[layer] = Settled(one, converged, tuple(curve))
                _keep(names[layer], mark, found[layer])
                waiting.remove(layer)
        if worst := max((curves[layer][-1].worse for layer in waiting if curves[layer]), default=0.0):
            reading.total = min(there, _guessed(mark, worst, measure))
    return found


def marks(measure: Measure) -> list[int]:
    """Chapters after which to measure: 1, 2, 4, 8 … times the number of dimensions, and the last that are read."""
    doubling = takewhile(lambda times: times < FURTHEST, (2**power for power in count()))
    return [times * measure.unit for times in [*doubling, FURTHEST]]


def probe_keys(lm: LanguageModel, text: Text, layers: Sequence[int]) -> dict[int, Tensor]:
    """By layer, keys at evenly spread places of the text's first chapter [inputs, probes], float64."""
    first = next(chapters(lm, text.lines, Measure.of(lm).chapter, None), None)
    if first is None:
        return {}  # the reading will say that there is nothing
    modules = {layer: lm.anatomy.mlp_output(lm.model, layer) for layer in layers}
    seen: dict[int, list[Tensor]] = {layer: [] for layer in layers}
    mask = torch.empty(0)

    def see(layer: int) -> Callable[[Any, tuple[Any, ...]], None]:
        return lambda _, inputs: seen[layer].append(inputs[0].reshape(*mask.shape, -1)[mask.bool()])

    with asking(lm), hooked(*(module.register_forward_pre_hook(see(layer)) for layer, module in modules.items())):
        for batch in first.batches:
            ids, mask = padded(batch, lm.device)
            with stopping_after(modules[max(layers)], lambda _, __: None):
                run(lm, ids)
    spread = sorted({(2 * number + 1) * first.tokens // (2 * PROBES) for number in range(PROBES)})
    here = where_float64_is(lm.device)
    return {layer: torch.cat(keys)[spread].to(here).double().T for layer, keys in seen.items()}


def probe_edit(sums: Sums, keys: Tensor, weight: float) -> ProbeEdit:
    """The edit with λ = `weight`. The keys' own share is taken out of C: edited facts have none either."""
    matrix = sums.products.to(keys.device).double().triu_()
    matrix.add_(matrix.triu(1).T)
    share = weight / max(1, sums.tokens - keys.shape[1])  # λ / n
    matrix.mul_(share).addmm_(keys, keys.T, alpha=1 - share)  # λ/n (Σkkᵀ - KKᵀ) + KKᵀ
    lower = factored(matrix).lower
    solved = torch.cholesky_solve(keys, lower)
    return ProbeEdit(solved, lower, float((solved * keys).sum()))


def _guessed(mark: int, worse: float, measure: Measure) -> int:
    """Tokens that there may be to read: what half as many are worse by falls about as 1/tokens."""
    doublings = max(1, math.ceil(math.log2(worse / SETTLED)))
    return min(FURTHEST * measure.unit, mark << doublings) * measure.chapter


def named(stem: str, weight: float) -> str:
    return f"{stem}-settled-{hashlib.sha256(repr(float(weight)).encode()).hexdigest()[:16]}"


def _keep(name: str, mark: int, one: Settled) -> None:
    curve = torch.tensor(one.curve, dtype=torch.float64).reshape(-1, 3)
    keep.save(name, {"curve": curve}, {"mark": str(mark), "converged": str(one.converged)})


def _known(reading: Reading, layer: int, name: str) -> Settled | None:
    """What was found out before, as long as the sums are kept too."""
    if (content := keep.load(name)) is None:
        return None
    tensors, said = content
    sums = reading.known(layer, int(said["mark"]))
    if sums is None:
        return None
    curve = tuple(Doubling(int(tokens), worse, moved) for tokens, worse, moved in tensors["curve"].tolist())
    return Settled(sums, said["converged"] == "True", curve)
