"""The report of two checkpoints: what it says, that it reads without scripts, and that nothing in it acts."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import pytest

from editview.domain.difference import Difference, headline
from editview.domain.facts import FactSheet
from editview.domain.hashed_file import HashedFile
from editview.domain.history import EntryKind, Findings, RunEntry
from editview.domain.inspection import BothSaid, Inspection, Memory, memory_sentence
from editview.domain.plan import Checkpoint
from editview.domain.session import Run, RunState
from editview.domain.two_checkpoints import tensor_rows
from editview.domain.update_kind import judged
from editview.domain.weights import MatrixKind
from editview.formats.report import write_comparison
from editview.formats.report.inspection_pictures import layers_picture
from tests import sample, two
from tests.formats.pages import Node, read
from tests.formats.test_report import HOSTILE, table_of, tags

FILES = ((HashedFile("model.safetensors", 1234, "a" * 64),), (HashedFile("model.safetensors", 2345, "b" * 64),))
SHEET = sample.sheet(4, 2, 2)


def page_of(folder: Path, found: Difference, asked: Run | None = None, inspection: Inspection | None = None) -> str:
    path = folder / "report.html"
    write_comparison(found, FILES, path, asked, inspection)
    return path.read_text("utf-8")


@pytest.fixture
def page(tmp_path: Path) -> Node:
    run = two.asked(SHEET, {"e0", "e1", "c0", "c1"}, {"e1", "e2", "c0"})
    return read(page_of(tmp_path, two.difference(), run, two.inspection()))


def cells(table: Node) -> list[list[str]]:
    return [[cell.text for cell in row.children if isinstance(cell, Node)] for row in table.all("tbody")[0].all("tr")]


def test_it_leads_with_the_sentence_and_gives_what_was_measured(page: Node) -> None:
    found = two.difference()
    assert page.all("h1")[0].text == judged(found).sentence.replace("*", "")
    (head,) = page.all("header")
    assert headline(found).replace("*", "") in head.text.replace("\N{NO-BREAK SPACE}", " ")
    assert "Before: /models/before. After: /models/after." in head.text
    assert "'wte.weight' has 90 rows in the first and 100 in the second" in head.text


def test_what_no_size_of_a_change_tells_is_told_in_sentence_picture_and_table(tmp_path: Path) -> None:
    found = two.difference()
    broken = two.tensor("broken", 0, MatrixKind.MLP_OUT, 0.0, same=False, not_numbers=(0, 3))
    page = read(page_of(tmp_path, replace(found, tensors=(*found.tensors, broken))))
    assert page.all("h1")[0].text.startswith("Some values are no numbers")
    assert page.all("h1")[0].text.endswith("The second has room for 10 more words.")
    assert len(page.all("line", **{"class": "cross"})) == 4  # one for it, one for the words
    (weights, _) = page.all("figcaption")
    assert "As far as it could be measured" in weights.text.replace("\N{NO-BREAK SPACE}", " ")
    assert "Crossed:" in weights.text
    rows = cells(page.all("table", id="tensors")[0])
    assert rows[0][1:4] == ["broken", "no numbers", ""]
    assert ["wte.weight", "+10 rows"] in [row[1:3] for row in rows]


def test_equal_weights_with_other_settings_are_told(tmp_path: Path) -> None:
    same = two.tensor(two.OUT, 1, MatrixKind.MLP_OUT, 0.0)
    page = read(page_of(tmp_path, Difference(two.BEFORE, two.AFTER, (same,), settings=("act is <b> in the first",))))
    assert page.all("h1")[0].text == "The weights are the same; the settings are not: act is <b> in the first."


def test_what_was_found_at_another_time_says_when_and_what_changed_since(tmp_path: Path) -> None:
    found, changed = two.difference(), "The checkpoint '/models/<b>after' has changed since."
    entry = RunEntry("x", 1e9, 1e9, RunState.FINISHED, "a → <i>b", "", "", "", "", kind=EntryKind.COMPARISON)
    for remarks, more in (((), ""), ((changed,), f" {changed} The files below, with their hashes,")):
        write_comparison(found, FILES, tmp_path / "report.html", then=Findings(entry, found, True, remarks))
        page = read((tmp_path / "report.html").read_text("utf-8"))
        (said,) = page.all("p", **{"class": "warning"})
        assert said.text.startswith("This is the comparison of a → <i>b as of 9 September 2001, ")
        assert more in said.text


def test_every_tensor_is_told_largest_change_first_with_figures_to_sort_by(page: Node) -> None:
    (table,) = page.all("table", id="tensors")
    rows = tensor_rows(two.difference())
    assert [row[:2] for row in cells(table)] == [[row.where, row.name] for row in rows]
    assert cells(table)[0][2:] == ["35 %", "99 %", rows[0].rank_words]
    keys = [float(cell.attributes["data-key"]) for cell in table.all("td", **{"data-name": "Share"})]
    assert keys == [-1.0 if row.share is None else row.share for row in rows]


def test_facts_asked_of_both_stand_differences_first(page: Node) -> None:
    prompts = [row[0] for row in table_of(page)]
    facts = {fact.id: fact.prompt for fact in SHEET}
    assert set(prompts[:3]) == {facts["e0"], facts["e2"], facts["c1"]}
    became = {row[0]: row[-1] for row in table_of(page)}
    assert became[facts["e0"]] == "new answer before only"
    assert became[facts["e1"]] == "new answer by both"
    assert became[facts["e3"]] == "original answer by both"
    chips = {row[0]: row[3:5] for row in table_of(page)}
    assert chips[facts["e0"]] == ["✓ new answer New 0", "✗ original answer Old 0"]
    assert chips[facts["e3"]] == ["○ original answer Old 3", "○ original answer Old 3"]
    assert "3 of 8 facts are answered differently" in [title.text for title in page.all("h2")]
    assert "Of 4 new answers, 1 is given before only, 1 after only, 1 by both, 1 by neither." in page.text
    counted = [" ".join(cell.text.split()) for cell in page.all("td", **{"data-name": "New answers"})]
    assert counted == ["✓ 2 new ○ 2 original"] * 2
    said = " ".join(section.text for section in page.all("section") if "New answers" in section.text)
    said += " ".join(section.text for section in page.all("section") if section.all("table", id="facts"))
    assert "original answer" in said
    assert not re.search(r"edit|hold|fail|took|lost|surviv|intact", said, re.IGNORECASE)


def test_touched_subjects_pictures_hashes_and_the_command(page: Node) -> None:
    (touched,) = page.all("table", id="touched")
    assert cells(touched)[0] == ["Peru", "The sea of Peru is", "red", "blue", "7.5 ×", "2"]
    assert [row[3] for row in cells(touched)] == ["blue", "the same"]
    pictures = [drawing.attributes["aria-label"] for drawing in page.all("svg", role="img")]
    assert pictures == [
        "Changes of the weights", "Spectrum of the change", "Layers that look changed",
        "How strongly the change acts on subjects",
    ]  # fmt: skip
    assert [command.text for command in page.all("pre")] == [
        "editview diff /models/before /models/after --facts demo --report comparison.html",
        "editview inspect /models/after --before /models/before --report inspection.html",
    ]
    assert "as a multiple of what the median subject gets there" in page.text
    assert "a" * 64 in page.text
    assert "b" * 64 in page.text
    assert SHEET.content_hash in page.text


def test_without_the_spectra_it_leads_with_what_is_known(tmp_path: Path) -> None:
    found = two.difference(spectra=False)
    write_comparison(found, FILES, tmp_path / "report.html", whole=False)
    page = read((tmp_path / "report.html").read_text("utf-8"))
    assert page.all("h1")[0].text.replace("\N{NO-BREAK SPACE}", " ") == headline(found).replace("*", "")
    assert "What kind of update this was isn't told here" in page.all("header")[0].text
    assert " --quick " in page.all("pre")[0].text
    same = Difference(two.BEFORE, two.AFTER, found.tensors[:2])
    write_comparison(same, FILES, tmp_path / "report.html", whole=False)
    page = read((tmp_path / "report.html").read_text("utf-8"))
    assert page.all("h1")[0].text == judged(same).sentence  # there is no change to look at


def test_what_its_tables_are_filtered_by_stands_at_the_rows(page: Node) -> None:
    for name, by, expected in (
        ("touched", "answer", ["differently", "the same"]),
        ("tensors", "part", ["memory: writing", "memory: reading", "word embeddings", "only in the checkpoint after"]),
        ("tensors", "became", ["changed", "changed", "+10 rows", "only after"]),
    ):
        (table,) = page.all("table", id=name)
        rows = table.all("tbody")[0].all("tr")
        assert [row.attributes[f"data-{by}"] for row in rows][: len(expected)] == expected
        (choice,) = page.all("select", id=f"{name}-{by}")
        assert choice.attributes["data-by"] == by
        (filters,) = page.all("div", id=f"{name}-filters")
        assert "hidden" in filters.attributes  # without scripts there is nothing to press


def test_what_was_not_asked_or_is_not_known_is_left_out(tmp_path: Path) -> None:
    half = two.asked(SHEET, set(), set())
    half.stages[1].checks.clear()
    page = read(page_of(tmp_path, two.difference(spectra=False), half))
    titles = [title.text for title in page.all("h2")]
    assert titles == ["Weights", "Tensor by tensor", "To compare them again"]
    same = two.tensor("wte.weight", None, two.MatrixKind.EMBEDDING, 0.0)
    found = Difference(two.BEFORE, two.AFTER, (same,))
    page = read(page_of(tmp_path, found))
    assert page.all("h1")[0].text == judged(found).sentence
    assert not page.all("svg", role="img")


def test_one_alone_is_told_by_what_was_found_in_it(tmp_path: Path) -> None:
    memory = Memory(1, two.OUT, 7.5, 2, ("blue",))
    memories = Memory(0, "other", 1.0, 0), memory
    alone = replace(two.inspection(), original=None, layers=(1,), memories=memories)
    path = tmp_path / "report.html"
    write_comparison(None, FILES[1:], path, inspection=alone)
    page = read(path.read_text("utf-8"))
    assert page.all("title")[0].text.startswith("after inspected")
    assert page.all("h1")[0].text.startswith("Layer 2 may have been edited.")
    assert [title.text for title in page.all("h2")] == ["Which facts it touched", "To inspect it again"]
    assert memory_sentence(memory).replace("*", "") in page.text
    assert "probably made to say" in page.text
    assert "After: model.safetensors" in page.text
    assert page.all("pre")[0].text == "editview inspect /models/after --report inspection.html"
    (layers, subjects) = page.all("svg", role="img")
    assert [bar.all("title")[0].text for bar in layers.all("rect")] == [
        memory_sentence(one).replace("*", "") for one in memories
    ]
    assert [bar.attributes["class"] for bar in layers.all("rect")] == ["muted", "op0"]
    drawn = [text.text for text in subjects.all("text") if text.attributes["class"] == "text"]
    assert drawn == ["Chad", "Peru"]  # strongest first
    assert ["fill-opacity" in bar.attributes for bar in subjects.all("rect")] == [True, False]  # Chad is as before


def test_the_picture_of_layers_says_which_could_not_be_compared() -> None:
    drawing = layers_picture(replace(two.inspection(), layers=(0, 2), skipped=(1,), changes=(0.5, None, 0.25, 0.0)))
    assert drawing is not None
    bars = ElementTree.fromstring(drawing).findall("rect")
    heights = [float(bar.get("height", "")) for bar in bars]
    assert heights == pytest.approx([2 * heights[1], heights[1], 0.0])
    assert [bar.get("class") for bar in bars] == ["op0", "op0", "muted"]
    assert [text.text for text in ElementTree.fromstring(drawing).findall("text")].count("?") == 1
    assert layers_picture(replace(two.inspection(), layers=(), changes=(0.0, 0.0))) is None  # there is nothing to see


def test_a_large_model_names_what_changed_most_and_says_that_there_is_more(tmp_path: Path) -> None:
    many = [two.tensor(f"h.{at}.w", at, two.MatrixKind.MLP_OUT, 1.0 + at / 1000) for at in range(1001)]
    page = read(page_of(tmp_path, Difference(two.BEFORE, two.AFTER, tuple(many))))
    (table,) = page.all("table", id="tensors")
    assert len(cells(table)) == 1000
    assert cells(table)[0][1] == "h.1000.w"
    assert "1 more tensors changed less or not at all." in page.text


@pytest.mark.parametrize("text", HOSTILE)
def test_texts_from_outside_are_shown_as_text(text: str, tmp_path: Path) -> None:
    found = two.difference()
    hostile = replace(
        found,
        first=Checkpoint(source=text),
        tensors=tuple(replace(tensor, name=f"{at} {text}") for at, tensor in enumerate(found.tensors)),
        only_second=(text,),
        otherwise=(text,),
    )
    facts = [
        replace(fact, subject=text, template="{}" + text, true_answer=text, new_answer=fact.new_answer and text)
        for fact in SHEET
    ]
    run = two.asked(FactSheet(text, tuple(facts)), {"e0"}, {"e1"})
    touched = replace(two.inspection().touched[0], subject=text, said=(BothSaid(text, text, f"{text} too"),))
    told = read(page_of(tmp_path, hostile, run, replace(two.inspection(), touched=(touched,))))
    plain = read(page_of(tmp_path, found, two.asked(SHEET, {"e0"}, {"e1"}), two.inspection()))
    assert tags(told).count("script") == 1
    assert set(tags(told)) == set(tags(plain))
    assert not any(name.startswith("on") for node in nodes(told) for name in node.attributes)
    assert cells(told.all("table", id="touched")[0])[0][0] == text


def nodes(page: Node) -> list[Node]:
    return [page, *(node for child in page.children if isinstance(child, Node) for node in nodes(child))]
