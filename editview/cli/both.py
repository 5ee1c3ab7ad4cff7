"""A fact sheet asked of both checkpoints that `editview diff` compares: the same facts, and who answers what."""

from __future__ import annotations

import threading
from typing import Any

from rich.table import Table
from rich.text import Text

from editview.cli.outcome import run_outcome
from editview.cli.run import make_runner
from editview.cli.saying import say_error
from editview.cli.screen import Bar, show
from editview.domain.errors import Cancelled
from editview.domain.events import BothAsked, Event
from editview.domain.look import mark_at
from editview.domain.requests import AskBoth
from editview.domain.sentences import tally
from editview.domain.sentences import tell as told
from editview.domain.session import Run, RunState, Session
from editview.domain.two_checkpoints import differing_answers, differing_words, sureness
from editview.runs.words import in_words

_MOST = 30
"""Facts that the table shows, of those answered differently."""


def ask(asked: AskBoth, device_id: str | None, stop: threading.Event, bar: Bar) -> Run | None:
    """The run that asked both; None where it failed, which is said. Raises Cancelled."""
    from editview.runs.two_checkpoints import ask_both

    session = Session()

    def take(event: Event) -> None:
        if isinstance(event, BothAsked):
            session.apply(event.event)
            bar.take(event.event, session.latest)
        else:
            bar.take(event, None)

    try:
        ask_both(make_runner(device_id), asked, take, stop)
    except Cancelled:
        raise
    except Exception as error:  # what is known of the weights is told all the same
        say_error(*in_words(error))
        return None
    run = session.latest
    if run is None or run.state is RunState.STOPPED:
        raise Cancelled
    if run.failure:
        say_error(*run.failure)
    return run if run.state is RunState.FINISHED else None


def tell(run: Run) -> None:
    """Print which facts they answer differently."""
    differing = differing_answers(run)
    if differing:
        show(_table(run, differing))
    show(" ".join(filter(None, (f"{differing_words(run)}.", told(tally(run, 1)), sureness(run)))))


def _table(run: Run, differing: list[str]) -> Table:
    more = f"{len(differing) - _MOST:,} more; --json lists all" if len(differing) > _MOST else None
    shown = Table(title="Facts answered differently", caption=more)
    for name in ("Fact", "Wanted", "Before", "After"):
        shown.add_column(name)
    wanted = set(differing[:_MOST])
    for fact in run.sheet:
        if fact.id in wanted:
            checks = [(stage.checks[fact.id], run.change(fact, at)) for at, stage in enumerate(run.stages)]
            answers = (f"{mark_at(check.verdict, change).glyph} {check.said}" for check, change in checks)
            shown.add_row(*map(Text, (fact.prompt, fact.wanted, *answers)))
    return shown


def outcome(run: Run) -> dict[str, Any]:
    """By fact, as of a run with one step."""
    return {"sentence": differing_words(run), "differing": differing_answers(run), **run_outcome(run)}
