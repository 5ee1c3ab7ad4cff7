"""Target vectors: the hidden state at the subject's last token that makes the model give the new answer.

MEMIT (Meng et al. 2023, arXiv 2210.07229, eq. 16) searches each with Adam, through the whole model. Here all facts are
searched together: rows are aligned at the subject's last token, what stands before it is computed once and kept as
keys and values, the layers up to the edited one are skipped, and the head is computed where it is scored.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from transformers import DynamicCache

from editview.domain.errors import EditViewError
from editview.domain.facts import Fact
from editview.domain.operations import Memit
from editview.domain.progress import Progress
from editview.lm.forward import alike, forked, head_only_at, hidden_of, padded, resumed_after, run, stopping_after
from editview.lm.model import LanguageModel, at_rest
from editview.lm.tokens import answered, encode, last_token_before, subject_end

ESSENCE = "{} is a"  # what the subject is said to be must not change (MEMIT's KL term)
ENOUGH = 0.05  # a loss below this ends the search


@dataclass(frozen=True)
class Row:
    """One text the model reads during the search."""

    fact: int  # its place in the list of facts
    before: list[int]  # tokens in front of the subject's last
    after: list[int]  # from the subject's last token on
    target: list[int]  # scored at the last positions of `after`; empty for the row of the KL term


def filled(template: str, fact: Fact) -> tuple[str, int]:
    """A fact's prompt inside a context template ('{}' stands for the prompt), and where the subject ends in it."""
    start = template.index("{}")
    end = start + subject_end(fact, fact.template)
    return template.replace("{}", fact.prompt), end


def _row(lm: LanguageModel, text: str, end: int, fact: int, target: list[int]) -> Row:
    ids = encode(lm.tokenizer, text)
    at = last_token_before(lm.tokenizer, text, end)
    return Row(fact, ids[:at], ids[at:] + target[:-1], target)


def rows_of(lm: LanguageModel, index: int, fact: Fact, templates: Sequence[str]) -> list[Row]:
    """The rows of one fact: each context with prompt and new answer (the first one bare), then the KL term's."""
    assert fact.new_answer is not None
    [(_, target)] = answered(lm.tokenizer, [(fact.prompt, fact.new_answer)])
    rows = [_row(lm, *filled(template, fact), index, target) for template in templates]
    if max(len(row.before) + len(row.after) for row in rows) > lm.longest:
        raise EditViewError(
            f"The fact '{fact.id}' can't be edited: its prompt with an opening and the new answer is longer than the "
            f"{lm.longest:,} tokens this model reads. Shorten the prompt."
        )
    essence = _row(lm, ESSENCE.replace("{}", fact.subject), len(fact.subject), index, [])
    return [*rows, replace(essence, after=essence.after[:1])]  # it is read there, and nothing after it plays a part


def target_vectors(
    lm: LanguageModel,
    facts: Sequence[Fact],
    layer: int,
    operation: Memit,
    templates: Sequence[str],
    progress: Progress,
) -> Tensor:
    """z [facts, width], float32: what the output of block `layer` should be at the subject's last token.

    `templates` holds '{}' (the bare prompt) first. Raises EditViewError for a fact whose prompt lacks its subject.
    """
    texts = [rows_of(lm, index, fact, templates) for index, fact in enumerate(facts)]
    chunks = list(_chunks(lm, texts))
    found = torch.empty(len(facts), lm.config.hidden_size, device=lm.device)
    total = len(chunks) * operation.steps
    with _frozen(lm), _exact_attention(lm):
        for number, chunk in enumerate(chunks):
            search = _Search(lm, chunk, layer, operation)
            for step in range(operation.steps):
                progress(number * operation.steps + step, total, "Finding target vectors")
                if not search.advance(last=step == operation.steps - 1):
                    break
            found[[rows[0].fact for rows in chunk]] = search.result
    progress(total, total, "Finding target vectors")
    return found


