"""The runs so far in words: when a run was, what came of it, by which names two of them are told apart."""

from __future__ import annotations

from datetime import datetime, timedelta

from editview.domain.history import RunEntry
from editview.domain.look import Mark
from editview.domain.session import RunState

STATES = {
    RunState.RUNNING: Mark("▸", "running", "neutral"),
    RunState.FINISHED: Mark("✓", "finished", "holds"),
    RunState.STOPPED: Mark("■", "stopped", "weak"),
    RunState.FAILED: Mark("✗", "failed", "fails"),
}

NO_RUNS = "No run yet. Every run of a plan is kept here, from the window and from the command line: press *Run*."


def when(began: float, now: float) -> str:
    """'today, 18:20', 'yesterday, 9:05', '28 November, 18:20', '28 November 2026, 18:20' in another year."""
    then, today = datetime.fromtimestamp(began), datetime.fromtimestamp(now)
    time = f"{then.hour}:{then.minute:02}"
    if then.date() == today.date():
        return f"today, {time}"
    if then.date() == (today - timedelta(days=1)).date():
        return f"yesterday, {time}"
    year = "" if then.year == today.year else f" {then.year}"
    return f"{then.day} {then:%B}{year}, {time}"


def outcome(entry: RunEntry) -> str:
    """What came of a run, led by how far it came where that isn't its end."""
    if entry.state is RunState.FINISHED:
        return entry.sentence
    at = f" during *{entry.stage}*" if entry.stage else ""
    led = {
        RunState.RUNNING: f"Under way{at}.",
        RunState.STOPPED: f"Stopped{at}.",
        RunState.FAILED: f"Failed{at}: {entry.failure}",
    }[entry.state]
    return f"{led} {entry.sentence}".strip()


def matches(entry: RunEntry, typed: str) -> bool:
    """Whether every typed word is found in what is shown of a run."""
    mark = STATES[entry.state].word
    text = " ".join((entry.plan, entry.checkpoint, entry.steps, outcome(entry), entry.note, mark, entry.door))
    return all(word in text.casefold() for word in typed.casefold().split())


def opened(entry: RunEntry, now: float) -> str:
    """What is said when a run is shown again."""
    led = f"This is *{entry.plan}* as of {when(entry.began, now)}"
    if entry.state is RunState.FINISHED:
        return f"{led}."
    if entry.state is RunState.RUNNING:
        return f"{led}; it is under way in another process, and this is what it had a moment ago."
    ended = "was stopped" if entry.state is RunState.STOPPED else "failed"
    return f"{led}. It {ended}{f' during *{entry.stage}*' if entry.stage else ''}; this is what it had."


def names_apart(first: RunEntry, second: RunEntry, now: float) -> tuple[str, str]:
    """What tells two runs apart: the order of their steps, else their plans' names, else when they were."""
    for one, other in ((first.steps, second.steps), (first.plan, second.plan)):
        if one != other:
            return one, other
    return f"the run of {when(first.began, now)}", f"the run of {when(second.began, now)}"
