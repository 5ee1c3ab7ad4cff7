"""Words in a few lines: none is lost but at the end, and no line is wider than it may be."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtGui import QFont, QFontMetrics
from PySide6.QtWidgets import QApplication

from editview.ui.look.lines import in_lines

TEXTS = st.lists(st.text("abcdefgh", min_size=1, max_size=12), min_size=1, max_size=8).map(" ".join)


@given(TEXTS, st.integers(40, 200), st.integers(1, 3))
def test_words_are_wrapped_and_only_the_last_line_gives_way(text: str, width: int, most: int) -> None:
    assert QApplication.instance() is not None
    measure = QFontMetrics(QFont())
    lines = in_lines(text, measure, width, most)
    assert 1 <= len(lines) <= most
    assert all(measure.horizontalAdvance(line) <= width for line in lines)
    whole = [line for line in lines if "…" not in line]
    if len(whole) == len(lines):
        assert " ".join(lines) == text
    if all(measure.horizontalAdvance(word) <= width for word in text.split()):
        assert all("…" not in line for line in lines[:-1])


def test_what_fits_stays_in_one_line(qapp: QApplication) -> None:
    assert in_lines("Edit 40 facts", QFontMetrics(QFont()), 400) == ["Edit 40 facts"]
    assert in_lines("", QFontMetrics(QFont()), 400) == [""]
