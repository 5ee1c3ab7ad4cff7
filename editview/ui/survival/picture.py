"""The survival picture: groups over stages and training steps, and the training loss below on the same axis."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPolygonF
from PySide6.QtWidgets import QWidget

from editview.domain.comparison import share
from editview.domain.facts import FactSheet, Group
from editview.domain.plan import Plan
from editview.domain.sentences import operation_title, verb
from editview.domain.survival import NAMES, Moment, Survival, percent, told
from editview.domain.timeline import Timeline, timeline
from editview.ui.look.colours import operation_colour
from editview.ui.look.pictures import legible, pen, spread, write
from editview.ui.look.pointing import PointedPicture, nearest
from editview.ui.look.theme import theme
from editview.ui.survival.losses import LossCourse, losses_at, paint_losses

WIDTHS = {Group.EDITED: 2.5, Group.NEIGHBOURS: 1.5, Group.CONTROL: 1.5}
DASHES: dict[Group, tuple[float, ...]] = {Group.EDITED: (), Group.NEIGHBOURS: (5, 3), Group.CONTROL: (1.5, 2)}


@dataclass(frozen=True)
class _Frame:
    """Where things lie, for one size of the widget."""

    main: QRectF
    loss: QRectF
    end: float

    def x(self, at: float) -> float:
        return self.main.left() + self.main.width() * at / self.end

    def y(self, share: float) -> float:
        return self.main.bottom() - self.main.height() * share


class SurvivalPicture(PointedPicture[int]):
    """Draws a `Survival`. Mouse and arrow keys walk along its moments, each told in a sentence."""

    def __init__(self, failed: Callable[[str], None], parent: QWidget | None = None) -> None:
        super().__init__("Survival", failed, parent)
        self._survival: Survival | None = None
        self._plan = Plan()
        self._axis = Timeline(())
        self._titles: list[str] = []

    def show_survival(self, plan: Plan, sheet: FactSheet | None, survival: Survival | None) -> None:
        """`survival` is of a run of the plan; without one, the empty axis of what is going to run is drawn."""
        if survival is not self._survival:
            self.at = None
        if plan is not self._plan:
            self._plan, self._axis = plan, timeline(plan)
            self._titles = [operation_title(operation, sheet) for operation in plan.active]
        self._survival = survival
        self.update()

    def minimumSizeHint(self) -> QSize:
        return QSize(theme().px(280), theme().px(320))

    def sizeHint(self) -> QSize:
        return QSize(theme().px(368), theme().px(320))

    # ---- pointing --------------------------------------------------------------------------------------------

    def spot_at(self, where: QPointF) -> int | None:
        return nearest((self.spot_place(at).x() for at in range(self._count)), where.x())

    def first_spot(self) -> int | None:
        return 0 if self._count else None

    def next_spot(self, at: int, across: int, down: int) -> int:
        return min(max(at + across, 0), self._count - 1)

    def spot_words(self, at: int) -> str:
        assert self._survival is not None
        moment = self._survival.moments[at]
        return told(self._survival, moment) + losses_at(self._survival.run.stages[moment.stage], moment.step)

    def spot_place(self, at: int) -> QPointF:
        assert self._survival is not None
        frame, moment = self._frame(), self._survival.moments[at]
        return QPointF(frame.x(self._axis.at(moment.stage, moment.step)), frame.main.bottom())

    @property
    def _count(self) -> int:
        return len(self._survival.moments) if self._survival else 0

    # ---- painting --------------------------------------------------------------------------------------------

    def _frame(self) -> _Frame:
        px, metrics = theme().px, QFontMetricsF(theme().font(12))
        line = metrics.height()
        left = metrics.horizontalAdvance("100 %") + px(8)
        right = metrics.horizontalAdvance("neighbours 100 %") + px(12)
        trained = any(span.steps for span in self._axis.spans)
        below = line + px(4) + (px(28) + line + px(64) if trained else 0)
        top = line * 2 + px(24)
        main = QRectF(left, top, self.width() - left - right, self.height() - top - below - px(4))
        loss_top = main.bottom() + line + px(32) + line
        return _Frame(main, QRectF(main.left(), loss_top, main.width(), px(56) if trained else 0), self._axis.end)

    def paint(self, painter: QPainter) -> None:
        frame = self._frame()
        self._paint_ground(painter, frame)
        paint_losses(painter, frame.loss, self._courses(frame))
        if self._survival is None:
            return
        self._paint_band(painter, frame, self._survival)
        for group in reversed(Group):
            self._paint_group(painter, frame, self._survival, group)
        self._paint_ends(painter, frame, self._survival)
        if self.at is not None and self.at < self._count:
            x = self.spot_place(self.at).x()
            painter.setPen(pen(theme().roles.accent))
            for area in (frame.main, frame.loss) if frame.loss.height() else (frame.main,):
                painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))

    def _paint_ground(self, painter: QPainter, frame: _Frame) -> None:
        px, roles, main = theme().px, theme().roles, frame.main
        metrics = QFontMetricsF(painter.font())
        line = metrics.height()
        write(
            painter, QRectF(0, 0, self.width(), line), "facts that still stand, of those that stood before", roles.muted
        )
        for level in (0.0, 0.5, 1.0):
            y = frame.y(level)
            painter.setPen(pen(roles.line))
            painter.drawLine(QPointF(main.left(), y), QPointF(main.right(), y))
            box = QRectF(0, y - line / 2, main.left() - px(8), line)
            write(painter, box, f"{100 * level:.0f} %", roles.muted, Qt.AlignmentFlag.AlignRight)
        for span in self._axis.spans:
            left, right = frame.x(span.start), frame.x(span.end)
            strip = QRectF(left + px(2), main.top() - px(12), right - left - px(4), px(3))
            painter.fillRect(strip, self._colour(span.stage))
            name = QRectF(strip.left(), strip.top() - line - px(2), strip.width(), line)
            title = self._titles[span.stage - 1]
            names = (title, verb(self._plan.active[span.stage - 1]), "")
            fitting = next(words for words in names if metrics.horizontalAdvance(words) <= name.width())
            write(painter, name, fitting, roles.text)
            painter.setPen(pen(roles.line, dash=(2, 3)))
            for area in (main, frame.loss) if frame.loss.height() else (main,):
                painter.drawLine(QPointF(right, area.top()), QPointF(right, area.bottom()))
        ticks = [(frame.x(at), words) for at, words in self._axis.ticks()]
        for x, words in legible(ticks, metrics.horizontalAdvance, px(8)):
            half = metrics.horizontalAdvance(words) / 2
            box = QRectF(x - half - 1, main.bottom() + px(4), 2 * half + 2, line)
            write(painter, box, words, roles.muted, Qt.AlignmentFlag.AlignHCenter)

    def _colour(self, stage: int) -> QColor:
        return operation_colour(self._plan.active[stage - 1].id)

    def _courses(self, frame: _Frame) -> list[LossCourse]:
        stages = self._survival.run.stages if self._survival else []
        spans = [span for span in self._axis.spans if span.steps and span.stage < len(stages)]
        return [
            LossCourse(stages[span.stage], span.steps, frame.x(span.start), frame.x(span.end), self._colour(span.stage))
            for span in spans
        ]

    def _point(self, frame: _Frame, moment: Moment, share: float) -> QPointF:
        return QPointF(frame.x(self._axis.at(moment.stage, moment.step)), frame.y(share))

    def _paint_band(self, painter: QPainter, frame: _Frame, survival: Survival) -> None:
        """Wilson's 95 % interval of the edits: a band along curves, a bar at points that are no curve's."""
        ink = QColor(theme().roles.text)
        ink.setAlphaF(0.12)
        covered: set[int] = set()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ink)
        for stretch in survival.stretches(Group.EDITED):
            reaches = [share(m.counts[Group.EDITED].stand, m.counts[Group.EDITED].of) for m in stretch]
            upper = [self._point(frame, m, reach.high) for m, reach in zip(stretch, reaches, strict=True)]
            lower = [self._point(frame, m, reach.low) for m, reach in zip(stretch, reaches, strict=True)]
            painter.drawPolygon(QPolygonF([*upper, *reversed(lower)]))
            covered |= {id(moment) for moment in stretch}
        half = theme().px(3)
        for moment in survival.of(Group.EDITED):
            if id(moment) not in covered:
                reach = share(moment.counts[Group.EDITED].stand, moment.counts[Group.EDITED].of)
                top, bottom = self._point(frame, moment, reach.high), self._point(frame, moment, reach.low)
                painter.drawRect(QRectF(top.x() - half, top.y(), 2 * half, bottom.y() - top.y()))

    def _paint_group(self, painter: QPainter, frame: _Frame, survival: Survival, group: Group) -> None:
        roles = theme().roles
        colour = roles.text if group is Group.EDITED else roles.muted
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(pen(colour, WIDTHS[group], DASHES[group]))
        for stretch in survival.stretches(group):
            path = QPainterPath()
            points = [self._point(frame, m, m.counts[group].stand / m.counts[group].of) for m in stretch]
            path.addPolygon(QPolygonF(points))
            painter.drawPath(path)
        radius = theme().px(8) * (0.5 if group is Group.EDITED else 0.4)
        painter.setPen(pen(colour, 1.5))
        painter.setBrush(QColor(colour if group is Group.EDITED else roles.raised))
        for moment in survival.of(group):
            if moment.step is None:
                centre = self._point(frame, moment, moment.counts[group].stand / moment.counts[group].of)
                if group is Group.NEIGHBOURS:
                    painter.drawRect(QRectF(centre.x() - radius, centre.y() - radius, 2 * radius, 2 * radius))
                else:
                    painter.drawEllipse(centre, radius, radius)

    def _paint_ends(self, painter: QPainter, frame: _Frame, survival: Survival) -> None:
        """The name and the share at the end of each line, moved apart where they would touch."""
        ends = [(group, moments[-1]) for group in Group if (moments := survival.of(group))]
        if not ends:
            return
        line, px, roles = QFontMetricsF(painter.font()).height(), theme().px, theme().roles
        shares = [moment.counts[group].stand / moment.counts[group].of for group, moment in ends]
        places = spread([frame.y(value) for value in shares], line, frame.main.top(), frame.main.bottom())
        for (group, moment), value, y in zip(ends, shares, places, strict=True):
            x = self._point(frame, moment, value).x() + px(8)
            words = f"{NAMES[group]} {percent(value)}"
            box = QRectF(x, y - line / 2, QFontMetricsF(painter.font()).horizontalAdvance(words), line)
            painter.fillRect(box, QColor(roles.raised))
            write(painter, box, words, roles.text if group is Group.EDITED else roles.muted)
