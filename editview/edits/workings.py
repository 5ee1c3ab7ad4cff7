"""What an edit computed on its way, for comparison with other programs; nobody keeps it otherwise."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor


@dataclass
class Workings:
    """Filled in by an edit that is given one. float64 but for `targets`; `by layer` holds one entry a layer edited."""

    targets: Tensor | None = None  # z [facts, width], float32; ROME: what the matrix should put out
    iterations: list[int] = field(default_factory=list)  # of each fact's search
    keys: dict[int, Tensor] = field(default_factory=dict)  # by layer [facts, inputs]
    keys_after: dict[int, Tensor] = field(default_factory=dict)  # AlphaEdit: on the edited model
    values: dict[int, Tensor] = field(default_factory=dict)  # by layer: the last edited block's output [facts, width]
    changes: dict[int, Tensor] = field(default_factory=dict)  # by layer: ΔW in the weight's own orientation
    directions: list[Tensor] = field(default_factory=list)  # ROME: u [inputs] of each fact
    answers: list[Tensor] = field(default_factory=list)  # ROME: v [width] of each fact
