"""Survival as a drawing: groups over stages and training steps, and the training loss below on the same axis."""

from __future__ import annotations

import math
from collections.abc import Mapping

from markupsafe import Markup

from editview.domain.comparison import share
from editview.domain.facts import Group
from editview.domain.plots import legible, spread, trend
from editview.domain.sentences import stage_titles, verb
from editview.domain.session import Stage
from editview.domain.survival import NAMES, Moment, Survival, percent, told
from editview.domain.timeline import timeline
from editview.formats.report.drawing import LINE, WIDTH, Drawing, Point, wide

_LEFT, _RIGHT = 48.0, 310.0
_TOP, _BOTTOM = 66.0, 236.0
_LOSS_TOP, _LOSS_BOTTOM = 300.0, 352.0
_LOOKS = {Group.EDITED: "edits", Group.NEIGHBOURS: "neighbours", Group.CONTROL: "controls"}


class _Picture:
    def __init__(self, survival: Survival, places: Mapping[str, int]) -> None:
        run = survival.run
        self.survival, self.plan = survival, run.plan
        self.axis = timeline(run.plan)
        self.titles = stage_titles(run)
        self.looks = ["", *(f"op{places[operation.id] % 6}" for operation in run.plan.active)]
        self.losses = {stage.info.index: both for stage in run.stages if any(both := _losses(stage))}
        self.drawing = Drawing("Survival", (_LOSS_BOTTOM if self.losses else _BOTTOM + 8) + LINE)

    def draw(self) -> Markup:
        self._ground()
        self._interval()
        for group in reversed(Group):
            self._group(group)
        self._ends()
        if self.losses:
            self._loss()
        return self.drawing.markup

    def _x(self, at: float) -> float:
        return _LEFT + (_RIGHT - _LEFT) * at / self.axis.end

    def _point(self, moment: Moment, value: float) -> Point:
        return self._x(self.axis.at(moment.stage, moment.step)), _BOTTOM - (_BOTTOM - _TOP) * value

    def _ground(self) -> None:
        draw = self.drawing
        draw.text(0, 9, "facts that still stand, of those that stood before")
        for level in (0.0, 0.5, 1.0):
            y = _BOTTOM - (_BOTTOM - _TOP) * level
            draw.line((_LEFT, y), (_RIGHT, y), "grid")
            draw.text(_LEFT - 8, y, f"{100 * level:.0f} %", anchor="end")
        for span in self.axis.spans:
            left, right = self._x(span.start), self._x(span.end)
            draw.rect(left + 2, _TOP - 14, right - left - 4, 4, self.looks[span.stage])
            names = (self.titles[span.stage], verb(self.plan.active[span.stage - 1]), "")
            fitting = next(words for words in names if not words or wide(words) <= right - left)
            draw.text(left + 2, _TOP - 26, fitting, "text")
            for low, high in ((_TOP, _BOTTOM), (_LOSS_TOP, _LOSS_BOTTOM)) if self.losses else ((_TOP, _BOTTOM),):
                draw.line((right, low), (right, high), "grid dashed")
        ticks = [(self._x(at), words) for at, words in self.axis.ticks()]
        for x, words in legible(ticks, wide, 8):
            draw.text(x, _BOTTOM + 14, words, anchor="middle")

    def _interval(self) -> None:
        """Wilson's 95 % interval of the edits: a band along curves, a bar at points that are no curve's."""
        covered: set[int] = set()
        for stretch in self.survival.stretches(Group.EDITED):
            reaches = [share(m.counts[Group.EDITED].stand, m.counts[Group.EDITED].of) for m in stretch]
            upper = [self._point(m, reach.high) for m, reach in zip(stretch, reaches, strict=True)]
            lower = [self._point(m, reach.low) for m, reach in zip(stretch, reaches, strict=True)]
            self.drawing.area([*upper, *reversed(lower)], "interval")
            covered |= {id(moment) for moment in stretch}
        for moment in self.survival.of(Group.EDITED):
            if id(moment) not in covered:
                reach = share(moment.counts[Group.EDITED].stand, moment.counts[Group.EDITED].of)
                (x, top), (_, bottom) = self._point(moment, reach.high), self._point(moment, reach.low)
                self.drawing.rect(x - 3, top, 6, bottom - top, "interval")

    def _group(self, group: Group) -> None:
        for stretch in self.survival.stretches(group):
            points = [self._point(m, m.counts[group].stand / m.counts[group].of) for m in stretch]
            self.drawing.curve(points, f"curve {_LOOKS[group]}")
        for moment in self.survival.of(group):
            if moment.step is None:
                x, y = self._point(moment, moment.counts[group].stand / moment.counts[group].of)
                sentence = told(self.survival, moment)
                if group is Group.NEIGHBOURS:
                    self.drawing.rect(x - 3.5, y - 3.5, 7, 7, "point neighbours", sentence)
                else:
                    self.drawing.circle((x, y), 4, f"point {_LOOKS[group]}", sentence)

    def _ends(self) -> None:
        """The name and the share at the end of each line, moved apart where they would touch."""
        ends = [(group, moments[-1]) for group in Group if (moments := self.survival.of(group))]
        shares = [moment.counts[group].stand / moment.counts[group].of for group, moment in ends]
        points = [self._point(moment, value) for (_, moment), value in zip(ends, shares, strict=True)]
        heights = spread([y for _, y in points], LINE, _TOP, _BOTTOM)
        for (group, _), value, (x, _), y in zip(ends, shares, points, heights, strict=True):
            look = "text" if group is Group.EDITED else "muted"
            self.drawing.text(x + 10, y, f"{NAMES[group]} {percent(value)}", look)

    def _loss(self) -> None:
        """Training as a thin line and its trend, validation as points."""
        draw = self.drawing
        courses = {stage: (trend(trained), validated) for stage, (trained, validated) in self.losses.items()}
        looked = any(validated for _, validated in courses.values())
        draw.text(0, _LOSS_TOP - 20, "loss: training as a line, validation as points" if looked else "training loss")
        draw.line((_LEFT, _LOSS_BOTTOM), (_RIGHT, _LOSS_BOTTOM), "grid")
        highest = max(loss for both in self.losses.values() for points in both for _, loss in points) or 1.0
        for y, words in ((_LOSS_TOP, f"{highest:.2g}"), (_LOSS_BOTTOM, "0")):
            draw.text(_LEFT - 8, y, words, anchor="end")

        def place(stage: int, pair: tuple[float, float]) -> Point:
            height = (_LOSS_BOTTOM - _LOSS_TOP) * max(pair[1], 0.0) / highest
            return self._x(self.axis.at(stage, pair[0])), _LOSS_BOTTOM - height

        for stage, (smooth, validated) in courses.items():
            look = self.looks[stage]
            draw.curve([place(stage, pair) for pair in self.losses[stage][0]], f"curve faint {look}")
            draw.curve([place(stage, pair) for pair in smooth], f"curve {look}")
            draw.curve([place(stage, pair) for pair in validated], "curve validation")
            for pair in validated:
                sentence = f"Step {pair[0]:,}: validation loss {pair[1]:.3g}"
                draw.circle(place(stage, pair), 2.5, "point validation", sentence)
        last, both = list(courses.items())[-1]
        ends = [(name, points[-1]) for name, points in zip(("training", "validation"), both, strict=True) if points]
        places = [place(last, pair) for _, pair in ends]
        heights = spread([y for _, y in places], LINE, _LOSS_TOP, _LOSS_BOTTOM)
        for (name, pair), (x, _), y in zip(ends, places, heights, strict=True):
            draw.text(x + 10, y, f"{name} {pair[1]:.2f}" if looked else f"{pair[1]:.2f}")


def _losses(stage: Stage) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    """Step and loss in training, of as many steps as the picture is wide at most, and in validation."""
    pace = max(1, len(stage.losses) // int(WIDTH))
    trained: list[tuple[float, float]] = [*stage.losses[:-1:pace], *stage.losses[-1:]]
    looks: list[tuple[float, float]] = [(look.step, look.loss) for look in stage.validations.values()]
    return [pair for pair in trained if math.isfinite(pair[1])], [pair for pair in looks if math.isfinite(pair[1])]


def survival_picture(survival: Survival, places: Mapping[str, int]) -> Markup:
    """A survival that was counted; `places` are the operations' colours, as `domain.look.give_places` gives them."""
    return _Picture(survival, places).draw()
