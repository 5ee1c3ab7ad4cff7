"""Two checkpoints are told by which answers they give: of a sheet that nobody edited in, nothing has failed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from editview.domain.answers_of_both import Said, headline, mark, said, sentence, told
from editview.domain.facts import Group
from editview.domain.look import NOT_ASKED
from editview.domain.session import Run
from editview.domain.verdicts import Change
from tests import sample, two

SHEET = sample.sheet(4, 2, 2)
EDITED, CONTROL = Group.EDITED, Group.CONTROL
ANOTHER, ORIGINAL, PART, WANTED = Said.ANOTHER, Said.ORIGINAL, Said.IN_PART, Said.WANTED


def says(run: Run, stage: int, fact_id: str, text: str) -> None:
    """Let a checkpoint give another answer that isn't the wanted one."""
    was = run.stages[stage].checks[fact_id]
    answers = tuple(replace(answer, said=text, gives=False) for answer in was.answers)
    run.stages[stage].checks[fact_id] = replace(was, answers=answers)


def test_an_answer_is_the_wanted_one_the_original_one_or_another() -> None:
    fact = SHEET.facts[0]
    given, not_given = two.check(fact, True).answers, two.check(fact, False).answers
    assert said(fact, given) is WANTED
    assert said(fact, (given[0], not_given[1])) is PART
    assert said(fact, not_given) is ORIGINAL
    assert said(fact, (replace(not_given[0], said="rubbish"), given[1])) is ANOTHER
    assert said(fact, ()) is Said.NOT_ASKED
    control = next(fact for fact in SHEET if fact.group is CONTROL)
    assert said(control, two.check(control, False).answers) is ANOTHER


@pytest.mark.parametrize(
    ("group", "before", "after", "words", "roles"),
    [
        (EDITED, ORIGINAL, ORIGINAL, "original answer by both", ("neutral", "neutral")),
        (EDITED, ANOTHER, ANOTHER, "another answer by both", ("neutral", "neutral")),
        (EDITED, WANTED, WANTED, "new answer by both", ("neutral", "neutral")),
        (EDITED, PART, PART, "new answer by both", ("neutral", "neutral")),
        (EDITED, ORIGINAL, WANTED, "new answer after only", ("neutral", "holds")),
        (EDITED, ANOTHER, PART, "new answer after only", ("neutral", "weak")),
        (EDITED, WANTED, ORIGINAL, "new answer before only", ("holds", "fails")),
        (EDITED, ORIGINAL, ANOTHER, "original answer before only", ("neutral", "fails")),
        (EDITED, ANOTHER, ORIGINAL, "original answer after only", ("neutral", "neutral")),
        (EDITED, WANTED, PART, "new answer by both", ("holds", "weak")),
        (CONTROL, ANOTHER, ANOTHER, "right answer by neither", ("neutral", "neutral")),
        (CONTROL, WANTED, WANTED, "right answer by both", ("neutral", "neutral")),
        (CONTROL, WANTED, ANOTHER, "right answer before only", ("holds", "fails")),
        (CONTROL, ANOTHER, WANTED, "right answer after only", ("neutral", "holds")),
    ],
)
def test_what_differs_is_coloured_and_only_what_was_right_before_is_red(
    group: Group, before: Said, after: Said, words: str, roles: tuple[str, str]
) -> None:
    assert told(group, before, after) == words
    marks = mark(group, before, after, after=False), mark(group, after, before, after=True)
    assert tuple(one.role for one in marks) == roles
    assert (marks[1].glyph == "✗") is (roles[1] == "fails")
    assert marks[0].glyph != "✗"


def test_until_the_other_is_asked_nothing_is_told_and_nothing_coloured() -> None:
    assert told(EDITED, WANTED, Said.NOT_ASKED) == ""
    assert mark(EDITED, WANTED, Said.NOT_ASKED, after=False).role == "neutral"
    assert mark(EDITED, Said.NOT_ASKED, WANTED, after=True) == NOT_ASKED


def test_where_nothing_differs_nothing_is_called_a_failure() -> None:
    run = two.asked(SHEET, {"n0", "n1", "c0"}, {"n0", "n1", "c0"})
    assert headline(run) == "0 of 8 facts are answered differently"
    assert sentence(run).startswith(
        "None of 4 new answers is given by either. All 4 original answers are given by both. "
        "All 2 neighbours are answered rightly by both. Of 2 controls, 1 is answered rightly by both, 1 by neither. "
    )
    assert {run.change(fact, 1) for fact in SHEET.group(EDITED)} == {Change.BY_NEITHER}
    assert {run.change(fact, 0) for fact in SHEET} == {None}


def test_the_sentence_counts_who_gives_which_answers() -> None:
    run = two.asked(SHEET, {"e0", "e1", "c0", "c1"}, {"e1", "e2", "c0"})
    assert headline(run) == "3 of 8 facts are answered differently"
    assert sentence(run).startswith(
        "Of 4 new answers, 1 is given before only, 1 after only, 1 by both, 1 by neither. "
        "Of 4 original answers, 1 is given before only, 1 after only, 1 by both, 1 by neither. "
        "None of 2 neighbours is answered rightly by either. "
        "Of 2 controls, 1 is answered rightly before only, 1 by both. "
        "New answers given: 2 before and 2 after, of 4 (+0 points, 95 % interval -"
    )
    says(run, 0, "n0", "some")
    assert headline(run) == "4 of 8 facts are answered differently"
    assert sentence(run).startswith("1 of them only in other words. Of 4 new")


def test_what_differs_only_in_other_words_is_told_apart() -> None:
    run = two.asked(SHEET, set(), set())
    for fact_id, text in (("c0", "one"), ("c1", "two")):
        says(run, 1, fact_id, text)
    assert headline(run) == "2 of 8 facts are answered differently"
    assert sentence(run).startswith("All only in other words. ")


def test_of_a_single_fact_it_is_told_in_the_singular() -> None:
    run = two.asked(sample.sheet(1, 0, 0), set(), {"e0"})
    assert headline(run) == "1 of 1 facts is answered differently"
    assert sentence(run).startswith("The new answer is given after only. The original answer is given before only. ")
