"""What is asked about a fine-tune, of which facts, and what is said of what came out: never more than it shows."""

from __future__ import annotations

import pytest

from editview.domain.facts import Group
from editview.domain.interference import (
    HEADINGS,
    Interference,
    LayerInterference,
    Measure,
    Moved,
    Reach,
    basis,
    figures,
    headline,
    told_compared,
    told_moved,
    told_reach,
    weights_sentence,
)
from editview.domain.losses import MOST_EDITS, fine_tunes, question
from editview.domain.operations import FullFineTune, Memit, UndoEdit
from editview.domain.plan import Plan
from editview.domain.requests import MeasureInterference
from editview.domain.session import Run, Session
from tests import sample
from tests.domain.test_survival import run_of

KEPT = tuple(0.10 + 0.01 * i for i in range(12))


def found(kept: tuple[float, ...], lost: tuple[float, ...], reach: Reach | None = None) -> Interference:
    """Two layers, the first of which was edited."""
    moved, reach = Moved(kept, lost, (0.1, 0.2)), reach or Reach(3.2, 3.1, (0.9, 1.1))
    memory = Moved(kept, lost)
    layers = (
        LayerInterference(0, True, reach, 0.31, (moved, moved, memory)),
        LayerInterference(1, False, None, None, (moved, moved, None)),
    )
    return Interference(layers, len(kept), len(lost), 2, len(kept) + len(lost))


def test_a_difference_is_told_only_where_the_interval_leaves_no_doubt() -> None:
    assert headline(found(KEPT, KEPT)) == (
        "Lost facts moved further than kept ones in 50 % of pairs (95 % interval 29 to 71 %): this doesn't tell lost "
        "from kept facts."
    )
    further = headline(found(KEPT, tuple(x + 0.2 for x in KEPT)))
    assert further.startswith("Lost facts moved further than kept ones in 100 % of pairs")
    assert further.endswith("what moved further was lost more often.")
    assert headline(found(KEPT, tuple(x - 0.2 for x in KEPT))).endswith("what moved less was lost more often.")


@pytest.mark.parametrize(
    ("kept", "lost", "said"),
    [
        (KEPT, (), "All 12 edits survived"),
        ((), KEPT, "All 12 edits were lost"),
        (KEPT, (0.1, 0.2), "Only 2 edits were lost: too few"),
        ((0.1, 0.2, 0.3, 0.4), KEPT, "Only 4 edits survived: too few"),
    ],
)
def test_where_there_is_nothing_to_compare_it_says_so(
    kept: tuple[float, ...], lost: tuple[float, ...], said: str
) -> None:
    result = found(kept, lost)
    assert headline(result).startswith(said)
    assert "comparisons" not in basis(result)
    assert "too few facts" in told_compared(result, 0, Measure.SUBJECT)


def test_weights_are_told_beside_both_yardsticks() -> None:
    assert weights_sentence(found(KEPT, KEPT)) == (
        "In layer 1, where the edits wrote, the fine-tune changes what is written for the edited facts by 31 % of what "
        "the edits wrote: 3.2 times what random directions would get (facts that nobody edited: 3.1 times)."
    )
    assert "3.2 times as much" in told_reach(found(KEPT, KEPT), 0)
    assert "left its memory as it was" in told_reach(found(KEPT, KEPT), 1)
    untouched = LayerInterference(0, True, None, 0.0, (Moved(KEPT, KEPT), Moved(KEPT, KEPT), None))
    assert weights_sentence(Interference((untouched,), 12, 12, 0, 24)).endswith(
        "left the memory's matrices as they were."
    )


def test_the_number_of_comparisons_is_told_with_what_chance_would_give() -> None:
    said = basis(found(KEPT, tuple(x + 0.2 for x in KEPT)))
    assert (
        "Of all 5 comparisons that were made, 5 tell lost from kept facts; about one in twenty would by chance" in said
    )
    assert "doesn't say that one causes the other" in said
    assert "behind layer 1, where the edits aim" in said


def test_tooltips_and_figures_name_layers_as_people_count() -> None:
    result = found(KEPT, KEPT)
    assert told_moved(result, 1, Measure.SUBJECT) == (
        "Layer 2 (index 1), state at the subject's last piece: moved by this share of its length (median): kept 16 %, "
        "lost 16 %, controls 15 %."
    )
    assert "no edit wrote here" in told_moved(result, 1, Measure.MEMORY)
    assert "no edit wrote here" in told_compared(result, 1, Measure.MEMORY)
    rows = figures(result)
    assert rows[0][:5] == ["1*", "31.0 %", "3.20", "0.90–1.10", "3.10"]
    assert rows[1][:5] == ["2", "–", "–", "–", "–"]
    assert all(len(row) == len(HEADINGS) for row in rows)


# ---- what is asked --------------------------------------------------------------------------------------------------


def test_kept_and_lost_are_edits_that_stood_before() -> None:
    # e1 gave its new answer before anything edited it: no edit's work. c2 is a control whatever it answers.
    asked = question(run_of(sample.plan(), ["e1 c0 c1", "e0 e1 e2 c0 c1", "e2 c0"]))
    assert isinstance(asked, MeasureInterference)
    assert [fact.id for fact in asked.kept] == ["e2"]
    assert [fact.id for fact in asked.lost] == ["e0"]
    assert [fact.id for fact in asked.controls] == ["c0", "c1", "c2"]
    assert (asked.before, asked.after, asked.edits, asked.stood) == ("1", "2", (("0", "1"),), 2)


def test_each_fine_tune_after_an_edit_that_stands_can_be_asked_about() -> None:
    tune, again = FullFineTune(id="a"), FullFineTune(id="b")
    edit, back = Memit(id="e", layers=(0,)), UndoEdit(edit="e")
    assert fine_tunes(Plan(operations=(tune, edit, again))) == (3,)
    assert fine_tunes(Plan(operations=(edit, tune, again))) == (2, 3)
    assert fine_tunes(Plan(operations=(edit, back, tune))) == ()
    run = run_of(Plan(operations=(edit, tune, again)), ["", "e0 e1", "e0", "e0"])
    first, last = question(run, 2), question(run)
    assert isinstance(first, MeasureInterference)
    assert isinstance(last, MeasureInterference)
    assert ([fact.id for fact in first.lost], first.before) == (["e1"], "1")
    assert (last.lost, last.before, last.after, last.edits) == ((), "2", "3", (("0", "1"),))


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (None, "Nothing has run yet"),
        (run_of(sample.plan(edit_first=False), ["", "", "e0"]), "no fine-tune after an edit"),
        (run_of(sample.plan(), ["", "e0"]), "hasn't been run to its end"),
        (run_of(sample.plan(), ["", "c0", "c0"]), "No edit that names its subject stood"),
    ],
)
def test_where_nothing_can_be_asked_it_says_what_to_do(run: Run | None, said: str) -> None:
    why = question(run)
    assert isinstance(why, str)
    assert said in why


def test_of_many_edits_some_are_drawn_the_same_ones_each_time() -> None:
    sheet, session = sample.sheet(MOST_EDITS + 100, 0, 2), Session()
    for event in sample.events(sample.plan(), sheet):
        run = session.apply(event)
    asked = question(run)
    assert isinstance(asked, MeasureInterference)
    assert asked == question(run)
    assert len(asked.kept) + len(asked.lost) == MOST_EDITS < asked.stood
    assert all(fact.group is Group.EDITED for fact in (*asked.kept, *asked.lost))
    assert asked.kept
    assert asked.lost
