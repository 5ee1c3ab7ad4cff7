"""Validation: what a fine-tune has learnt, seen on examples kept from it; training doesn't notice that it is looked at.

The examples, the steps looked at, and with them the point where training stops early, follow from data and settings
alone: neither seed nor clock nor who watches has a say.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch.nn.functional as F
from torch import Tensor
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from editview.domain.errors import EditViewError
from editview.domain.examples import Example
from editview.domain.operations import FineTune
from editview.domain.operations.tuning import TrainOn
from editview.domain.progress import Progress
from editview.domain.validation import Validation
from editview.lm.answers import continued, text_of
from editview.lm.forward import alike
from editview.lm.model import LanguageModel
from editview.tuning.batches import IGNORED, Row, batch, tokenised
from editview.tuning.tensors import as_json, as_tensor
from editview.tuning.watch import undisturbed

FEWEST = 20
"""Examples, from which on some are kept for validation."""

_READ = 200  # examples whose loss is measured, at most
_ASKED = 40  # examples whose answer is compared word for word, at most
_ANSWER = 64  # tokens of such an answer, at most
_SHARE = 0.03  # of the work of training that the looks should take
_LOOKS, _PATIENT_LOOKS, _MOST_LOOKS = 4, 20, 40
_TOKENS_AT_ONCE = 1024


def split(examples: Sequence[Example], share: float) -> tuple[list[Example], list[Example]]:
    """What is trained on and what is kept for validation, each in the order of the data.

    Kept are the examples whose content has the smallest hashes: the same ones whatever the seed and the order. Equal
    examples, and the answers of one conversation, stay together, so that nothing kept was seen in training.
    """
    wanted = max(1, round(share * len(examples))) if share and len(examples) >= FEWEST else 0
    alike: dict[str, list[int]] = {}
    for place, example in enumerate(examples if wanted else ()):
        alike.setdefault(_opening(example), []).append(place)
    kept: set[int] = set()
    for _, places in sorted(alike.items()):
        if len(kept) + len(places) <= wanted:
            kept.update(places)
    return (
        [example for place, example in enumerate(examples) if place not in kept],
        [example for place, example in enumerate(examples) if place in kept],
    )


def _opening(example: Example) -> str:
    """Names an example by its content; the answers of one conversation share a name, that of its first question."""
    turns = [(turn.role, turn.content) for turn in example.conversation]
    first = next((at for at, (role, _) in enumerate(turns, 1) if role == "user"), None)
    told = turns[:first] if first else [turns, example.prompt, example.completion]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


@dataclass(frozen=True)
class Kept:
    """Tokenised examples that aren't trained on: those whose loss is measured, those whose answers are asked."""

    read: tuple[Row, ...]
    asked: tuple[Row, ...]

    @staticmethod
    def of(lm: LanguageModel, examples: Sequence[Example], operation: FineTune, longest: int) -> Kept | None:
        """Some of the examples, spread evenly: as many as is cheap beside the training. None: nothing to look at."""

        def rows(some: Sequence[Example], most: int, train_on: TrainOn) -> tuple[Row, ...]:
            with suppress(EditViewError):  # nothing is left of them once they are cut
                return tuple(tokenised(lm.tokenizer, _spread(some, most), longest, _quiet, train_on))
            return ()

        answers = [example for example in examples if example.prompt or example.conversation]
        read = rows(examples, min(_READ, max(32, int(_work(operation)) // _LOOKS)), operation.train_on)
        whole = [row for row in rows(answers, 2 * _ASKED, "answers") if row.answer_at and len(row.tokens) < longest]
        asked = [row for row in whole if _wanted(row)]
        return Kept(read, tuple(asked[:_ASKED])) if read else None


def _quiet(done: int, total: int, what: str) -> None:
    """A few hundred examples are tokenised at once."""


def _spread(examples: Sequence[Example], most: int) -> list[Example]:
    count = min(most, len(examples))
    return [examples[i * len(examples) // count] for i in range(count)]


def _wanted(row: Row) -> list[int]:
    """The tokens of a row's answer; empty where it is too long to be asked."""
    answer = row.tokens[row.answer_at :]
    return answer if len(answer) <= _ANSWER else []


def _work(operation: FineTune) -> float:
    """Examples that can be read for the share of the training that looking should take: a step reads each, and twice
    as much goes into its gradients."""
    return 3 * _SHARE * operation.steps * operation.batch_size


def steps_between_looks(operation: FineTune, examples: int) -> int:
    """Each look reads so many examples. Where they may end the training there are more looks, whatever they
    cost."""
    fewest = _PATIENT_LOOKS if operation.patience or operation.until else _LOOKS
    looks = min(max(int(_work(operation)) // examples, fewest), _MOST_LOOKS)
    return math.ceil(operation.steps / looks)


class Looks(TrainerCallback):
    """Looks at the kept examples before the first step, at even intervals and after the last one.

    With patience it ends the training once the loss hasn't fallen for so many looks, and in any case goes back to the
    weights of the best look after the first step; a copy of what is trained is kept in main memory for that.
    `went_back` hears of the step, if it isn't the last one. Answers are asked at the start and of what is kept.
    """

    def __init__(
        self,
        lm: LanguageModel,
        kept: Kept,
        operation: FineTune,
        padding: int,
        progress: Progress,
        report: Callable[[Validation], None],
        went_back: Callable[[int], None],
    ) -> None:
        self._lm, self._kept, self._padding = lm, kept, padding
        self._steps, self._patience, self._until = operation.steps, operation.patience, operation.until
        self._every = steps_between_looks(operation, len(kept.read))
        self._progress, self._report, self._went_back = progress, report, went_back
        self._best: tuple[Validation, list[tuple[Tensor, Tensor]]] | None = None
        self._in_vain = 0  # looks since the best one

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        if state.global_step == 0:
            self._report(self._with_answers(self._look(0)))

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        step = state.global_step
        if step % self._every and step != self._steps:
            return
        self._last = self._look(step)
        self._report(self._last)
        if self._last.loss <= self._until:
            control.should_training_stop = True
        if not self._patience:
            return
        if self._best is None or self._last.loss < self._best[0].loss:
            trained = [weight for weight in self._lm.model.parameters() if weight.requires_grad]
            copies = [weight.detach().to("cpu", copy=True) for weight in trained]
            self._best, self._in_vain = (self._last, list(zip(trained, copies, strict=True))), 0
            return
        self._in_vain += 1
        control.should_training_stop |= self._in_vain >= self._patience

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        if self._best is not None and self._best[0] is not self._last:
            self._last, copies = self._best
            for weight, copy in copies:
                weight.data.copy_(copy)
            self._went_back(self._last.step)
        if self._kept.asked:
            self._report(self._with_answers(self._last))

    def remembered(self) -> dict[str, Tensor]:
        """As `resuming.Remembers`: the best look, and the weights it was of."""
        if self._best is None:
            return {}
        found, copies = self._best
        weights = {f"{at}": copy for at, (_, copy) in enumerate(copies)}
        return {"found": as_tensor([asdict(found), self._in_vain]), **weights}

    def recall(self, found: Mapping[str, Tensor]) -> None:
        if not found:
            return
        look, self._in_vain = as_json(found["found"])
        trained = [weight for weight in self._lm.model.parameters() if weight.requires_grad]
        self._best = Validation(**look), [(weight, found[f"{at}"].clone()) for at, weight in enumerate(trained)]

    def _look(self, step: int) -> Validation:
        total, count = 0.0, 0
        with undisturbed(self._lm.model):
            for rows in alike(self._kept.read, lambda row: len(row.tokens), _TOKENS_AT_ONCE):
                self._pause(step)
                inputs = {name: tensor.to(self._lm.device) for name, tensor in batch(rows, self._padding).items()}
                wanted = inputs.pop("labels")[:, 1:].flatten()
                logits = self._lm.model(**inputs, use_cache=False).logits[:, :-1].flatten(0, 1).float()
                total += float(F.cross_entropy(logits, wanted, ignore_index=IGNORED, reduction="sum"))
                count += int((wanted != IGNORED).sum())
        return Validation(step, total / count)

    def _with_answers(self, look: Validation) -> Validation:
        """The look, with the share of the answers that come out word for word but for white space."""
        asked = self._kept.asked
        if not asked:
            return look
        with undisturbed(self._lm.model):
            prompts = [row.tokens[: row.answer_at] for row in asked]
            said = continued(self._lm, prompts, _ANSWER, lambda *_: self._pause(look.step))
        right = [
            text.split() == text_of(self._lm.tokenizer, _wanted(row)).split()
            for text, row in zip(said, asked, strict=True)
        ]
        return replace(look, exact_match=sum(right) / len(right), of=len(right))

    def _pause(self, step: int) -> None:
        """A point where it can be cancelled."""
        self._progress(step, self._steps, "Training")
