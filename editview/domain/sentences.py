"""The sentences that lead every panel: what the numbers say, in a person's words."""

from __future__ import annotations

from editview.domain.comparison import Interval
from editview.domain.facts import FactSheet, Group
from editview.domain.operations import Edit, FineTune, Lora, Operation
from editview.domain.plan import edits_of
from editview.domain.session import Run
from editview.domain.verdicts import Change, Verdict


def operation_title(operation: Operation, sheet: FactSheet | None = None) -> str:
    """Verb and object: 'Edit 40 facts', 'Fine-tune on support tickets'."""
    if isinstance(operation, Edit):
        count = len(operation.only) or (len(sheet.group(Group.EDITED)) if sheet else 0)
        return f"Edit {count:,} fact{'' if count == 1 else 's'}" if count else "Edit the facts"
    if isinstance(operation, FineTune):
        name = operation.data.replace("\\", "/").rsplit("/", 1)[-1].rsplit(".", 1)[0]
        return f"Fine-tune on {name.replace('_', ' ').replace('-', ' ')}"
    raise TypeError(type(operation))


def method_name(operation: Operation) -> str:
    return "DoRA" if isinstance(operation, Lora) and operation.dora else operation.label


def summary(run: Run, stage: int) -> str:
    """'31 of 40 edits hold; 9 were lost during *Fine-tune on …*; 2 of 100 controls were lost.' at a checked stage."""
    parts = [_edits(run, stage)]
    for group, noun in ((Group.NEIGHBOURS, "neighbours"), (Group.CONTROL, "controls")):
        known = [fact for fact in run.sheet.group(group) if run.change(fact, stage) not in (None, Change.NEVER_KNOWN)]
        damaged = sum(run.change(fact, stage) is Change.DAMAGED for fact in known)
        if known:
            verb = "was" if damaged == 1 else "were"
            parts.append(
                f"{damaged:,} of {len(known):,} {noun} {verb} lost"
                if damaged
                else f"all {len(known):,} {noun} are intact"
            )
    text = "; ".join(part for part in parts if part)
    return text[:1].upper() + text[1:] + "." if text else ""


def _edits(run: Run, stage: int) -> str:
    facts = run.sheet.group(Group.EDITED)
    done = [fact for fact in facts if (at := edits_of(run.plan, fact.id)) is not None and at <= stage]
    if not facts:
        return ""
    if not done:
        return f"{len(facts):,} edits are still to be made"
    verdicts = [run.verdict(fact.id, stage) for fact in done]
    stand = sum(verdict in (Verdict.HOLDS, Verdict.WEAK) for verdict in verdicts)
    weak = sum(verdict is Verdict.WEAK for verdict in verdicts)
    text = f"{stand:,} of {len(done):,} edits hold"
    if weak:
        text += f" ({weak:,} of them not in every wording)"
    lost_in: dict[int, int] = {}
    for fact in done:
        if run.change(fact, stage) is Change.LOST:
            at = next(s for s in range(stage, 0, -1) if run.verdict(fact.id, s - 1) is not Verdict.FAILS)
            lost_in[at] = lost_in.get(at, 0) + 1
    for at, count in sorted(lost_in.items()):
        verb = "was" if count == 1 else "were"
        text += f"; {count:,} {verb} lost during *{run.stages[at].info.title}*"
    never = sum(run.change(fact, stage) is Change.NEVER_TOOK for fact in done)
    if never:
        text += f"; {never:,} never took"
    return text


def comparison(first: str, second: str, difference: Interval, count: int) -> str:
    """Which of two orders keeps more edits, by how much, and how sure this many facts make it."""
    points, low, high = (round(100 * x) for x in (difference.estimate, difference.low, difference.high))
    if low <= 0 <= high:
        return (
            f"No clear difference: *{second}* keeps {points:+d} points of {count:,} edits against *{first}* "
            f"(95 % interval {low:+d} to {high:+d})."
        )
    better, worse = (second, first) if points > 0 else (first, second)
    low, high = sorted((abs(low), abs(high)))
    return (
        f"*{better}* keeps more edits than *{worse}*: {abs(points)} percentage points more of {count:,} "
        f"(95 % interval {low} to {high})."
    )


def duration(seconds: float) -> str:
    """'45 s', '3 min 20 s', '2 h 5 min'."""
    whole = max(1, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest and minutes < 10 else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def amount(count: float) -> str:
    """Bytes as a person reads them."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit in ("B", "kB") else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
