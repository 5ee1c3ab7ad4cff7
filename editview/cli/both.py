"""A fact sheet asked of both checkpoints that `editview diff` compares: the same facts, and who answers what."""

from __future__ import annotations

import threading
from typing import Any

from rich.table import Table
from rich.text import Text

from editview.cli.run import make_runner
from editview.cli.saying import say_error
from editview.cli.screen import Bar, grid, show
from editview.domain.answers_of_both import headline, look, pairs, sentence, told
from editview.domain.errors import Cancelled
from editview.domain.events import BothAsked, Event
from editview.domain.requests import AskBoth
from editview.domain.run_events import Progressed
from editview.domain.session import Run, RunState, Session
from editview.domain.two_checkpoints import differing_answers
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
            if isinstance(event.event, Progressed):  # what came of it is told at the end, in words of its own
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
    if differing_answers(run):
        show(_table(run))
    show(f"{headline(run)}. {sentence(run)}")


def _table(run: Run) -> Table:
    differing, said = set(differing_answers(run)), pairs(run)
    more = f"{len(differing) - _MOST:,} more; --json lists all" if len(differing) > _MOST else None
    shown = grid("Facts answered differently", more)
    for name in ("Fact", "Wanted", "Before", "After"):
        shown.add_column(name, overflow="fold")
    for fact in [fact for fact in run.sheet if fact.id in differing][:_MOST]:
        before, after = said[fact.id]
        marks = look(before, after, after=False), look(after, before, after=True)
        answers = (f"{mark.glyph} {stage.checks[fact.id].said}" for mark, stage in zip(marks, run.stages, strict=True))
        shown.add_row(*map(Text, (fact.prompt, fact.wanted, *answers)))
    return shown


def outcome(run: Run) -> dict[str, Any]:
    """Everything that both answered, by fact."""
    differing, said = set(differing_answers(run)), pairs(run)
    facts = [
        {
            "id": fact.id,
            "group": fact.group.value,
            "prompt": fact.prompt,
            "wanted": fact.wanted,
            "answers": [stage.checks[fact.id].said for stage in run.stages],
            "given": told(fact.group, *said[fact.id]),
            "differs": fact.id in differing,
        }
        for fact in run.sheet
    ]
    return {"sheet": run.sheet.name, "sentence": f"{headline(run)}. {sentence(run)}", "facts": facts}
