"""`editview trace`: finds the layers in which a model looks facts up, as a start for where to edit them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from editview.cli.saying import say
from editview.cli.screen import Bar, ctrl_c, show
from editview.domain.errors import Cancelled
from editview.domain.plan import Checkpoint
from editview.domain.tracing import ADVICE, TOKENS, Tracing, basis, headline, traced_facts
from editview.formats.fact_sheets import read_facts


def trace(
    checkpoint: Checkpoint, facts: str, columns: Mapping[str, str], device_id: str | None, seed: int, as_json: bool
) -> int:
    """Trace the sheet's facts that the model knows; 0 when layers were found, else 1."""
    sheet, left_out = read_facts(facts, columns)
    for problem in left_out:
        say(str(problem))

    from editview.lm import tracing
    from editview.lm.opening import open_model
    from editview.runs.machine import device, settle

    settle()
    with ctrl_c() as stop, Bar() as bar:

        def progress(done: int, total: int, what: str) -> None:
            if stop.is_set():
                raise Cancelled
            bar.show(done, total, what)

        lm = open_model(checkpoint, device(device_id), progress)
        if lm.offloaded is not None:
            say(lm.offloaded.layout)
        found = tracing.trace(lm, traced_facts(sheet), progress, seed)
    if as_json:
        print(json.dumps(_outcome(found)))
    else:
        show(headline(found))
        show(basis(found))
        if found.suggested:
            show(f"For a plan file, which counts from 0: layers = [{', '.join(map(str, found.suggested))}]")
            show(ADVICE)
    return 0 if found.suggested else 1


def _outcome(found: Tracing) -> dict[str, Any]:
    """Effects are [layers][tokens], null where no fact has such a token."""
    return {
        "suggested": list(found.suggested),
        "peak": found.peak,
        "tokens": [token.value for token in TOKENS],
        **asdict(found),
    }
