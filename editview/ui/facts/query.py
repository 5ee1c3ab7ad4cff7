"""Which facts the table shows and in what order: filters and sorts over the grid's columns, without Qt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from editview.domain.answers_of_both import WHOSE
from editview.domain.facts import Group
from editview.domain.verdicts import Change
from editview.ui.facts.grid import CHANGES, GROUPS, FactsGrid, Flags, Numbers
from editview.ui.facts.words import Category

_FATES = (
    *WHOSE,
    Change.LOST,
    Change.DAMAGED,
    Change.NEVER_TOOK,
    Change.RECOVERED,
    Change.TOOK,
    Change.SURVIVED,
    Change.KNOWN_BEFORE,
    Change.TAKEN_BACK,
    Change.INTACT,
    Change.NEVER_KNOWN,
    Change.PENDING,
    None,
)  # as a person wants to see them: what went wrong first
_RANK = np.array([_FATES.index(change) for change in CHANGES])

SortKey = Callable[[FactsGrid], Numbers | Sequence[str]]
"""What a column sorts by: numbers, or words already folded."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What is shown: facts of a group, of a fate, in which every searched word occurs."""

    group: Group | None = None
    category: Category | None = None
    search: str = ""


class Haystack:
    """Each fact's words, folded once, to be searched."""

    def __init__(self, grid: FactsGrid) -> None:
        self.fixed = [
            "\n".join((fact.prompt, fact.subject, fact.wanted, fact.other or "")).casefold() for fact in grid.sheet
        ]

    def matches(self, grid: FactsGrid, search: str) -> Flags:
        found = np.ones(len(grid), dtype=bool)
        for word in search.casefold().split():
            found &= np.fromiter(
                (word in text or word in said.casefold() for text, said in zip(self.fixed, grid.said, strict=True)),
                dtype=bool,
                count=len(grid),
            )
        return found


def in_category(grid: FactsGrid, category: Category) -> Flags:
    picked = grid.group == GROUPS.index(category.group)
    if category.change is None:
        return picked & grid.weak_now
    if category.original:
        return picked & (grid.original_by == CHANGES.index(category.change))
    return picked & (grid.change_now == CHANGES.index(category.change)) & (grid.lost_in_now == category.stage)


def categories(grid: FactsGrid, group: Group | None) -> list[tuple[Category, int]]:
    """The fates that occur among a group's facts, with their counts, what went wrong first."""
    picked = np.ones(len(grid), dtype=bool) if group is None else grid.group == GROUPS.index(group)
    picked &= grid.change_now > 0
    shape = (len(GROUPS), len(_FATES), len(grid.titles))
    keys = np.ravel_multi_index((grid.group, _RANK[grid.change_now], grid.lost_in_now), shape)
    counts = np.bincount(keys[picked], minlength=np.prod(shape)).reshape(shape)
    found = [
        (Category(GROUPS[which], _FATES[rank], int(stage)), int(counts[which, rank, stage]))
        for which, rank, stage in np.argwhere(counts)
    ]
    for whose in WHOSE:
        if count := int((picked & (grid.original_by == CHANGES.index(whose))).sum()):
            found.append((Category(Group.EDITED, whose, original=True), count))
    weak = picked & grid.weak_now
    for index, which in enumerate(GROUPS):
        if count := int((weak & (grid.group == index)).sum()):
            found.append((Category(which, None), count))
    return sorted(found, key=lambda entry: GROUPS.index(entry[0].group))


def rows(grid: FactsGrid, haystack: Haystack, shown: Filter, key: SortKey | None, descending: bool) -> Numbers:
    """Places on the sheet of the facts to show, in order; facts that sort alike stay in the sheet's order."""
    picked = np.ones(len(grid), dtype=bool)
    if shown.group is not None:
        picked &= grid.group == GROUPS.index(shown.group)
    if shown.category is not None:
        picked &= in_category(grid, shown.category)
    if shown.search.strip():
        picked &= haystack.matches(grid, shown.search)
    order: Numbers = np.flatnonzero(picked)
    if key is None:
        return order
    values = key(grid)
    if isinstance(values, np.ndarray):
        mine = values[order]
        return order[np.argsort(-mine if descending else mine, kind="stable")]
    return np.array(sorted(order.tolist(), key=values.__getitem__, reverse=descending), dtype=np.int64)


def fate_key(grid: FactsGrid) -> Numbers:
    """Sorts by what became of a fact, then by when."""
    stages, steps = grid.lost_in_now.max(initial=0) + 1, grid.lost_step_now.max(initial=0) + 1
    key: Numbers = (_RANK[grid.change_now] * stages + grid.lost_in_now) * steps + grid.lost_step_now
    return key
