"""Fact sheets in the forms that people have; what is odd is left out and named, the rest is used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from editview.domain.errors import EditViewError
from editview.domain.facts import Fact, FactSheet, Group
from editview.formats.fact_sheets import preview, read_facts


def saved(folder: Path, content: Any, name: str = "sheet") -> str:
    path = folder / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return str(path)


def own(**values: Any) -> dict[str, Any]:
    fact = {"id": "f", "group": "edited", "subject": "Peru", "template": "The capital of {} is", "true_answer": "Lima"}
    return fact | {"new_answer": "Cusco"} | values


def counterfact(case: int = 1, **rewrite: Any) -> dict[str, Any]:
    return {
        "case_id": case,
        "requested_rewrite": {
            "prompt": "The mother tongue of {} is",
            "target_new": {"str": "English", "id": "Q1860"},
            "target_true": {"str": "French", "id": "Q150"},
            "subject": f"Danielle {case}",
        }
        | rewrite,
        "paraphrase_prompts": [f"An album came out. Danielle {case} spoke the language", f"Danielle {case}, a native"],
        "neighborhood_prompts": ["The mother tongue of Léon Blum is", "Montesquieu spoke the language"],
        "attribute_prompts": ["J.R.R. Tolkien spoke"],
    }


def told(source: str, columns: dict[str, str] | None = None) -> tuple[FactSheet, tuple[str, ...]]:
    """The sheet, and what was left out as it is told."""
    sheet, left_out = read_facts(source, columns)
    return sheet, tuple(map(str, left_out))


def read_csv(folder: Path, text: str, columns: dict[str, str] | None = None) -> tuple[list[Fact], tuple[str, ...]]:
    sheet, problems = told(saved(folder, text), columns)
    return list(sheet), problems


# ---- the forms -----------------------------------------------------------------------------------------------------


def test_the_demo_sheet_is_sound() -> None:
    sheet, problems = read_facts("demo")
    assert problems == ()
    assert sheet.name == "Demo fact sheet"
    assert len(sheet.group(Group.EDITED)) == 40
    assert len(sheet.group(Group.CONTROL)) == 100
    assert all("{}" in fact.template for fact in sheet)


def test_our_own_form(tmp_path: Path) -> None:
    facts = [
        own(id="e", paraphrases=["In {}, the capital is", "Peru is governed from"]),
        own(id="n", group="neighbours", subject="Chile", true_answer="Santiago", neighbour_of="e"),
        own(id="c", group="control", subject="Italy", true_answer=" Rome", new_answer=None),
    ]
    sheet, problems = told(saved(tmp_path, {"format": 1, "facts": facts}, "mine.json"))
    assert problems == ()
    assert sheet.name == "mine"
    edit, neighbour, control = sheet
    assert edit.paraphrases == ("In {}, the capital is", "{} is governed from")
    assert (neighbour.neighbour_of, neighbour.other) == ("e", "Cusco")
    assert (control.true_answer, control.new_answer, control.group) == ("Rome", None, Group.CONTROL)


def test_counterfact(tmp_path: Path) -> None:
    sheet, problems = told(saved(tmp_path, [counterfact()]))
    assert problems == ()
    edit, first, second = sheet
    assert edit == Fact(
        "1", Group.EDITED, "Danielle 1", "The mother tongue of {} is", "French", "English",
        ("An album came out. {} spoke the language", "{}, a native"),
    )  # fmt: skip
    assert edit.paraphrase_prompts == tuple(counterfact()["paraphrase_prompts"])
    assert first.prompt == "The mother tongue of Léon Blum is"
    assert (first.wanted, first.other, first.neighbour_of, first.subject) == ("French", "English", "1", "")
    assert second.prompt == "Montesquieu spoke the language"


def test_counterfact_as_json_lines_with_plain_answers(tmp_path: Path) -> None:
    record = counterfact(target_new="English", target_true="French")
    lines = "\n".join(json.dumps(record | {"case_id": case}) for case in (1, 2))
    sheet, problems = told(saved(tmp_path, lines))
    assert [fact.id for fact in sheet.group(Group.EDITED)] == ["1"]
    assert problems == ("Record 2 repeats record 1: 'The mother tongue of Danielle 1 is'.",)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_tables_with_any_separator(tmp_path: Path, separator: str) -> None:
    rows = [
        ["Subject", "Prompt", "New answer", "target_true", "Paraphrases", "Neighbours"],
        ["Peru", "The capital of Peru is", "Cusco", "Lima", "In Peru rules|From {} one flies to", "Chile's capital is"],
        ["Italy", "{} has its capital in", "", "Rome", "", ""],
    ]
    facts, problems = read_csv(tmp_path, "\n".join(separator.join(row) for row in rows))
    assert problems == ()
    edit, neighbour, control = facts
    assert edit == Fact(
        "row-1", Group.EDITED, "Peru", "The capital of {} is", "Lima", "Cusco", ("In {} rules", "From {} one flies to")
    )
    assert (neighbour.prompt, neighbour.wanted, neighbour.other) == ("Chile's capital is", "Lima", "Cusco")
    assert (control.group, control.prompt) == (Group.CONTROL, "Italy has its capital in")


def test_columns_of_any_name_are_mapped(tmp_path: Path) -> None:
    columns = {"subject": "wer", "prompt": "was", "target_true": "wahr"}
    facts, _ = read_csv(tmp_path, "was,wahr,wer,target_new\nPeru's capital is,Lima,Peru,Cusco\n", columns)
    assert facts == [Fact("row-1", Group.CONTROL, "Peru", "{}'s capital is", "Lima")]  # only what was mapped counts


def test_quoted_cells_and_marks_of_excel(tmp_path: Path) -> None:
    text = '\ufeffsubject,prompt,target_new,target_true\r\n"Peru, the","The ""capital""\nof {} is",Cusco,Lima\r\n'
    facts, problems = read_csv(tmp_path, text)
    assert problems == ()
    assert facts[0].prompt == 'The "capital"\nof Peru, the is'
    wide = saved(tmp_path, text.removeprefix("\ufeff").encode("utf-16"), "wide")
    assert list(read_facts(wide)[0]) == facts


def test_the_form_is_told_from_the_content_not_the_name(tmp_path: Path) -> None:
    assert len(read_facts(saved(tmp_path, [counterfact()], "facts.csv"))[0]) == 3
    table = "subject,prompt,target_true\nPeru,{} has the capital,Lima\n"
    assert len(read_facts(saved(tmp_path, table, "facts.json"))[0]) == 1


def test_a_subject_is_found_as_a_word_and_where_it_stands_last(tmp_path: Path) -> None:
    table = (
        "subject,prompt,target_true\n"
        "Iran,Iranians in Iran and Irans speak,Persian\n"
        "Ada,Ada met Ada in,London\n"
        "C++,The inventor of C++ is,Bjarne\n"
        "ran,Iran is,big\n"
    )
    facts, _ = read_csv(tmp_path, table)
    assert [fact.template for fact in facts] == [
        "Iranians in {} and Irans speak", "Ada met {} in", "The inventor of {} is", "I{} is",
    ]  # fmt: skip


def test_a_preview_shows_columns_rows_and_a_guess(tmp_path: Path) -> None:
    rows = "".join(f"Peru {i};Cusco;x;{{}} is\n" for i in range(50))
    shown = preview(saved(tmp_path, f"Entity;target-new;Colour;PROMPT\n{rows}"))
    assert shown.columns == ("Entity", "target-new", "Colour", "PROMPT")
    assert len(shown.rows) == 8
    assert shown.rows[0] == ("Peru 0", "Cusco", "x", "{} is")
    assert dict(shown.suggested) == {"subject": "Entity", "target_new": "target-new", "prompt": "PROMPT"}
    assert preview(saved(tmp_path, [counterfact()])).columns == ()  # nothing needs to be said of it


# ---- what is odd ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        (own(template="The capital is"), "has a prompt that doesn't contain its subject: 'Peru' is not in"),
        (own(new_answer="Lima"), "is to be edited, but the new answer is the true one: 'Lima'"),
        (own(new_answer=None), "is to be edited, but has no new answer"),
        (own(subject=" "), "has an empty 'subject'"),
        (own(template=""), "has an empty 'template'"),
        (own(true_answer=None), "has no 'true_answer'"),
        (own(true_answer=["Lima"]), "has a 'true_answer' that is no text"),
        (own(paraphrases="one"), "has a 'paraphrases' that is no list of texts"),
        (own(group="friends"), "is of the group 'friends', which is none of edited, neighbours, control"),
        (own(group="neighbours", neighbour_of="x"), "is the neighbour of 'x', which is not on the sheet"),
        (counterfact(prompt="The tongue is"), "has a prompt that doesn't contain its subject"),
        (counterfact(target_true=None), "has no 'target_true'"),
        ("a text", "is no object with named fields"),
        (own(id="good", subject="Chad"), "has the same id as record 1"),
        (own(subject="Oman"), "repeats record 1"),
        (own(subject="Oman", group="control"), r"is a control, but the same fact is edited \(record 1\)"),
        (own(subject="the capital of  OMAN", template="{} is:", group="control"), "is a control, but the same fact is"),
        (
            own(group="neighbours", subject="", template="the capital of Oman is", neighbour_of="last"),
            "asks as a neighbour what is edited elsewhere: 'the capital of Oman is' is to become 'Cusco' (record 1)",
        ),
        (own(true_answer="Li\ud800ma"), "holds half of a character"),
        (own(paraphrases=["\udfff of {}"]), "holds half of a character"),
    ],
)
def test_an_odd_record_is_left_out_with_the_reason(tmp_path: Path, record: Any, problem: str) -> None:
    good = own(id="good", subject="Oman")
    sheet, problems = told(saved(tmp_path, [good, record, own(id="last", subject="Fiji")]))
    assert [fact.id for fact in sheet] == ["good", "last"]
    assert len(problems) == 1
    assert problems[0].startswith("Record 2 ")
    assert problem.replace("\\", "") in problems[0]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("Peru,The capital is,Cusco,Lima", "doesn't contain its subject: 'Peru' is not in 'The capital is'"),
        (",{} is,Cusco,Lima", "has an empty 'subject'"),
        ("Peru,,Cusco,Lima", "has an empty 'prompt'"),
        ("Peru,{} is,Cusco", "has an empty 'target_true'"),
        ("Peru,{} is,Lima,Lima", "the new answer is the true one"),
        ("Peru,{} is,Cusco, big,Lima", "has 5 cells under 4 headings"),
        ("Oman,{} is,y,x", "repeats line 2"),
    ],
)
def test_an_odd_row_is_left_out_with_its_line(tmp_path: Path, row: str, problem: str) -> None:
    text = f"subject,prompt,target_new,target_true\nOman,{{}} is,y,x\n\n{row}\nFiji,{{}} is,y,x\n"
    facts, problems = read_csv(tmp_path, text)
    assert [fact.subject for fact in facts] == ["Oman", "Fiji"]
    assert len(problems) == 1
    assert problems[0].startswith("Line 4 ")
    assert problem in problems[0]


def test_contradictory_edits_are_all_left_out_with_their_neighbours(tmp_path: Path) -> None:
    rows = [counterfact(1), counterfact(2), counterfact(1, target_new={"str": "Dutch"}) | {"case_id": 3}]
    sheet, problems = told(saved(tmp_path, rows))
    assert [fact.id for fact in sheet] == ["2", "2/neighbour-1", "2/neighbour-2"]
    assert len(problems) == 2
    assert "'English' (record 1) or 'Dutch' (record 3)" in problems[0]


def test_edits_contradict_each_other_however_they_are_spaced_capitalised_and_ended(tmp_path: Path) -> None:
    table = (
        "subject,prompt,target_new,target_true\n"
        "Peru,The capital of Peru is,Cusco,Lima\n"
        "Peru,The capital of  Peru is:,Oslo,Lima\n"
        "Peru,the capital of Peru is,Rome,Lima\n"
        "C++,Who made C++,Ada,Bjarne\n"
        "C,Who made C,Bob,Dennis\n"
    )
    facts, problems = read_csv(tmp_path, table)
    assert [fact.subject for fact in facts] == ["C++", "C"]
    assert [problem.split(":")[0] for problem in problems] == [
        f"Line {line} contradicts another edit" for line in (2, 3, 4)
    ]


def test_a_neighbour_in_a_record_of_its_own_is_named_when_its_edit_is_left_out(tmp_path: Path) -> None:
    records = [own(id="e", new_answer="Lima"), own(id="n", group="neighbours", subject="Chile", neighbour_of="e")]
    _, problems = told(saved(tmp_path, [*records, own(subject="Fiji")]))
    assert problems[1:] == ("Record 2 is the neighbour of 'e', which was left out.",)


def test_one_prompt_may_be_the_neighbour_of_two_edits(tmp_path: Path) -> None:
    sheet, problems = told(saved(tmp_path, [counterfact(1), counterfact(2)]))
    assert len(sheet.group(Group.NEIGHBOURS)) == 4
    assert problems == ()


# ---- what can't be read --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", " \n\n", "[]", '{"format": 1, "facts": []}', "subject,prompt,target_true\n"])
def test_an_empty_sheet_is_an_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(EditViewError, match=r"holds no facts|is empty"):
        read_facts(saved(tmp_path, text))


def test_a_sheet_with_nothing_usable_is_an_error_that_says_why(tmp_path: Path) -> None:
    with pytest.raises(EditViewError, match=r"None of the facts .* Record 1 is to be edited") as caught:
        read_facts(saved(tmp_path, [own(new_answer="Lima"), own(new_answer=None)]))
    assert len(caught.value.details.splitlines()) == 2


def test_text_that_is_not_utf8_is_named_by_byte_and_line_with_a_hint(tmp_path: Path) -> None:
    text = "subject,prompt,target_true\nPeru,{} is,x\nOrléans,The river of {} is,Loire\n"
    source = saved(tmp_path, text.encode("cp1252"), "excel.csv")
    with pytest.raises(EditViewError, match=r"byte 44, in line 3.*'Orléans.*CSV UTF-8"):
        read_facts(source)
    assert Path(source).read_bytes()[43] == "é".encode("cp1252")[0]


def test_a_workbook_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(EditViewError, match=r"Excel workbook.*CSV UTF-8"):
        read_facts(saved(tmp_path, b"PK\x03\x04rest"))


def test_headings_that_cannot_be_told(tmp_path: Path) -> None:
    with pytest.raises(EditViewError, match=r"'wer', 'was'.*'subject' and 'prompt' and 'target_true' can't be told"):
        read_csv(tmp_path, "wer,was\nPeru,x\n")
    with pytest.raises(EditViewError, match="none called 'who'"):
        read_csv(tmp_path, "wer,was\nPeru,x\n", {"subject": "who", "prompt": "was", "target_true": "was"})
    with pytest.raises(EditViewError, match="no column 'colour' in a fact sheet"):
        read_csv(tmp_path, "wer,was\nPeru,x\n", {"colour": "was"})


def test_a_quotation_mark_without_an_end(tmp_path: Path) -> None:
    rows = "".join(f"Peru {i},{{}} is,Lima\n" for i in range(10_000))
    with pytest.raises(EditViewError, match=r"near line 3: .* Often a quotation mark"):
        read_csv(tmp_path, f'subject,prompt,target_true\nFiji,{{}} is,Suva\n"Oman,{{}} is,Muscat\n{rows}')


def test_cells_and_headings_too_long_to_be_any(tmp_path: Path) -> None:
    with pytest.raises(EditViewError, match=r"near line 3: a cell holds more than 131,072 characters\. Mend"):
        read_csv(tmp_path, f"subject,prompt,target_true\nFiji,{{}} is,Suva\nOman,{{}} is,{'x' * 300_000}\n")
    with pytest.raises(EditViewError, match="heading of more than 131,072 characters, so this is no table"):
        read_csv(tmp_path, f"subject,prompt,{'x' * 140_000}\nOman,{{}} is,Muscat\n")
    wide = ",".join(f"heading {i}" for i in range(20_000))
    assert len(read_csv(tmp_path, f"subject,prompt,target_true,{wide}\nOman,{{}} is,Muscat\n")[0]) == 1


def test_unknown_json_and_broken_json(tmp_path: Path) -> None:
    with pytest.raises(EditViewError, match="form that EditView doesn't know"):
        read_facts(saved(tmp_path, [{"question": "x"}]))
    with pytest.raises(EditViewError, match=r"Line 3 .* isn't valid JSON"):
        read_facts(saved(tmp_path, f"[\n{json.dumps(own())},\n{json.dumps(own())[:50]}"))


def test_a_sheet_from_a_newer_version(tmp_path: Path) -> None:
    with pytest.raises(EditViewError, match="made by a newer EditView"):
        read_facts(saved(tmp_path, {"format": 2, "facts": [own()]}))


def test_a_missing_sheet_a_folder_and_one_that_is_too_large(tmp_path: Path) -> None:
    with pytest.raises(EditViewError, match="There is no file"):
        read_facts(str(tmp_path / "nothing.csv"))
    with pytest.raises(EditViewError, match="There is no file '~nobody-of-this-name"):
        read_facts("~nobody-of-this-name/facts.csv")
    with pytest.raises(EditViewError, match=r"No file can be called '\\x00'"):
        read_facts("\0")
    with pytest.raises(EditViewError, match="can't be read"):
        read_facts(str(tmp_path))
    huge = tmp_path / "huge.json"
    with huge.open("wb") as file:
        file.truncate(600_000_000)
    with pytest.raises(EditViewError, match="too large: 600 MB, where EditView reads up to 500 MB"):
        read_facts(str(huge))


@pytest.mark.slow
def test_a_sheet_of_100_megabytes_is_read_in_seconds(tmp_path: Path) -> None:
    import time

    path = tmp_path / "large.json"
    with path.open("w", encoding="utf-8") as file:
        file.write("[")
        for case in range(100_000):
            file.write((",\n" if case else "") + json.dumps(counterfact(case) | {"padding": "x" * 520}))
        file.write("]")
    assert path.stat().st_size > 100e6
    began = time.process_time()
    sheet, problems = read_facts(str(path))
    assert len(sheet) == 300_000
    assert problems == ()
    assert time.process_time() - began < 30
