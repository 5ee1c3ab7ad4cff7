"""One axis for points and training steps."""

from __future__ import annotations

from editview.domain.operations import FullFineTune
from editview.domain.plan import Plan
from editview.domain.timeline import timeline
from tests import sample


def test_a_fine_tune_is_stretched_over_its_steps() -> None:
    axis = timeline(sample.plan())
    assert axis.at(0, None) == 0
    assert axis.at(1, None) == axis.at(2, 0)
    assert axis.at(1, None) < axis.at(2, 30) < axis.at(2, 60) == axis.at(2, None) == axis.end
    assert axis.at(2, 30) == (axis.at(1, None) + axis.end) / 2


def test_ticks_say_before_edited_and_round_steps() -> None:
    assert [words for _, words in timeline(sample.plan()).ticks()] == ["before", "edited", "step 20", "40", "60"]
    reordered = timeline(sample.plan(edit_first=False)).ticks()
    assert [words for _, words in reordered] == ["before", "step 20", "40", "60", "edited"]
    for steps in (1, 3, 7, 99, 1234, 1_000_000):
        ticks = timeline(Plan(operations=(FullFineTune(steps=steps),))).ticks()
        places = [at for at, _ in ticks]
        assert places == sorted(set(places))
        assert ticks[-1][1].removeprefix("step ") == f"{steps:,}"
        assert len(ticks) <= 5


def test_an_empty_plan_has_an_axis() -> None:
    axis = timeline(Plan())
    assert axis.end > 0
    assert axis.ticks() == [(0.0, "before")]
