"""What a fine-tune trains: which layers and tensors, told from headers before anything is loaded."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from editview.domain.checkpoint import CheckpointInfo
from editview.domain.errors import EditViewError
from editview.domain.operations import Edit, FineTune, Lora, in_words_of
from editview.domain.plan import Plan
from editview.domain.sentences import operation_title
from editview.domain.tracing import layers_said, no_such_layer
from editview.domain.weights import MatrixKind, TensorInfo

_CARRY_NO_ADAPTER = (MatrixKind.EMBEDDING, MatrixKind.HEAD, MatrixKind.NORM, MatrixKind.OTHER)


def choice(operation: FineTune) -> str:
    """What the layers to train are called: 'edited layers'."""
    return str(in_words_of(FineTune.model_fields["trained"], operation.trained)).lower()


def layers_to_train(
    operation: FineTune, edited: Callable[[], Collection[int]], every: Callable[[], int]
) -> tuple[int, ...] | None:
    """The layers that an operation's choice comes to, ascending; None: the whole model.

    `edited` finds those that the plan's edits write, `every` how many the model has; each is asked where it matters.
    Raises EditViewError where no layer is left, and for layers that the model doesn't have.
    """
    if operation.trained == "all":
        return None
    if operation.trained == "chosen":
        layers = sorted(set(operation.layers))
        if layers and layers[-1] >= every():
            raise EditViewError(f"{no_such_layer(layers[-1], every())} Choose other layers to train.")
    else:
        layers = sorted(edited())
        if not layers:
            raise EditViewError(
                f"*{operation_title(operation)}* is to train {choice(operation)}, and nothing in the plan edits any: "
                "choose other layers to train, or add an edit."
            )
        if operation.trained == "not-edited":
            layers = [layer for layer in range(every()) if layer not in layers]
    if not layers:
        raise EditViewError(f"*{operation_title(operation)}* has no layer left to train: choose layers to train.")
    return tuple(layers)


def trained(
    tensors: Sequence[TensorInfo], operation: FineTune, layers: Collection[int] | None
) -> tuple[TensorInfo, ...]:
    """The tensors of a model that a fine-tune trains, or that its adapter's matrices are added to.

    `layers` are those that the operation's choice comes to; None: the whole model. Adapters go on matrices inside the
    layers alone. Raises EditViewError for a choice that matches nothing.
    """
    chosen = [tensor for tensor in tensors if layers is None or tensor.layer in layers]
    if operation.matrices:
        chosen = [tensor for tensor in chosen if tensor.kind in operation.matrices]
    adapted = [tensor for tensor in chosen if tensor.kind not in _CARRY_NO_ADAPTER and len(tensor.shape) == 2]
    found = adapted if isinstance(operation, Lora) else chosen
    if not found:
        raise EditViewError(_nothing(operation, bool(chosen)))
    return tuple(found)


def _nothing(operation: FineTune, only_others: bool) -> str:
    if only_others:
        return (
            f"{operation.label} adds to matrices inside the layers alone, and what was chosen to be trained holds none "
            "of them: choose other kinds of matrix, or full fine-tuning."
        )
    return "Nothing of this model matches what was chosen to be trained: choose other layers or kinds of matrix."


def parameters(tensors: Iterable[TensorInfo], operation: FineTune) -> int:
    """How many numbers are trained: the tensors' own, or those of the adapter's matrices beside them."""
    if not isinstance(operation, Lora):
        return sum(math.prod(tensor.shape) for tensor in tensors)
    return sum(
        operation.rank * sum(tensor.shape) + operation.dora * tensor.shape[tensor.transposed] for tensor in tensors
    )


@dataclass(frozen=True)
class Parts:
    """What there is to train of a plan's model."""

    tensors: tuple[TensorInfo, ...]
    edited: tuple[int, ...]  # the layers that the plan's edits write, ascending
    parameters: int

    def trained(self, operation: FineTune) -> tuple[TensorInfo, ...]:
        """What a fine-tune of this plan trains. Raises EditViewError for a choice that matches nothing."""
        return trained(self.tensors, operation, layers_to_train(operation, lambda: self.edited, lambda: self._count))

    def kinds(self, operation: FineTune) -> tuple[MatrixKind, ...]:
        """The kinds of matrix there are to choose from, for that method and those layers; none where it is refused."""
        try:
            found = {tensor.kind for tensor in self.trained(operation.model_copy(update={"matrices": ()}))}
        except EditViewError:
            return ()
        return tuple(kind for kind in MatrixKind if kind in found)

    def sentence(self, operation: FineTune) -> str:
        """What a fine-tune would train. Raises EditViewError for a choice that matches nothing."""
        return told(operation, self.trained(operation), self._count, self.parameters)

    @property
    def _count(self) -> int:
        return len({tensor.layer for tensor in self.tensors} - {None})


def parts(plan: Plan, info: CheckpointInfo) -> Parts:
    """What there is to train of the model that a plan starts from."""
    layers: set[int] = set()
    for edit in plan.active:
        if isinstance(edit, Edit):
            preset = None if edit.layers else info.starting(type(edit))
            layers |= set(edit.layers or (preset.layers if preset else ()))
    return Parts(info.tensors, tuple(sorted(layers)), info.parameters)


def told(operation: FineTune, found: Sequence[TensorInfo], count: int, of: int, verb: str = "Trains") -> str:
    """'Trains 8 tensors in layers 3 to 5: 3.1 million of 7.7 million weights.'

    `found` are the tensors that it trains, `count` the number of the model's layers, `of` that of its weights.
    """
    layers = sorted({tensor.layer for tensor in found if tensor.layer is not None})
    outside = any(tensor.layer is None for tensor in found)
    where = "" if outside or len(layers) == count else f" in {layers_said(layers)}"
    numbers, one = _many(parameters(found, operation)), len(found) == 1
    if isinstance(operation, Lora):
        noun = "matrix" if one else "matrices"
        return f"{verb} {numbers} weights added to {len(found):,} {noun}{where}; the model has {_many(of)}."
    return f"{verb} {len(found):,} {'tensor' if one else 'tensors'}{where}: {numbers} of {_many(of)} weights."


def _many(count: int) -> str:
    """'12,288', '7.7 million', '1.5 billion'."""
    size, noun = (1e9, "billion") if count >= 999.95e6 else (1e6, "million")
    return f"{count / size:,.1f} {noun}" if count >= 1e6 else f"{count:,}"
