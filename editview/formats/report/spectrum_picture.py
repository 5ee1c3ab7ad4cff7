"""The spectrum of one matrix's change as a drawing: singular values, strongest first, over what rounding could do."""

from __future__ import annotations

import math

from markupsafe import Markup

from editview.domain.change_spectrum import ChangeSpectrum
from editview.domain.plots import legible
from editview.domain.spectrum_scale import decades, power_words
from editview.formats.report.drawing import LINE, WIDTH, Drawing, wide

_LEFT, _TOP, _HEIGHT = 64.0, 34.0, 200.0


def spectrum_picture(spectrum: ChangeSpectrum) -> Markup:
    """On a log scale; of a large matrix the directions that are known."""
    draw, count = Drawing("Spectrum of the change", _TOP + _HEIGHT + 3 * LINE), len(spectrum.values)
    low, high = decades(spectrum)
    right = WIDTH - 20

    def x(at: int) -> float:
        return _LEFT + (right - _LEFT) * at / max(count - 1, 1)

    def y(value: float) -> float:
        power = math.log10(max(value, 10.0**low))
        return _TOP + _HEIGHT * (high - power) / (high - low)

    draw.text(0, 9, "strength of each direction (singular value), log scale")
    for power in range(high, low - 1, -1):
        draw.line((_LEFT, y(10.0**power)), (right, y(10.0**power)), "grid")
        draw.text(_LEFT - 8, y(10.0**power), power_words(power), anchor="end")
    places = sorted({round(share * (count - 1)) for share in (0.0, 0.25, 0.5, 0.75, 1.0)})
    for middle, words in legible([(x(at), f"{at + 1:,}") for at in places], wide, 8):
        draw.text(middle, _TOP + _HEIGHT + 14, words, anchor="middle")
    rest = "" if count == spectrum.directions else f", the {count:,} strongest of {spectrum.directions:,}"
    draw.text((_LEFT + right) / 2, _TOP + _HEIGHT + 14 + LINE, f"directions, strongest first{rest}", anchor="middle")
    if y(spectrum.rounding) < _TOP + _HEIGHT:
        draw.line((_LEFT, y(spectrum.rounding)), (right, y(spectrum.rounding)), "grid dashed strong")
        draw.text(right, y(spectrum.rounding) - 9, "rounding alone stays below", anchor="end")
    draw.curve([(x(at), y(value)) for at, value in enumerate(spectrum.values)], "curve edits")
    return draw.markup
