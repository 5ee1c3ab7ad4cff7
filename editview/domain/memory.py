"""What a fine-tune holds in memory, how its batches get by with it, and what to change when they won't fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from editview.domain.operations import FineTune, FullFineTune


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes, by what they are for."""

    weights: int
    gradients: int = 0
    optimiser: int = 0
    activations: int = 0
    copies: int = 0  # what it takes to undo the operation, and to tell stages apart

    @property
    def total(self) -> int:
        return self.weights + self.gradients + self.optimiser + self.activations + self.copies


@dataclass(frozen=True, slots=True)
class Layout:
    """How a batch goes through the model: so many examples at once, and with activations kept or computed twice.

    The gradient is that of the whole batch in any case, up to rounding; only dropout draws otherwise for other parts.
    """

    part: int  # examples at once; a batch's last part may be smaller
    checkpointing: bool = False  # only each layer's input is kept for the way back, the rest is computed again

    def words(self, batch_size: int) -> str:
        """'in parts of 4, layer by layer to save memory'; empty: the batch in one piece."""
        parts = [f"in parts of {self.part:,}"] if self.part < batch_size else []
        parts += ["layer by layer"] if self.checkpointing else []
        return f"{', '.join(parts)} to save memory" if parts else ""


@dataclass(frozen=True, slots=True)
class Fit:
    """A layout and the memory that it needs, estimated, or scaled from what real steps needed on this machine."""

    layout: Layout
    memory: Memory
    measured: bool = False

    def levers(self, operation: FineTune) -> str:
        """'a smaller batch size (now 16), or …': what to change so that less is needed, what helps most first."""
        helps = [f"a smaller batch size (now {operation.batch_size:,})"] if self.layout.part > 1 else []
        helps.append(f"shorter examples (now {operation.max_length:,} tokens)")
        if isinstance(operation, FullFineTune):
            kept = self.memory.gradients + self.memory.optimiser + self.memory.copies
            at = 0 if kept > self.memory.activations else len(helps)
            helps.insert(at, "LoRA instead of full fine-tuning")
        return helps[0] if len(helps) == 1 else f"{', '.join(helps[:-1])} or {helps[-1]}"


def layouts(batch_size: int) -> Iterator[Layout]:
    """From the quickest to the one that needs least: the whole batch, smaller parts, then both with less kept."""
    for checkpointing in (False, True):
        part = batch_size
        yield Layout(part, checkpointing)
        while part > 1:
            part = -(-part // 2)
            yield Layout(part, checkpointing)


def fitted(batch_size: int, fit: Callable[[Layout], Fit], available: int) -> Fit:
    """The quickest layout whose memory is available (bytes); where none is, the one that needs least."""
    fits = [fit(layout) for layout in layouts(batch_size)]
    return next((one for one in fits if one.memory.total <= available), min(fits, key=lambda one: one.memory.total))
