"""What an edit is asked for, made whole and checked before anything is computed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from editview.domain.errors import EditViewError
from editview.domain.facts import Fact
from editview.domain.operations import Edit
from editview.domain.tracing import no_such_layer
from editview.formats.presets import preset
from editview.lm.model import LanguageModel
from editview.lm.tokens import subject_end

Kind = TypeVar("Kind", bound=Edit)


def settled(lm: LanguageModel, operation: Kind) -> Kind:
    """The operation as it will run: without layers, the preset of this model fills in what was left at its default.

    Raises EditViewError when no preset is known.
    """
    if operation.layers:
        return operation
    config = lm.config
    known = preset(type(operation), config.model_type, config.num_hidden_layers, config.hidden_size,
                   len(lm.embedding.weight))  # fmt: skip
    if known is None:
        raise no_settings(operation)
    return filled_in(operation, known)


def filled_in(operation: Kind, preset: Kind) -> Kind:
    """The operation with the preset's value wherever its own is the default."""
    filled = {
        name: getattr(preset, name)
        for name, field in type(operation).model_fields.items()
        if name != "id" and getattr(operation, name) == field.default
    }
    return operation.model_copy(update=filled)


def no_settings(operation: Edit) -> EditViewError:
    return EditViewError(
        f"There are no ready settings of {operation.label} for this model. Choose the layers to edit in the card: "
        "'Find layers' there traces where this model looks its facts up."
    )


def checked_layers(lm: LanguageModel, operation: Edit) -> tuple[int, ...]:
    """The layers to edit, ascending. Raises EditViewError for a model or layers that can't be edited."""
    if lm.anatomy.not_editable:
        raise EditViewError(f"This model can't be edited: {lm.anatomy.not_editable}.")
    layers = tuple(sorted(set(operation.layers)))
    if layers[-1] >= len(lm.anatomy.blocks):
        raise EditViewError(
            f"{no_such_layer(layers[-1], len(lm.anatomy.blocks))} Change the layers to edit in the card."
        )
    return layers


def check_facts(facts: Sequence[Fact], *, by_subject: bool = True) -> None:
    """Raises EditViewError for facts that can't be written: no new answer, contradictions, no subject to write at."""
    if not facts:
        raise EditViewError("There is no fact to edit. Choose facts that have a new answer.")
    asked: dict[tuple[str, str], Fact] = {}
    for fact in facts:
        if not fact.new_answer:
            raise EditViewError(f"The fact '{fact.id}' has no new answer, so there is nothing to write.")
        if by_subject:
            subject_end(fact, fact.template)  # refuses a prompt without its subject
        other = asked.setdefault((fact.subject, fact.prompt), fact)
        if other.new_answer != fact.new_answer:
            raise EditViewError(
                f"The facts '{other.id}' and '{fact.id}' contradict each other: '{fact.prompt}' is to be answered by "
                f"both '{other.new_answer}' and '{fact.new_answer}'. Keep one of them."
            )
