"""The runs so far, as data: what the list shows of each, and one brought back as it was.

Beside runs it holds what was found of checkpoints: comparisons of two, and inspections.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from editview.domain.difference import Difference
from editview.domain.inspection import Inspection
from editview.domain.session import Run, RunState

WINDOW, TERMINAL = "window", "command line"
"""Where a run was begun."""


class EntryKind(StrEnum):
    RUN = "run"
    COMPARISON = "comparison"  # of the weights of two checkpoints
    INSPECTION = "inspection"  # of which facts a checkpoint's change touched


@dataclass(frozen=True, slots=True)
class RunEntry:
    """One row of the list. A run whose process is gone counts as stopped; findings are listed once there are any."""

    id: str
    began: float  # seconds since 1970
    ended: float | None  # None: it goes on, or was cut off
    state: RunState
    name: str  # of the plan, or of the checkpoints
    checkpoint: str  # as the plan names it; of findings where the checkpoints lie
    steps: str  # 'Edit → Fine-tune'; of an inspection 'against gpt2'
    stage: str  # title of the stage that it came to
    sentence: str  # what stood after the last stage at which every fact was asked, or what was found; '' before that
    failure: str = ""
    note: str = ""  # the user's own
    door: str = WINDOW
    kind: EntryKind = EntryKind.RUN


@dataclass(frozen=True, slots=True)
class Recalled:
    """A run as it was when it ended, or was cut off; `remarks` say what isn't there any more as it was then."""

    entry: RunEntry
    run: Run
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found of checkpoints, as it was then; `remarks` say which of their files have changed since."""

    entry: RunEntry
    found: Difference | Inspection
    whole: bool = True  # False: a comparison that ended before the spectra were known
    remarks: tuple[str, ...] = ()
