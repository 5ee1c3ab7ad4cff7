"""What the picture of the weights says of a run."""

from __future__ import annotations

import pytest

from editview.domain.session import Session
from editview.domain.weight_map import Place, by_how_much, headline, percent, scale, told, weight_map
from editview.domain.weights import MatrixKind, combined
from tests import sample


def test_bars_take_all_changed_tensors_of_a_layer_as_one() -> None:
    run = sample.session().latest
    assert run is not None
    drawn = weight_map(run)
    tuned = [change for change in run.stages[2].changes if change.layer == 1]
    assert drawn.relative(Place(2, 1, None)) == pytest.approx(combined(tuned))
    assert drawn.relative(Place(1, 3, None)) is None  # layers 0 and 1 are edited
    assert drawn.layers == (0, 1, 2, 3, None)  # the fine-tune changed the embeddings
    assert (0, MatrixKind.EMBEDDING) not in drawn.exists


def test_nothing_outside_the_layers_is_drawn_until_it_changes() -> None:
    session, plan, sheet = Session(), sample.plan(), sample.sheet()
    for event in sample.events(plan, sheet):
        run = session.apply(event)
        if run.stages[1].changes:
            break
    drawn = weight_map(run)
    assert drawn.layers == (0, 1, 2, 3)
    assert MatrixKind.EMBEDDING not in drawn.kinds
    assert drawn.known == {1}


def test_sentences_name_the_step_the_place_and_the_figure() -> None:
    run = sample.session().latest
    assert run is not None
    drawn = weight_map(run)
    place = Place(1, 0, MatrixKind.MLP_OUT)
    figure = percent(drawn.relative(place) or 0)
    assert told(drawn, place) == f"Edit 10 facts changed how layer 1 writes its memory by {figure}."
    untouched = Place(1, 3, MatrixKind.MLP_OUT)
    assert told(drawn, untouched) == "Edit 10 facts left layer 4, memory: writing as it was."
    assert headline(drawn).startswith("*Edit 10 facts* changed 2 of 4 layers, most of all how layer ")
    assert "*Fine-tune on support tickets* changed all 4 layers, by " in headline(drawn)


def test_what_is_not_known_yet_is_not_called_unchanged() -> None:
    session = Session()
    for event, _ in zip(sample.events(sample.plan(), sample.sheet()), range(3), strict=False):
        run = session.apply(event)
    drawn = weight_map(run)
    assert headline(drawn) == ""
    assert "isn't known yet" in told(drawn, Place(2, 0, MatrixKind.MLP_OUT))


@pytest.mark.parametrize(
    ("figure", "words"),
    [
        (0.0412, "by 4.1 %"),
        (0.994, "by 99 %"),
        (0.996, "by about as much as was there"),
        (1.2, "by about as much as was there"),
        (4.88, "by about five times what was there"),
        (9.6, "by about 10 times what was there"),
    ],
)
def test_a_change_of_more_than_all_is_told_in_times(figure: float, words: str) -> None:
    assert by_how_much(figure) == words


def test_a_scale_goes_by_powers_of_ten_only_where_figures_lie_far_apart() -> None:
    near, far = scale([0.011, 0.037], round_ends=True), scale([0.0002, 0.037], round_ends=True)
    assert near is not None
    assert far is not None
    assert (near.low, near.high, near.log) == (0.0, pytest.approx(0.04), False)
    assert far.log
    assert far.ticks == pytest.approx([1e-4, 1e-3, 1e-2, 1e-1])
    assert [far.share(tick) for tick in far.ticks] == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert scale([], round_ends=True) is None


@pytest.mark.parametrize(
    ("figure", "words"), [(0.0412, "4.1 %"), (0.00032, "0.032 %"), (0.5, "50 %"), (1e-7, "under 0.001 %"), (0, "0 %")]
)
def test_figures_have_two_digits_that_count(figure: float, words: str) -> None:
    assert percent(figure) == words