def _chunks(lm: LanguageModel, texts: list[list[Row]]) -> Iterator[list[list[Row]]]:
    """Facts that are searched together: of similar length, as many as a fixed budget of activations allows."""
    kept = 20 * lm.config.hidden_size * lm.config.num_hidden_layers * lm.dtype.itemsize + 3 * len(lm.embedding.weight)
    return alike(texts, lambda rows: len(rows) * max(len(row.after) for row in rows), _room(lm) // kept)


def _room(lm: LanguageModel) -> int:
    """Bytes for what a search keeps for its gradients: always the same on one machine, or the bits would differ."""
    if lm.device.type == "cuda":
        return int(torch.cuda.get_device_properties(lm.device).total_memory) // 6
    return 2**30


class _Search:
    """The search for a chunk of facts. A fact that is done leaves; the others aren't touched by that."""

    def __init__(self, lm: LanguageModel, chunk: list[list[Row]], layer: int, operation: Memit) -> None:
        self.lm, self.layer, self.operation = lm, layer, operation
        self.per_fact = len(chunk[0])  # rows
        self.inputs = _Inputs.read(lm, [row for rows in chunk for row in rows], layer)
        self.start = self.inputs.hidden[:: self.per_fact, 0].float()  # of the bare prompts [facts, width]
        self.delta = torch.zeros_like(self.start)
        self.moment = torch.zeros_like(self.start)
        self.square = torch.zeros_like(self.start)
        self.step = 0
        self.active = torch.arange(len(chunk), device=lm.device)
        self.result = torch.empty_like(self.start)
        self.essence: Tensor | None = None  # log probabilities of the untouched model [facts, vocabulary]

    def advance(self, last: bool) -> bool:
        """One iteration: stop the facts that are good enough, move the others. False when none is left."""
        delta = self.delta.requires_grad_()
        loss = self._loss(delta)
        done = (loss.detach() < ENOUGH) | last
        self.delta = delta.detach()
        self.result[self.active[done]] = (self.start + self.delta)[done]
        if bool(done.all()):
            return False
        (slope,) = torch.autograd.grad(loss.sum(), delta)
        self.delta = self._moved(self.delta, slope)
        if bool(done.any()):
            self._keep(~done)
        return True

    def _loss(self, delta: Tensor) -> Tensor:
        """The loss of each fact [facts]: mean NLL of the new answer, KL of the essence, pull back to no change."""
        scored = self.inputs.scored
        logs = self.inputs.log_probabilities(self.lm, self.layer, delta.repeat_interleave(self.per_fact, 0))
        answers, essence = logs[: scored.answers], logs[scored.answers :]
        if self.essence is None:
            self.essence = essence.detach()
        nll = -(scored.share @ answers.gather(1, scored.token[:, None])).squeeze(1)
        kl = F.kl_div(self.essence, essence, log_target=True, reduction="none").sum(1)
        pull: Tensor = delta.norm(dim=1) / self.start.norm(dim=1) ** 2
        return nll + self.operation.kl_weight * kl + self.operation.weight_decay * pull

    def _moved(self, delta: Tensor, slope: Tensor) -> Tensor:
        """Adam's step (Kingma and Ba 2015, betas 0.9 and 0.999), then the clamp on the whole change."""
        self.step += 1
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
        for name in ("active", "start", "delta", "moment", "square", "essence"):
            setattr(self, name, getattr(self, name)[stays])
        self.inputs = self.inputs.selected(stays.repeat_interleave(self.per_fact))


@dataclass(frozen=True)
class _Inputs:
    """What the model needs to run on from the edited layer: rows aligned at the subject's last token, column 0."""

    rows: list[Row]
    ids: Tensor  # [rows, columns]
    mask: Tensor  # [rows, before + columns]
    positions: Tensor  # [rows, columns]
    past: DynamicCache  # keys and values of what stands before column 0
    output: Any  # what the edited block returns, untouched by the search

    @staticmethod
    def read(lm: LanguageModel, rows: list[Row], layer: int) -> _Inputs:
        before, seen = padded([row.before for row in rows], lm.device, left=True)
        ids, real = padded([row.after for row in rows], lm.device)
        mask = torch.cat([seen, torch.ones_like(real)], dim=1)
        positions = seen.sum(1, keepdim=True) + torch.arange(ids.shape[1], device=lm.device)
        past = DynamicCache(config=lm.model.config)
        outputs: list[Any] = []
        with torch.no_grad():
            if before.shape[1]:
                nowhere = torch.empty(0, dtype=torch.long, device=lm.device)
                at = (seen.cumsum(1) - 1).clamp(min=0)
                with head_only_at(lm, nowhere, nowhere):
                    run(lm, before, attention_mask=seen, position_ids=at, past=past)
            with stopping_after(lm.anatomy.block(lm.model, layer), lambda _, output: outputs.append(output)):
                run(lm, ids, attention_mask=mask, position_ids=positions, past=forked(past))
        return _Inputs(rows, ids, mask, positions, past, outputs[0])

    @property
    def hidden(self) -> Tensor:
        """The edited block's output [rows, columns, width]."""
        return hidden_of(self.output)

    @cached_property
    def scored(self) -> _Scored:
        return _Scored.of(self.rows, self.ids.device)

    def log_probabilities(self, lm: LanguageModel, layer: int, delta: Tensor) -> Tensor:
        """With `delta` [rows, width] added at column 0: log p over the vocabulary [scored positions, vocabulary]."""
        hidden = self.hidden
        moved = torch.cat([hidden[:, :1] + delta[:, None].to(hidden.dtype), hidden[:, 1:]], dim=1)
        output = (moved, *self.output[1:]) if isinstance(self.output, tuple) else moved
        with resumed_after(lm, layer, output), head_only_at(lm, self.scored.row, self.scored.column):
            result = run(
                lm,
                self.ids,
                attention_mask=self.mask,
                position_ids=self.positions,
                past=forked(self.past),
            )
        return F.log_softmax(result.logits.float(), dim=-1)

    def selected(self, stays: Tensor) -> _Inputs:
        """Only the rows where `stays` [rows] is true."""
        past = forked(self.past)
        past.batch_select_indices(stays.nonzero().squeeze(1))
        rows = [row for row, kept in zip(self.rows, stays.tolist(), strict=True) if kept]
        output = (self.hidden[stays], *self.output[1:]) if isinstance(self.output, tuple) else self.hidden[stays]
        return _Inputs(rows, self.ids[stays], self.mask[stays], self.positions[stays], past, output)


@dataclass(frozen=True)
class _Scored:
    """The positions where the head is read: the new answers' tokens, then column 0 of each essence row."""

    row: Tensor
    column: Tensor
    answers: int  # how many of the positions, the first ones, belong to answers
    token: Tensor  # [answers] the wanted token there
    share: Tensor  # [facts, answers] by how much each counts: the mean over contexts of the mean over tokens

    @staticmethod
    def of(rows: list[Row], device: torch.device) -> _Scored:
        facts = {fact: at for at, fact in enumerate(dict.fromkeys(row.fact for row in rows))}
        answers = [
            (index, len(row.after) - len(row.target) + at, token)
            for index, row in enumerate(rows)
            for at, token in enumerate(row.target)
        ]
        contexts = len(rows) // len(facts) - 1
        share = torch.zeros(len(facts), len(answers))
        for at, (index, _, _) in enumerate(answers):
            share[facts[rows[index].fact], at] = 1 / (contexts * len(rows[index].target))
        essences = [(index, 0) for index, row in enumerate(rows) if not row.target]
        return _Scored(
            row=torch.tensor([a[0] for a in answers] + [e[0] for e in essences], device=device),
            column=torch.tensor([a[1] for a in answers] + [e[1] for e in essences], device=device),
            answers=len(answers),
            token=torch.tensor([a[2] for a in answers], device=device),
            share=share.to(device),
        )


@contextmanager
def _frozen(lm: LanguageModel) -> Iterator[None]:
    """Dropout off and no gradients for the weights while inside."""
    learning = [parameter for parameter in lm.model.parameters() if parameter.requires_grad]
    try:
        for parameter in learning:
            parameter.requires_grad_(False)
        with at_rest(lm.model):
            yield
    finally:
        for parameter in learning:
            parameter.requires_grad_(True)


def _exact_attention(lm: LanguageModel) -> AbstractContextManager[None]:
    """On a GPU the fast kernels add up gradients in any order; the plain one gives the same bits each time."""
    return sdpa_kernel(SDPBackend.MATH) if lm.device.type == "cuda" else nullcontext()
