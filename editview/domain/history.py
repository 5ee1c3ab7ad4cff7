"""The runs so far, as data: what the list shows of each, and one brought back as it was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from editview.domain.session import Run, RunState

WINDOW, TERMINAL = "window", "command line"
"""Where a run was begun."""


@dataclass(frozen=True, slots=True)
class RunEntry:
    """One run in the list. A run whose process is gone counts as stopped."""

    id: str
    began: float  # seconds since 1970
    ended: float | None  # None: it goes on, or was cut off
    state: RunState
    plan: str  # its name
    checkpoint: str  # as the plan names it
    steps: str  # 'Edit → Fine-tune'
    stage: str  # title of the stage that it came to
    sentence: str  # what stood after the last stage at which every fact was asked; '' before that
    failure: str = ""
    note: str = ""  # the user's own
    door: str = WINDOW


@dataclass(frozen=True, slots=True)
class Recalled:
    """A run as it was when it ended, or was cut off; `remarks` say what isn't there any more as it was then."""

    entry: RunEntry
    run: Run
    remarks: tuple[str, ...] = ()
