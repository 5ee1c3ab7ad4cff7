"""Records come one by one, whatever the chunks of reading cut apart."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from editview.formats import json_stream
from editview.formats.json_stream import BadJSON, Header, Record, records

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab{[\"'", max_size=4), inner, max_size=3),
    max_leaves=8,
)


def read(text: str, chunk: int, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    monkeypatch.setattr(json_stream, "_CHUNK", chunk)
    return [item.value for item in records(io.StringIO(text), "facts")]


@settings(max_examples=60, deadline=None)
@given(st.lists(VALUES, min_size=1, max_size=4), st.integers(1, 9), st.sampled_from([None, 1]))
def test_any_values_in_any_chunks(values: list[object], chunk: int, indent: int | None) -> None:
    rows = [{"x": value} for value in values]
    with pytest.MonkeyPatch.context() as patch:
        assert read(json.dumps(rows, indent=indent), chunk, patch) == rows
        assert read("\n".join(json.dumps(row, indent=indent) for row in rows), chunk, patch) == rows
        assert read(json.dumps({"facts": rows}, indent=indent), chunk, patch) == rows


def test_members_beside_the_records_are_told() -> None:
    text = '{"format": 1,\n "facts": [\n{"a": 1}, 2], "name": "x"}'
    assert list(records(io.StringIO(text), "facts")) == [
        Header("format", 1), Record({"a": 1}, 3), Record(2, 3), Header("name", "x"),
    ]  # fmt: skip


def test_numbers_cut_apart_are_put_together(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read("12345 678", 2, monkeypatch) == [12345, 678]


@pytest.mark.parametrize(
    ("text", "line"),
    [("[1,\n2,\n", 3), ("[1\n2]", 2), ('{"a": 1}\n{"a" 1}', 2), ('{"facts": [1}', 1), ('[1,\n\n{"a":\n nope}]', 4)],
)
def test_the_line_where_it_stops_being_json(text: str, line: int) -> None:
    with pytest.raises(BadJSON) as caught:
        list(records(io.StringIO(text), "facts"))
    assert caught.value.line == line


def test_a_record_without_an_end_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_stream, "_LARGEST", 1000)
    monkeypatch.setattr(json_stream, "_CHUNK", 100)
    file = io.StringIO('[\n{"a": "' + "x" * 100_000)
    with pytest.raises(BadJSON, match="no end within") as caught:
        list(records(file, "facts"))
    assert caught.value.line == 2
    assert file.tell() < 5000


@pytest.mark.parametrize(
    ("text", "reason"), [("[" * 100_000, "nested too deeply"), ('[{"a": ' + "9" * 5000 + "}]", "more digits than can")]
)
def test_values_beyond_what_can_be_read_are_an_error_and_no_crash(text: str, reason: str) -> None:
    with pytest.raises(BadJSON, match=reason):
        list(records(io.StringIO(text), "facts"))
