"""`editview run`: carries a plan out in the terminal."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from editview.cli.outcome import run_outcome
from editview.cli.saying import say, say_error
from editview.cli.screen import Bar, ctrl_c, table
from editview.domain import places
from editview.domain.events import Event
from editview.domain.facts import FactSheet
from editview.domain.history import TERMINAL
from editview.domain.plan import Plan
from editview.domain.run_events import RunEvent
from editview.domain.sentences import sheet_sentence
from editview.domain.session import Run, RunState, Session
from editview.formats.fact_sheets import read_facts
from editview.formats.plans import demo_plan, read_plan

if TYPE_CHECKING:
    from editview.runs.runner import Runner


def run(
    source: str, facts: str | None, columns: Mapping[str, str], device_id: str | None, fresh: bool, as_json: bool
) -> int:
    """Run a plan file, or the demo; returns the exit code."""
    plan, sheet = read(source, facts, columns)
    runner = make_runner(device_id)
    with ctrl_c() as stop, Bar() as bar:
        done = carried_out(runner, plan, sheet, stop, bar, fresh, listed=True)
    if as_json:
        print(json.dumps(run_outcome(done)))
    elif done.last_checked is not None:
        table(done)
    return exit_code(done)


def read(source: str, facts: str | None, columns: Mapping[str, str]) -> tuple[Plan, FactSheet]:
    """A plan, perhaps with other facts than its own, and its sheet; what is left out of that is said."""
    plan = demo_plan() if source == "demo" else read_plan(Path(source))
    if facts or columns:
        plan = plan.model_copy(update={"facts": facts or plan.facts, "columns": columns})
    return plan, read_sheet(plan.facts, plan.columns)


def read_sheet(source: str, columns: Mapping[str, str]) -> FactSheet:
    """What can be asked of a sheet; what is left out of it is said."""
    sheet, problems = read_facts(source, columns)
    for problem in problems:
        say(str(problem))
    if sheet.read_as:
        say(sheet_sentence(sheet, problems))
    return sheet


def make_runner(device_id: str | None) -> Runner:
    from editview.runs.fingerprints import Fingerprints
    from editview.runs.machine import device, settle
    from editview.runs.runner import Runner
    from editview.runs.store import StageStore
    from editview.runs.timings import Timings

    settle()
    runner = Runner(StageStore(places.stages()), Fingerprints(), Timings(), device(device_id))
    if recovered := runner.recover():
        say(recovered)
    return runner


def carried_out(
    runner: Runner,
    plan: Plan,
    sheet: FactSheet,
    stop: threading.Event,
    bar: Bar,
    fresh: bool = False,
    steps: int | None = None,
    listed: bool = False,
) -> Run:
    """The run, however it ended; what ended it early is said. `listed`: it is kept among the runs so far."""
    from editview.runs.history import History
    from editview.runs.recorder import Recorder

    session = Session()

    def take(event: Event) -> None:
        if isinstance(event, RunEvent):
            session.apply(event)
        bar.take(event, session.latest)

    emit = Recorder(History(), take, TERMINAL) if listed else take
    runner.run(plan, sheet, emit, stop, fresh, steps)
    done = session.latest
    assert done is not None
    if done.state is RunState.FAILED and done.failure:
        say_error(*done.failure)
    if done.state is RunState.STOPPED:
        say("Stopped. What was finished is kept.")
    return done


def exit_code(done: Run) -> int:
    return {RunState.FINISHED: 0, RunState.STOPPED: 130}.get(done.state, 1)
