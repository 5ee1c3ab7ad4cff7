"""Target vectors: the hidden state at the subject's last token that makes the model give the new answer.

MEMIT (Meng et al. 2023, arXiv 2210.07229, eq. 16) searches each with Adam, through the whole model. Here many facts are
searched together: rows are aligned at the subject's last token, what stands before it is computed once and kept as
keys and values, the layers up to the edited one are skipped, and the head is computed where it is scored.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from transformers import DynamicCache

from editview.domain.facts import Fact
from editview.domain.operations import TargetEdit
from editview.domain.progress import Progress
from editview.edits.rows import Row, Rows, read_on, read_shared, rows_of
from editview.edits.workings import Workings
from editview.lm.forward import (
    alike,
    forked,
    fused,
    head_only_at,
    hidden_of,
    padded,
    resumed_after,
    run,
    stopping_after,
)
from editview.lm.model import LanguageModel, at_rest

ENOUGH = 0.05  # a loss below this ends the search
TOKENS = 512  # searched together on a CPU: enough to keep it busy, and what they keep stays near it
FACTS = 1000  # whose rows are in memory at a time


def target_vectors(
    lm: LanguageModel,
    facts: Sequence[Fact],
    layer: int,
    operation: TargetEdit,
    templates: Sequence[str],
    progress: Progress,
    start: Tensor | None = None,
    workings: Workings | None = None,
) -> Tensor:
    """z [facts, width], float32: what the output of block `layer` should be at the subject's last token.

    `templates` holds '{}' (the bare prompt) first. `start` [facts, width] is what is to be changed, where that is only
    a part of the block's output (ROME: what the edited matrix adds to it); lengths are measured against it.
    Raises EditViewError for a fact whose prompt lacks its subject.
    """
    found = torch.empty(len(facts), lm.config.hidden_size, device=lm.device)
    iterations = torch.zeros(len(facts), dtype=torch.long, device=lm.device)
    total, ready = len(facts) * operation.steps, 0
    with _frozen(lm), _exact_attention(lm), fused(lm.model):
        for first in range(0, len(facts), FACTS):
            for chunk in _chunks(lm, rows_of(lm, facts[first : first + FACTS], templates, first)):
                here = [rows.fact for rows in chunk]
                search = _Search(lm, chunk, layer, operation, None if start is None else start[here].float())
                for step in range(operation.steps):
                    progress(ready + step * len(chunk), total, "Finding target vectors")
                    if not search.advance(last=step == operation.steps - 1):
                        break
                found[here], iterations[here] = search.result, search.iterations
                ready += len(chunk) * operation.steps
    progress(total, total, "Finding target vectors")
    if workings is not None:
        workings.targets, workings.iterations = found, iterations.tolist()
    return found


def _chunks(lm: LanguageModel, facts: list[Rows]) -> Iterator[list[Rows]]:
    """Facts that are searched together: of similar length, as many as a fixed budget allows."""
    for bare in (True, False):
        some = [rows for rows in facts if rows.essence_is_bare == bare]
        yield from alike(some, lambda rows: len(rows.contexts) * rows.columns, _budget(lm))


def _budget(lm: LanguageModel) -> int:
    """Tokens searched together: always the same on one machine, or the bits would differ.

    On a GPU, as many as its memory allows with what is kept of each for the gradients.
    """
    if lm.device.type == "cpu":
        return TOKENS
    kept = 20 * lm.config.hidden_size * lm.config.num_hidden_layers * lm.dtype.itemsize + 3 * len(lm.embedding.weight)
    room = torch.cuda.get_device_properties(lm.device).total_memory // 6 if lm.device.type == "cuda" else 2**30
    return int(room // kept)


def _patience(lm: LanguageModel) -> int:
    """After how many steps it is asked which facts are done."""
    return 1 if lm.device.type == "cpu" else 4


class _Search:
    """The search for a chunk of facts. A fact that is done stays where it is, and soon leaves."""

    def __init__(
        self, lm: LanguageModel, chunk: list[Rows], layer: int, operation: TargetEdit, start: Tensor | None
    ) -> None:
        self.lm, self.layer, self.operation = lm, layer, operation
        self.contexts = len(chunk[0].contexts)
        self.answers = _Part.read(lm, [row for rows in chunk for row in rows.contexts], self.contexts, layer)
        self.scored = _Scored.of(chunk, lm.device)
        bare = all(rows.essence_is_bare for rows in chunk)
        self.essence = None if bare else _Part.read(lm, [rows.essence for rows in chunk], 1, layer)
        self.start = self.answers.hidden[:: self.contexts, 0].float() if start is None else start
        self.delta = torch.zeros_like(self.start)
        self.moment = torch.zeros_like(self.start)
        self.square = torch.zeros_like(self.start)
        self.step = 0
        self.active = torch.arange(len(chunk), device=lm.device)
        self.done = torch.zeros_like(self.active, dtype=torch.bool)
        self.before: Tensor | None = None  # log p of the essence, by the untouched model [facts, vocabulary]
        self.result = torch.empty_like(self.start)
        self.iterations = torch.zeros_like(self.active)

    def advance(self, last: bool) -> bool:
        """One iteration: stop the facts that are good enough, move the others. False when none is left.

        Asking a GPU which are done makes it wait, so there it is asked now and then; none of them moves meanwhile.
        """
        delta = self.delta.requires_grad_()
        loss = self._loss(delta)
        self.delta = delta.detach()
        self.iterations[self.active] += ~self.done
        self.done = self.done | (loss.detach() < ENOUGH)
        self.step += 1
        asked = last or self.step % _patience(self.lm) == 0
        leaving = len(self.active) if last else int(self.done.sum()) if asked else 0
        if leaving:
            self.result[self.active] = self.start + self.delta
        if leaving == len(self.active):
            return False
        (slope,) = torch.autograd.grad(loss.sum(), delta)
        self.delta = torch.where(self.done[:, None], self.delta, self._moved(self.delta, slope))
        if leaving:
            self._keep(~self.done)
        return True

    def _loss(self, delta: Tensor) -> Tensor:
        """The loss of each fact [facts]: mean NLL of the new answer, KL of the essence, pull back to no change."""
        facts, scored = torch.arange(len(delta), device=delta.device), self.scored
        row, column = scored.fact * self.contexts + scored.context, scored.column
        if self.essence is None:  # read on the way, at column 0 of the bare rows
            row, column = torch.cat([row, facts * self.contexts]), torch.cat([column, torch.zeros_like(facts)])
        moved = delta.repeat_interleave(self.contexts, 0)
        logits = self.answers.logits(self.lm, self.layer, moved, row, column).float()
        if self.essence is None:
            logits, essence = torch.split_with_sizes(logits, [len(scored.token), len(facts)])
        else:
            essence = self.essence.logits(self.lm, self.layer, delta, facts, torch.zeros_like(facts)).float()
        each = logits.logsumexp(1) - logits.gather(1, scored.token[:, None]).squeeze(1)
        now = essence.log_softmax(1)
        if self.before is None:
            self.before = now.detach()
        kl = F.kl_div(self.before, now, log_target=True, reduction="none").sum(1)
        pull: Tensor = delta.norm(dim=1) / self.start.norm(dim=1) ** 2
        return scored.share(len(facts)) @ each + self.operation.kl_weight * kl + self.operation.weight_decay * pull

    def _moved(self, delta: Tensor, slope: Tensor) -> Tensor:
        """Adam's step (Kingma and Ba 2015, betas 0.9 and 0.999), then the clamp on the whole change."""
        self.moment = torch.lerp(self.moment, slope, 0.1)
        self.square = 0.999 * self.square + 0.001 * slope * slope
        length = self.start.norm(dim=1, keepdim=True)
        rate = self.operation.learning_rate
        scale = length / delta.shape[1] ** 0.5 if self.operation.relative_rate else torch.ones_like(length)
        root = self.square.sqrt() / (1 - 0.999**self.step) ** 0.5 + 1e-8
        delta = delta - rate / (1 - 0.9**self.step) * scale * self.moment / root
        most = self.operation.clamp * length
        size = delta.norm(dim=1, keepdim=True)
        return torch.where(size > most, delta * most / size, delta)

    def _keep(self, stays: Tensor) -> None:
        for name in ("active", "done", "start", "delta", "moment", "square", "before"):
            setattr(self, name, getattr(self, name)[stays])
        self.answers = self.answers.selected(stays.repeat_interleave(self.contexts))
        self.essence = None if self.essence is None else self.essence.selected(stays)
        self.scored = self.scored.selected(stays)


