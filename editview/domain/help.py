"""The help pages: one a word that the window uses, and which word stands at a place of a text.

A page is a Markdown file in `resources/help/`: its title, a comment with the forms of its word (`<!-- words: … -->`), a
first paragraph, shown where the word is pointed at, and what else there is to say. Links name other pages' files. Where
a form is a phrase, it goes before the words in it; in the phrases of a comment `<!-- not: … -->` its word isn't meant.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from editview.domain import places

_LINK = re.compile(r"\[([^\]]*)\]\(([^)]*)\)")
_FORMS = re.compile(r"<!-- (words|not): (.*?) -->\n*")


@dataclass(frozen=True, slots=True)
class Page:
    """`name` is its file's, without the ending; `words` are the forms in which its word occurs."""

    name: str
    title: str
    words: tuple[str, ...]
    not_meant: tuple[str, ...]  # phrases in which they mean something else
    meaning: str
    text: str  # Markdown, title and all

    @property
    def links(self) -> tuple[str, ...]:
        return tuple(target for _, target in _LINK.findall(self.text))


@cache
def pages() -> dict[str, Page]:
    """All pages by their names, in the order of their titles."""
    found = [_read(path.stem, path.read_text("utf-8")) for path in (places.resources() / "help").glob("*.md")]
    return {page.name: page for page in sorted(found, key=lambda page: page.title.casefold())}


def _read(name: str, text: str) -> Page:
    forms = {kind: tuple(listed.split(", ")) for kind, listed in _FORMS.findall(text)}
    text = _FORMS.sub("", text)
    title, meaning, *_ = text.split("\n\n")
    plain = " ".join(_LINK.sub(r"\1", meaning).split())
    return Page(name, title.removeprefix("# "), forms.get("words", ()), forms.get("not", ()), plain, text)


def page_at(text: str, at: int | None = None) -> Page | None:
    """The page on the word at a place of a text, the longest that stands there; without a place, on the first word."""
    for found in _pattern().finditer(text.replace("\N{NO-BREAK SPACE}", " ")):
        page = _by_word()[found[0].casefold()]
        if page is not None and (at is None or found.start() <= at < found.end()):
            return page
    return None


@cache
def _by_word() -> dict[str, Page | None]:
    """None: a phrase in which no page's word is meant."""
    none = dict.fromkeys(phrase.casefold() for page in pages().values() for phrase in page.not_meant)
    return none | {word.casefold(): page for page in pages().values() for word in page.words}


@cache
def _pattern() -> re.Pattern[str]:
    longest_first = sorted(_by_word(), key=len, reverse=True)
    return re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, longest_first))})(?![\w-])", re.IGNORECASE)


def matching(typed: str) -> list[Page]:
    """The pages that hold every typed word; those that are about it come first."""
    words = typed.casefold().split()

    def about(page: Page) -> int:
        return sum(any(form.casefold().startswith(word) for form in (page.title, *page.words)) for word in words)

    found = [page for page in pages().values() if all(word in page.text.casefold() for word in words)]
    return sorted(found, key=about, reverse=True)
