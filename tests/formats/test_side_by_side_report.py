"""The report of any two runs compared: on the facts they share, as far as each came, with what was done in each."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from editview.domain.errors import EditViewError
from editview.domain.facts import FactSheet
from editview.domain.history import Recalled
from editview.domain.side_by_side import side_by_side
from editview.formats.plans import read_plan
from editview.formats.report import write_side_by_side
from tests import sample
from tests.formats.pages import Node, read
from tests.formats.test_report import HOSTILE, table_of, tags, with_texts


def page_of(first: Recalled, second: Recalled, folder: Path) -> Node:
    write_side_by_side(first, second, folder / "report.html")
    return read((folder / "report.html").read_text("utf-8"))


def test_two_runs_on_other_sheets_are_told_on_what_they_share(tmp_path: Path) -> None:
    first, second = sample.past("one", edits=12), sample.past("two", edit_first=False, edits=10)
    page = page_of(first, second, tmp_path)
    found = side_by_side(first, second, 0.0)
    assert found.edits is not None
    assert page.all("h1")[0].text.replace("\N{NO-BREAK SPACE}", " ") == found.sentence.replace("*", "")
    assert "Compared on the 40 facts that both asked, of 42 and 40." in page.text
    assert "First: Old plan, 9 September 2001" in page.text  # and not 'today', which it won't be
    counts = [int(tile.all("b")[0].text) for tile in page.all("ul", **{"class": "tiles"})[0].all("li")]
    assert counts == [found.edits.both, found.edits.only_first, found.edits.only_second, found.edits.neither]
    table = table_of(page)
    assert [row[0] for row in table] == [pair.fact.prompt for pair in found.pairs]
    for row, pair in zip(table, found.pairs, strict=True):
        assert pair.said_first in row[3]
        assert pair.said_second in row[4]
    for one in (first, second):
        assert one.run.sheet.content_hash in page.text
        assert all(stage.info.key in page.text for stage in one.run.stages)
    command, *plans = (block.text for block in page.all("pre"))
    assert command == "editview report first.toml second.toml --out again.html"
    for name, text, one in zip(("first", "second"), plans, (first, second), strict=True):
        (tmp_path / f"{name}.toml").write_text(text)
        again = read_plan(tmp_path / f"{name}.toml")
        assert [operation.content() for operation in again.active] == [o.content() for o in one.run.plan.active]


def test_a_run_that_was_stopped_is_told_as_far_as_it_came(tmp_path: Path) -> None:
    whole, cut = sample.past("one"), sample.past("two", stopped=True)
    assert cut.run.last_checked == 1
    page = page_of(whole, cut, tmp_path)
    assert "came no further than Edit 12 facts" in page.text
    ends = {row[0]: row[4] for row in table_of(page)}
    for fact in cut.run.sheet:
        assert cut.run.stages[1].checks[fact.id].said in ends[fact.prompt]


def test_what_cannot_be_compared_leaves_the_earlier_report(tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("earlier")
    other = sample.past("two")
    other.run.sheet = FactSheet("others", tuple(replace(fact, id=f"x{fact.id}") for fact in other.run.sheet))
    with pytest.raises(EditViewError, match="no fact in common"):
        write_side_by_side(sample.past("one"), other, tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text() == "earlier"


@pytest.mark.parametrize("text", HOSTILE)
def test_a_text_that_is_html_shows_as_text(text: str, tmp_path: Path) -> None:
    past = sample.past("one")
    plain = page_of(past, sample.past("two"), tmp_path)
    run = with_texts(lambda _: text, past.run)
    named = Recalled(replace(past.entry, name=text, steps=text), run)
    told = page_of(named, named, tmp_path)
    assert sorted(set(tags(told))) == sorted(set(tags(plain)))
    assert tags(told).count("script") == 1
    assert all(row[0] == 2 * text and text in row[2] for row in table_of(told))
    other = Recalled(replace(past.entry, name="other", steps="other"), run)
    assert text in page_of(named, other, tmp_path).all("title")[0].text  # by which the two are told apart
