"""`editview export`: writes the model after a step of a plan as a checkpoint of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict

from editview.cli.run import carried_out, exit_code, make_runner, read
from editview.cli.screen import Bar, ctrl_c
from editview.domain.errors import EditViewError
from editview.domain.export import Form
from editview.domain.export_words import export_obstacle, written
from editview.domain.requests import ExportStage
from editview.domain.session import RunState


def export(
    source: str,
    facts: str | None,
    columns: Mapping[str, str],
    device_id: str | None,
    stage: int | None,
    out: str,
    form: Form,
    overwrite: bool,
    as_json: bool,
) -> int:
    """Compute what isn't kept, then write the stage; returns the exit code."""
    plan, sheet = read(source, facts, columns)
    last = len(plan.active)
    if stage is not None and not 0 <= stage <= last:
        raise EditViewError(f"*{plan.name}* has no stage {stage}: its stages are 0, the checkpoint, to {last}.")
    asked = ExportStage(plan, sheet, last if stage is None else stage, out, form, overwrite)
    if obstacle := export_obstacle(asked):
        raise EditViewError(obstacle)
    runner = make_runner(device_id)
    with ctrl_c() as stop, Bar() as bar:
        run = carried_out(runner, plan, sheet, stop, bar, steps=asked.stage)
        if run.state is not RunState.FINISHED:
            return exit_code(run)
        done = runner.export(asked, lambda event: bar.take(event, run), stop)
    print(json.dumps(asdict(done)) if as_json else written(done).replace("*", ""))
    return 0
