"""The texts that teach new answers: each prompt with its new answer, scored at the answer's tokens alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from editview.domain.errors import EditViewError
from editview.domain.facts import Fact
from editview.lm.forward import alike, head_only_at, hidden_of, padded, resumed_after, run, stopping_after
from editview.lm.model import LanguageModel, at_rest
from editview.lm.tokens import answered

BATCH_TOKENS = 4096  # in one forward that only reads
MOST_KEPT = 2**31  # bytes of hidden states


@dataclass(frozen=True)
class Lesson:
    """One fact as the model reads it: teacher forcing, so the last token of the answer is only scored."""

    read: list[int]
    answer: list[int]

    @property
    def scored(self) -> range:
        """The positions whose next token is one of the answer's."""
        return range(len(self.read) - len(self.answer), len(self.read))


def lessons(lm: LanguageModel, facts: Sequence[Fact], *, end_of_text: bool = False) -> list[Lesson]:
    """In the order of `facts`. With `end_of_text` the model's end-of-text follows each answer."""
    found = []
    end = lm.tokenizer.eos_token_id
    tokens = answered(lm.tokenizer, [(fact.prompt, fact.new_answer or "") for fact in facts])
    for fact, (prompt, answer) in zip(facts, tokens, strict=True):
        if end_of_text and end is not None:
            answer = [*answer, end]
        if not prompt or len(prompt) + len(answer) - 1 > lm.longest:
            raise EditViewError(
                f"The fact '{fact.id}' can't be edited: its prompt and new answer are empty, or longer than the "
                f"{lm.longest:,} tokens this model reads. Change the prompt.",
                fact.prompt,
            )
        found.append(Lesson(prompt + answer[:-1], answer))
    return found


@dataclass(frozen=True)
class Reading:
    """Lessons, and what the blocks below `layer` put out for each of them: training a matrix of `layer` or above
    doesn't change that, so it is computed once."""

    lm: LanguageModel
    lessons: Sequence[Lesson]
    below: int  # blocks 0 to this one are skipped; -1: none
    states: tuple[Tensor, ...] = ()  # [tokens, width] of each lesson
    rest: tuple[Any, ...] | None = None  # what a block returns beside its hidden states, if it returns a tuple

    @staticmethod
    def of(lm: LanguageModel, lessons: Sequence[Lesson], layer: int) -> Reading:
        size = sum(len(lesson.read) for lesson in lessons) * lm.config.hidden_size * lm.dtype.itemsize
        if layer == 0 or size > MOST_KEPT:
            return Reading(lm, lessons, -1)
        states: dict[int, Tensor] = {}
        outputs: list[Any] = []
        block = lm.anatomy.block(lm.model, layer - 1)
        with torch.no_grad(), at_rest(lm.model):
            for batch in alike(range(len(lessons)), lambda i: len(lessons[i].read), BATCH_TOKENS):
                ids, _ = padded([lessons[i].read for i in batch], lm.device)
                with stopping_after(block, lambda _, output: outputs.append(output)):
                    run(lm, ids)
                output = outputs.pop()
                for row, i in enumerate(batch):
                    states[i] = hidden_of(output)[row, : len(lessons[i].read)].clone()
        rest = output[1:] if isinstance(output, tuple) else None
        return Reading(lm, lessons, layer - 1, tuple(states[i] for i in range(len(lessons))), rest)

    def losses(self, batch: Sequence[int]) -> Tensor:
        """NLL of each answer token of the lessons in `batch` [tokens], lesson after lesson, float32."""
        chosen = [self.lessons[i] for i in batch]
        ids, _ = padded([lesson.read for lesson in chosen], self.lm.device)
        rows, columns = positions(chosen, self.lm.device)
        with resumed_after(self.lm, self.below, self._output(batch)), head_only_at(self.lm, rows, columns):
            logits = run(self.lm, ids).logits.float()
        wanted = [token for lesson in chosen for token in lesson.answer]
        return F.cross_entropy(logits, torch.tensor(wanted, device=self.lm.device), reduction="none")

    def _output(self, batch: Sequence[int]) -> Any:
        if not self.states:
            return None
        hidden = torch.nn.utils.rnn.pad_sequence([self.states[i] for i in batch], batch_first=True)
        return hidden if self.rest is None else (hidden, *self.rest)


def positions(lessons: Sequence[Lesson], device: torch.device) -> tuple[Tensor, Tensor]:
    """Rows and columns of what is scored, lesson after lesson."""
    at = [(row, column) for row, lesson in enumerate(lessons) for column in lesson.scored]
    rows, columns = torch.tensor(at, device=device).T
    return rows, columns


def token_means(losses: Tensor, lessons: Sequence[Lesson]) -> Tensor:
    """The mean loss per token of each lesson [lessons]."""
    return torch.stack([part.mean() for part in torch.split(losses, [len(lesson.answer) for lesson in lessons])])
