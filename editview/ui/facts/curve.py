"""One fact's probabilities over the steps of a fine-tune: both answers as curves, and when it was lost."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPolygonF
from PySide6.QtWidgets import QWidget

from editview.domain.operations import FineTune
from editview.domain.sentences import when_lost
from editview.domain.survival import percent
from editview.domain.verdicts import Answer, likelihood
from editview.ui.facts.grid import FactsGrid
from editview.ui.look.pictures import legible, pen, spread, write
from editview.ui.look.pointing import PointedPicture, nearest
from editview.ui.look.theme import theme


@dataclass(frozen=True, slots=True)
class Course:
    """Both answers' probabilities over a fine-tune's steps, from before its first to the last that was asked; once
    facts are asked in full after the training, that is the end."""

    title: str  # of the stage
    steps_in_all: int
    wanted: str
    other: str | None
    steps: tuple[int, ...]
    p_wanted: tuple[float, ...]
    p_other: tuple[float, ...]  # empty where there is no other answer
    lost: tuple[int, int] | None  # last seen holding, first seen lost
    ended: bool = False  # the last point is from after the training

    @property
    def curves(self) -> tuple[tuple[str, tuple[float, ...]], ...]:
        """The wanted answer, then the other one, each with its probabilities."""
        both = ((self.wanted, self.p_wanted), (self.other or "", self.p_other))
        return tuple(curve for curve in both if curve[1])

    def at(self, place: int) -> str:
        """One step in a sentence."""
        shares = ", ".join(f"“{answer}” is {percent(shares[place])} likely" for answer, shares in self.curves)
        ended = self.ended and place == len(self.steps) - 1
        return f"{'After step' if ended else 'Step'} {self.steps[place]:,} of {self.title}: {shares}."


def trained_stages(grid: FactsGrid) -> tuple[int, ...]:
    """The stages that asked facts while they trained."""
    return tuple(i for i, stage in enumerate(grid.run.stages) if stage.live) if grid.run else ()


def _nlls(answer: Answer) -> tuple[float, float]:
    return answer.nll_wanted, math.nan if answer.nll_other is None else answer.nll_other


def course(grid: FactsGrid, row: int, stage: int) -> Course | None:
    """How a fact fared in one stage's training; None where it wasn't watched."""
    operation = grid.plan.active[stage - 1]
    if grid.run is None or not isinstance(operation, FineTune):
        return None
    fact, lives = grid.sheet.facts[row], grid.run.stages[stage].live
    if not lives or fact.id not in lives[0].fact_ids:
        return None
    place = lives[0].fact_ids.index(fact.id)
    before = grid.run.stages[stage - 1].checks[fact.id].answers[0]
    after = grid.run.stages[stage].checks.get(fact.id)
    points = [(live.step, live.nll_wanted[place], live.nll_other[place]) for live in lives]
    if points[0][0] > 0:
        points.insert(0, (0, *_nlls(before)))
    if after is not None:
        last = grid.run.stages[stage].last_step
        points = [*(point for point in points if point[0] < last), (last, *_nlls(after.answers[0]))]
    steps, wanted, other = zip(*points, strict=True)
    has_other = fact.other is not None and not any(math.isnan(nll) for nll in other)
    return Course(
        title=grid.names[stage],
        steps_in_all=operation.steps,
        wanted=fact.wanted,
        other=fact.other,
        steps=steps,
        p_wanted=tuple(likelihood(nll, before.wanted_tokens) for nll in wanted),
        p_other=tuple(likelihood(nll, before.other_tokens) for nll in other) if has_other else (),
        ended=after is not None,
        lost=(int(grid.held_step[row, stage]), lost) if (lost := int(grid.lost_step[row, stage])) else None,
    )


class FactCurve(PointedPicture[int]):
    """The axis is fixed from 0 to 100 %, so that facts can be compared by eye. Mouse and arrow keys tell each step."""

    def __init__(self, failed: Callable[[str], None], parent: QWidget | None = None) -> None:
        super().__init__("Probabilities over training", failed, parent)
        self._course: Course | None = None

    def show_course(self, course: Course | None) -> None:
        if course != self._course:
            self._course, self.at = course, None
            self.setAccessibleDescription(course.at(len(course.steps) - 1) if course else "")
            self.update()

    def minimumSizeHint(self) -> QSize:
        return QSize(theme().px(240), theme().px(112))

    def sizeHint(self) -> QSize:
        return QSize(theme().px(320), theme().px(160))

    # ---- pointing --------------------------------------------------------------------------------------------

    def spot_at(self, where: QPointF) -> int | None:
        steps = range(len(self._course.steps) if self._course else 0)
        return nearest((self.spot_place(at).x() for at in steps), where.x())

    def first_spot(self) -> int | None:
        return len(self._course.steps) - 1 if self._course else None

    def next_spot(self, at: int, across: int, down: int) -> int:
        assert self._course is not None
        return min(max(at + across, 0), len(self._course.steps) - 1)

    def spot_words(self, at: int) -> str:
        assert self._course is not None
        return self._course.at(at)

    def spot_place(self, at: int) -> QPointF:
        assert self._course is not None
        area = self._area(self._course)
        return QPointF(self._x(area, self._course.steps[at]), area.center().y())

    # ---- painting --------------------------------------------------------------------------------------------

    def _area(self, course: Course) -> QRectF:
        measure, px = QFontMetricsF(theme().font(12)), theme().px
        left = measure.horizontalAdvance("100 %") + px(8)
        names = [f"{answer} {percent(shares[-1])}" for answer, shares in course.curves]
        right = min(max(map(measure.horizontalAdvance, names)) + px(12), self.width() / 2)
        top, bottom = measure.height() + px(4), 2 * measure.height() + px(8)
        return QRectF(left, top, self.width() - left - right, self.height() - top - bottom)

    def _x(self, area: QRectF, step: int) -> float:
        assert self._course is not None
        return area.left() + area.width() * step / max(self._course.steps_in_all, 1)

    def paint(self, painter: QPainter) -> None:
        course, roles = self._course, theme().roles
        if course is None:
            return
        area = self._area(course)
        self._paint_axes(painter, area, course)
        for dashed, (_, shares) in enumerate(course.curves):
            colour = roles.muted if dashed else roles.text
            points = [
                QPointF(self._x(area, step), area.bottom() - area.height() * share)
                for step, share in zip(course.steps, shares, strict=True)
            ]
            painter.setPen(pen(colour, 1.5 if dashed else 2.5, (4, 3) if dashed else ()))
            painter.drawPolyline(QPolygonF(points))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colour))
            for point in points:
                painter.drawEllipse(point, theme().px(2.5), theme().px(2.5))
        self._paint_names(painter, area, course)
        if self.at is not None and self.at < len(course.steps):
            x = self._x(area, course.steps[self.at])
            painter.setPen(pen(roles.accent))
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))

    def _paint_axes(self, painter: QPainter, area: QRectF, course: Course) -> None:
        px, roles, measure = theme().px, theme().roles, QFontMetricsF(painter.font())
        line = measure.height()
        for share in (0.0, 0.5, 1.0):
            y = area.bottom() - area.height() * share
            painter.setPen(pen(roles.line))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            box = QRectF(0, y - line / 2, area.left() - px(8), line)
            write(painter, box, percent(share), roles.muted, Qt.AlignmentFlag.AlignRight)
        ticks = [(self._x(area, step), f"{step:,}") for step in _ticks(course.steps_in_all)]
        for x, words in legible(ticks, measure.horizontalAdvance, px(8)):
            half = measure.horizontalAdvance(words) / 2 + 1
            box = QRectF(x - half, area.bottom() + px(4), 2 * half, line)
            write(painter, box, words, roles.muted, Qt.AlignmentFlag.AlignHCenter)
        below = QRectF(area.left(), area.bottom() + px(4) + line, self.width() - area.left(), line)
        write(painter, below, f"training step of {course.title}", roles.muted)
        if course.lost is not None:
            x, words = self._x(area, course.lost[1]), f"lost {when_lost(*course.lost)}"
            gap = QRectF(QPointF(self._x(area, course.lost[0]), area.top()), QPointF(x, area.bottom()))
            painter.fillRect(gap, QColor(roles.fails.tint))
            painter.setPen(pen(roles.fails.mark, 1.5))
            painter.drawLine(QPointF(x, area.top() - px(4)), QPointF(x, area.bottom()))
            width = measure.horizontalAdvance(words) + 1
            start = min(max(x - width / 2, area.left()), self.width() - width)
            write(painter, QRectF(start, area.top() - px(4) - line, width, line), words, roles.fails.ink)

    def _paint_names(self, painter: QPainter, area: QRectF, course: Course) -> None:
        """Each answer's name and share at the end of its curve, instead of a legend."""
        line, roles = QFontMetricsF(painter.font()).height(), theme().roles
        ends = [area.bottom() - area.height() * shares[-1] for _, shares in course.curves]
        x = self._x(area, course.steps[-1]) + theme().px(8)
        heights = spread(ends, line, area.top(), area.bottom())
        for dashed, ((answer, shares), y) in enumerate(zip(course.curves, heights, strict=True)):
            box = QRectF(x, y - line / 2, self.width() - x, line)
            words = end_words(answer, shares[-1], QFontMetricsF(painter.font()), box.width())
            write(painter, box, words, roles.muted if dashed else roles.text)


def end_words(answer: str, share: float, measure: QFontMetricsF, width: float) -> str:
    """'Germany 93 %'; where that is too long the name is elided, never the number."""
    number = f" {percent(share)}"
    room = width - measure.horizontalAdvance(number)
    return measure.elidedText(answer, Qt.TextElideMode.ElideRight, room) + number


def _ticks(last: int) -> list[int]:
    """Round steps from 0 to the last one, about five."""
    unit = 10 ** math.floor(math.log10(max(last, 1)))
    gap = next(int(unit * lead) or 1 for lead in (0.1, 0.2, 0.5, 1, 2) if last / (int(unit * lead) or 1) <= 6)
    return sorted({*range(0, last + 1, gap), last})
