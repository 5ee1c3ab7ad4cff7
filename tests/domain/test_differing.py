"""Where two answers part."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from editview.domain.differing import differing

WORDS = st.lists(st.sampled_from(["a", "b", "c", "Rome"]), max_size=8).map(" ".join)


def test_words_the_other_answer_has_not_are_marked() -> None:
    first, second = differing("Paris is the seat of power", "Rome is the seat")
    assert [word for word, differs in first if differs] == ["Paris", "of", "power"]
    assert [word for word, differs in second if differs] == ["Rome"]


@given(WORDS, WORDS)
def test_what_is_not_marked_is_the_same_in_both(one: str, other: str) -> None:
    first, second = differing(one, other)
    assert [word for word, _ in first] == one.split()
    assert [word for word, _ in second] == other.split()
    assert [w for w, differs in first if not differs] == [w for w, differs in second if not differs]
