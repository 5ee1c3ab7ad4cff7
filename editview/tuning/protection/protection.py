"""The protections and lessons that a fine-tune asks for, made ready on the model as it is before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from transformers import TrainerCallback

from editview.domain.facts import Fact
from editview.domain.operations import FineTune
from editview.domain.progress import Progress
from editview.lm.model import LanguageModel
from editview.tuning.protection.mixing import Mixture, Piece, refuse_unless_data_is_left, rows_of
from editview.tuning.protection.projection import Projection, refuse_where_it_cant_hold
from editview.tuning.protection.shift import ShiftPenalty


@dataclass(frozen=True)
class FactsGiven:
    """The facts that a fine-tune teaches, those that it protects, and the layers that their edits wrote, ascending."""

    taught: tuple[Fact, ...] = ()
    protected: tuple[Fact, ...] = ()
    layers: tuple[int, ...] = ()


NO_FACTS = FactsGiven()


@dataclass(frozen=True)
class Protection:
    """What takes part in the training."""

    mixed: Callable[[Sequence[Piece]], Sequence[Piece]]  # a batch of data -> what is trained on in its place
    callbacks: tuple[TrainerCallback, ...]
    notes: tuple[str, ...] = ()


def refuse_the_impossible(operation: FineTune) -> None:
    """Raises EditViewError for protections that can't be had together with the rest of the card."""
    refuse_unless_data_is_left(operation)
    refuse_where_it_cant_hold(operation)


def protection(lm: LanguageModel, operation: FineTune, facts: FactsGiven, seed: int, progress: Progress) -> Protection:
    """Raises EditViewError where a protection can't be had. Nothing random is drawn from outside."""
    refuse_the_impossible(operation)
    mixture = Mixture(operation.batch_size, seed)
    callbacks: list[TrainerCallback] = [mixture]
    mixture.add("taught", rows_of(lm, facts.taught, paraphrases=True), operation.teach)
    notes: tuple[str, ...] = ()
    if facts.protected:
        mixture.add("replayed", rows_of(lm, facts.protected, paraphrases=False), operation.replay)
        if operation.shift_penalty:
            weight, at_once = operation.shift_penalty, operation.batch_size
            callbacks.append(ShiftPenalty(lm, facts.protected, facts.layers, weight, at_once, seed, progress))
        if operation.projection:
            callbacks.append(Projection(lm, facts.protected, facts.layers, progress))
    elif operation.protects:
        notes = ("Nothing was edited before this fine-tune, so there was nothing to protect.",)
    return Protection(mixture.mixed, tuple(callbacks), notes)
