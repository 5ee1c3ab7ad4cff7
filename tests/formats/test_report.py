"""The report of a run: what it says, that it reads without scripts, and that nothing in it acts or reaches out."""

from __future__ import annotations

import base64
import hashlib
import re
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from editview.domain.errors import EditViewError
from editview.domain.facts import FactSheet, Group
from editview.domain.hashed_file import HashedFile
from editview.domain.look import DARK, LIGHT, mark_of
from editview.domain.orders import compared, kept, pair_up
from editview.domain.plan import PLAN_ENDING
from editview.domain.run_events import Checked, RunEvent, RunFailed, RunStarted, RunStopped, StageStarted
from editview.domain.sentences import summary, when_lost
from editview.domain.session import Run, Session
from editview.domain.verdicts import Change, Verdict
from editview.formats.plans import read_plan
from editview.formats.report import write_report
from tests import sample
from tests.formats.pages import Node, read
from tests.ui import made_runs

HOSTILE = (
    "<script>window.taken = 1</script>",
    "</td></table><img src=x onerror='window.taken = 1'>",
    '"><svg onload=window.taken=1>',
    "{{ 7 * 7 }} {% raw %} &lt;b&gt; &amp; *stars*",
    "javascript:alert(1) https://example.org/ //example.org",
    "\u202eright to left\u2066 and \u200f on",
    "]]> <!-- --> </style></script>",
)


def grown(events: Iterable[RunEvent]) -> Run:
    session = Session()
    for event in events:
        session.apply(event)
    assert session.latest is not None
    return session.latest


def page_of(run: Run, folder: Path) -> str:
    path = folder / "report.html"
    write_report(run, path)
    return path.read_text("utf-8")


@pytest.fixture
def run() -> Run:
    return grown(sample.events(sample.plan(), sample.sheet()))


@pytest.fixture
def page(run: Run, tmp_path: Path) -> Node:
    return read(page_of(run, tmp_path))


def table_of(page: Node) -> list[list[str]]:
    """The table of facts: its cells' texts."""
    (table,) = page.all("table", id="facts")
    rows = table.all("tbody")[0].all("tr")
    return [[cell.text for cell in row.children if isinstance(cell, Node)] for row in rows]


# ---- what it says -------------------------------------------------------------------------------------------------


def test_it_leads_with_the_sentence_and_counts_every_stage(run: Run, page: Node) -> None:
    assert page.all("h1")[0].text == summary(run, 2).replace("*", "")
    counts = page.all("table")[0].all("tbody")[0].all("tr")
    assert [row.all("th")[0].text for row in counts] == ["Checkpoint", "Edit 10 facts", "Fine-tune on support tickets"]
    for stage, row in enumerate(counts):
        for group, cell in zip((Group.EDITED, Group.NEIGHBOURS, Group.CONTROL), row.all("td"), strict=True):
            numbers = [int(number) for number in re.findall(r"\d+", cell.text)]
            if stage == 0 and group is Group.EDITED:
                assert numbers == [0, 0, 0, 10]
                assert "10 still to be edited" in cell.text
            else:
                assert numbers == list(run.counts(stage, group).values())


def test_every_fact_is_told_with_what_the_model_said_at_each_stage(run: Run, page: Node) -> None:
    table = table_of(page)
    assert sorted(row[0] for row in table) == sorted(fact.prompt for fact in run.sheet)
    facts = {fact.prompt: fact for fact in run.sheet}
    for prompt, _, wanted, *stages, became in table:
        fact = facts[prompt]
        assert wanted == fact.wanted
        for stage, told in enumerate(stages):
            check = run.stages[stage].checks[fact.id]
            edited = fact.group is not Group.EDITED or stage > 0
            assert told.startswith(mark_of(check.verdict).glyph if edited else "○ not yet edited")
            assert check.said in told
        change = run.change(fact, 2)
        if change is Change.LOST:
            between = run.stages[2].lost_between(fact.id)
            assert between is not None
            assert became == f"lost {when_lost(*between)} of Fine-tune"
        elif change is not Change.NEVER_KNOWN:
            assert change is not None
            assert became.startswith(change.value)


def test_a_weak_fact_shows_the_wording_that_fails(run: Run, page: Node) -> None:
    weak = [fact for fact in run.sheet if run.verdict(fact.id, 1) is Verdict.WEAK]
    assert weak
    told = {row[0]: row[4] for row in table_of(page)}
    for fact in weak:
        assert f"but “{fact.paraphrase_prompts[0]}” gets something else" in told[fact.prompt]


