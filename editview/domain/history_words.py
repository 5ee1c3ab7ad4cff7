"""The list of runs in words: when each was, what came of it, by which names two runs are told apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

from editview.domain.history import EntryKind, RunEntry
from editview.domain.look import Mark
from editview.domain.plan import checkpoint_name
from editview.domain.session import RunState

STATES = {
    RunState.RUNNING: Mark("▸", "running", "neutral"),
    RunState.FINISHED: Mark("✓", "finished", "holds"),
    RunState.STOPPED: Mark("■", "stopped", "weak"),
    RunState.FAILED: Mark("✗", "failed", "fails"),
}

NO_RUNS = (
    "No run yet. Every run of a plan is kept here, from the window and from the command line: press *Run*. So is every "
    "comparison of two checkpoints, and every inspection of one."
)


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


def about(entry: RunEntry) -> str:
    """'Run · Edit → Fine-tune · demo', 'Comparison', 'Inspection · against gpt2'."""
    on = checkpoint_name(entry.checkpoint) if entry.kind is EntryKind.RUN else ""
    return " · ".join(filter(None, (entry.kind.value.capitalize(), entry.steps, on)))


def counted(entries: Iterable[RunEntry]) -> str:
    """'1 run', '12 runs and 1 comparison', '12 runs, 1 comparison and 2 inspections'."""
    counts = Counter(entry.kind for entry in entries)
    words = [f"{counts[kind]:,} {kind.value}{'s' * (counts[kind] > 1)}" for kind in EntryKind if counts[kind]]
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)


def matches(entry: RunEntry, typed: str) -> bool:
    """Whether every typed word is found in what is shown of a row."""
    mark = STATES[entry.state].word
    shown = (entry.kind.value, entry.name, entry.checkpoint, entry.steps, outcome(entry), entry.note, mark, entry.door)
    text = " ".join(shown)
    return all(word in text.casefold() for word in typed.casefold().split())


def opened(entry: RunEntry, now: float) -> str:
    """What is said when a run, or what was found, is shown again."""
    of = "" if entry.kind is EntryKind.RUN else f"the {entry.kind.value} of "
    led = f"This is {of}*{entry.name}* as of {when(entry.began, now)}"
    if entry.state is RunState.FINISHED:
        return f"{led}."
    if entry.state is RunState.RUNNING:
        return f"{led}; it is under way in another process, and this is what it had a moment ago."
    ended = "was stopped" if entry.state is RunState.STOPPED else "failed"
    return f"{led}. It {ended}{f' during *{entry.stage}*' if entry.stage else ''}; this is what it had."


def names_apart(first: RunEntry, second: RunEntry, now: float) -> tuple[str, str]:
    """What tells two runs apart: the order of their steps, else their plans' names, else when they were, or which."""
    for one, other in ((first.steps, second.steps), (first.name, second.name)):
        if one != other:
            return one, other
    one, other = when(first.began, now), when(second.began, now)
    return (f"the run of {one}", f"the run of {other}") if one != other else ("the first run", "the second run")
