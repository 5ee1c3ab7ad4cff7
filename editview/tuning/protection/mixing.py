"""Facts among the training data: replay of those edited before, and teaching of those that nothing edits.

A stated share of every batch asks facts instead of showing data. What else a batch holds is what it would hold without.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from editview.domain.errors import EditViewError
from editview.domain.facts import Fact
from editview.domain.operations import FineTune
from editview.lm.model import LanguageModel
from editview.lm.tokens import answered
from editview.tuning.batches import Row
from editview.tuning.protection.reading import turn

Piece = Row | list[Row]
"""What a batch is made of: rows, or packs of them; a fact is a row among either."""


def rows_of(lm: LanguageModel, facts: Sequence[Fact], *, paraphrases: bool) -> list[Row]:
    """Facts as they are asked: one space between prompt and new answer, tokenised at once, the answer trained on.

    No end-of-text follows: a prompt is the beginning of a sentence, and nothing is said of how it goes on.
    """
    pairs = [
        (wording, fact.new_answer or "")
        for fact in facts
        for wording in (fact.wordings if paraphrases else (fact.prompt,))
    ]
    return [Row(prompt + answer, len(prompt)) for prompt, answer in answered(lm.tokenizer, pairs)]


def facts_in_a_batch(share: float, size: int) -> int:
    """How many of a batch of `size` ask facts: the share, rounded, and at least one."""
    return max(1, round(share * size)) if share else 0


def refuse_unless_data_is_left(operation: FineTune) -> None:
    """Raises EditViewError where the facts would fill whole batches."""
    size = operation.batch_size
    asked = facts_in_a_batch(operation.replay, size) + facts_in_a_batch(operation.teach, size)
    if asked >= size:
        raise EditViewError(
            f"With {size:,} example{'' if size == 1 else 's'} in a batch, nothing but facts would be left in it. "
            "Choose a larger batch size, or a smaller share of facts, in the fine-tune's card."
        )


class Mixture(TrainerCallback):
    """Puts facts into the batches. It counts them, also where training goes on at a later step."""

    def __init__(self, size: int, seed: int) -> None:
        self._size, self._seed = size, seed  # of a whole batch
        self._parts: list[tuple[str, list[Row], float]] = []
        self._step = 0

    def add(self, name: str, rows: list[Row], share: float) -> None:
        if rows:
            self._parts.append((name, rows, share))

    def mixed(self, rows: Sequence[Piece]) -> list[Piece]:
        """The next batch: its last rows make room for facts. A small one at the end of the data keeps one at least."""
        facts: list[Piece] = []
        for name, known, share in self._parts:
            places = turn(self._step, facts_in_a_batch(share, self._size), len(known), f"{self._seed} {name}")
            facts += [known[at] for at in places[: facts_in_a_batch(share, len(rows))]]
        facts = facts[: len(rows) - 1]
        self._step += 1
        return [*rows[: len(rows) - len(facts)], *facts]

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._step = state.global_step