def test_without_scripts_lost_facts_stand_first_each_kind_in_the_sheets_order(run: Run, page: Node) -> None:
    became = [row[-1].split(" between")[0].split(" at step")[0] for row in table_of(page)]
    kinds = list(dict.fromkeys(became))
    assert kinds[0] == "lost"
    assert kinds.index("damaged") < kinds.index("survived") < kinds.index("intact")
    assert became == [kind for kind in kinds for _ in range(became.count(kind))]
    prompts = [row[0] for row in table_of(page) if row[-1].startswith("lost")]
    assert prompts == [fact.prompt for fact in run.sheet if fact.prompt in prompts]
    (filters,) = page.all("div", id="facts-filters")
    assert "hidden" in filters.attributes  # of no use without scripts


def test_the_files_it_was_computed_from_are_named_with_their_hashes(run: Run, tmp_path: Path) -> None:
    files = HashedFile("Checkpoint a<b>, model.safetensors", 1234, "a" * 64), HashedFile("Training data, x", 0, "")
    write_report(run, tmp_path / "report.html", files=files)
    page = read((tmp_path / "report.html").read_text("utf-8"))
    rows = {row.all("th")[0].text: row.text for row in page.all("tr") if row.all("th")}
    assert "1,234" in rows["Checkpoint a<b>, model.safetensors"]
    assert "a" * 64 in rows["Checkpoint a<b>, model.safetensors"]
    assert "isn’t where it was" in rows["Training data, x"]


def test_it_says_how_to_run_it_again(run: Run, page: Node, tmp_path: Path) -> None:
    command, plan = (block.text for block in page.all("pre"))
    name = f"plan{PLAN_ENDING}"  # opens with a double click
    assert command == f"editview run {name}"
    assert f"Save this plan as {name} beside this file" in page.text
    (tmp_path / name).write_text(plan)
    again = read_plan(tmp_path / name)
    assert [operation.content() for operation in again.active] == [o.content() for o in run.plan.active]
    assert (again.seed, again.checkpoint) == (run.plan.seed, run.plan.checkpoint)
    assert run.sheet.content_hash in page.text
    assert all(stage.info.key in page.text for stage in run.stages)


def test_settings_and_tensors_of_each_step(run: Run, page: Node) -> None:
    edit, tune = page.all("article")
    assert [cell.text for cell in edit.all("table")[0].all("td")] == ["Layers to edit", "layers 1 and 2", "none"]
    assert "All settings are the usual ones." in tune.text
    assert "Training loss 4.00 → 1.17. Validation loss" in tune.text
    most = max(run.stages[2].changes, key=lambda change: change.norm_change)
    assert tune.all("tbody")[0].all("td")[0].text == most.name


def test_the_pictures_are_drawings_in_the_pages_own_colours(run: Run, page: Node) -> None:
    survival, weights = page.all("svg", role="img")
    assert [each.attributes["aria-label"] for each in (survival, weights)] == ["Survival", "Changes of the weights"]
    told = [title.text for title in survival.all("title")]
    assert any(re.match(r"After Fine-tune on support tickets: \d+ of \d+ edits stand", each) for each in told)
    assert "loss: training as a line, validation as points" in survival.text
    assert len(survival.all("circle", **{"class": "point validation"})) == len(run.stages[2].validations)
    assert any(title.text.startswith("Edit 10 facts changed") for title in weights.all("title"))
    style = page.all("style")[0].text
    assert all(roles.background in style and roles.operations[1] in style for roles in (LIGHT, DARK))
    assert not re.search(r"#[0-9a-f]{6}", str(page.all("svg")))


@pytest.mark.parametrize(
    ("end", "said"),
    [
        (RunStopped("run-1"), "It was stopped before its end."),
        (RunFailed("run-1", "The loss is no number.", ""), "It ended with an error: The loss is no number."),
    ],
)  # fmt: skip
def test_a_run_that_did_not_end_is_told_as_far_as_it_came(end: RunEvent, said: str, tmp_path: Path) -> None:
    events = list(sample.events(sample.plan(), sample.sheet()))
    begun = next(i for i, event in enumerate(events) if isinstance(event, StageStarted) and event.stage == 2)
    run = grown([*events[: begun + 1], end])
    page = read(page_of(run, tmp_path))
    (warning,) = page.all("p", **{"class": "warning"})
    assert warning.text == f"{said} What is told here is how things stood after Edit 10 facts."
    assert page.all("h1")[0].text == summary(run, 1)
    assert {row[5] for row in table_of(page)} == {"– not asked"}


