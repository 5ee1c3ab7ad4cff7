"""The look as one table of roles, light and dark, and the states of a fact told apart without colour.

What the window, its pictures and the reports draw by.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count

from editview.domain.operations import Edit, Operation
from editview.domain.verdicts import Change, Verdict


@dataclass(frozen=True, slots=True)
class State:
    """One state of a fact: `ink` for words and glyphs, `tint` the chip behind them, `mark` for bars and lines."""

    ink: str
    tint: str
    mark: str


@dataclass(frozen=True, slots=True)
class Roles:
    """What each colour is for. Words keep a contrast of 4.5 : 1 on every ground, marks one of 3 : 1."""

    dark: bool
    background: str  # the window
    raised: str  # panels, cards, tables
    sunken: str  # tracks, alternate rows, disabled
    line: str  # hairlines
    text: str
    muted: str  # second-rank words
    faint: str  # grips, placeholders, axes: never words that must be read
    accent: str  # what can be clicked, as words or an outline
    accent_fill: str  # the primary button
    accent_tint: str  # hover and selection
    on_accent: str  # words on accent_fill
    holds: State  # Okabe-Ito bluish green
    weak: State  # Okabe-Ito orange
    fails: State  # Okabe-Ito vermilion
    neutral: State
    operations: tuple[str, ...]  # plot lines, one an operation


LIGHT = Roles(
    dark=False,
    background="#F4F5F7",
    raised="#FFFFFF",
    sunken="#ECEEF1",
    line="#DCE0E5",
    text="#1B1F24",
    muted="#5A636E",
    faint="#A3ABB5",
    accent="#3350C0",
    accent_fill="#3350C0",
    accent_tint="#E4E9FA",
    on_accent="#FFFFFF",
    holds=State("#00694D", "#DDF1EA", "#009E73"),
    weak=State("#7A5600", "#FBEFD2", "#C07F00"),
    fails=State("#AF3F00", "#FCE6DA", "#D55E00"),
    neutral=State("#5A636E", "#E8EBEE", "#8A939E"),
    operations=("#0072B2", "#B0528A", "#8A7A00", "#2E8FC8", "#6B5BA8", "#5F6B76"),
)

DARK = Roles(
    dark=True,
    background="#16181C",
    raised="#1F2228",
    sunken="#101215",
    line="#33383F",
    text="#E8EAED",
    muted="#A0A8B3",
    faint="#626A75",
    accent="#9DB2FF",
    accent_fill="#4E67D6",
    accent_tint="#2A3358",
    on_accent="#FFFFFF",
    holds=State("#3CCFA5", "#14352C", "#009E73"),
    weak=State("#F0B43C", "#3A2C0C", "#E69F00"),
    fails=State("#FF8A4D", "#43230F", "#D55E00"),
    neutral=State("#A0A8B3", "#2B2F36", "#79828D"),
    operations=("#56B4E9", "#E090C0", "#D6C84A", "#3C8FD0", "#A698E8", "#9AA5B1"),
)


@dataclass(frozen=True, slots=True)
class Mark:
    """How a state is told apart without its colour: a glyph and a word. `role` names the state's field in `Roles`."""

    glyph: str
    word: str
    role: str


VERDICT_MARKS = {
    Verdict.HOLDS: Mark("✓", "holds", "holds"),
    Verdict.WEAK: Mark("~", "weak", "weak"),
    Verdict.FAILS: Mark("✗", "fails", "fails"),
}
RECOVERED = Mark("↺", "recovered", "holds")
NOT_ASKED = Mark("–", "not asked", "neutral")
NOT_EDITED = Mark("○", "not yet edited", "neutral")
GIVEN, IN_PART = Mark("✓", "given", "neutral"), Mark("~", "weak", "neutral")  # by two checkpoints alike
NOT_GIVEN = Mark("○", "not given", "neutral")  # by a checkpoint of which nothing else is known


def mark_of(verdict: Verdict | None) -> Mark:
    return NOT_ASKED if verdict is None else VERDICT_MARKS[verdict]


def mark_at(verdict: Verdict | None, change: Change | None) -> Mark:
    """The mark of a fact at one stage, given what became of it up to there."""
    if verdict is not None and change is Change.PENDING:
        return NOT_EDITED
    return RECOVERED if verdict is Verdict.HOLDS and change is Change.RECOVERED else mark_of(verdict)


def give_places(places: dict[str, int], operations: Iterable[Operation]) -> None:
    """Give each operation of a plan, by its id, a place among `Roles.operations`: the first free one of its kind."""
    plan = list(operations)
    taken = {places.get(operation.id) for operation in plan}
    for operation in plan:
        if operation.id not in places:
            start = 0 if isinstance(operation, Edit) else 1
            places[operation.id] = next(place for place in count(start, 2) if place not in taken)
            taken.add(places[operation.id])
