"""Intervals for shares, and for the difference of paired yes/no outcomes."""

from __future__ import annotations

import math
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
