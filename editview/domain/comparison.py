"""Intervals for shares, for the difference of paired yes/no outcomes, and for which of two groups is larger."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its 95 % interval; shares run from 0 to 1, differences from -1 to 1."""

    estimate: float
    low: float
    high: float


def share(successes: int, total: int) -> Interval:
    """Wilson's score interval for a share (Wilson 1927). `total` > 0."""
    p, z2 = successes / total, Z95**2
    centre = (p + z2 / (2 * total)) / (1 + z2 / total)
    half = Z95 * math.sqrt(p * (1 - p) / total + z2 / (4 * total**2)) / (1 + z2 / total)
    return Interval(p, max(0.0, centre - half), min(1.0, centre + half))


def paired_difference(first: Sequence[bool], second: Sequence[bool]) -> Interval:
    """share(second) - share(first) over the same facts, with Newcombe's hybrid score interval for paired outcomes.

    Newcombe 1998, Statistics in Medicine 17, 2635-2650, method 10: Wilson's limits of both shares, joined through
    their correlation φ, which is continuity-corrected when positive. The outcomes are of equal, positive length.
    """
    if len(first) != len(second) or not first:
        raise ValueError("paired outcomes have one length, above 0")
    n = len(first)
    both = sum(a and b for a, b in zip(first, second, strict=True))
    only_first = sum(a and not b for a, b in zip(first, second, strict=True))
    only_second = sum(b and not a for a, b in zip(first, second, strict=True))
    neither = n - both - only_first - only_second
    one, two = share(both + only_first, n), share(both + only_second, n)
    margins = (both + only_first) * (only_second + neither) * (both + only_second) * (only_first + neither)
    cross: float = both * neither - only_first * only_second
    if cross > 0:
        cross = max(cross - n / 2, 0)
    phi = cross / math.sqrt(margins) if margins else 0.0
    difference = two.estimate - one.estimate

    def reach(a: float, b: float) -> float:
        return math.sqrt(max(0.0, a * a - 2 * phi * a * b + b * b))

    low = difference - reach(two.estimate - two.low, one.high - one.estimate)
    high = difference + reach(two.high - two.estimate, one.estimate - one.low)
    return Interval(difference, max(-1.0, low), min(1.0, high))


def superiority(first: Sequence[float], second: Sequence[float]) -> Interval:
    """How often one of `second` is larger than one of `first`, ties counted half: the area under the ROC curve.

    Newcombe 2006, Statistics in Medicine 25, 559-573, method 5: Hanley and McNeil's variance with both group sizes
    replaced by their mean, taken at the limit itself, so that the interval stays within 0 and 1, also where no pair
    contradicts. Both groups are non-empty and finite.
    """
    m, n = len(first), len(second)
    ordered = sorted(first)
    wins = sum(bisect_left(ordered, value) + bisect_right(ordered, value) for value in second) / 2
    estimate = wins / (m * n)
    others = (m + n) / 2 - 1

    def too_far(limit: float) -> bool:
        """Whether the estimate lies outside what a true value of `limit` would give in 95 % of cases."""
        spread = limit * (1 - limit) * (1 + others * ((1 - limit) / (2 - limit) + limit / (1 + limit)))
        return (estimate - limit) ** 2 > Z95**2 * spread / (m * n)

    def limit(outside: float) -> float:
        inside = estimate
        for _ in range(60):
            middle = (inside + outside) / 2
            inside, outside = (inside, middle) if too_far(middle) else (middle, outside)
        return inside

    return Interval(estimate, limit(0.0), limit(1.0))
