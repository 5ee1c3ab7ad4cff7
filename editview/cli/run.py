"""`editview run`: carries a plan out in the terminal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from editview.cli.outcome import run_outcome
from editview.cli.saying import say, say_error
from editview.cli.screen import Bar, ctrl_c, table
from editview.domain import places
from editview.domain.events import Event, RunEvent
from editview.domain.sentences import sheet_sentence
from editview.domain.session import RunState, Session
from editview.formats.fact_sheets import read_facts
from editview.formats.plans import demo_plan, read_plan


def run(
    source: str, facts: str | None, columns: Mapping[str, str], device_id: str | None, fresh: bool, as_json: bool
) -> int:
    """Run a plan file, or the demo; returns the exit code."""
    plan = demo_plan() if source == "demo" else read_plan(Path(source))
    if facts or columns:
        plan = plan.model_copy(update={"facts": facts or plan.facts, "columns": columns})
    sheet, problems = read_facts(plan.facts, plan.columns)
    for problem in problems:
        say(str(problem))
    if sheet.read_as:
        say(sheet_sentence(sheet, problems))

    from editview.runs.fingerprints import Fingerprints
    from editview.runs.machine import device, settle
    from editview.runs.runner import Runner
    from editview.runs.store import StageStore
    from editview.runs.timings import Timings

    settle()
    runner = Runner(StageStore(places.stages()), Fingerprints(), Timings(), device(device_id))
    if recovered := runner.recover():
        say(recovered)
    session = Session()
    with ctrl_c() as stop, Bar() as bar:

        def take(event: Event) -> None:
            if isinstance(event, RunEvent):
                session.apply(event)
            bar.take(event, session.latest)

        runner.run(plan, sheet, take, stop, fresh)
    done = session.latest
    assert done is not None
    if done.state is RunState.FAILED and done.failure:
        say_error(*done.failure)
    if done.state is RunState.STOPPED:
        say("Stopped. What was finished is kept.")
    if as_json:
        print(json.dumps(run_outcome(done)))
    elif done.last_checked is not None:
        table(done)
    return {RunState.FINISHED: 0, RunState.STOPPED: 130}.get(done.state, 1)
