"""Which module carries out which method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from editview.domain.facts import Fact
from editview.domain.operations import AlphaEdit, Edit, Memit, Rome
from editview.domain.progress import Progress
from editview.edits import alphaedit, memit, rome
from editview.edits.writing import Outcome
from editview.lm.model import LanguageModel


def edit(
    lm: LanguageModel,
    facts: Sequence[Fact],
    operation: Edit,
    seed: int,
    memory: Mapping[int, Tensor],
    progress: Progress,
) -> Outcome:
    """Write the new answers of `facts` into the weights at full strength, in place, whole or not at all.

    `memory` holds by layer the keys that earlier steps want spared.
    """
    match operation:
        case Memit():
            return memit.edit(lm, facts, operation, seed, progress)
        case AlphaEdit():
            return alphaedit.edit(lm, facts, operation, seed, progress, memory=memory)
        case Rome():
            return rome.edit(lm, facts, operation, seed, progress)
    raise TypeError(type(operation))
