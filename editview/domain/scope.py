"""What a fine-tune trains: which tensors, told from headers before anything is loaded."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from editview.domain.checkpoint import CheckpointInfo
from editview.domain.errors import EditViewError
from editview.domain.operations import Edit, FineTune, Lora, Trained
from editview.domain.plan import Plan
from editview.domain.weights import MatrixKind, TensorInfo

_CARRY_NO_ADAPTER = (MatrixKind.EMBEDDING, MatrixKind.HEAD, MatrixKind.NORM)


def trained(
    tensors: Sequence[TensorInfo], operation: FineTune, layers: Collection[int] | None
) -> tuple[TensorInfo, ...]:
    """The tensors of a model that a fine-tune trains, or that its adapter's matrices are added to.

    `layers` are those that the operation's choice comes to; None: the whole model. Adapters go on matrices inside the
    model alone. Raises EditViewError for a choice that matches nothing.
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
            "of them. Choose other kinds of matrix in the card, or full fine-tuning."
        )
    return (
        "Nothing of this model matches what was chosen to be trained. Choose other layers or kinds of matrix in the "
        "fine-tune's card."
    )


def parameters(tensors: Sequence[TensorInfo], operation: FineTune) -> int:
    """How many numbers are trained: the tensors' own, or those of the adapter's matrices beside them."""
    if not isinstance(operation, Lora):
        return sum(math.prod(tensor.shape) for tensor in tensors)
    lengths = sum(tensor.shape[tensor.transposed] for tensor in tensors) if operation.dora else 0
    return operation.rank * sum(sum(tensor.shape) for tensor in tensors) + lengths


@dataclass(frozen=True)
class Parts:
    """What there is to train of a plan's model."""

    tensors: tuple[TensorInfo, ...]
    edited: tuple[int, ...]  # the layers that the plan's edits write, ascending
    parameters: int

    def layers(self, operation: FineTune) -> tuple[int, ...] | None:
        """The layers that an operation's choice comes to, ascending; None: the whole model."""
        everything = sorted({tensor.layer for tensor in self.tensors if tensor.layer is not None})
        match operation.trained:
            case "all":
                return None
            case "edited":
                return self.edited
            case "not-edited":
                return tuple(layer for layer in everything if layer not in self.edited)
            case "chosen":
                return tuple(sorted(set(operation.layers)))

    def sentence(self, operation: FineTune) -> str:
        """'Trains 26 tensors: 3.1 of 7.7 million weights.' Raises EditViewError for a choice that matches nothing."""
        found = trained(self.tensors, operation, self.layers(operation))
        noun = "tensor" if len(found) == 1 else "tensors"
        return (
            f"Trains {len(found):,} {noun}: {trains_words(operation, parameters(found, operation), self.parameters)}."
        )


def parts(plan: Plan, info: CheckpointInfo) -> Parts:
    """What there is to train of the model that a plan starts from."""
    layers: set[int] = set()
    for edit in plan.active:
        if isinstance(edit, Edit):
            preset = None if edit.layers else info.starting(type(edit))
            layers |= set(edit.layers or (preset.layers if preset else ()))
    return Parts(info.tensors, tuple(sorted(layers)), info.parameters)


def trains_words(operation: FineTune, numbers: int, of: int) -> str:
    """'3.1 of 7.7 million weights', or '0.4 million added weights beside 7.7 million' for an adapter."""
    if isinstance(operation, Lora):
        return f"{_millions(numbers)} million added weights beside {_millions(of)} million"
    return f"{_millions(numbers)} of {_millions(of)} million weights"


SCOPES: dict[Trained, str] = {
    "all": "the whole model",
    "edited": "only edited layers",
    "not-edited": "all but edited layers",
    "chosen": "chosen layers",
}


def _millions(count: int) -> str:
    return f"{count / 1e6:,.1f}" if count >= 1e6 else f"{count / 1e6:.2g}"
