"""`editview interference`: what a plan's fine-tune did where its edits had written, and whether it explains losses."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from editview.cli.saying import say, say_error
from editview.cli.screen import Bar, ctrl_c
from editview.domain import places
from editview.domain.errors import EditViewError
from editview.domain.events import EngineLoading, Event, RunEvent
from editview.domain.interference import (
    CAPTION,
    HEADINGS,
    MEASURES,
    Interference,
    Moved,
    basis,
    figures,
    headline,
    weights_sentence,
)
from editview.domain.losses import question
from editview.domain.session import RunState, Session
from editview.formats.fact_sheets import read_facts
from editview.formats.plans import demo_plan, read_plan


def interference(source: str, step: int | None, seed: int | None, device_id: str | None, as_json: bool) -> int:
    """Carry the plan out where it wasn't, and measure; returns the exit code."""
    plan = demo_plan() if source == "demo" else read_plan(Path(source))
    if seed is not None:
        plan = plan.model_copy(update={"seed": seed})
    sheet, problems = read_facts(plan.facts, plan.columns)
    for problem in problems:
        say(str(problem))

    from editview.runs.fingerprints import Fingerprints
    from editview.runs.machine import device, settle
    from editview.runs.runner import Runner
    from editview.runs.store import StageStore
    from editview.runs.timings import Timings

    settle()
    runner = Runner(StageStore(places.stages()), Fingerprints(), Timings(), device(device_id))
    session = Session()
    with ctrl_c() as stop, Bar() as bar:

        def take(event: Event) -> None:
            if isinstance(event, RunEvent):
                session.apply(event)
            if isinstance(event, EngineLoading) and event.share is not None:
                bar.show(round(100 * event.share), 100, event.what, event.seconds_left)
            else:
                bar.take(event, session.latest)

        runner.run(plan, sheet, take, stop)
        run = session.latest
        assert run is not None
        if run.state is RunState.STOPPED:
            say("Stopped. What was finished is kept.")
            return 130
        if run.state is RunState.FAILED and run.failure:
            say_error(*run.failure)
            return 1
        asked = question(run, step)
        if isinstance(asked, str):
            raise EditViewError(asked)
        found = runner.interference(asked, take, stop)
    if as_json:
        print(json.dumps(_outcome(found)))
    else:
        for sentence in (headline(found), weights_sentence(found), basis(found)):
            print(sentence)
        _table(found)
    return 0


def _table(found: Interference) -> None:
    rows = figures(found)
    shown = Table(caption=CAPTION, box=None, padding=(0, 0, 0, 1), pad_edge=False)
    for heading, cells in zip(HEADINGS, zip(*rows, strict=True), strict=True):
        shown.add_column(heading, justify="right", min_width=max(map(len, cells)))
    for row in rows:
        shown.add_row(*row)
    Console().print(shown)


def _outcome(found: Interference) -> dict[str, Any]:
    """The sentences, and every figure; layers are counted from 0."""
    return {
        "headline": headline(found),
        "weights": weights_sentence(found),
        "basis": basis(found),
        "measures": [measure.value for measure in MEASURES],
        **asdict(found),
        "layers": [
            {**asdict(one), "moved": [None if moved is None else _moved(moved) for moved in one.moved]}
            for one in found.layers
        ],
    }


def _moved(moved: Moved) -> dict[str, Any]:
    further = moved.lost_further
    return {**asdict(moved), "lost_further": None if further is None else asdict(further)}
