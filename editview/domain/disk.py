"""What EditView keeps on this machine's disk, kind by kind, and what is lost when a kind is cleared."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The value is what a person reads."""

    STAGES = "Computed stages"
    STATISTICS = "Statistics of models"
    LEARNT = "What was learnt of this machine"
    RUNS = "Runs so far"
    SETTINGS = "Settings"
    LOGS = "Logs"


LOST = {
    Kind.STAGES: "What plans have computed is computed anew when they run again, and fine-tunes that were interrupted "
    "begin anew. What runs have found stays.",
    Kind.STATISTICS: "The next edit of a model reads its text for statistics again, which can take from minutes to "
    "hours.",
    Kind.LEARNT: "Forecasts of time and memory are guesses again until something has run, and checkpoints are read "
    "once more.",
    Kind.RUNS: "The list of runs, comparisons and inspections becomes empty, with its notes and with what was deleted "
    "and could be brought back. A run that is under way stays.",
    Kind.SETTINGS: "The window is as it was at first, and what was opened lately is forgotten. The plan stays.",
    Kind.LOGS: "Nothing but the record of earlier errors.",
}


@dataclass(frozen=True, slots=True)
class Use:
    """What one kind takes. `needed` says why it can't be cleared now; '' when it can."""

    kind: Kind
    bytes: int
    place: str
    needed: str = ""
