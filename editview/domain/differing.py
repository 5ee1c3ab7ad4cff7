"""Where two answers part: their words, each marked if the other answer hasn't got it there."""

from __future__ import annotations

from difflib import SequenceMatcher

Marked = list[tuple[str, bool]]
"""Words in order, each with whether it differs."""


def differing(one: str, other: str) -> tuple[Marked, Marked]:
    first, second = one.split(), other.split()
    marked_first, marked_second = [(word, True) for word in first], [(word, True) for word in second]
    for block in SequenceMatcher(None, first, second, autojunk=False).get_matching_blocks():
        for offset in range(block.size):
            marked_first[block.a + offset] = (first[block.a + offset], False)
            marked_second[block.b + offset] = (second[block.b + offset], False)
    return marked_first, marked_second
