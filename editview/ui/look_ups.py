"""What is asked on behalf of the plan: its checkpoint, its sheet, its forecast; and which failures still concern it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from editview.domain.plan import Plan
from editview.domain.requests import DescribeCheckpoint, ForecastPlan, OpenFacts

if TYPE_CHECKING:
    from editview.ui.hub import Problem

LookUp = DescribeCheckpoint | OpenFacts | ForecastPlan
Subject = DescribeCheckpoint | OpenFacts | Plan
"""What a look-up is about; for a forecast the plan itself."""


def sheet_of(plan: Plan) -> OpenFacts:
    return OpenFacts(plan.facts, tuple(plan.columns.items()))


def concerns(subject: Subject, plan: Plan) -> bool:
    return subject in (DescribeCheckpoint(plan.checkpoint), sheet_of(plan), plan)


class LookUps:
    """Sends them. Of those that failed and were told, the latest is told to `solved` once it is over."""

    def __init__(self, send: Callable[[LookUp], int | None], solved: Callable[[Problem], None]) -> None:
        self._send, self._solved = send, solved
        self._asked: dict[int, Subject] = {}  # by job
        self._told: tuple[Subject, Problem] | None = None

    def ask(self, request: LookUp) -> None:
        job = self._send(request)
        if job is not None:
            self._asked[job] = request.plan if isinstance(request, ForecastPlan) else request

    def subject(self, job: int) -> Subject | None:
        """What a job that failed was asked on behalf of a plan; None: it was asked for something else."""
        return self._asked.pop(job, None)

    def told(self, subject: Subject, problem: Problem) -> None:
        self._told = subject, problem

    def settle(self, plan: Plan, *, sound: bool = False) -> None:
        """What was told is over when the plan asks for something else, or has been found `sound`."""
        if self._told is not None and (sound or not concerns(self._told[0], plan)):
            (_, problem), self._told = self._told, None
            self._solved(problem)
