import pytest
from hypothesis import given
from hypothesis import strategies as st

from editview.domain.facts import Fact, Group
from editview.domain.verdicts import Answer, Change, Check, Verdict, change, gives, lost_between

EDIT = Fact("e", Group.EDITED, "France", "The capital of {} is", "Paris", "Lyon")
CONTROL = Fact("c", Group.CONTROL, "Gold", "The symbol of {} is", "Au")
H, W, F = Verdict.HOLDS, Verdict.WEAK, Verdict.FAILS


@pytest.mark.parametrize(
    ("said", "wanted", "expected"),
    [
        (" Paris, of course", "Paris", True),
        ("paris", "Paris", True),
        (" Parisian", "Paris", False),
        (" Lyon", "Paris", False),
        ("", "Paris", False),
        (" Au", "", False),
        (" New York City", "New York", True),
    ],
)
def test_an_answer_is_given_only_as_a_whole_word(said: str, wanted: str, expected: bool) -> None:
    assert gives(said, wanted) is expected


def answer(given: bool) -> Answer:
    return Answer("p", "x", given, 0.1, None)


def test_how_likely_an_answer_is_counts_all_its_tokens() -> None:
    both = Answer("p", "x", True, nll_wanted=0.1, nll_other=0.6, wanted_tokens=1, other_tokens=5)
    assert both.p_wanted == pytest.approx(0.905, abs=1e-3)
    assert both.p_other == pytest.approx(0.050, abs=1e-3)  # 0.549 a token
    assert answer(True).p_other is None


def test_a_verdict_needs_every_wording_to_hold() -> None:
    assert Check("e", (answer(True), answer(True))).verdict is H
    assert Check("e", (answer(True), answer(False))).verdict is W
    assert Check("e", (answer(False), answer(True))).verdict is F


@pytest.mark.parametrize(
    ("verdicts", "edited_at", "expected"),
    [
        ([F], 1, Change.PENDING),
        ([F, F], 2, Change.PENDING),
        ([F, H], None, Change.PENDING),
        ([F, H], 1, Change.TOOK),
        ([F, W], 1, Change.TOOK),
        ([F, F], 1, Change.NEVER_TOOK),
        ([F, H, W], 1, Change.SURVIVED),
        ([F, H, F], 1, Change.LOST),
        ([F, H, F, F], 1, Change.LOST),
        ([F, H, F, H], 1, Change.RECOVERED),
        ([F, F, F], 1, Change.NEVER_TOOK),
        ([F, F, H], 1, Change.RECOVERED),
        ([F, F, H], 2, Change.TOOK),
        ([H, H], 1, Change.KNOWN_BEFORE),
        ([F, W, H, H], 2, Change.KNOWN_BEFORE),
        ([H, H, F], 1, Change.DAMAGED),
    ],
)
def test_what_becomes_of_an_edit(verdicts: list[Verdict], edited_at: int | None, expected: Change) -> None:
    assert change(EDIT, verdicts, edited_at) is expected


def test_an_edit_that_was_taken_back_is_not_lost() -> None:
    assert change(EDIT, [F, H, F], 1, taken_back=True) is Change.TAKEN_BACK
    assert change(EDIT, [F, H, H], 1, taken_back=True) is Change.SURVIVED  # it is still there for all that


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([H], Change.INTACT),
        ([H, W], Change.INTACT),
        ([H, F], Change.DAMAGED),
        ([H, F, H], Change.RECOVERED),
        ([F, H], Change.NEVER_KNOWN),
    ],
)
def test_what_becomes_of_a_control(verdicts: list[Verdict], expected: Change) -> None:
    assert change(CONTROL, verdicts, None) is expected


@pytest.mark.parametrize(
    ("gives", "expected"),
    [
        ([True, True, False, False], (20, 30)),
        ([True, False, True, False], (30, 40)),
        ([False, True, False, False], (20, 30)),
        ([True, True, True, True], None),
        ([False, False, False, False], None),
        ([True, True, True, False], (30, 40)),
    ],
)
def test_the_step_of_a_loss_starts_the_failures_that_last(gives: list[bool], expected: tuple[int, int] | None) -> None:
    assert lost_between([10, 20, 30, 40], gives) == expected


@given(st.lists(st.booleans(), min_size=1))
def test_after_the_step_of_a_loss_the_fact_never_stands(gives: list[bool]) -> None:
    steps = list(range(10, 10 * len(gives) + 1, 10))
    lost = lost_between(steps, gives)
    if lost is not None:
        at = steps.index(lost[1])
        assert lost[0] == steps[at - 1]
        assert gives[at - 1]
        assert not any(gives[at:])