@dataclass(frozen=True)
class _Part:
    """Rows that the model runs on from the edited layer, aligned at the subject's last token, column 0."""

    ids: Tensor  # [rows, columns]
    mask: Tensor  # [rows, before + columns]
    positions: Tensor  # [rows, columns]
    past: DynamicCache  # keys and values of what stands before column 0
    output: Any  # what the edited block returns, untouched by the search

    @staticmethod
    def read(lm: LanguageModel, rows: list[Row], kinds: int, layer: int) -> _Part:
        ids, real = padded([row.after for row in rows], lm.device)
        outputs: list[Any] = []
        with torch.no_grad():
            past, seen, rest = read_shared(lm, [row.before for row in rows], kinds, ids.shape[1])
            if any(rest):
                seen = read_on(lm, past, seen, *padded(rest, lm.device, left=True))
            mask = torch.cat([seen, real], dim=1)
            positions = seen.sum(1, keepdim=True) + torch.arange(ids.shape[1], device=lm.device)
            with stopping_after(lm.anatomy.block(lm.model, layer), lambda _, output: outputs.append(output)):
                run(lm, ids, attention_mask=mask, position_ids=positions, past=forked(past))
        return _Part(ids, mask, positions, past, outputs[0])

    @property
    def hidden(self) -> Tensor:
        """The edited block's output [rows, columns, width]."""
        return hidden_of(self.output)

    def logits(self, lm: LanguageModel, layer: int, delta: Tensor, row: Tensor, column: Tensor) -> Tensor:
        """With `delta` [rows, width] added at column 0: the logits at the places asked [places, vocabulary]."""
        hidden = self.hidden
        moved = torch.cat([hidden[:, :1] + delta[:, None].to(hidden.dtype), hidden[:, 1:]], dim=1)
        output = (moved, *self.output[1:]) if isinstance(self.output, tuple) else moved
        with resumed_after(lm, layer, output), head_only_at(lm, row, column):
            result = run(lm, self.ids, attention_mask=self.mask, position_ids=self.positions, past=forked(self.past))
        logits: Tensor = result.logits
        return logits

    def selected(self, stays: Tensor) -> _Part:
        """Only the rows where `stays` [rows] is true."""
        past, kept = forked(self.past), stays.nonzero().squeeze(1)
        past.batch_select_indices(kept)
        output = (self.hidden[kept], *self.output[1:]) if isinstance(self.output, tuple) else self.hidden[kept]
        return _Part(self.ids[kept], self.mask[kept], self.positions[kept], past, output)


