"""Brings runs back as they were, and says what of them isn't there any more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from editview.domain import places
from editview.domain.errors import EditViewError
from editview.domain.history import Recalled
from editview.domain.orders import ingredients, order_key
from editview.domain.plan import Plan
from editview.domain.run_events import RunStarted, RunStopped
from editview.domain.session import Run, RunState, Session
from editview.runs import told
from editview.runs.history import History, Kept
from editview.runs.named import same_files, what_changed


def recalled(history: History, run_id: str) -> Recalled:
    """A run from the list, ended where it came to. Raises EditViewError where it is gone or can't be read."""
    kept = history.kept(run_id)
    session = Session()
    for event in told.unpacked(run_id, kept.whole_plan, kept.sheet, kept.pieces):
        session.apply(event)
    run = session.runs[run_id]
    if run.state is RunState.RUNNING:  # it goes on elsewhere, or was cut off
        run.apply(RunStopped(run_id))
    return Recalled(kept.entry, run, tuple(_remarks(kept, run)))


def other_orders(history: History, run_id: str) -> tuple[Recalled, ...]:
    """The latest finished run of each other order of a run's steps, begun on the same checkpoint, facts and files.

    Those that can't be read are passed over. Raises EditViewError where the run itself isn't kept.
    """
    kept = history.kept(run_id)
    own = next(told.unpacked(run_id, kept.whole_plan, kept.sheet, kept.pieces))
    assert isinstance(own, RunStarted)
    wanted, seen, found = ingredients(own.plan), {order_key(own.plan)}, list[Recalled]()
    for other_id, plan_said, files in history.finished_on(kept.sheet_hash):
        with suppress(EditViewError, ValueError):
            plan = Plan.model_validate_json(plan_said)
            if ingredients(plan) != wanted or order_key(plan) in seen or not same_files(kept.files, files):
                continue
            other = recalled(history, other_id)
            if other.run.stages[0].info.key == own.stages[0].key:
                seen.add(order_key(plan))
                found.append(other)
    return tuple(found)


def _remarks(kept: Kept, run: Run) -> Iterator[str]:
    gone = [
        f"*{stage.info.title}*"
        for stage in run.stages[1:]
        if stage.seconds is not None and not (places.stages() / stage.info.key).is_dir()
    ]
    if gone:
        named = f"{', '.join(gone[:-1])} and {gone[-1]}" if len(gone) > 1 else gone[0]
        yield (
            f"The weights after {named} aren't kept any more: the answers and pictures are shown as they were, and "
            "running the plan computes the weights again."
        )
    yield from what_changed(run.plan, kept.sheet_hash, kept.files)
