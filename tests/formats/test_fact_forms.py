"""The forms of JSON that people have: what becomes of their fields, and what of their oddities."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from editview.domain.errors import EditViewError
from editview.domain.facts import Fact, FactSheet, Group
from editview.domain.left_out import Why
from editview.domain.sentences import sheet_sentence
from editview.formats.fact_sheets import preview, read_facts
from tests.formats import known_forms as known
from tests.formats.known_forms import Record

ALT = {"target_new": "alt"}


def saved(folder: Path, records: Any) -> str:
    path = folder / "sheet.csv"  # the name says nothing
    path.write_text(json.dumps(records), encoding="utf-8")
    return str(path)


def read(folder: Path, *records: Record, **columns: str) -> tuple[FactSheet, list[str]]:
    sheet, left_out = read_facts(saved(folder, list(records)), columns)
    return sheet, [str(one) for one in left_out]


def edit_and_neighbours(folder: Path, record: Record, **columns: str) -> tuple[Fact, list[tuple[str, str, str | None]]]:
    """The one edit of a record, and prompt, wanted and other answer of each neighbour."""
    sheet, problems = read(folder, record, **columns)
    assert problems == []
    (edit,) = sheet.group(Group.EDITED)
    neighbours = sheet.group(Group.NEIGHBOURS)
    assert len(neighbours) == len(sheet) - 1
    assert all(fact.neighbour_of == edit.id for fact in neighbours)
    return edit, [(fact.prompt, fact.wanted, fact.other) for fact in neighbours]


# ---- each form -----------------------------------------------------------------------------------------------------


def test_counterfact(tmp_path: Path) -> None:
    edit, neighbours = edit_and_neighbours(tmp_path, known.counterfact(7))
    assert edit == Fact(
        "7", Group.EDITED, "Song 7", "{} was written in", "French", "Dutch",
        ("It rained. The language of {} is", "{}, sung in"),
    )  # fmt: skip
    assert neighbours == [
        ("Chanson Une was written in", "French", "Dutch"), ("The language of Chanson Deux is", "French", "Dutch")
    ]  # fmt: skip


def test_every_rewrite_of_mquake_is_an_edit_and_its_own_question_a_paraphrase(tmp_path: Path) -> None:
    sheet, problems = read(tmp_path, known.mquake(7))
    assert problems == []
    assert list(sheet) == [
        Fact("7-1", Group.EDITED, "Ada 7", "{} lives in", "Rome", "Oslo", ("Where does {} live?",)),
        Fact("7-2", Group.EDITED, "Oslo 7", "The mayor of {} is", "Eve", "Bob", ("Who is the mayor of {}?",)),
    ]
    assert sheet.read_as == "MQuAKE"


@pytest.mark.parametrize(
    ("column", "true", "new"), [("alt", "Rightaceae", "Wrongaceae"), ("answers", "", "Rightaceae")]
)
def test_zsre_takes_the_new_answer_that_was_chosen_and_says_so(
    tmp_path: Path, column: str, true: str, new: str
) -> None:
    edit, neighbours = edit_and_neighbours(tmp_path, known.zsre(7), target_new=column)
    assert edit == Fact(
        "fact-1", Group.EDITED, "Moss 7", "Which family does {} belong to?", true, new, ("What family are {}?",)
    )
    assert edit.other == (true or None)
    assert neighbours == [("who sang the first song?", "The Singers", None)]
    sheet, left_out = read_facts(saved(tmp_path, [known.zsre()]), {"target_new": column})
    assert f"read as zsRE with its '{column}' as the new answers: 1 fact to edit" in sheet_sentence(sheet, left_out)


@pytest.mark.parametrize("columns", [{}, {"target_new": "answer"}])
def test_zsre_is_not_read_before_it_is_said_how(tmp_path: Path, columns: dict[str, str]) -> None:
    source = saved(tmp_path, [known.zsre()])
    with pytest.raises(EditViewError, match=r"'answers' and 'alt' .*--column target_new=answers"):
        read_facts(source, columns)
    shown = preview(source)
    assert shown.new_answers == ("answers", "alt")
    first = dict(zip(shown.columns, shown.rows[0], strict=True))
    assert (first["answers"], first["alt"]) == ("Rightaceae", "Wrongaceae")


def test_wiki_counterfact(tmp_path: Path) -> None:
    edit, neighbours = edit_and_neighbours(tmp_path, known.wiki_counterfact(7))
    assert edit == Fact(
        "fact-1", Group.EDITED, "Fred 7", "The name of the position held by {} is", "mayor of Vienna", "Bishop of León",
        ("The name of the position held by Frederic 7 is",),  # the other alias asks something else
    )  # fmt: skip
    assert neighbours == [
        ("The gender of Fred 7 is", "male", None),
        (
            "The name of the position held by Fred 7, which is not Bishop of León, is",
            "mayor of Vienna", "Bishop of León",
        ),
    ]  # fmt: skip


def test_wiki_recent_names_no_old_answer_and_nests_its_aliases(tmp_path: Path) -> None:
    edit, neighbours = edit_and_neighbours(tmp_path, known.wiki_recent(7))
    assert (edit.new_answer, edit.true_answer, edit.other) == ("Berlin", "", None)
    assert edit.paraphrase_prompts == ("The place of death of Martin Leo 7 is",)
    assert [(prompt.split()[-3], wanted) for prompt, wanted, _ in neighbours] == [("Leo", "Albert"), ("7", "3")]


def test_zsre_of_knowedit_wikibio_and_the_flat_form_of_easyedit(tmp_path: Path) -> None:
    edit, neighbours = edit_and_neighbours(tmp_path, known.knowedit_zsre(7))
    assert (edit.true_answer, edit.paraphrases) == ("Trinity College", ("Where did {} study?",))
    assert neighbours == [("Watts 7 had the job", "designer", None)]
    edit, neighbours = edit_and_neighbours(tmp_path, known.wikibio(7))
    assert edit.template == "This is a passage about {}. John R was a doctor."
    assert (edit.new_answer, edit.true_answer) == ("He was taught by his father.", "")
    assert neighbours == [("The gender of john r 7 is", "male", None)]
    edit, neighbours = edit_and_neighbours(tmp_path, known.easyedit(7))
    assert (edit.id, edit.true_answer, edit.paraphrases) == ("7", "guitar", ("{} is incredible at",))
    assert neighbours == [("John performs on the", "guitar", "piano")]


def test_ripple_edits(tmp_path: Path) -> None:
    edit, neighbours = edit_and_neighbours(tmp_path, known.ripple_edits(7))
    assert edit == Fact(
        "fact-1", Group.EDITED, "Leo di Capri 7", "The name of the country of citizenship of {} is",
        "United States of America", "Syria", ("The name of the country of citizenship of Leonardo 7 is",),
    )  # fmt: skip
    assert neighbours == [
        ("The name of the mother of Leo di Capri 7 is", "Irma", None),
        ("The gender of Leo di Capri 7 is", "male", None),
        (
            "The name of the country of citizenship of Leo di Capri 7, which is not Syria, is",
            "United States of America", "Syria",
        ),
    ]  # fmt: skip
    misspelt = known.ripple_edits(7)
    misspelt["Relation_Specifity"] = misspelt.pop("Relation_Specificity")
    assert edit_and_neighbours(tmp_path, misspelt) == (edit, neighbours)


# ---- subject and answer of RippleEdits -----------------------------------------------------------------------------


def ripple(statement: str, *asked: Record, relation: str = "AUTHOR", original: str | None = None) -> Record:
    edit = {"prompt": statement, "subject_id": "Q1", "relation": relation, "target_id": "Q2"}
    if original:
        edit["original_fact"] = {"prompt": original}
    return {"example_type": "recent", "edit": edit, "Relation_Specificity": [known.case(one) for one in asked]}


def about(prompt: str) -> Record:
    return known.query(prompt, "Q1", "OTHER", ("Q5", "something"))


@pytest.mark.parametrize(
    ("record", "subject", "new"),
    [
        (ripple("The author of What is Life is Ada.", about("The genre of What is Life is")), "What is Life", "Ada"),
        (
            ripple(
                "The anthem of Fiji is This is Home.", about("The capital of Fiji is"),
                original="The anthem of Fiji is God Bless.",
            ),
            "Fiji", "This is Home",
        ),
        (
            ripple(
                "The country which the Big Lake is associated with is Chad.",
                about("The religion which the Big Lake is associated with is"),
                about("The country which the Big Lake is the capital of is"),
            ),
            "the Big Lake", "Chad",
        ),
        (
            ripple("The names of the siblings of Ada are Bob Ltd..", about("The number of children Ada has is")),
            "Ada", "Bob Ltd.",
        ),
        (ripple("The gender of Al A Soukas is neutral."), "Al A Soukas", "neutral"),
        (ripple("The name of the award My Uncle won is Gold."), "My Uncle", "Gold"),
        (
            ripple("The place of birth of van Gogh is Rome.", about("The date of birth of van Gogh is")),
            "van Gogh", "Rome",
        ),
        (ripple("Bowl LV is followed by Bowl LVI.", relation="FOLLOWED_BY"), "Bowl LV", "Bowl LVI"),
        (ripple("Bowl LV follows Bowl LIV.", relation="FOLLOWS"), "Bowl LV", "Bowl LIV"),
        (  # written small, and named by the answer to another question
            ripple(
                "The inventor of jazz is Jelly.",
                known.query("Jelly plays", "Q2", "GENRE", ("Q1", "jazz")),
            ),
            "jazz", "Jelly",
        ),
    ],
)  # fmt: skip
def test_subject_and_answer_are_found_in_the_sentence(tmp_path: Path, record: Record, subject: str, new: str) -> None:
    edit, _ = edit_and_neighbours(tmp_path, record)
    assert (edit.subject, edit.new_answer) == (subject, new)


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        (ripple("The author of jazz is Ada.", about("The home of jazz is")), "doesn't say which words of"),
        (
            ripple("The author of Life of Pi is Ada.", about("The genre of another work is")),
            "doesn't say which words of 'The author of Life of Pi is' are its subject",
        ),
        (ripple("Ada wrote Life."), "doesn't say where the answer begins in 'Ada wrote Life.'"),
        (
            ripple("The author of Life is Ada.", about("The genre of Life is"), original="Bob wrote Life."),
            "doesn't say where the answer begins",
        ),
    ],
)
def test_an_edit_whose_words_cannot_be_told_is_left_out(tmp_path: Path, record: Record, problem: str) -> None:
    sheet, problems = read(tmp_path, record, known.ripple_edits())
    assert len(sheet.group(Group.EDITED)) == 1
    assert len(problems) == 1
    assert problem in problems[0]


# ---- oddities ------------------------------------------------------------------------------------------------------


def test_what_is_forgotten_is_another_answer_than_the_new_one(tmp_path: Path) -> None:
    record = known.ripple_edits(1)
    asked = record["Forgetfulness"][0]["test_queries"][0]
    asked["answers"] = [{"value": "syria", "aliases": ["SYR"]}, {"value": "France", "aliases": []}]
    _, neighbours = edit_and_neighbours(tmp_path, record)
    assert neighbours[-1][1:] == ("France", "Syria")
    other = known.wiki_counterfact(1)
    other["locality"]["Forgetfulness"][0]["ground_truth"] = [["Bishop of León", "a bishop"], ["mayor", "a mayor"]]
    _, neighbours = edit_and_neighbours(tmp_path, other)
    assert neighbours[-1][1:] == ("mayor", "Bishop of León")


@pytest.mark.parametrize(
    ("make", "change", "problem"),
    [
        (known.zsre, {"alt": ""}, "has an empty 'alt'"),
        (known.zsre, {"answers": []}, "has no 'answers', or empty ones"),
        (known.zsre, {"answers": ["wrongaceae "]}, "the new answer is the true one"),
        (known.zsre, {"subject": "Fern"}, "has a prompt that doesn't contain its subject: 'Fern'"),
        (known.wiki_recent, {"target_new": ""}, "has no 'target_new', or an empty one"),
        (known.wiki_recent, {"target_new": [[]]}, "has no 'target_new', or an empty one"),
        (known.wiki_recent, {"subject": None}, "has no 'subject'"),
        (known.wiki_recent, {"locality": ["x"]}, "has a 'locality' that is no object with named fields"),
        (known.wiki_recent, {"portability": {"Subject_Aliasing": "x"}}, "is no list of prompts with their answers"),
        (known.wikibio, {"concept": ""}, "has an empty 'concept'"),
        (known.ripple_edits, {"Forgetfulness": [1]}, "has a 'Forgetfulness' that is no list of objects"),
        (known.mquake, {"requested_rewrite": []}, "asks for no edit"),
        (known.mquake, {"requested_rewrite": [3]}, "has a rewrite that is no object with named fields"),
    ],
)
def test_an_odd_record_is_left_out_with_the_reason(
    tmp_path: Path, make: Callable[[int], Record], change: dict[str, Any], problem: str
) -> None:
    sheet, problems = read(tmp_path, make(1), make(2) | change, make(3), **ALT)
    assert {fact.subject[-1] for fact in sheet.group(Group.EDITED)} == {"1", "3"}
    assert len(problems) == 1
    assert problems[0].startswith("Record 2 ")
    assert problem in problems[0]


def test_what_is_odd_in_a_part_costs_that_part_only(tmp_path: Path) -> None:
    hollow = known.wiki_counterfact(1)
    hollow["locality"]["Relation_Specificity"] += [{"prompt": "The age of it is", "ground_truth": [[]]}, {}]
    broken = known.mquake(2)
    del broken["requested_rewrite"][1]["subject"]
    path = saved(tmp_path, [hollow, broken])
    sheet, left_out = read_facts(path)
    assert len(sheet.group(Group.EDITED)) == 2
    assert len(sheet.group(Group.NEIGHBOURS)) == 2
    assert [(one.where, one.why) for one in left_out] == [("Record 1", Why.PART), ("Record 2", Why.PART)]
    assert str(left_out[0]) == "Record 1 has 2 neighbours without a prompt or without an answer."
    assert str(left_out[1]) == "Record 2 has no 'subject' (its edit 2)."
    assert sheet_sentence(sheet, left_out).endswith("2 records are used but for a part.")


def test_records_of_no_form_are_named_beside_those_of_one(tmp_path: Path) -> None:
    sheet, problems = read(tmp_path, {"note": "made by hand"}, known.counterfact(1), {"x": 1}, known.wiki_recent(2))
    assert [fact.id for fact in sheet.group(Group.EDITED)] == ["1", "fact-4"]
    assert [problem.split(" ")[:2] for problem in problems] == [["Record", "1"], ["Record", "3"]]
    assert sheet.read_as == "CounterFact and KnowEdit"


def test_a_long_file_without_any_fact_is_refused_soon(tmp_path: Path) -> None:
    records = [{"instruction": "x", "output": "y"}] * 500
    path = tmp_path / "broken-later.json"
    path.write_text(json.dumps(records)[:-1] + ", oops", encoding="utf-8")
    with pytest.raises(EditViewError, match=r"CounterFact, MQuAKE, RippleEdits, zsRE, KnowEdit, and tables \(CSV\)"):
        read_facts(str(path))


# ---- contradictions and duplicates ---------------------------------------------------------------------------------


def wanting(answer: str, i: int) -> Record:
    return known.own(1) | {"id": f"f{i}", "new_answer": answer}


@pytest.mark.parametrize(
    ("keep", "used"),
    [(None, []), ("none", []), ("first", [("f1", "Cusco")]), ("last", [("f3", "Puno")])],
)
def test_of_contradictory_edits_those_are_used_that_were_chosen(
    tmp_path: Path, keep: str | None, used: list[tuple[str, str]]
) -> None:
    records = [wanting("Cusco", 1), wanting("Oslo", 2), wanting("Puno", 3), known.own(9)]
    sheet, left_out = read_facts(saved(tmp_path, records), {"contradictions": keep} if keep else {})
    assert [(fact.id, fact.new_answer) for fact in sheet] == [*used, ("f9", "Cusco")]
    assert {one.why for one in left_out} == {Why.CONTRADICTS}
    assert len(left_out) == 3 - len(used)
    outcome = f"'{used[0][1]}' is used." if used else "None of them is used."
    assert all(str(one).endswith(outcome) for one in left_out)
    assert "'Cusco' (record 1) or 'Oslo' (record 2) or 'Puno' (record 3)" in str(left_out[0])


def test_of_many_contradictory_answers_the_first_are_told(tmp_path: Path) -> None:
    _, left_out = read_facts(saved(tmp_path, [wanting(f"town {i}", i) for i in range(4000)] + [known.own(5)]))
    assert len(left_out) == 4000
    assert "or 'town 4' (record 5) or one of 3,995 more. None of them is used" in str(left_out[-1])


def test_what_stays_is_not_what_is_edited_by_the_edit_that_is_kept(tmp_path: Path) -> None:
    neighbour = {"id": "n", "group": "neighbours", "template": "The capital of Land 1 is", "true_answer": "Oslo"}
    records = [wanting("Cusco", 1), wanting("Oslo", 2), neighbour]
    sheet, _ = read_facts(saved(tmp_path, records), {"contradictions": "last"})
    assert [fact.id for fact in sheet] == ["f2"]  # 'repeats': the edit asks for what the neighbour is
    sheet, left_out = read_facts(saved(tmp_path, records), {"contradictions": "first"})
    assert [fact.id for fact in sheet] == ["f1"]
    assert left_out[-1].why is Why.EDITED


def test_edits_that_say_the_same_are_one(tmp_path: Path) -> None:
    turned = known.own(1) | {"id": "f3", "subject": "the capital of land 1", "template": "{} is"}
    records = [wanting("Cusco", 1), wanting(" cusco", 2), turned]
    sheet, left_out = read_facts(saved(tmp_path, records))
    assert [fact.id for fact in sheet] == ["f1"]
    assert [one.why for one in left_out] == [Why.DUPLICATE] * 2


def test_an_edit_that_cannot_be_used_contradicts_nothing(tmp_path: Path) -> None:
    sheet, left_out = read_facts(saved(tmp_path, [wanting("Cusco", 1), wanting("lima", 2)]))
    assert [fact.id for fact in sheet] == ["f1"]
    assert [one.why for one in left_out] == [Why.SAME]


def test_a_choice_that_there_is_not(tmp_path: Path) -> None:
    with pytest.raises(EditViewError, match="'both' can't be used; choose none, first, last"):
        read_facts(saved(tmp_path, [known.own()]), {"contradictions": "both"})


def test_the_choice_for_contradictions_stands_beside_the_columns_of_a_table(tmp_path: Path) -> None:
    table = tmp_path / "table.json"
    table.write_text("subject,prompt,target_new,target_true\nPeru,{} is,big,small\nPeru,{} is,wide,small\n")
    sheet, _ = read_facts(str(table), {"contradictions": "last"})
    assert [fact.new_answer for fact in sheet] == ["wide"]
