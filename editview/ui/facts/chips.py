"""What a cell of the table says, as numbers: changes by their codes, chips, and the chips of two checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from editview.domain.answers_of_both import Said, look
from editview.domain.look import GIVEN, IN_PART, NOT_ASKED, NOT_EDITED, NOT_GIVEN, RECOVERED, VERDICT_MARKS, Mark
from editview.domain.verdicts import Change, Verdict, given

Numbers = npt.NDArray[np.int64]

CHANGES: tuple[Change | None, ...] = (None, *Change)  # a change's code is its place here


def code(change: Change) -> int:
    return CHANGES.index(change)


class Chip(IntEnum):
    """What a cell of a stage's column says, worst last."""

    NOT_ASKED = 0
    NOT_EDITED = 1
    GIVEN = 2  # by two checkpoints alike
    HOLDS = 3
    RECOVERED = 4
    IN_PART = 5  # by two checkpoints alike
    WEAK = 6
    NOT_GIVEN = 7  # by a checkpoint, which is no failure
    FAILS = 8


MARKS: dict[Chip, Mark] = {
    Chip.NOT_ASKED: NOT_ASKED,
    Chip.NOT_EDITED: NOT_EDITED,
    Chip.GIVEN: GIVEN,
    Chip.HOLDS: VERDICT_MARKS[Verdict.HOLDS],
    Chip.RECOVERED: RECOVERED,
    Chip.IN_PART: IN_PART,
    Chip.WEAK: VERDICT_MARKS[Verdict.WEAK],
    Chip.NOT_GIVEN: NOT_GIVEN,
    Chip.FAILS: VERDICT_MARKS[Verdict.FAILS],
}


def _of_both(rule: Callable[[Said, Said], object]) -> Numbers:
    """A rule about what both said as a table, [said before, said after] and whatever it gives."""
    return np.array([[rule(before, after) for after in Said] for before in Said], dtype=np.int64)


def _whose(gives_it: Callable[[Said], bool]) -> Numbers:
    """Which of both gives an answer, as a change's code; 0 until both were asked."""
    return _of_both(lambda before, after: code(given(gives_it(before), gives_it(after))) if before and after else 0)


_CHIP_OF = {mark: chip for chip, mark in MARKS.items()}
CHIPS_OF_BOTH = _of_both(
    lambda before, after: (_CHIP_OF[look(before, after, after=False)], _CHIP_OF[look(after, before, after=True)])
)
WANTED_BY, ORIGINAL_BY = _whose(lambda says: says.stands), _whose(lambda says: says is Said.ORIGINAL)
