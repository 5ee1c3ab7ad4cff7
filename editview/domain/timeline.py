"""One axis for a whole run: stages as points, fine-tunes stretched over their steps."""

from __future__ import annotations

import math
from dataclasses import dataclass

from editview.domain.operations import Edit, FineTune, Operation, Reverse, UndoEdit
from editview.domain.plan import Plan

TRAINING_WIDTH = 3.0
"""How much wider a fine-tune is than an operation that is over in one point."""


@dataclass(frozen=True, slots=True)
class Span:
    """Where one operation lies on the axis; it ends at the point of its stage.

    `steps` is 0 without training; then `done` says what was done.
    """

    stage: int
    start: float
    end: float
    steps: int
    done: str = ""


@dataclass(frozen=True, slots=True)
class Timeline:
    """The axis of a plan's active operations. The checkpoint, stage 0, lies at 0."""

    spans: tuple[Span, ...]

    @property
    def end(self) -> float:
        return self.spans[-1].end if self.spans else 1.0

    def at(self, stage: int, step: float | None) -> float:
        """The place of a training step within a stage; None: of the check after it."""
        if stage == 0:
            return 0.0
        span = self.spans[stage - 1]
        if step is None or not span.steps:
            return span.end
        return span.start + (span.end - span.start) * min(step / span.steps, 1.0)

    def ticks(self, most: int = 3) -> list[tuple[float, str]]:
        """What stands under the axis: 'before', 'edited', …, and at most so many steps a fine-tune, 'step 20', '40'."""
        found = [(0.0, "before")]
        for span in self.spans:
            if span.steps:
                pace = _round_step(span.steps / most)
                steps = [step for step in range(pace, span.steps + 1, pace) if span.steps - step >= pace / 2]
                numbers = [f"{step:,}" for step in (*steps, span.steps)]
                numbers[0] = f"step {numbers[0]}"
                found += [(self.at(span.stage, s), n) for s, n in zip((*steps, span.steps), numbers, strict=True)]
            else:
                found.append((span.end, span.done))
        return found


def timeline(plan: Plan) -> Timeline:
    spans, at = [], 0.0
    for stage, operation in enumerate(plan.active, start=1):
        steps = operation.steps if isinstance(operation, FineTune) else 0
        end = at + (TRAINING_WIDTH if steps else 1.0)
        spans.append(Span(stage, at, end, steps, _done(operation)))
        at = end
    return Timeline(tuple(spans))


def _done(operation: Operation) -> str:
    if isinstance(operation, UndoEdit):
        return "taken back"
    if isinstance(operation, Reverse):
        return "reversed"
    return "repaired" if isinstance(operation, Edit) and operation.failing else "edited"


def _round_step(about: float) -> int:
    """The smallest of 1, 2, 5, 10, 20, … that is not below."""
    if about <= 1:
        return 1
    power = 10 ** math.floor(math.log10(about))
    return next(int(power * lead) for lead in (1, 2, 5, 10) if power * lead >= about)