def test_where_nothing_was_asked_there_is_nothing_to_report(tmp_path: Path) -> None:
    events = list(sample.events(sample.plan(), sample.sheet()))
    before = events[: next(i for i, event in enumerate(events) if isinstance(event, Checked))]
    with pytest.raises(EditViewError, match="nothing to report yet"):
        write_report(grown(before), tmp_path / "report.html")
    assert not list(tmp_path.iterdir())


def test_an_earlier_report_stays_until_the_new_one_is_whole(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report.html"
    path.write_text("earlier")
    written: list[int] = []

    def full(file: int) -> None:
        written.append(file)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(EditViewError, match="the disk is full"):
        write_report(run, path)
    assert written
    assert path.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [path]


@settings(max_examples=20, deadline=None)
@given(made_runs.runs())
def test_any_run_can_be_told(made: tuple[object, FactSheet, list[list[RunEvent]]]) -> None:
    _, sheet, batches = made
    run = grown(event for batch in batches for event in batch)
    with tempfile.TemporaryDirectory() as folder:
        if run.last_checked is None:
            with pytest.raises(EditViewError):
                write_report(run, Path(folder, "report.html"))
        else:
            assert len(table_of(read(page_of(run, Path(folder))))) == len(sheet)


def test_the_labels_of_a_run_without_training_lie_in_the_picture(tmp_path: Path) -> None:
    page = read(page_of(grown(sample.events(sample.plan().removed("tune"), sample.sheet())), tmp_path))
    survival = next(svg for svg in page.all("svg") if svg.attributes.get("aria-label") == "Survival")
    height = float(survival.attributes["viewbox"].split()[3])
    assert max(float(text.attributes["y"]) for text in survival.all("text")) + 4 <= height  # what hangs under the line


# ---- two orders ---------------------------------------------------------------------------------------------------


@pytest.fixture
def orders() -> tuple[Run, Run]:
    sheet = sample.sheet()
    return grown(sample.events(sample.plan(), sheet, seed=1)), grown(sample.events(sample.plan(False), sheet, seed=2))


def test_two_orders_are_laid_side_by_side(orders: tuple[Run, Run], tmp_path: Path) -> None:
    first, second = orders
    write_report(first, tmp_path / "report.html", second)
    page = read((tmp_path / "report.html").read_text("utf-8"))
    pairs = pair_up(first, second)
    edits = kept(first, pairs, Group.EDITED)
    assert edits is not None
    names = ("Edit → Fine-tune", "Fine-tune → Edit")
    assert page.all("h1")[0].text == compared(names, edits).replace("*", "").replace(" %", "\N{NO-BREAK SPACE}%")
    counts = [int(tile.all("b")[0].text) for tile in page.all("ul", **{"class": "tiles"})[0].all("li")]
    assert counts == [edits.both, edits.only_first, edits.only_second, edits.neither]
    table = table_of(page)
    assert [row[0] for row in table] == [pair.fact.prompt for pair in pairs]
    for row, pair in zip(table, pairs, strict=True):
        assert pair.said_first in row[3]
        assert pair.said_second in row[4]
        words = {(True, True): "by both", (False, False): "by neither"}
        assert row[5] == words.get(pair.kept, f"only by the {'first' if pair.kept[0] else 'second'}")
    pictures = page.all("svg", role="img")
    assert [svg.attributes["aria-label"] for svg in pictures] == [*["Survival"] * 2, *["Changes of the weights"] * 2]
    looks = [[rect.attributes["class"] for rect in svg.all("rect")] for svg in pictures[2:]]
    legends = [dict(zip([text.text for text in svg.all("text")], mine, strict=False)) for svg, mine in
               zip(pictures[2:], looks, strict=True)]  # fmt: skip
    titles = list(legends[0])[:2]
    assert {title: legends[1][title] for title in titles} == {title: legends[0][title] for title in titles}
    assert all(stage.info.key in page.text for run in orders for stage in run.stages)
    for name, text, run in zip(("first", "second"), page.all("pre")[1:], orders, strict=True):
        (tmp_path / f"{name}.toml").write_text(text.text)
        again = read_plan(tmp_path / f"{name}.toml")
        assert [operation.content() for operation in again.active] == [o.content() for o in run.plan.active]


def test_orders_that_did_not_end_are_not_compared(orders: tuple[Run, Run], tmp_path: Path) -> None:
    orders[1].apply(RunStopped("run-1"))
    with pytest.raises(EditViewError, match="come to their end"):
        write_report(orders[0], tmp_path / "report.html", orders[1])


# ---- what it must not do ------------------------------------------------------------------------------------------


def with_texts(texts: Callable[[int], str], run: Run) -> Run:
    """The run with these texts wherever a text comes from outside."""
    facts = [
        replace(
            fact, subject=texts(0), template="{}" + texts(1), new_answer=fact.new_answer and texts(2),
            true_answer=texts(3), paraphrases=(texts(4),) if fact.paraphrases else (),
        )
        for fact in run.sheet
    ]  # fmt: skip
    sheet = FactSheet(texts(5), tuple(facts))
    started, *events = sample.events(sample.plan().model_copy(update={"name": texts(6)}), sheet)
    assert isinstance(started, RunStarted)
    stages = tuple(replace(stage, title=f"{stage.index} {texts(7)}") for stage in started.stages)
    tensors = tuple(replace(tensor, name=texts(8)) for tensor in started.tensors)
    return grown([replace(started, stages=stages, tensors=tensors), *events])


def tags(page: Node) -> list[str]:
    return [page.tag, *(tag for child in page.children if isinstance(child, Node) for tag in tags(child))]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_text_that_is_html_shows_as_text(text: str, run: Run, page: Node, tmp_path: Path) -> None:
    told = read(page_of(with_texts(lambda _: text, run), tmp_path))
    assert tags(told).count("script") == 1
    assert sorted(set(tags(told))) == sorted(set(tags(page)))
    assert all(row[0] == 2 * text and text in row[2] for row in table_of(told))
    assert text in told.all("title")[0].text
    for node in (told, *(node for tag in set(tags(told)) for node in told.all(tag))):
        assert not any(name.startswith("on") or name == "style" for name in node.attributes)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.text(max_size=12), min_size=9, max_size=9))
