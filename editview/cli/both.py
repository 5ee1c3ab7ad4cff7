"""`editview diff --facts`: a fact sheet asked of both checkpoints, those answered differently first."""

from __future__ import annotations

from typing import Any

from rich.table import Table
from rich.text import Text

from editview.cli.run import make_runner
from editview.cli.screen import Bar, ctrl_c, show
from editview.domain.answers_of_both import headline, mark, pairs, sentence, told
from editview.domain.errors import Cancelled, EditViewError
from editview.domain.events import BothAsked, Event, StageFinished
from editview.domain.facts import Fact, FactSheet
from editview.domain.plan import Checkpoint
from editview.domain.requests import AskBoth
from editview.domain.session import Run, RunState, Session
from editview.domain.two_checkpoints import differing_answers

_MOST = 30
"""Facts that the table shows, of those answered differently."""


def asked_of_both(first: Checkpoint, second: Checkpoint, sheet: FactSheet, device_id: str | None) -> Run:
    """Ask every fact of one, then of the other. Raises EditViewError when that fails, and Cancelled."""
    from editview.runs.two_checkpoints import ask_both

    session = Session()
    runner = make_runner(device_id)
    with ctrl_c() as stop, Bar() as bar:

        def emit(event: Event) -> None:
            if isinstance(event, BothAsked):
                session.apply(event.event)
                event = event.event
            if not isinstance(event, StageFinished):  # what is said of a stage is about edits
                bar.take(event, session.latest)

        ask_both(runner, AskBoth(first, second, sheet), emit, stop)
    run = session.latest
    if run is None or run.state is RunState.STOPPED:
        raise Cancelled
    if run.failure:
        raise EditViewError(*run.failure)
    return run


def show_both(run: Run) -> None:
    """Print what differs, and the sentence."""
    differing = differing_answers(run)
    if differing:
        more = f"{len(differing) - _MOST:,} more; --json lists all facts" if len(differing) > _MOST else None
        shown = Table(title="Answered differently", caption=more)
        for name in ("Asked", "Before", "After", "What they answer"):
            shown.add_column(name)
        alike = {fact_id: before is after for fact_id, (before, after) in pairs(run).items()}
        for fact_id in sorted(differing, key=alike.__getitem__)[:_MOST]:
            one = _fact(run, run.sheet.facts[run.sheet.position[fact_id]])
            answers = [f"{one[when]['mark']} {' '.join(one[when]['answer'].split())}" for when in ("before", "after")]
            shown.add_row(*map(Text, (one["prompt"], *answers, one["answers"])))
        show(shown)
    show(f"{headline(run)}. {sentence(run)}")


def both_outcome(run: Run) -> dict[str, Any]:
    return {
        "sheet": run.sheet.name,
        "headline": headline(run),
        "sentence": sentence(run),
        "differing": differing_answers(run),
        "facts": [_fact(run, fact) for fact in run.sheet],
    }


def _fact(run: Run, fact: Fact) -> dict[str, Any]:
    before, after = pairs(run)[fact.id]
    marks = mark(fact.group, before, after, after=False), mark(fact.group, after, before, after=True)
    both = {
        when: {"answer": stage.checks[fact.id].said, "is": seen.word, "mark": seen.glyph}
        for when, stage, seen in zip(("before", "after"), run.stages, marks, strict=True)
    }
    return {
        "id": fact.id,
        "group": fact.group.value,
        "prompt": fact.prompt,
        "wanted": fact.wanted,
        "other": fact.other,
        "answers": told(fact.group, before, after),
        **both,
    }
