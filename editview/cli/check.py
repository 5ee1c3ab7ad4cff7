"""`editview check`: asks a model the facts of a sheet, for CI."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path

from editview.cli.outcome import check_outcome, write_junit
from editview.cli.saying import say
from editview.cli.screen import Bar, ctrl_c, show
from editview.domain.errors import Cancelled
from editview.domain.files import try_place
from editview.domain.plan import Checkpoint
from editview.domain.scores import scores
from editview.domain.sentences import sheet_sentence
from editview.domain.verdicts import Check, Verdict
from editview.formats.fact_sheets import read_facts


def check(
    checkpoint: Checkpoint,
    facts: str,
    columns: Mapping[str, str],
    device_id: str | None,
    junit: Path | None,
    as_json: bool,
    allow_left_out: bool,
) -> int:
    """Ask every fact; 0 when each holds in every wording, else 1, and 2 when some of the sheet couldn't be asked.

    Nothing is taken from what earlier runs found.
    """
    sheet, problems = read_facts(facts, columns)
    left_out = [str(problem) for problem in problems]
    for problem in left_out:
        say(problem)
    if sheet.read_as:
        say(sheet_sentence(sheet, problems))
    if junit:
        try_place(junit)

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

        lm = open_model(checkpoint, device(device_id), progress)
        if lm.offloaded is not None:
            say(lm.offloaded.layout)
        for batch in answers.check(lm, sheet.facts, progress):
            checks += batch
    failing = [check for check in checks if check.verdict is not Verdict.HOLDS]
    if as_json:
        print(json.dumps(check_outcome(sheet, checks, left_out)))
    else:
        by_id = {fact.id: fact for fact in sheet}
        for one in failing:
            fact, wrong = by_id[one.fact_id], next(answer for answer in one.answers if not answer.gives)
            show(f"{one.verdict.value:5} {fact.id}: {wrong.prompt} → {wrong.said} (wanted: {fact.wanted})")
        show(f"{len(checks) - len(failing):,} of {len(checks):,} facts hold.")
        if said := scores(sheet, {one.fact_id: one for one in checks}).sentence:
            show(f"As the literature counts: {said}")
    if junit:
        write_junit(sheet, checks, left_out, allow_left_out, time.perf_counter() - began, junit)
    if left_out and not allow_left_out:
        say(f"{len(left_out):,} of the sheet's records were left out. If that is meant to be, say --allow-left-out.")
        return 2
    return 1 if failing else 0
