import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editview.domain.comparison import paired_difference, share, superiority


def test_wilson_matches_the_textbook() -> None:
    # Newcombe 1998 (Statistics in Medicine 17, 857-872), table I: 81 of 263 and 0 of 20.
    interval = share(81, 263)
    assert (interval.low, interval.high) == (pytest.approx(0.2553, abs=1e-4), pytest.approx(0.3662, abs=1e-4))
    assert share(0, 20).high == pytest.approx(0.1611, abs=1e-4)


def outcomes(both: int, first: int, second: int, neither: int) -> tuple[list[bool], list[bool]]:
    return (
        [True] * both + [True] * first + [False] * second + [False] * neither,
        [True] * both + [False] * first + [True] * second + [False] * neither,
    )


@pytest.mark.parametrize(
    ("cells", "low", "high"),
    [
        # Newcombe 1998 (Statistics in Medicine 17, 2635-2650), table II, method 10; difference first - second there.
        ((36, 12, 2, 0), 0.0569, 0.3404),
        ((53, 1, 0, 0), -0.0512, 0.0982),
        ((0, 30, 0, 0), 0.8395, 1.0),
    ],
)
def test_newcombe_matches_the_published_intervals(cells: tuple[int, ...], low: float, high: float) -> None:
    first, second = outcomes(*cells)
    interval = paired_difference(second, first)
    assert (interval.low, interval.high) == (pytest.approx(low, abs=2e-3), pytest.approx(high, abs=2e-3))


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1))
def test_the_interval_holds_the_estimate_and_turns_with_the_order(pairs: list[tuple[bool, bool]]) -> None:
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    forward, backward = paired_difference(first, second), paired_difference(second, first)
    assert -1 <= forward.low <= forward.estimate + 1e-12
    assert forward.estimate - 1e-12 <= forward.high <= 1
    assert forward.low == pytest.approx(-backward.high)
    assert forward.estimate == pytest.approx(-backward.estimate)


def test_superiority_counts_pairs_and_ties_half() -> None:
    first, second = [1.0, 2.0, 2.0, 5.0], [2.0, 3.0, 0.0]
    pairs = [1.0 if b > a else 0.5 if a == b else 0.0 for a in first for b in second]
    interval = superiority(first, second)
    assert interval.estimate == pytest.approx(sum(pairs) / len(pairs))
    backward = superiority(second, first)
    assert (backward.low, backward.high) == (pytest.approx(1 - interval.high), pytest.approx(1 - interval.low))
    assert 0 < interval.low < interval.estimate < interval.high < 1


def test_superiority_stays_open_where_no_pair_contradicts() -> None:
    certain = superiority([1, 2, 3, 4, 5], [6, 7, 8, 9, 10])
    assert (certain.estimate, certain.high) == (1, 1)
    assert 0.5 < certain.low < 0.9
    assert superiority(range(40), range(100, 140)).low > certain.low


@pytest.mark.parametrize(("distance", "first", "second"), [(0.0, 22, 18), (0.7, 22, 18), (1.5, 10, 30)])
def test_superiority_covers_the_truth_as_often_as_it_says(distance: float, first: int, second: int) -> None:
    chance = random.Random(1)
    true, hits = 0.5 * (1 + math.erf(distance / 2)), 0
    for _ in range(400):
        interval = superiority(
            [chance.gauss(0, 1) for _ in range(first)], [chance.gauss(distance, 1) for _ in range(second)]
        )
        hits += interval.low <= true <= interval.high
    assert 0.92 < hits / 400 < 0.98
