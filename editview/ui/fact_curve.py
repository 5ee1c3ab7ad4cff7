"""One fact's probabilities over the steps of a fine-tune: both answers as curves, and the step it was lost at."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPen
from PySide6.QtWidgets import QToolTip, QWidget

from editview.ui.facts_grid import FactsGrid
from editview.ui.facts_words import percent
from editview.ui.theme import SMALL, theme

_TOP = 124  # of the axis in %: 100 and room for a label


@dataclass(frozen=True, slots=True)
class Course:
    """Both answers' probabilities in % over a fine-tune's steps, from before its first to after its last."""

    title: str  # of the stage
    wanted: str
    other: str | None
    steps: tuple[int, ...]
    p_wanted: tuple[float, ...]
    p_other: tuple[float, ...]  # empty where there is no other answer
    lost_at: int | None

    def at(self, place: int) -> str:
        words = f"At step {self.steps[place]:,}: “{self.wanted}” {percent(self.p_wanted[place] / 100)} likely"
        if self.p_other:
            words += f", “{self.other}” {percent(self.p_other[place] / 100)}"
        return words + "."


def trained_stages(grid: FactsGrid) -> tuple[int, ...]:
    """The stages that asked facts while they trained."""
    return tuple(i for i, stage in enumerate(grid.run.stages) if stage.live) if grid.run else ()


def course(grid: FactsGrid, row: int, stage: int) -> Course | None:
    """How a fact fared in one stage's training; None where it wasn't watched."""
    assert grid.run is not None
    fact, lives = grid.sheet.facts[row], grid.run.stages[stage].live
    if not lives or fact.id not in lives[0].fact_ids:
        return None
    place = lives[0].fact_ids.index(fact.id)
    points = [(live.step, live.nll_wanted[place], live.nll_other[place]) for live in lives]
    before = grid.run.stages[stage - 1].checks.get(fact.id)
    if before and points[0][0] > 0:
        answer = before.answers[0]
        points.insert(0, (0, answer.nll_wanted, math.nan if answer.nll_other is None else answer.nll_other))
    steps, wanted, other = zip(*points, strict=True)
    has_other = fact.other is not None and not any(math.isnan(nll) for nll in other)
    return Course(
        title=grid.titles[stage],
        wanted=fact.wanted,
        other=fact.other,
        steps=steps,
        p_wanted=tuple(100 * math.exp(-nll) for nll in wanted),
        p_other=tuple(100 * math.exp(-nll) for nll in other) if has_other else (),
        lost_at=int(grid.lost_step[row, stage]) or None,
    )


class FactCurve(pg.PlotWidget):
    """The axis is fixed from 0 to 100 %, so that curves of different facts can be compared by eye."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._course: Course | None = None
        plot = self.getPlotItem()
        plot.setMenuEnabled(False)
        plot.hideButtons()
        plot.setMouseEnabled(x=False, y=False)
        plot.setYRange(-4, _TOP, padding=0)
        plot.getAxis("left").setTicks([[(0, "0 %"), (50, "50 %"), (100, "100 %")]])
        self.setFrameShape(pg.PlotWidget.Shape.NoFrame)
        self.scene().sigMouseMoved.connect(self._hovered)
        theme().follow(self._draw)

    def show_course(self, course: Course | None) -> None:
        if course != self._course:
            self._course = course
            self._draw()

    def _draw(self) -> None:
        roles, course, plot = theme().roles, self._course, self.getPlotItem()
        self.setBackground(QColor(roles.raised))
        plot.clear()
        for side in ("left", "bottom"):
            axis = plot.getAxis(side)
            axis.setPen(QColor(roles.line))
            axis.setTextPen(QColor(roles.muted))
            axis.setStyle(tickFont=theme().font(SMALL), tickLength=-4)
        if course is None:
            self.setAccessibleName("Probabilities over training: nothing to show yet")
            return
        last = max(course.steps[-1], 1)
        plot.setXRange(0, 1.3 * last, padding=0.02)
        plot.getAxis("bottom").setTicks([[(step, f"{step:,}") for step in _ticks(last)]])
        label = plot.getAxis("bottom")
        label.setLabel(
            f"training step of {course.title}", **{"color": roles.muted, "font-size": f"{theme().px(SMALL)}px"}
        )
        ends = _apart(course.p_wanted[-1], course.p_other[-1] if course.p_other else None)
        self._line(course.steps, course.p_wanted, roles.text, Qt.PenStyle.SolidLine)
        self._name(course.wanted, course.p_wanted[-1], last, ends[0], roles.text)
        if course.p_other and course.other:
            self._line(course.steps, course.p_other, roles.muted, Qt.PenStyle.DashLine)
            self._name(course.other, course.p_other[-1], last, ends[1], roles.muted)
        if course.lost_at is not None:
            pen = QPen(QColor(roles.fails.mark), 1)
            pen.setCosmetic(True)
            line = pg.InfiniteLine(course.lost_at, pen=pen)
            plot.addItem(line)
            words = pg.TextItem(f"lost at {course.lost_at:,}", color=roles.fails.ink, anchor=(0, 0))
            words.setFont(theme().font(SMALL))
            words.setPos(course.lost_at, _TOP)
            plot.addItem(words)
        self.setAccessibleName(f"Probabilities over training. {course.at(0)} {course.at(len(course.steps) - 1)}")

    def _line(self, steps: tuple[int, ...], shares: tuple[float, ...], colour: str, style: Qt.PenStyle) -> None:
        pen = QPen(QColor(colour), 2, style)
        pen.setCosmetic(True)
        self.getPlotItem().plot(
            steps, shares, pen=pen, antialias=True, symbol="o", symbolSize=5, symbolBrush=QColor(colour), symbolPen=None
        )

    def _name(self, answer: str, share: float, last: int, height: float, colour: str) -> None:
        """The label beside a curve's end instead of a legend."""
        short = answer if len(answer) <= 18 else f"{answer[:17]}…"
        words = pg.TextItem(f"{short} {percent(share / 100)}", color=colour, anchor=(0, 0.5))
        words.setFont(theme().font(SMALL))
        words.setPos(last * 1.02, height)
        self.getPlotItem().addItem(words)

    def _hovered(self, place: QPointF) -> None:
        course = self._course
        if course is None:
            return
        step = self.getPlotItem().vb.mapSceneToView(place).x()
        nearest = min(range(len(course.steps)), key=lambda i: abs(course.steps[i] - step))
        QToolTip.showText(self.mapToGlobal(self.mapFromScene(place)), course.at(nearest), self)


def _ticks(last: int) -> list[int]:
    """Round steps from 0 to the last one, at most six."""
    unit = 10 ** math.floor(math.log10(last)) if last > 1 else 1
    gap = next(int(unit * factor) or 1 for factor in (0.2, 0.5, 1, 2, 5) if last / (int(unit * factor) or 1) <= 5)
    return list(range(0, last + 1, gap))


def _apart(first: float, second: float | None, least: float = 16) -> tuple[float, float]:
    """Heights of two labels so that they don't overlap, kept inside the picture."""
    if second is None:
        return first, first
    middle, gap = (first + second) / 2, max(abs(first - second), least)
    middle = min(max(middle, gap / 2), 100 - gap / 2)
    up, down = middle + gap / 2, middle - gap / 2
    return (up, down) if first >= second else (down, up)
