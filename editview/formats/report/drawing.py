"""What the report's pictures are drawn with: inline SVG whose colours are the page's roles, light, dark or on paper."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence

from markupsafe import Markup

from editview.formats.report.plain import plain

WIDTH = 440.0
SIZE = 13.0  # of the type; the page scales both
LINE = 18.0

Point = tuple[float, float]


def wide(words: str) -> float:
    """About how wide words are in the page's type, which isn't known here: rather too much than too little."""
    return 0.56 * SIZE * len(words)


class Drawing:
    """Grows from the top left. `look` names classes of the page's style sheet; `told` is a tooltip."""

    def __init__(self, name: str, height: float) -> None:
        box = f"0 0 {WIDTH:g} {height:g}"
        self._root = ElementTree.Element("svg", {"viewBox": box, "role": "img", "aria-label": plain(name)})

    @property
    def markup(self) -> Markup:
        return Markup(ElementTree.tostring(self._root, encoding="unicode", short_empty_elements=False))

    def line(self, start: Point, end: Point, look: str) -> None:
        self._add("line", look, x1=start[0], y1=start[1], x2=end[0], y2=end[1])

    def rect(
        self, x: float, y: float, width: float, height: float, look: str, told: str = "", depth: float = 1.0
    ) -> None:
        """`depth`: how much of the colour shows, from 0 to 1."""
        found = self._add("rect", look, told, x=x, y=y, width=max(width, 0.0), height=max(height, 0.0))
        if depth < 1:
            found.set("fill-opacity", f"{depth:.3f}")

    def circle(self, at: Point, radius: float, look: str, told: str = "") -> None:
        self._add("circle", look, told, cx=at[0], cy=at[1], r=radius)

    def curve(self, points: Sequence[Point], look: str) -> None:
        self._points("polyline", points, look)

    def area(self, points: Sequence[Point], look: str) -> None:
        self._points("polygon", points, look)

    def text(self, x: float, y: float, words: str, look: str = "muted", anchor: str = "start") -> None:
        """One line of words around the height `y`."""
        found = self._add("text", look, x=x, y=y + SIZE * 0.35)
        if anchor != "start":
            found.set("text-anchor", anchor)
        found.text = plain(words)

    def _points(self, tag: str, points: Sequence[Point], look: str) -> None:
        self._add(tag, look).set("points", " ".join(f"{x:.1f},{y:.1f}" for x, y in points))

    def _add(self, tag: str, look: str, told: str = "", **places: float) -> ElementTree.Element:
        numbers = {name: f"{value:.1f}".removesuffix(".0") for name, value in places.items()}
        found = ElementTree.SubElement(self._root, tag, {"class": look, **numbers})
        if told:
            ElementTree.SubElement(found, "title").text = plain(told)
        return found
