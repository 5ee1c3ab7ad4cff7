"""Filters and sorts: no fact is lost, none is doubled, and each is where a slow reading of the words puts it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from editview.domain.facts import FactSheet, Group
from editview.domain.plan import Plan
from editview.domain.run_events import RunEvent
from editview.ui.facts.grid import CHANGES, FactsGrid
from editview.ui.facts.query import Filter, Haystack, SortKey, categories, fate_key, in_category, rows
from tests import sample
from tests.ui.facts.test_facts_grid import grown
from tests.ui.made_runs import runs

KEYS: list[SortKey | None] = [
    None,
    fate_key,
    lambda grid: grid.group,
    lambda grid: -grid.chips[:, 0],
    lambda grid: [said.casefold() for said in grid.said],
]


def shown_slowly(grid: FactsGrid, shown: Filter) -> list[int]:
    found = []
    for row, fact in enumerate(grid.sheet):
        words = " ".join((fact.prompt, fact.wanted, fact.other or "", grid.said[row])).casefold()
        if (
            (shown.group is None or fact.group is shown.group)
            and (shown.category is None or in_category(grid, shown.category)[row])
            and all(word in words for word in shown.search.casefold().split())
        ):
            found.append(row)
    return found


@given(runs(), st.data())
@settings(max_examples=80, deadline=None)
def test_what_is_shown_is_what_matches_in_order(
    made: tuple[Plan, FactSheet, list[list[RunEvent]]], data: st.DataObject
) -> None:
    grid = grown(made)
    fates = [category for category, _ in categories(grid, None)]
    shown = Filter(
        data.draw(st.sampled_from([None, *Group])),
        data.draw(st.sampled_from([None, *fates])),
        data.draw(st.sampled_from(["", "  ", "rome", "LAND 1", "capital strasse", "nowhere", "oslo"])),
    )
    key, descending = data.draw(st.sampled_from(KEYS)), data.draw(st.booleans())
    order = rows(grid, Haystack(grid), shown, key, descending).tolist()
    assert sorted(order) == shown_slowly(grid, shown)
    if key is not None:
        values = list(key(grid))
        assert order == sorted(sorted(order), key=lambda row: values[row], reverse=descending)


@given(runs())
@settings(max_examples=60, deadline=None)
def test_the_fates_offered_count_every_fact_that_has_one(made: tuple[Plan, FactSheet, list[list[RunEvent]]]) -> None:
    grid = grown(made)
    for group in (None, *Group):
        offered = categories(grid, group)
        fates = [(category, count) for category, count in offered if category.change is not None]
        known = [
            fact
            for row, fact in enumerate(grid.sheet)
            if CHANGES[grid.change_now[row]] is not None and group in (None, fact.group)
        ]
        assert sum(count for _, count in fates) == len(known)
        assert all(count == in_category(grid, category).sum() > 0 for category, count in offered)
        assert len({category.label for category, _ in offered}) == len(offered)


def test_fates_are_named_as_a_person_would() -> None:
    run = sample.session().latest
    assert run is not None
    labels = [category.label for category, _ in categories(FactsGrid(run.sheet, run.plan, run), None)]
    assert labels[0] == "lost in step 2"
    assert "survived" in labels
    assert "neighbours intact" in labels
    assert "controls damaged in step 2" in labels
