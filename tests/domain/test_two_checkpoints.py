"""Two checkpoints in words, as rows, as a picture, and as a run whose one step is unknown."""

from __future__ import annotations

import shlex
from dataclasses import replace

import pytest

from editview.cli import _parser
from editview.domain.difference import Difference
from editview.domain.facts import Group
from editview.domain.plan import Checkpoint
from editview.domain.sentences import summary
from editview.domain.two_checkpoints import (
    command,
    difference_map,
    differing_answers,
    name_of,
    part_words,
    place_words,
    sureness,
    tensor_rows,
    told_of,
)
from editview.domain.verdicts import Change
from editview.domain.weight_map import Place
from editview.domain.weights import MatrixKind
from tests import sample, two

SHEET = sample.sheet(4, 2, 2)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (False, False, Change.NEVER_TOOK),
        (False, True, Change.TOOK),
        (True, True, Change.SURVIVED),
        (True, False, Change.LOST),
    ],
)
def test_an_edit_that_stood_before_counts_as_made_before(before: bool, after: bool, expected: Change) -> None:
    run = two.asked(SHEET, {"e0"} if before else set(), {"e0"} if after else set())
    edit = SHEET.facts[0]
    assert run.change(edit, 1) is expected
    assert run.change(edit, 0) is (Change.TOOK if before else Change.PENDING)
    assert not run.known_before("e0")


def test_other_facts_are_intact_or_damaged_as_in_any_run() -> None:
    run = two.asked(SHEET, {"n0", "c0", "c1"}, {"n0", "c0", "n1"})
    became = {fact.id: run.change(fact, 1) for fact in SHEET if fact.group is not Group.EDITED}
    assert became == {"n0": Change.INTACT, "n1": Change.NEVER_KNOWN, "c0": Change.INTACT, "c1": Change.DAMAGED}


def test_the_sentence_counts_what_the_update_lost_and_made() -> None:
    run = two.asked(SHEET, {"e0", "e1", "c0", "c1"}, {"e1", "e2", "c0"})
    assert summary(run, 1) == ("2 of 4 edits hold; 1 was lost during *Update*; 1 never took; 1 of 2 controls was lost.")
    assert sureness(run).startswith("New answers given: 2 before and 2 after, of 4 (+0 points, 95 % interval -")
    assert differing_answers(run) == ["e0", "e2", "c1"]


def test_an_answer_in_other_words_differs_though_the_verdict_is_the_same() -> None:
    run = two.asked(SHEET, set(), set())
    assert differing_answers(run) == []
    wrong = run.stages[1].checks["c0"]
    other = replace(wrong.answers[0], said="nonsense")
    run.stages[1].checks["c0"] = replace(wrong, answers=(other,))
    assert differing_answers(run) == ["c0"]


def test_rows_tell_the_largest_change_first_and_what_only_one_has_last() -> None:
    found = two.difference()
    rows = tensor_rows(found)
    assert [row.name for row in rows] == [two.OUT, two.READ, "extra.scale", "wte.weight", two.NORM]
    assert rows[0].where == "Layer 2, memory: writing"
    assert sum(row.share or 0 for row in rows) == pytest.approx(1)
    assert rows[0].by_how_much == "35 %"
    assert [row.by_how_much for row in rows[2:]] == ["only after", "the same", "the same"]
    assert rows[0].rank is not None
    assert rows[1].rank is None
    told = told_of(rows[0])
    assert "9 of its 16 directions stand out of what rounding alone could do" in told
    assert told.endswith(f"{two.OUT}, 64 × 16, F32")


def test_what_came_from_nothing_or_is_not_finite_is_said() -> None:
    grown = two.tensor("new", 0, MatrixKind.OTHER, 1.0, norm_before=0.0)
    broken = two.tensor("broken", 0, MatrixKind.OTHER, float("nan"))
    rows = {row.name: row for row in tensor_rows(Difference(two.BEFORE, two.AFTER, (grown,)))}
    assert rows["new"].by_how_much == "from nothing"
    (row,) = tensor_rows(Difference(two.BEFORE, two.AFTER, (broken,)))
    assert row.by_how_much == "not finite"
    assert "isn't finite" in told_of(row)


def test_the_picture_has_one_step_and_all_places() -> None:
    drawn = difference_map(two.difference())
    assert drawn.layers == (0, 1)
    assert drawn.stages == (1,)
    assert drawn.relative(Place(1, 1, MatrixKind.MLP_OUT)) == pytest.approx(0.346, abs=1e-3)
    assert drawn.relative(Place(1, 0, MatrixKind.NORM)) is None
    assert (0, MatrixKind.NORM) in drawn.exists


def test_a_place_of_the_picture_is_called_as_its_tensors_are() -> None:
    for tensor in two.difference().tensors:
        assert place_words(Place(1, tensor.layer, tensor.kind)).casefold() == part_words(tensor).casefold()
    assert place_words(Place(1, 4, None)) == "Layer 5,"


def test_the_command_names_the_same_two_whatever_they_are_called() -> None:
    first = Checkpoint(source="a folder/it's", adapter="one $HOME")
    second = Checkpoint(source="demo", adapter="two", allow_code=True)
    options = _parser(lambda paths: 0).parse_args(shlex.split(command(first, second))[1:])
    assert (options.first, options.first_adapter, options.second, options.adapter) == (
        "a folder/it's", "one $HOME", "demo", "two"
    )  # fmt: skip
    assert options.allow_code
    assert command(Checkpoint(source="a"), Checkpoint(source="b")) == "editview diff a b"
    assert name_of(first) == "a folder/it's + one $HOME"
    assert name_of(second) == "Demo model + two"
