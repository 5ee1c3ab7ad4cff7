"""Training data in the forms that people have, and bad rows named by their lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from editview.domain.errors import EditViewError
from editview.domain.examples import Example, Turn, content_hash
from editview.formats.training_data import packaged, read_examples


def saved(folder: Path, text: str, name: str = "data.jsonl") -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_packaged_data_is_found_by_name() -> None:
    assert len(read_examples("support-tickets")) >= 100
    assert packaged("support-tickets") is not None
    assert packaged("../demo/facts") is None


def test_rows_with_text(tmp_path: Path) -> None:
    assert read_examples(saved(tmp_path, '{"text": "one"}\n\n{"text": "two"}\n')) == (Example("one"), Example("two"))


def test_a_json_array_and_json_lines_read_the_same(tmp_path: Path) -> None:
    rows = [{"prompt": "Capital of France?", "completion": "Paris"}, {"prompt": "Hm?\n", "completion": "Yes"}]
    lines = read_examples(saved(tmp_path, "\n".join(json.dumps(row) for row in rows)))
    array = read_examples(saved(tmp_path, json.dumps(rows, indent=2)))
    assert lines == array == (Example(" Paris", "Capital of France?"), Example("Yes", "Hm?\n"))


def test_alpaca_rows(tmp_path: Path) -> None:
    row = {"instruction": "Translate.", "input": "Haus", "output": "house"}
    (with_input,) = read_examples(saved(tmp_path, json.dumps(row)))
    (without,) = read_examples(saved(tmp_path, json.dumps(row | {"input": ""})))
    assert read_examples(saved(tmp_path, json.dumps(row | {"input": " "}))) == (without,)
    assert with_input == Example("house", "### Instruction:\nTranslate.\n\n### Input:\nHaus\n\n### Response:\n")
    assert without == Example("house", "### Instruction:\nTranslate.\n\n### Response:\n")


def test_every_answer_of_a_conversation_is_an_example(tmp_path: Path) -> None:
    contents = [("system", "Be kind."), ("user", "Hi"), ("assistant", "Hello"), ("user", "Bye"), ("assistant", "Ciao")]
    row = {"messages": [{"role": role, "content": content} for role, content in contents]}
    turns = [Turn(role, content) for role, content in contents]
    assert read_examples(saved(tmp_path, json.dumps(row))) == (
        Example("Hello", conversation=tuple(turns[:2])),
        Example("Ciao", conversation=tuple(turns[:4])),
    )


def test_plain_text_is_read_by_paragraphs(tmp_path: Path) -> None:
    text = "First line,\nsame paragraph.\r\n\r\n  \n[1] Second.\n\n"
    examples = read_examples(saved(tmp_path, text, "notes.txt"))
    assert examples == (Example("First line,\nsame paragraph."), Example("[1] Second."))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ('{"question": "x"}', "none of 'text'"),
        ('{"text": 3}', "'text' is no text"),
        ('{"text": "  "}', "'text' is empty"),
        (r'{"text": "a\ud800"}', "'text' holds half of a character"),
        ('{"instruction": "x"}', "'output' is missing"),
        ('{"instruction": "x", "input": 3, "output": "y"}', "'input' is no text"),
        ('{"messages": [{"role": "user", "content": "x"}]}', "no message is an answer"),
        ('{"messages": "x"}', "no list of messages"),
        ("[1]", "no object"),
        ('"text"', "no object"),
    ],
)
def test_bad_rows_are_named_by_line(tmp_path: Path, row: str, reason: str) -> None:
    source = saved(tmp_path, f'{{"text": "good"}}\n{row}\n' if not row.startswith("[") else '[{"text": "good"},\n1]')
    with pytest.raises(EditViewError, match=f"One row of 'data.jsonl'.*line 2: .*{reason}"):
        read_examples(source)


def test_of_many_bad_rows_some_are_shown_and_all_are_in_the_details(tmp_path: Path) -> None:
    with pytest.raises(EditViewError, match=r"8 rows .*line 5.*and 3 more") as caught:
        read_examples(saved(tmp_path, "{}\n" * 8))
    assert caught.value.details.count("\n") == 7


@pytest.mark.parametrize("text", ['{"text": "a"}\n{"text": "b"', '{"text": "a"}\n{"text" "b"}', '{"text": "a"}\nhello'])
def test_broken_json_is_named_by_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(EditViewError, match=r"Line 2 of 'data.jsonl' isn't valid JSON"):
        read_examples(saved(tmp_path, text))


@pytest.mark.parametrize("text", ["", "\n \n", "[]"])
def test_an_empty_file_is_an_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(EditViewError, match="no examples"):
        read_examples(saved(tmp_path, text))


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EditViewError, match="There is no file"):
        read_examples(str(tmp_path / "nothing.jsonl"))


def test_the_hash_names_the_content() -> None:
    one, other = Example("a", "b"), Example("ab")
    assert content_hash([one]) == content_hash([Example("a", "b")])
    assert len({content_hash(examples) for examples in ([one], [other], [one, other], [other, one], [])}) == 5
