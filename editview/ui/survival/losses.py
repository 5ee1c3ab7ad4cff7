"""The losses under the survival picture, on its axis: training as a thin line and its trend, validation as points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPolygonF

from editview.domain.plots import trend
from editview.domain.session import Stage
from editview.ui.look.pictures import mixed, pen, spread, write
from editview.ui.look.theme import theme


@dataclass(frozen=True)
class LossCourse:
    """The losses of one fine-tune, and where its first and last step lie."""

    stage: Stage
    steps: int
    left: float
    right: float
    colour: QColor

    @property
    def trained(self) -> list[tuple[float, float]]:
        """Step and training loss, of as many steps as there are pixels, at most."""
        losses = self.stage.losses
        if not losses:
            return []
        pace = max(1, len(losses) // max(1, int(self.right - self.left)))
        return [pair for pair in (*losses[:-1:pace], losses[-1]) if math.isfinite(pair[1])]

    @property
    def validated(self) -> list[tuple[float, float]]:
        return [(look.step, look.loss) for look in self.stage.validations.values() if math.isfinite(look.loss)]

    def x(self, step: float) -> float:
        return self.left + (self.right - self.left) * min(step / self.steps, 1.0)


def losses_at(stage: Stage, step: int | None) -> str:
    """' Training loss 2.1. Validation loss 2.3 at step 25; ….' beside a moment of a stage; None: its end."""
    at, said = stage.last_step if step is None else step, ""
    if stage.losses:
        said += f" Training loss {min(stage.losses, key=lambda pair: abs(pair[0] - at))[1]:.3g}."
    if stage.validations:
        look = min(stage.validations.values(), key=lambda look: abs(look.step - at))
        said += f" Validation loss {look.loss:.3g}" + (f" at step {look.step:,}" if look.step != at else "")
        if look.exact_match is not None:
            said += f", {round(look.exact_match * look.of):,} of {look.of:,} answers exactly right"
        said += "."
    return said


def paint_losses(painter: QPainter, area: QRectF, courses: Sequence[LossCourse]) -> None:
    """Draw them into an area; nothing where it has no height, the empty axis while nothing is known."""
    if not area.height():
        return
    px, roles, line = theme().px, theme().roles, QFontMetricsF(painter.font()).height()
    drawn = [(course, course.trained, course.validated) for course in courses]
    looked = any(validated for *_, validated in drawn)
    words = "loss: training as a line, validation as points" if looked else "training loss"
    whole = painter.window().width()
    write(painter, QRectF(0, area.top() - line - px(8), whole, line), words, roles.muted)
    painter.setPen(pen(roles.line))
    painter.drawLine(area.bottomLeft(), area.bottomRight())
    highest = max((loss for _, *both in drawn for points in both for _, loss in points), default=0.0)
    if not highest > 0:
        return
    for y, number in ((area.top(), f"{highest:.2g}"), (area.bottom(), "0")):
        box = QRectF(0, y - line / 2, area.left() - px(8), line)
        write(painter, box, number, roles.muted, Qt.AlignmentFlag.AlignRight)

    def place(course: LossCourse, pair: tuple[float, float]) -> QPointF:
        return QPointF(course.x(pair[0]), area.bottom() - area.height() * max(pair[1], 0.0) / highest)

    for course, trained, validated in drawn:
        painter.setPen(pen(mixed(roles.raised, course.colour, 0.45), 0.75))
        painter.drawPolyline(QPolygonF([place(course, pair) for pair in trained]))
        painter.setPen(pen(course.colour, 1.75))
        painter.drawPolyline(QPolygonF([place(course, pair) for pair in trend(trained)]))
        painter.setPen(pen(roles.text, 1, (2, 2)))
        points = [place(course, pair) for pair in validated]
        painter.drawPolyline(QPolygonF(points))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(roles.text))
        for point in points:
            painter.drawEllipse(point, px(3), px(3))
        painter.setBrush(Qt.BrushStyle.NoBrush)
    course, *both = next((one for one in reversed(drawn) if one[1] or one[2]), drawn[-1])
    ends = [
        (name, points[-1], role)
        for name, points, role in (
            ("training", trend(both[0]), roles.muted), ("validation", both[1], roles.text)
        )
        if points
    ]  # fmt: skip
    heights = spread([place(course, pair).y() for _, pair, _ in ends], line, area.top(), area.bottom())
    for (name, pair, role), y in zip(ends, heights, strict=True):
        x = place(course, pair).x() + px(8)
        number = f"{name} {pair[1]:.2f}" if looked else f"{pair[1]:.2f}"
        box = QRectF(x, y - line / 2, QFontMetricsF(painter.font()).horizontalAdvance(number) + 1, line)
        painter.fillRect(box, QColor(roles.raised))
        write(painter, box, number, role)
