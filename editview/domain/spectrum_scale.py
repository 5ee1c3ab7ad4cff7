"""The log scale on which the spectrum of a change is drawn, in the window and in reports."""

from __future__ import annotations

import math

from editview.domain.change_spectrum import ChangeSpectrum

_DECADES = 5  # powers of ten that a picture shows below the strongest direction


def decades(spectrum: ChangeSpectrum) -> tuple[int, int]:
    """The powers of ten at the lower and the upper edge of a picture of it."""
    seen = [value for value in (*spectrum.values, spectrum.rounding) if value > 0] or [1.0]
    high = math.ceil(math.log10(max(seen)) + 1e-9)
    return max(min(math.floor(math.log10(min(seen))), high - 1), high - _DECADES), high


def power_words(power: int) -> str:
    """A power of ten as a person reads it: '0.001', '10⁻⁷'."""
    if -4 < power < 5:
        return f"{10.0**power:,.{max(0, -power)}f}"
    return "10" + str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
