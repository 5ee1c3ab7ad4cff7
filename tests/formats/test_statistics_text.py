"""The text for statistics: where it comes from, and what is no text."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from editview.domain.errors import EditViewError
from editview.formats.statistics_text import statistics_text


def test_a_file_is_a_passage_a_line(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes("\ufeffOne\r\n\r\nTwo é\nThree".encode())
    text = statistics_text(str(path))
    assert list(text.lines) == list(text.lines) == ["One", "", "Two é", "Three"]
    assert (text.name, text.content) == ("text.txt", hashlib.sha256(path.read_bytes()).hexdigest())


def test_the_packaged_text() -> None:
    assert sum(1 for _ in statistics_text("packaged").lines) > 10_000


def test_the_content_is_named_and_not_the_file(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a.txt", "b.txt", "c.txt")]
    for path, content in zip(paths, ("same", "same", "other"), strict=True):
        path.write_text(content)
    first, second, third = (statistics_text(str(path)).content for path in paths)
    assert first == second != third


def test_a_file_that_changes_meanwhile_is_no_longer_what_was_named(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text("One\nTwo")
    text = statistics_text(str(path))
    path.write_text("Two\nOne")
    os.utime(path, (1, 1))
    with pytest.raises(EditViewError, match="was changed"):
        list(text.lines)


def test_a_file_that_isn_t_there() -> None:
    with pytest.raises(EditViewError, match="isn't there"):
        statistics_text("/nowhere/text.txt")


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes(b"caf\xe9 " * 20)
    with pytest.raises(EditViewError, match="UTF-8"):
        list(statistics_text(str(path)).lines)


def test_examples_are_passages_with_what_comes_before_the_answer(tmp_path: Path) -> None:
    turns = [("system", "Be kind."), ("user", "Where is Lima?"), ("assistant", "In Peru.")]
    rows = [
        {"messages": [{"role": role, "content": content} for role, content in turns]},
        {"prompt": "The capital of Peru is", "completion": "Lima"},
        {"text": "Text."},
    ]
    path = tmp_path / "lessons.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    text = statistics_text(str(path))
    assert list(text.lines) == ["Be kind.\nWhere is Lima?\nIn Peru.", "The capital of Peru is Lima", "Text."]
    path.write_text("\n".join(map(json.dumps, rows[::-1])), "utf-8")
    assert statistics_text(str(path)).content != text.content
