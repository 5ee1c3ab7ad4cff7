"""Lists of candidate subjects."""

from __future__ import annotations

from pathlib import Path

import pytest

from editview.domain.errors import EditViewError
from editview.domain.inspection import Candidate
from editview.formats.subjects import read_subjects


def test_the_packaged_list_has_over_a_thousand_subjects_with_prompts() -> None:
    found = read_subjects("packaged")
    assert len({one.subject for one in found}) == len(found) > 1000
    assert all(one.prompts and all("{}" in prompt for prompt in one.prompts) for one in found)


def test_a_line_is_a_subject_or_a_prompt_that_marks_it(tmp_path: Path) -> None:
    path = tmp_path / "subjects.txt"
    path.write_text("# lands\nPeru\r\n\n  The capital of {Chad} is \nChad\n{Peru} lies in\n", "utf-8-sig")
    assert read_subjects(str(path)) == (
        Candidate("Peru", ("{} lies in",)),
        Candidate("Chad", ("The capital of {} is",)),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("\n# nothing\n", "names no subjects"),
        ("Peru\nThe capital of {} is", "Line 2"),
        ("{Peru} and {Chad}", "Line 1"),
        ("{Peru", "Line 1"),
    ],
)
def test_what_is_no_list_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "subjects.txt"
    path.write_text(text, "utf-8")
    with pytest.raises(EditViewError, match=said):
        read_subjects(str(path))


def test_a_fact_sheet_is_no_list_and_a_missing_file_is_named(tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.json"
    sheet.write_text('{"format": 1, "facts": []}', "utf-8")
    with pytest.raises(EditViewError, match="fact sheet"):
        read_subjects(str(sheet))
    with pytest.raises(EditViewError, match="nowhere"):
        read_subjects(str(tmp_path / "nowhere"))
