"""Whatever stands in the fields of a record, it is used or named, and nothing but a sentence for people is raised."""

from __future__ import annotations

import csv
import json
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from editview.domain.errors import EditViewError
from editview.domain.facts import Group
from editview.domain.left_out import Keep
from editview.formats.fact_sheets import preview, read_facts
from tests.formats.known_forms import FORMS, Record

WORDS = st.one_of(st.text(max_size=8), st.sampled_from(["", "{}", "Song 1", "Oslo", " is ", "Q1", "\ud800"]))
WILD = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), WORDS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.one_of(WORDS, st.sampled_from(["prompt", "str", "value", "ground_truth", "answers", "test_queries"])),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=6,
)


@st.composite
def bent(draw: st.DrawFn, value: Any) -> Any:
    """A value of a record with something in it exchanged for anything, taken away, or said twice."""
    if isinstance(value, dict) and value and draw(st.integers(0, 9)):
        name = draw(st.sampled_from(sorted(value)))
        if not draw(st.integers(0, 4)):
            return {other: it for other, it in value.items() if other != name}
        return value | {name: draw(bent(value[name]))}
    if isinstance(value, list) and value and draw(st.integers(0, 9)):
        at = draw(st.integers(0, len(value) - 1))
        return [*value[:at], draw(bent(value[at])), *value[at + (not draw(st.booleans())) :]]
    return draw(WILD)


@st.composite
def sheets(draw: st.DrawFn) -> list[Record]:
    """Records of one form or of several; the last one is sound."""
    make = draw(st.sampled_from(FORMS))
    makers = draw(st.lists(st.sampled_from((make, make, *FORMS)), min_size=1, max_size=3))
    records = [one(draw(st.integers(1, 3))) for one in makers]
    return [draw(bent(record)) if draw(st.booleans()) else record for record in records] + [make(9)]


@settings(max_examples=400, deadline=None)
@given(records=sheets(), keep=st.sampled_from(list(Keep)), new=st.sampled_from(["alt", "answers"]))
def test_each_record_is_used_or_named(records: list[Record], keep: Keep, new: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sheet"
        path.write_text(json.dumps(records))
        try:
            sheet, left_out = read_facts(str(path), {"target_new": new, "contradictions": keep.value})
        except EditViewError as error:
            refused = error
        else:
            refused = None
        preview(str(path))
    if refused is not None:
        assert str(refused).startswith("None of the facts")
        assert all(f"Record {number} " in refused.details for number in range(1, len(records) + 1))
        return
    told = {one.where for one in left_out}
    untold = [i for i in range(1, len(records) + 1) if f"Record {i}" not in told]
    assert len(sheet.group(Group.EDITED)) >= len(untold) - sum(_is_no_edit(records[i - 1]) for i in untold)
    assert len({fact.id for fact in sheet}) == len(sheet)
    ids = {fact.id for fact in sheet}
    for fact in sheet:
        assert fact.prompt.strip()
        assert fact.wanted
        assert fact.neighbour_of is None or fact.neighbour_of in ids
        if fact.group is Group.EDITED:
            assert "{}" in fact.template
            assert fact.new_answer


def _is_no_edit(record: Record) -> bool:
    """A record of our own form may be a neighbour or a control."""
    return record.get("group") in ("neighbours", "control")


@settings(max_examples=300, deadline=None)
@given(WILD.map(json.dumps) | st.text(max_size=60) | st.lists(WILD, max_size=4).map(json.dumps))
def test_any_text_is_read_or_refused_in_a_sentence(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sheet"
        path.write_text(text, encoding="utf-8", errors="surrogatepass")
        for read in (read_facts, preview):
            with suppress(EditViewError):
                read(str(path))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(WORDS.filter(lambda text: "\ud800" not in text), min_size=3, max_size=7), max_size=6))
def test_each_row_of_a_table_is_used_or_named(rows: list[list[str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sheet"
        with path.open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file)
            table.writerow(["subject", "prompt", "target_new", "target_true", "paraphrases", "neighbours"])
            table.writerow(["Peru", "{} is", "big", "small", "", ""])
            table.writerows(rows)
        try:
            sheet, left_out = read_facts(str(path))
        except EditViewError:
            return
    used = {fact.id.split("/")[0] for fact in sheet}
    assert len(used) + len({one.where for one in left_out}) >= 1 + sum(any(map(str.strip, row)) for row in rows)
