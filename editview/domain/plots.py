"""What pictures lay out by: words that don't touch, in lengths of any one unit, and the trend of a noisy curve."""

from __future__ import annotations

from collections.abc import Callable, Sequence

_TREND = 0.05  # share of the points over which the trend forgets


def legible(ticks: Sequence[tuple[float, str]], width: Callable[[str], float], gap: float) -> list[tuple[float, str]]:
    """The ticks, each at its place, whose words don't touch: the first and the last stay, others as there is room."""
    if len(ticks) < 2:
        return list(ticks)

    def reach(tick: tuple[float, str]) -> tuple[float, float]:
        half = (width(tick[1]) + gap) / 2
        return tick[0] - half, tick[0] + half

    kept, last = [ticks[0]], ticks[-1]
    for tick in ticks[1:-1]:
        if reach(tick)[0] >= reach(kept[-1])[1] and reach(tick)[1] <= reach(last)[0]:
            kept.append(tick)
    return [*kept, last]


def spread(places: Sequence[float], apart: float, low: float, high: float) -> list[float]:
    """Places moved as little as keeps them `apart` and within bounds, for words at the ends of lines."""
    order = sorted(range(len(places)), key=lambda i: places[i])
    moved = [min(max(places[i], low), high) for i in order]
    for i in range(1, len(moved)):
        moved[i] = max(moved[i], moved[i - 1] + apart)
    if moved and moved[-1] > high:
        moved[-1] = high
        for i in range(len(moved) - 2, -1, -1):
            moved[i] = min(moved[i], moved[i + 1] - apart)
    result = [0.0] * len(places)
    for i, place in zip(order, moved, strict=True):
        result[i] = place
    return result


def trend(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """An exponential mean that forgets over a share of the points, and begins with the first of them."""
    weight = 1 / max(1.0, _TREND * len(points))
    smoothed, mean = [], points[0][1] if points else 0.0
    for step, loss in points:
        mean += weight * (loss - mean)
        smoothed.append((step, mean))
    return smoothed
