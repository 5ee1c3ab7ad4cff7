"""The time that is left, told steadily: it counts down with the clock and follows new estimates without leaping."""

from __future__ import annotations

import math

_FOLLOWS = 0.15
"""Within this share of the time left it has come most of the way (1 - 1/e) to an estimate that stays."""

_QUICKEST = 3.0  # seconds that this takes at least
_BELIEVED = 1.2
"""An estimate may be so many times what is told before it counts up; below that it only counts down more slowly."""


class Countdown:
    """What is told of the time left, in seconds. Begin another one for other work."""

    def __init__(self) -> None:
        self._told: float | None = None
        self._began = self._at = 0.0

    def told(self, estimate: float | None, now: float) -> float | None:
        """What to tell at `now`, a clock's seconds, where so much is estimated; None while nothing is known."""
        if estimate is None:
            return None
        if self._told is None:
            self._told, self._began, self._at = estimate, now, now
            return estimate
        passed = now - self._at
        expected = max(self._told - passed, 0.0)
        within = max(_FOLLOWS * min(expected, estimate), _QUICKEST)
        if estimate < expected:  # a first guess that was far too long is soon left
            within = min(within, (now - self._began) / 2)
        pull = -math.expm1(-passed / within) if within else 1.0
        following = expected + (estimate - expected) * pull
        self._told = following if estimate > _BELIEVED * self._told else min(following, self._told)
        self._at = now
        return self._told
