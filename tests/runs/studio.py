"""A runner on the small world, which collects events and counts what is really computed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from editview.domain.checkpoint import Device
from editview.domain.events import Event
from editview.domain.facts import FactSheet
from editview.domain.operations import Operation
from editview.domain.plan import Plan
from editview.domain.run_events import RunEvent
from editview.domain.session import Run, Session
from editview.runs import walk, workbench
from editview.runs.fingerprints import Fingerprints
from editview.runs.runner import Runner
from editview.runs.store import StageStore
from editview.runs.timings import Timings
from tests import small

CPU = Device("cpu", "CPU", 8 * 10**9)


class Studio:
    def __init__(self, world: small.World, home: Path) -> None:
        self.world = world
        self.store = StageStore(home / "stages")
        self.fingerprints, self.timings = Fingerprints(), Timings()
        self.runner = self.another_runner()
        self.events: list[Event] = []
        self.done: list[str] = []  # what was really computed since the last run began

    def another_runner(self, store: StageStore | None = None) -> Runner:
        """As after a new start: nothing opened."""
        return Runner(store or self.store, self.fingerprints, self.timings, CPU)

    def plan(self, *operations: Operation, **settings: Any) -> Plan:
        return small.plan(self.world.checkpoint, *operations, **settings)

    def run(
        self,
        plan: Plan,
        sheet: FactSheet | None = None,
        runner: Runner | None = None,
        meanwhile: Callable[[Event, threading.Event], None] = lambda event, stop: None,
        fresh: bool = False,
    ) -> Run:
        """Run a plan; `meanwhile` sees each event and may set the stop signal."""
        self.events, self.done = [], []
        session, stop = Session(), threading.Event()

        def take(event: Event) -> None:
            self.events.append(event)
            if isinstance(event, RunEvent):
                session.apply(event)
            meanwhile(event, stop)

        (runner or self.runner).run(plan, sheet or self.world.sheet, take, stop, fresh)
        assert session.latest is not None
        return session.latest

    def count(self, monkeypatch: Any) -> None:
        """Count operations carried out, sheets asked and models opened, in `done`."""
        carry_out, check, open_model = workbench.carry_out, walk.check, workbench.open_model

        def counted(name: Callable[..., str], function: Callable[..., Any]) -> Callable[..., Any]:
            def wrapper(*arguments: Any) -> Any:
                self.done.append(name(*arguments))
                return function(*arguments)

            return wrapper

        monkeypatch.setattr(workbench, "carry_out", counted(lambda lm, one, *_: one.operation.method, carry_out))
        monkeypatch.setattr(walk, "check", counted(lambda *_: "asked", check))
        monkeypatch.setattr(workbench, "open_model", counted(lambda *_: "opened", open_model))

    def weights(self, run: Run) -> list[dict[str, torch.Tensor]]:
        """What differs from the checkpoint, for each stage after it, as it was kept."""
        return [self.store.weights(stage.info.key) for stage in run.stages[1:]]
