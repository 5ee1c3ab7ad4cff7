"""Exporting a stage: in which form it is written, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Form(StrEnum):
    """How a stage is written."""

    STORED = "checkpoint"  # whole, each tensor in the number format of the checkpoint's own files
    COMPUTED = "as computed"  # whole, in the number format that it was computed and asked in
    ADAPTER = "adapter"  # what differs from the checkpoint alone, as a PEFT adapter on top of it


@dataclass(frozen=True, slots=True)
class Export:
    """What was written, after it was read back and found to answer as the stage did."""

    folder: str
    form: Form
    title: str  # of the stage
    bytes: int
    facts: int  # asked again, all with the verdict they had
    dtype: str  # of the changed weights as they are in the files
    off: int  # weights that aren't bit for bit what was computed, when read back
    error: float  # the largest difference among them
