"""Which module carries out which method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from editview.domain.facts import Fact
from editview.domain.operations import AlphaEdit, ConstrainedFineTune, Edit, LocalFineTune, Memit, Rome, UltraEdit
from editview.domain.progress import Progress
from editview.edits import alphaedit, constrained_fine_tune, local_fine_tune, memit, rome, ultraedit
from editview.edits.writing import Outcome
from editview.lm.model import LanguageModel


def edit(
    lm: LanguageModel,
    facts: Sequence[Fact],
    operation: Edit,
    seed: int,
    memory: Mapping[str, Tensor],
    progress: Progress,
) -> Outcome:
    """Write the new answers of `facts` into the weights at full strength, in place, whole or not at all.

    `memory` is what earlier edits of the plan left for later ones; each method knows the names of its own.
    """
    match operation:
        case Memit():
            return memit.edit(lm, facts, operation, seed, progress)
        case AlphaEdit():
            return alphaedit.edit(lm, facts, operation, seed, progress, memory=memory)
        case Rome():
            return rome.edit(lm, facts, operation, seed, progress)
        case LocalFineTune():
            return local_fine_tune.edit(lm, facts, operation, seed, progress)
        case ConstrainedFineTune():
            return constrained_fine_tune.edit(lm, facts, operation, seed, progress)
        case UltraEdit():
            return ultraedit.edit(lm, facts, operation, seed, progress, memory=memory)
    raise TypeError(type(operation))