@dataclass(frozen=True)
class _Scored:
    """The places where the new answers' tokens are read; one entry a place."""

    fact: Tensor
    context: Tensor
    column: Tensor
    token: Tensor  # the wanted one
    weight: Tensor  # how much it counts: the mean over contexts of the mean over tokens

    @staticmethod
    def of(chunk: list[Rows], device: torch.device) -> _Scored:
        places = [
            (number, which, len(row.after) - len(rows.target) + at, wanted)
            for number, rows in enumerate(chunk)
            for which, row in enumerate(rows.contexts)
            for at, wanted in enumerate(rows.target)
        ]
        weights = [1 / (len(chunk[number].contexts) * len(chunk[number].target)) for number, *_ in places]
        fact, context, column, token = torch.tensor(places, device=device).T
        return _Scored(fact, context, column, token, torch.tensor(weights, device=device))

    def share(self, facts: int) -> Tensor:
        """By how much each place counts for each fact [facts, places]."""
        return (self.fact == torch.arange(facts, device=self.fact.device)[:, None]) * self.weight

    def selected(self, stays: Tensor) -> _Scored:
        """Only those of the facts where `stays` [facts] is true, which are counted anew."""
        kept = stays[self.fact]
        counted = (stays.cumsum(0) - 1)[self.fact[kept]]
        return _Scored(counted, self.context[kept], self.column[kept], self.token[kept], self.weight[kept])


@contextmanager
def _frozen(lm: LanguageModel) -> Iterator[None]:
    """Dropout off and no gradients for the weights while inside."""
    learning = [parameter for parameter in lm.model.parameters() if parameter.requires_grad]
    try:
        for parameter in learning:
            parameter.requires_grad_(False)
        with at_rest(lm.model), lm.gradients():
            yield
    finally:
        for parameter in learning:
            parameter.requires_grad_(True)


def _exact_attention(lm: LanguageModel) -> AbstractContextManager[None]:
    """On a GPU the fast kernels add up gradients in any order; the plain one gives the same bits each time."""
    return sdpa_kernel(SDPBackend.MATH) if lm.device.type == "cuda" else nullcontext()
