"""What a fine-tune trains: which tensors, told from headers before anything is loaded."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from editview.domain.errors import EditViewError
from editview.domain.operations import FineTune, Lora
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
