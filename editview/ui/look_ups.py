"""What is asked on behalf of the plan: its checkpoint, its sheet, its forecast; and which failures still concern it."""

from __future__ import annotations

from collections.abc import Callable

from editview.domain.plan import Plan
from editview.domain.requests import DescribeCheckpoint, ForecastPlan, OpenFacts
from editview.ui.problem import Problem

LookUp = DescribeCheckpoint | OpenFacts | ForecastPlan
Subject = DescribeCheckpoint | OpenFacts | Plan
"""What a look-up is about; for a forecast the plan itself."""


def sheet_of(plan: Plan) -> OpenFacts:
    return OpenFacts(plan.facts, tuple(plan.columns.items()))


def concerns(subject: Subject, plan: Plan) -> bool:
    return subject in (DescribeCheckpoint(plan.checkpoint), sheet_of(plan), plan)


class LookUps:
    """Sends them. The latest problem that one of them had is told to `solved` once it is over."""

    def __init__(self, send: Callable[[LookUp], int | None], solved: Callable[[Problem], None]) -> None:
        self._send, self._solved = send, solved
        self._asked: dict[int, Subject] = {}  # by job
        self._latest: tuple[Subject, Problem] | None = None

    def ask(self, request: LookUp) -> None:
        job = self._send(request)
        if job is not None:
            self._asked[job] = request.plan if isinstance(request, ForecastPlan) else request

    def failed(self, job: int, problem: Problem, plan: Plan) -> Subject | None:
        """What the job was asked on behalf of a plan, this one or one that was left; None: for something else."""
        subject = self._asked.pop(job, None)
        if subject is not None and concerns(subject, plan):
            self._latest = subject, problem
        return subject

    def settle(self, plan: Plan, *, sound: bool = False) -> None:
        """A problem is over when the plan asks for something else, or has been found `sound`."""
        if self._latest is not None and (sound or not concerns(self._latest[0], plan)):
            (_, problem), self._latest = self._latest, None
            self._solved(problem)
