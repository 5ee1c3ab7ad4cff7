"""What an inspection found as drawings: which layers' memories look changed, and how far subjects stand out."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from editview.domain.inspection import Inspection, Touched, memory_sentence, touched_sentence
from editview.domain.plots import legible
from editview.domain.weight_map import percent, scale
from editview.formats.report.drawing import LINE, WIDTH, Drawing, wide

MOST = 20
"""Subjects that are drawn: those that the change acts on most."""

_HEIGHT, _TOP, _LEFT = 150.0, 40.0, 60.0
_FAINT = 0.35  # how much of the colour shows where the answer is the same
_LONGEST = 24  # signs of a subject that are drawn


def layers_picture(found: Inspection) -> Markup | None:
    """How much each layer's memory changed; without the original, how far it stands out. None: nothing does."""
    figures: Sequence[float | None] = found.changes
    told = [_changed(layer, figure) for layer, figure in enumerate(figures)]
    if found.original is None:
        figures = [one.standing_out for one in found.memories]
        told = [memory_sentence(one).replace("*", "") for one in found.memories]
    axis = scale([figure for figure in figures if figure and math.isfinite(figure)], round_ends=True)
    if axis is None:
        return None
    alone = found.original is None
    name = "strongest direction, × the usual" if alone else "change relative to each layer's memory"
    draw = Drawing("Layers that look changed", _TOP + _HEIGHT + 2 * LINE)
    draw.text(0, 9, f"{name}{', log scale' if axis.log else ''}")
    column, bottom = (WIDTH - _LEFT - 4) / len(figures), _TOP + _HEIGHT
    for tick in axis.ticks:
        y = bottom - axis.share(tick) * _HEIGHT
        draw.line((_LEFT, y), (WIDTH - 4, y), "grid")
        draw.text(_LEFT - 8, y, f"{tick:g} ×" if alone else f"{100 * tick:,.10g} %", anchor="end")
    pad = min(4.0, column * 0.15)
    for layer, (figure, sentence) in enumerate(zip(figures, told, strict=True)):
        left, look = _LEFT + layer * column + pad, "op0" if layer in found.layers else "muted"
        if figure is None:
            draw.text(left - pad + column / 2, bottom - 10, "?", anchor="middle")
            continue
        share = min(axis.share(figure), 1.0) if figure else 0.0
        draw.rect(left, bottom - share * _HEIGHT, max(column - 2 * pad, 1.0), share * _HEIGHT, look, sentence)
    if alone and axis.low < 1 < axis.high:
        y = bottom - axis.share(1.0) * _HEIGHT
        draw.line((_LEFT, y), (WIDTH - 4, y), "grid dashed strong")
    ticks = [(_LEFT + (layer + 0.5) * column, str(layer + 1)) for layer in range(len(figures))]
    for x, words in legible(ticks, wide, 8):
        draw.text(x, bottom + 14, words, anchor="middle")
    draw.text(_LEFT - 8, bottom + 14, "layer", anchor="end")
    return draw.markup


def _changed(layer: int, figure: float | None) -> str:
    if figure is None:
        return f"The memory of layer {layer + 1} couldn't be compared."
    return f"The memory of layer {layer + 1} {f'changed by {percent(figure)}' if figure else 'is the same'}."


def subjects_picture(touched: Sequence[Touched]) -> Markup | None:
    """The subjects that the change acts on most, beside the usual one; None: none were asked."""
    shown = sorted(touched, key=lambda one: -one.times)[:MOST]
    axis = scale([one.times for one in shown if one.times > 0 and math.isfinite(one.times)], round_ends=False)
    if axis is None:
        return None
    highest = max(axis.high, 1.0)
    names = [_short(one.subject) for one in shown]
    left = max(map(wide, names)) + 12
    right = WIDTH - wide("1,000 ×") - 8
    top, row = LINE + 12, LINE
    bottom = top + row * len(shown)
    draw = Drawing("How strongly the change acts on subjects", bottom + 2 * LINE)
    draw.text(0, 9, "how strongly the change acts on each, × the median subject")
    usual = left + (right - left) / highest
    for at, (one, name) in enumerate(zip(shown, names, strict=True)):
        y = top + row * at
        width = (right - left) * min(one.times, highest) / highest if one.times > 0 else 0.0
        draw.text(left - 8, y + row / 2, name, "text", "end")
        sentence = touched_sentence(one).replace("*", "")
        draw.rect(left, y + 3, width, row - 6, "ink", sentence, 1.0 if one.differs else _FAINT)
        draw.text(left + width + 8, y + row / 2, f"{one.times:,.1f} ×")
    draw.line((left, top), (left, bottom), "grid")
    draw.line((usual, top - 2), (usual, bottom + 2), "grid dashed strong")
    draw.text(usual, bottom + 12, "usual", anchor="middle")
    return draw.markup


def _short(subject: str) -> str:
    return subject if len(subject) <= _LONGEST else f"{subject[: _LONGEST - 1].rstrip()}…"
