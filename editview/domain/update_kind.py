"""What kind of update lies between two checkpoints, judged by rules from what their difference shows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from editview.domain.difference import Difference


class UpdateKind(StrEnum):
    IDENTICAL = "identical"
    ROUNDING = "rounding only"
    EDIT = "knowledge edit"
    LORA = "merged LoRA"
    DORA = "merged DoRA"
    FULL = "full fine-tune"
    EDIT_AND_TUNE = "edit and fine-tune"
    UNCLEAR = "unclear"


@dataclass(frozen=True)
class Judgement:
    """What kind of update it was, in a sentence, and what says so."""

    kind: UpdateKind
    sentence: str
    evidence: tuple[str, ...] = ()  # sentences, the weightiest first


def judged(found: Difference) -> Judgement:
    """Judge a difference; other than identical or rounding only takes spectra (`lm/change_spectra.py`)."""
    if found.tensors and not found.changed and not found.only_first and not found.only_second:
        if all(tensor.same for tensor in found.tensors):
            return Judgement(UpdateKind.IDENTICAL, "Nothing was changed: the weights are the same, bit for bit.")
        return Judgement(UpdateKind.ROUNDING, "Nothing was changed but the number format.")
    return Judgement(UpdateKind.UNCLEAR, "What kind of update this was can't be told.")
