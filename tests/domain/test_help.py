"""Each word has a page, each link leads to one, and a word is found where it stands."""

from __future__ import annotations

from itertools import product

import pytest

from editview.domain.answers_of_both import WHOSE, Said, mark, told
from editview.domain.facts import Group
from editview.domain.help import Page, matching, page_at, pages
from editview.domain.look import NOT_ASKED, NOT_EDITED, RECOVERED, VERDICT_MARKS
from editview.domain.operations import METHODS, UndoEdit
from editview.domain.verdicts import Change
from editview.domain.weights import MatrixKind

WORDS = {
    "checkpoint": "checkpoint",
    "fact": "fact",
    "fact sheet": "fact-sheet",
    "edited": "edit",
    "neighbours": "neighbour",
    "control": "control",
    "operation": "operation",
    "plan": "plan",
    "stage": "stage",
    "verdict": "verdict",
    "holds": "holds",
    "weak": "weak",
    "fails": "fails",
    "change": "change",
    "took": "took",
    "never took": "took",
    "survived": "change",
    "lost": "lost",
    "recovered": "recovered",
    "intact": "change",
    "damaged": "lost",
    "efficacy": "efficacy",
    "paraphrase": "paraphrase",
    "neighbourhood score": "neighbourhood-score",
    "edit flip rate": "edit-flip-rate",
}
"""The words that the window, the code and the docs share."""


@pytest.mark.parametrize(("word", "name"), WORDS.items())
def test_each_word_has_its_page(word: str, name: str) -> None:
    page = page_at(f"31 {word.upper()}; more")
    assert page is not None
    assert page.name == name


def test_states_of_facts_kinds_of_matrix_and_methods_are_explained() -> None:
    marks = [mark.word for mark in (*VERDICT_MARKS.values(), RECOVERED, NOT_EDITED)]
    for word in (*marks, *(set(Change) - set(WHOSE)), *Group):
        assert page_at(word) is not None, word
    for group, before, after in product(Group, set(Said) - {Said.NOT_ASKED}, set(Said) - {Said.NOT_ASKED}):
        assert page_at(mark(group, before, after, after=True).word) is not None
        found = page_at(told(group, before, after))
        assert found is not None
        assert found.name == "two-checkpoints"
    for kind in set(MatrixKind) - {MatrixKind.OTHER}:
        assert page_at(kind.value) is not None, kind
    for method in set(METHODS) - {UndoEdit}:
        assert page_at(method.label) is not None, method.label
    assert NOT_ASKED.word in pages()["verdict"].text


@pytest.mark.parametrize("page", pages().values(), ids=lambda page: page.name)
def test_every_page_is_whole_and_its_links_lead_to_pages(page: Page) -> None:
    assert page.title
    assert page.words
    assert page.text.startswith(f"# {page.title}\n")
    assert "<!--" not in page.text
    assert 20 < len(page.meaning) < 220
    assert page.meaning.endswith((".", ": ✓.", ": ~.", ": ✗.", ": ↺."))
    assert len(page.text.split()) < 200
    for link in page.links:
        assert link.removesuffix(".md") in pages(), link
        assert link != f"{page.name}.md", "a link to itself"


def test_no_word_has_two_pages() -> None:
    words = [word.casefold() for page in pages().values() for word in (*page.words, *page.not_meant)]
    assert len(set(words)) == len(words)


def test_the_longest_word_at_a_place_is_meant() -> None:
    text = "The edit flip rate is no flip of edits, 95\N{NO-BREAK SPACE}% interval"
    found = page_at(text, text.index("flip"))
    assert found is not None
    assert found.name == "edit-flip-rate"
    assert page_at(text, text.index(" of")) is None
    assert page_at(text, 0) is None
    found = page_at(text, text.index("edits") + 2)
    assert found is not None
    assert found.name == "edit"
    found = page_at(text, text.index("%"))
    assert found is not None
    assert found.name == "interval"


@pytest.mark.parametrize(
    ("text", "word", "name"),
    [
        ("Share of the change", "change", "weight-change"),
        ("99 % of the change lies in memory: writing", "change", "weight-change"),
        ("9 of its 16 directions stand out of what rounding alone could do", "stand", "standing-out"),
        ("the facts that still stand", "stand", "survival"),
        ("Facts touched", "Facts", "touched"),
        ("Effective rank", "rank", "direction"),
        ("rounded only", "only", "rounding"),
        ("2 of 4 tensors changed", "tensors", "tensor"),
        ("What kind of update this was can't be told.", "kind", "kind-of-update"),
        ("2 tensors hold numbers that aren't finite", "hold", None),
        ("double-click it to change its settings", "change", None),
        ("what it will cost stands on the cards", "stands", None),
    ],
)
def test_a_phrase_goes_before_the_words_in_it(text: str, word: str, name: str | None) -> None:
    page = page_at(text, text.index(word))
    assert (page and page.name) == name


@pytest.mark.parametrize("text", ["", "factory", "unlost", "a-plan", "Everything else"])
def test_parts_of_other_words_are_none(text: str) -> None:
    assert page_at(text) is None


def test_searching_finds_what_a_page_is_about_first() -> None:
    assert matching("neighb")[0].name in ("neighbour", "neighbourhood-score")
    assert matching("adapter")[0].name == "lora"
    assert len(matching("")) == len(pages())
    assert matching("zzz") == []
