"""The picture of a study: a line a place of the grid, a column a figure, a sign an editing method. Plain SVG."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from editview.domain.comparison import Interval
from editview.domain.look import DARK, LIGHT, Roles
from editview.domain.study import Row, Summed

_LINE, _TOP, _BOTTOM, _LABELS, _COLUMN, _GAP = 22, 64, 40, 250, 190, 28
_COLOURS = LIGHT.operations


def _style(roles: Roles) -> str:
    return (
        f"text {{ fill: {roles.text}; }} .muted {{ fill: {roles.muted}; }} .axis {{ stroke: {roles.line}; }} "
        f".band {{ fill: {roles.sunken}; }}"
    )


_STYLE = f"""
text {{ font: 12px system-ui, sans-serif; }} .head {{ font-weight: 600; }} .axis {{ stroke-width: 1; }}
{_style(LIGHT)}
@media (prefers-color-scheme: dark) {{ {_style(DARK)} }}
"""


@dataclass(frozen=True, slots=True)
class _Column:
    title: str
    figure: Callable[[Row], float | None]
    share: bool = True  # from 0 to 100 %, else from 0 to the largest


_FIGURES = (
    _Column("edits that stand, %", lambda row: row.hold),
    _Column("neighbours intact, %", lambda row: row.neighbours),
    _Column("controls intact, %", lambda row: row.controls),
    _Column("validation loss", lambda row: row.loss, share=False),
)


def picture(found: Sequence[Summed]) -> str:
    """SVG that needs nothing but itself; light or dark as its reader's system is."""
    lines = list(dict.fromkeys(each.place[1:] for each in found))
    editors = list(dict.fromkeys(each.place[0] for each in found))
    width = _LABELS + len(_FIGURES) * (_COLUMN + _GAP)
    height = _TOP + _LINE * len(lines) + _BOTTOM
    root = ElementTree.Element(
        "svg", xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {width} {height}", width=str(width), role="img"
    )
    ElementTree.SubElement(root, "title").text = "Survival of edits by editing method, fine-tune, layers and order"
    ElementTree.SubElement(root, "style").text = _STYLE
    for at, editor in enumerate(editors):
        _mark(root, at, 14 + 130 * at, 16)
        _text(root, 26 + 130 * at, 20, editor)
    for at, place in enumerate(lines):
        top = _TOP + _LINE * at
        if at % 2 == 0:
            _rect(root, 0, top, width, _LINE)
        _text(root, 8, top + 15, _label(place))
    for column, figure in enumerate(_FIGURES):
        left = _LABELS + column * (_COLUMN + _GAP)
        known = {each.place: each.figure(figure.figure) for each in found}
        most = 1.0 if figure.share else max((each.high for each in known.values() if each), default=1.0) or 1.0
        _axis(root, left, height, figure, most)
        for at, place in enumerate(lines):
            for which, editor in enumerate(editors):
                interval = known.get((editor, *place))
                if interval is not None:
                    _point(root, which, len(editors), left, _TOP + _LINE * at, most, interval, figure, editor)
    return ElementTree.tostring(root, encoding="unicode")


def _label(place: tuple[str, str, str, str]) -> str:
    tune, layers, order, protection = place
    if not layers:
        return "edit alone"
    words = {"all": "all layers", "edited": "edited layers", "not-edited": "other layers"}
    guarded = "" if protection in ("", "none") else f", {protection}"
    return f"{tune}, {words.get(layers, layers)}, {order}{guarded}"


def _axis(root: ElementTree.Element, left: int, height: int, column: _Column, most: float) -> None:
    _text(root, left, 42, column.title, "head")
    for share in (0.0, 0.5, 1.0):
        x = left + share * _COLUMN
        ElementTree.SubElement(
            root, "line", {"class": "axis", "x1": f"{x:.1f}", "x2": f"{x:.1f}", "y1": str(_TOP - 4),
                           "y2": str(height - _BOTTOM)},
        )  # fmt: skip
        said = f"{100 * share:.0f}" if column.share else f"{most * share:.2f}"
        _text(root, x, _TOP - 8, said, "muted", "middle")


def _point(
    root: ElementTree.Element, which: int, editors: int, left: int, top: int, most: float, interval: Interval,
    column: _Column, editor: str,
) -> None:  # fmt: skip
    def x(value: float) -> float:
        return left + min(max(value / most, 0.0), 1.0) * _COLUMN

    y = top + _LINE * (which + 1) / (editors + 1)
    colour = _COLOURS[which % len(_COLOURS)]
    ends = {"x1": f"{x(interval.low):.1f}", "x2": f"{x(interval.high):.1f}", "y1": f"{y:.1f}", "y2": f"{y:.1f}"}
    line = ElementTree.SubElement(root, "line", {**ends, "stroke": colour, "stroke-width": "1.5", "opacity": "0.6"})
    mark = _mark(root, which, x(interval.estimate), y)
    times, digits = (100, 0) if column.share else (1, 3)
    said = f"{editor}: {times * interval.estimate:.{digits}f}"
    reach = f" (95 % interval {times * interval.low:.{digits}f} to {times * interval.high:.{digits}f})"
    for element in (line, mark):
        ElementTree.SubElement(element, "title").text = said + (reach if interval.high > interval.low else "")


def _mark(root: ElementTree.Element, which: int, x: float, y: float) -> ElementTree.Element:
    """A sign of its own for each method, so that a grey print reads the same."""
    colour = _COLOURS[which % len(_COLOURS)]
    size = 4.0
    if which % 3 == 0:
        return ElementTree.SubElement(root, "circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r=f"{size}", fill=colour)
    corners = [(0, -size), (size, size), (-size, size)] if which % 3 == 1 else [
        (-size, -size), (size, -size), (size, size), (-size, size)]  # fmt: skip
    points = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in corners)
    return ElementTree.SubElement(root, "polygon", points=points, fill=colour)


def _rect(root: ElementTree.Element, x: float, y: float, width: float, height: float) -> None:
    where = {"x": str(x), "y": str(y), "width": str(width), "height": str(height)}
    ElementTree.SubElement(root, "rect", {"class": "band", **where})


def _text(
    root: ElementTree.Element, x: float, y: float, said: str, kind: str = "", anchor: str = "start"
) -> None:  # fmt: skip
    element = ElementTree.SubElement(root, "text", {"class": kind, "x": f"{x:.1f}", "y": f"{y:.1f}",
                                                    "text-anchor": anchor})  # fmt: skip
    element.text = said
