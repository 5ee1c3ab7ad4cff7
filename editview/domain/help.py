"""The help pages: one a word that the window uses, and which word stands at a place of a text.

A page is a Markdown file in `resources/help/`: its title, a comment with the forms of its word (`<!-- words: … -->`), a
first paragraph, shown where the word is pointed at, and what else there is to say. Links name other pages' files.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from editview.domain import places

_LINK = re.compile(r"\[([^\]]*)\]\(([^)]*)\)")
_WORDS = re.compile(r"<!-- words: (.*?) -->\n*")


@dataclass(frozen=True, slots=True)
class Page:
    """`name` is its file's, without the ending; `words` are the forms in which its word occurs."""

    name: str
    title: str
    words: tuple[str, ...]
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
    words = _WORDS.search(text)
    title, meaning, *_ = _WORDS.sub("", text).split("\n\n")
    plain = " ".join(_LINK.sub(r"\1", meaning).split())
    forms = tuple(words[1].split(", ")) if words else ()
    return Page(name, title.removeprefix("# "), forms, plain, _WORDS.sub("", text))


def page_at(text: str, at: int | None = None) -> Page | None:
    """The page on the word at a place of a text, the longest that stands there; without a place, on the first word."""
    for found in _pattern().finditer(text.replace("\N{NO-BREAK SPACE}", " ")):
        if at is None or found.start() <= at < found.end():
            return _by_word()[found[0].casefold()]
    return None


@cache
def _by_word() -> dict[str, Page]:
    return {word.casefold(): page for page in pages().values() for word in page.words}


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
