"""Training data in the forms that people have, and bad rows named by their lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from editview.domain.errors import Cancelled, EditViewError
from editview.domain.examples import Example, Turn
from editview.domain.progress import silent
from editview.formats.training_data import packaged, training_data


def saved(folder: Path, text: str, name: str = "data.jsonl") -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8", newline="")
    return str(path)


def read_examples(source: str, whole: bool = False) -> tuple[Example, ...]:
    """The examples of a file that is good throughout."""
    examples, left_out = training_data(source).read(silent, whole)
    assert not left_out
    return tuple(examples)


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
    assert read_examples(saved(tmp_path, json.dumps(row)), whole=True) == (
        Example("Ciao", conversation=tuple(turns[:4])),
    )


def test_plain_text_is_read_by_paragraphs(tmp_path: Path) -> None:
    text = "First line,\r\nsame paragraph.\r\n\r\n  \n[1] Second.\n\n"
    examples = read_examples(saved(tmp_path, text, "notes.txt"))
    assert examples == (Example("First line,\nsame paragraph."), Example("[1] Second."))
    assert [example.line for example in examples] == [1, 5]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ('{"question": "x"}', "none of 'text'"),
        ('{"text": 3}', "'text' that is no text"),
        ('{"text": "  "}', "an empty 'text'"),
        (r'{"text": "a\ud800"}', "holds half of a character in 'text'"),
        ('{"instruction": "x"}', "no 'output'"),
        ('{"instruction": "x", "input": 3, "output": "y"}', "'input' that is no text"),
        ('{"messages": [{"role": "user", "content": "x"}]}', "no message that is an answer"),
        ('{"messages": "x"}', "are no list of messages"),
        ("[1]", "no object"),
        ('"text"', "no object"),
    ],
)
def test_bad_rows_are_told_by_line_and_the_others_used(tmp_path: Path, row: str, reason: str) -> None:
    text = (
        f'{{"text": "good"}}\n{row}\n{{"text": "also"}}' if row[0] != "[" else '[{"text": "good"},\n1,{"text":"also"}]'
    )
    examples, left_out = training_data(saved(tmp_path, text)).read()
    assert examples == [Example("good"), Example("also")]
    [bad] = map(str, left_out)
    assert bad.startswith("Line 2 ")
    assert reason in bad


def test_of_a_conversation_without_an_answer_nothing_is_used(tmp_path: Path) -> None:
    with pytest.raises(EditViewError, match=r"Nothing in .*its only row can't be used. Line 1 has no message"):
        training_data(saved(tmp_path, '{"messages": [{"role": "assistant", "content": "x"}]}'))


def test_where_nothing_is_good_some_rows_are_shown_and_all_are_in_the_details(tmp_path: Path) -> None:
    with pytest.raises(EditViewError, match=r"none of its 8 rows can be used\. Line 1 .*Line 5 .*") as caught:
        training_data(saved(tmp_path, "{}\n" * 8))
    assert "Line 6" not in str(caught.value)
    assert caught.value.details.count("\n") == 7


@pytest.mark.parametrize("broken", ['{"text": "b"', '{"text" "b"}', '{"text": ' + "[" * 100_000])
def test_a_broken_line_is_left_out_alone(tmp_path: Path, broken: str) -> None:
    text = f'{{"text": "a"}}\n{broken}\n{{"text": "c"}}\n'
    examples, left_out = training_data(saved(tmp_path, text)).read()
    assert [example.line for example in examples] == [1, 3]
    assert [one.where for one in left_out] == ["Line 2"]


@pytest.mark.parametrize("text", ['[{"text": "a"},\n{"text": "b"', '{"text": "a"}\nhello'])
def test_elsewhere_broken_json_is_named_by_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(EditViewError, match=r"Line 2 of 'data.jsonl' isn't valid JSON"):
        training_data(saved(tmp_path, text)).read()


@pytest.mark.parametrize("text", ["", "\n \n", "[]"])
def test_an_empty_file_is_an_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(EditViewError, match="no examples"):
        read_examples(saved(tmp_path, text))


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EditViewError, match="There is no file"):
        read_examples(str(tmp_path / "nothing.jsonl"))


def test_the_content_names_what_stands_in_the_file(tmp_path: Path) -> None:
    text = '{"text": "a"}\n'
    one, same = (training_data(saved(tmp_path, text, name)) for name in ("one.jsonl", "same.json"))
    assert one.content == same.content
    assert training_data(saved(tmp_path, text, "as.txt")).content != one.content  # it is read otherwise
    assert training_data(saved(tmp_path, text * 2, "one.jsonl")).content != one.content


def test_a_file_is_named_without_being_read_to_its_end_and_anew_only_when_it_changes(tmp_path: Path) -> None:
    source = saved(tmp_path, '{"text": "a"}\n' * 1000 + "nonsense")
    data = training_data(source)
    assert len(data.sample) < 1000
    assert training_data(source) is data
    saved(tmp_path, '{"text": "b"}\n')
    assert training_data(source).sample == (Example("b"),)
    with pytest.raises(EditViewError, match="was changed while it was in use"):
        data.read()


def test_reading_tells_how_far_it_is_and_can_be_cancelled(tmp_path: Path) -> None:
    data = training_data(saved(tmp_path, '{"text": "some words"}\n' * 20_000))
    told: list[float] = []

    def progress(done: int, total: int, what: str) -> None:
        told.append(done / total)
        if done > total / 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        data.read(progress)
    assert told == sorted(told)
    assert 0.5 < told[-1] < 0.7