def test_any_text_is_shown_as_it_is_but_for_signs_that_no_page_may_hold(texts: list[str]) -> None:
    run = grown(sample.events(sample.plan(), sample.sheet(2, 1, 1)))
    hostile = with_texts(texts.__getitem__, run)
    with tempfile.TemporaryDirectory() as folder:
        told = read(page_of(hostile, Path(folder)))
    assert tags(told).count("script") == 1
    wanted = "".join(sign if sign in "\t\n\r" or ord(sign) in _ALLOWED else "�" for sign in texts[0] + texts[1])
    assert {lines(row[0]) for row in table_of(told)} == {lines(wanted)}


_ALLOWED = {*range(0x20, 0x7F), *range(0xA0, 0xD800), *range(0xE000, 0xFDD0), *range(0xFDF0, 0xFFFE)}
_ALLOWED |= set(range(0x10000, 0x110000))


def lines(text: str) -> str:
    """As a browser reads the ends of lines."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def test_the_page_names_no_address_and_lets_nothing_be_asked(run: Run, tmp_path: Path) -> None:
    text = page_of(run, tmp_path)
    page = read(text)
    assert "://" not in text
    assert not re.search(r"""["'(=]\s*//""", text)
    assert "url(" not in text
    assert "@import" not in text
    reaching = ("src", "href", "srcset", "action", "data", "xlink:href")
    nodes = [node for tag in set(tags(page)) for node in page.all(tag)]
    linked = [(node.tag, name) for node in nodes for name in reaching if name in node.attributes]
    assert linked == [("link", "href")]
    assert page.all("link")[0].attributes["href"] == "data:,"
    (policy,) = page.all("meta", **{"http-equiv": "Content-Security-Policy"})
    rules = dict(rule.strip().split(" ", 1) for rule in policy.attributes["content"].split(";"))
    assert rules["default-src"] == "'none'"
    for kind, tag in (("style-src", "style"), ("script-src", "script")):
        (node,) = page.all(tag)
        digest = base64.b64encode(hashlib.sha256(node.text.encode()).digest()).decode()
        assert rules[kind] == f"'sha256-{digest}'"
