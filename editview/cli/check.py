"""`editview check`: asks a model the facts of a sheet, for CI."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from editview.cli.outcome import check_outcome, write_junit
from editview.cli.screen import Bar, ctrl_c
from editview.domain.errors import Cancelled
from editview.domain.plan import Checkpoint
from editview.domain.verdicts import Check, Verdict
from editview.formats.fact_sheets import read_facts


def check(
    source: str, adapter: str | None, facts: str, device_id: str | None, junit: Path | None, as_json: bool
) -> int:
    """Ask every fact; 0 when each holds in every wording, else 1. Nothing is taken from what earlier runs found."""
    sheet, problems = read_facts(facts, {})
    for problem in problems:
        print(problem, file=sys.stderr)

    from editview.lm import answers
    from editview.lm.opening import open_model
    from editview.runs.machine import device, settle

    settle()
    began = time.perf_counter()
    checks: list[Check] = []
    with ctrl_c() as stop, Bar() as bar:

        def progress(done: int, total: int, what: str) -> None:
            if stop.is_set():
                raise Cancelled
            bar.show(done, total, what)

        lm = open_model(Checkpoint(source=source, adapter=adapter), device(device_id), progress)
        for batch in answers.check(lm, sheet.facts, progress):
            checks += batch
    failing = [check for check in checks if check.verdict is not Verdict.HOLDS]
    if junit:
        write_junit(sheet, checks, time.perf_counter() - began, junit)
    if as_json:
        print(json.dumps(check_outcome(sheet, checks), ensure_ascii=False))
    else:
        by_id = {fact.id: fact for fact in sheet}
        for one in failing:
            fact, wrong = by_id[one.fact_id], next(answer for answer in one.answers if not answer.gives)
            print(f"{one.verdict.value:5} {fact.id}: {wrong.prompt} → {wrong.said} (wanted: {fact.wanted})")
        print(f"{len(checks) - len(failing):,} of {len(checks):,} facts hold.")
    return 1 if failing else 0
