"""Two checkpoints in words, as rows, as a picture, and as a run whose one step is unknown."""

from __future__ import annotations

from dataclasses import replace

import pytest

from editview.domain.difference import Difference
from editview.domain.plan import Checkpoint
from editview.domain.two_checkpoints import (
    difference_map,
    differing_answers,
    name_of,
    nothing_to_see,
    part_words,
    place_words,
    tensor_rows,
    told_of,
    why_no_spectrum,
)
from editview.domain.weight_map import Place, told
from editview.domain.weights import MatrixKind
from tests import sample, two

SHEET = sample.sheet(4, 2, 2)


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
    assert [row.name for row in rows] == [two.OUT, two.READ, "wte.weight", "extra.scale", two.NORM]
    assert rows[0].where == "Layer 2, memory: writing"
    assert sum(row.share or 0 for row in rows) == pytest.approx(1)
    assert rows[0].by_how_much == "35 %"
    assert [row.by_how_much for row in rows[2:]] == ["+10 rows", "only after", "the same"]
    assert rows[0].rank is not None
    assert rows[1].rank is None
    told = told_of(rows[0])
    assert "9 of its 16 directions stand out of what rounding alone could do" in told
    assert told.endswith(f"{two.OUT}, 64 × 16, F32")


def test_what_came_from_nothing_or_is_no_number_is_said() -> None:
    grown = two.tensor("new", 0, MatrixKind.OTHER, 1.0, norm_before=0.0)
    broken = two.tensor("broken", 0, MatrixKind.MLP_OUT, 0.0, same=False, not_numbers=(0, 3))
    first, second = tensor_rows(Difference(two.BEFORE, two.AFTER, (grown, broken)))
    assert (first.by_how_much, first.share, second.by_how_much) == ("no numbers", None, "from nothing")
    assert "It holds values that are no numbers (NaN or infinite): 3 after." in told_of(first)
    assert "holds values that are no numbers" in why_no_spectrum(first)


def test_other_row_counts_are_told_of_each_tensor() -> None:
    rows = {row.name: row for row in tensor_rows(two.difference())}
    words = rows["wte.weight"]
    assert words.changed
    assert "What both have of *Word embeddings* is the same. It has 100 rows where it had 90" in told_of(words)
    assert why_no_spectrum(words) == "There is no spectrum: what both have of this tensor didn't change."
    assert "only the checkpoint after has this tensor" in why_no_spectrum(rows["extra.scale"])
    assert why_no_spectrum(rows[two.OUT]) == ""
    changed = two.tensor("wte.weight", None, MatrixKind.EMBEDDING, 1.0, rows=(64, 63))
    (row,) = tensor_rows(Difference(two.BEFORE, two.AFTER, (changed,)))
    assert row.by_how_much == "10 %"
    assert "It has 63 rows where it had 64" in told_of(row)
    bias = two.tensor("bias", 0, MatrixKind.NORM, 1.0, shape=(16,))
    (row,) = tensor_rows(Difference(two.BEFORE, two.AFTER, (bias,)))
    assert "no matrix" in why_no_spectrum(row)


def test_the_picture_says_what_no_figure_tells() -> None:
    broken = two.tensor("broken", 0, MatrixKind.MLP_OUT, 5.0, not_numbers=(0, 1))
    found = two.difference()
    drawn = difference_map(replace(found, tensors=(*found.tensors, broken)))
    assert drawn.relative(Place(1, 0, MatrixKind.MLP_OUT)) is None
    assert "no numbers (NaN or infinite): 1 after" in told(drawn, Place(1, 0, MatrixKind.MLP_OUT))
    whole = told(drawn, Place(1, 0, None))
    assert whole.startswith("Update changed layer 1 as a whole by 3.0 %")
    assert whole.endswith("'broken': it holds values that are no numbers (NaN or infinite): 1 after.")
    assert told(drawn, Place(1, None, MatrixKind.EMBEDDING)).startswith("'wte.weight': it has 100 rows where it had 90")


def test_an_empty_picture_says_why_and_what_to_do() -> None:
    same = two.tensor("a", 0, MatrixKind.MLP_OUT, 0.0)
    rounded = replace(same, same=False, rounding=True)
    said = {
        name: nothing_to_see(Difference(two.BEFORE, two.AFTER, (one,), only, settings=settings))
        for name, one, only, settings in (
            ("copy", same, (), ()), ("format", rounded, (), ()), ("settings", same, (), ("x is on",)),
            ("lacking", same, ("b",), ()),
        )
    }  # fmt: skip
    assert said["copy"].startswith("There is nothing to see here: the weights are the same.")
    assert "choose another checkpoint" in said["copy"]
    assert "but for their number format" in said["format"]
    assert all("*Facts* shows whether" in said[name] for name in ("format", "settings"))
    assert said["lacking"].endswith("what both have is the same. What one of them lacks stands in the table.")
    assert nothing_to_see(two.difference()) == ""
    resized = Difference(two.BEFORE, two.AFTER, (replace(same, rows=(1, 2)),))
    assert nothing_to_see(resized) == ""


def test_the_picture_has_one_step_and_all_places() -> None:
    drawn = difference_map(two.difference())
    assert drawn.layers == (0, 1, None)  # the last for the words that were added
    assert drawn.stages == (1,)
    assert drawn.relative(Place(1, 1, MatrixKind.MLP_OUT)) == pytest.approx(0.346, abs=1e-3)
    assert drawn.relative(Place(1, 0, MatrixKind.NORM)) is None
    assert (0, MatrixKind.NORM) in drawn.exists


def test_a_place_of_the_picture_is_called_as_its_tensors_are() -> None:
    for tensor in two.difference().tensors:
        assert place_words(Place(1, tensor.layer, tensor.kind)).casefold() == part_words(tensor).casefold()
    assert place_words(Place(1, 4, None)) == "Layer 5,"


def test_a_checkpoint_is_called_as_a_person_says_it() -> None:
    assert name_of(Checkpoint(source="a folder/it's", adapter="one $HOME")) == "a folder/it's + one $HOME"
    assert name_of(Checkpoint(adapter="two")) == "Demo model + two"
