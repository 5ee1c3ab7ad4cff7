"""The sentences that lead every panel: what the numbers say, in a person's words."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from editview.domain.comparison import Interval, share
from editview.domain.facts import FactSheet, Group
from editview.domain.left_out import LeftOut, counted
from editview.domain.memory import Memory
from editview.domain.operations import (
    BaseOperation,
    Edit,
    FineTune,
    Lora,
    Operation,
    Reverse,
    Scrub,
    UndoEdit,
    Unediting,
    Update,
)
from editview.domain.plan import writing_of
from editview.domain.session import Run
from editview.domain.verdicts import Change, LiveCheck, Verdict


def operation_title(operation: BaseOperation, sheet: FactSheet | None = None) -> str:
    """Verb and object: 'Edit 40 facts', 'Fine-tune on support tickets'."""
    if isinstance(operation, Update):
        return operation.label
    if isinstance(operation, UndoEdit):
        return "Take an edit back"
    if isinstance(operation, Reverse):
        return "Reverse what looks edited"
    if isinstance(operation, Edit) and operation.failing:
        return "Repair facts that fail"
    if isinstance(operation, Edit):
        count = len(operation.only) or (len(sheet.group(Group.EDITED)) if sheet else 0)
        return f"Edit {count:,} fact{'' if count == 1 else 's'}" if count else "Edit the facts"
    if isinstance(operation, FineTune):
        verb_ = "Scrub edits with" if isinstance(operation, Scrub) else "Fine-tune on"
        name = operation.data.replace("\\", "/").rsplit("/", 1)[-1].rsplit(".", 1)[0]
        return f"{verb_} {name.replace('_', ' ').replace('-', ' ')}"
    raise TypeError(type(operation))


def verb(operation: Operation | Update) -> str:
    """The title's verb alone, for where there is little room."""
    if isinstance(operation, Update):
        return operation.label
    if isinstance(operation, UndoEdit):
        return "Take back"
    if isinstance(operation, Reverse):
        return "Reverse"
    if isinstance(operation, Edit):
        return "Repair" if operation.failing else "Edit"
    return "Scrub" if isinstance(operation, Scrub) else "Fine-tune"


def stage_titles(run: Run) -> list[str]:
    """The stages' titles, told apart where two operations share one: 'Edit 40 facts (step 3)'."""
    return told_apart([stage.info.title for stage in run.stages])


def stage_verbs(run: Run) -> list[str]:
    """The stages named as short as they can be: 'Checkpoint', 'Edit', 'Fine-tune (step 2)'."""
    return told_apart([run.stages[0].info.title, *map(verb, run.plan.active)])


def told_apart(titles: Sequence[str]) -> list[str]:
    """Titles of stages, with the step where several share one."""
    return [f"{title} (step {i})" if titles.count(title) > 1 else title for i, title in enumerate(titles)]


def when_lost(held: int, lost: int) -> str:
    """'between steps 30 and 40': when a fact was last seen holding and first seen lost; 'at step 31' without a gap."""
    return f"between steps {held:,} and {lost:,}" if lost - held > 1 else f"at step {lost:,}"


def method_name(operation: Operation) -> str:
    return "DoRA" if isinstance(operation, Lora) and operation.dora else operation.label


def facts_words(operation: FineTune) -> str:
    """What a fine-tune does for edits and facts: 'protected: replay 10 %, activations; teaches facts 10 %'; or ''."""
    kept = [f"replay {operation.replay:.0%}".replace("%", " %")] if operation.replay else []
    kept += ["activations"] if operation.shift_penalty else []
    kept += ["directions"] if operation.projection else []
    words = [f"protected: {', '.join(kept)}"] if kept else []
    words += [f"teaches facts {operation.teach:.0%}".replace("%", " %")] if operation.teach else []
    return "; ".join(words)


@dataclass(frozen=True, slots=True)
class Tally:
    """What the summing-up sentence counts at one stage."""

    edits: int  # edited facts on the sheet
    made: int  # of those, edited up to this stage, and not known before
    hold: int  # of those made, hold or weak
    weak: int
    lost_in: tuple[tuple[str, int], ...]  # title of the stage that lost them, how many; in the order of the stages
    never_took: int
    already_known: int  # gave the new answer before anything edited them; they are no successes
    taken_back: int
    neighbours: tuple[int, int]  # lost, of those known before
    controls: tuple[int, int]
    scrubbed: tuple[int, int] | None = (
        None  # facts to edit that a scrub or a reversal made fail, of those that stood before it
    )

    @property
    def verb(self) -> str:
        """What is said of those that `hold` counts: weak ones stand, but don't hold."""
        return "stand" if self.weak else "hold"


def sheet_sentence(sheet: FactSheet, left_out: Sequence[LeftOut] = ()) -> str:
    """What a fact sheet holds and how it was read, told before it is used."""
    nouns = ((Group.EDITED, "fact", " to edit"), (Group.NEIGHBOURS, "neighbour", ""), (Group.CONTROL, "control", ""))
    counts = [(len(sheet.group(group)), noun, rest) for group, noun, rest in nouns]
    parts = [f"{count:,} {noun}{'' if count == 1 else 's'}{rest}" for count, noun, rest in counts if count]
    text = f"{sheet.name}{f', read as {sheet.read_as}' if sheet.read_as else ''}: {', '.join(parts) or 'no facts'}"
    return f"{text}; {left_out_words(left_out)}." if left_out else f"{text}."


def left_out_words(left_out: Sequence[LeftOut]) -> str:
    """'3 records were left out, 1 is used but for a part'."""
    whole, part = counted(left_out)
    parts = [f"{whole:,} record{' was' if whole == 1 else 's were'} left out"] if whole else []
    if part:
        noun = "" if whole else " record" if part == 1 else " records"
        parts.append(f"{part:,}{noun} {'is' if part == 1 else 'are'} used but for a part")
    return ", ".join(parts)


def summary(run: Run, stage: int) -> str:
    """'31 of 40 edits hold; 9 were lost during *Fine-tune on …*; 2 of 100 controls were lost.' at a checked stage."""
    return tell(tally(run, stage))


def tally(run: Run, stage: int) -> Tally:
    """Count one stage of a run. Facts that were not asked there count as not holding."""
    facts = run.sheet.group(Group.EDITED)
    written = [fact for fact in facts if writing_of(run.plan, fact.id, stage) is not None]
    became = {fact.id: run.change(fact, stage) for fact in written}
    known = [fact.id for fact in written if run.known_before(fact.id)]
    done = [fact for fact in written if fact.id not in known and became[fact.id] is not Change.TAKEN_BACK]
    verdicts = [run.verdict(fact.id, stage) for fact in done]
    lost_in: dict[int, int] = {}
    for fact in done:
        if became[fact.id] is Change.LOST and (at := run.lost_in(fact.id, stage)) is not None:
            lost_in[at] = lost_in.get(at, 0) + 1

    def others(group: Group) -> tuple[int, int]:
        changes = [run.change(fact, stage) for fact in run.sheet.group(group)]
        known = [change for change in changes if change not in (None, Change.NEVER_KNOWN)]
        return known.count(Change.DAMAGED), len(known)

    return Tally(
        edits=len(facts),
        made=len(done),
        hold=verdicts.count(Verdict.HOLDS) + verdicts.count(Verdict.WEAK),
        weak=verdicts.count(Verdict.WEAK),
        lost_in=tuple((run.stages[at].info.title, count) for at, count in sorted(lost_in.items())),
        never_took=list(became.values()).count(Change.NEVER_TOOK),
        already_known=len(known),
        taken_back=list(became.values()).count(Change.TAKEN_BACK),
        neighbours=others(Group.NEIGHBOURS),
        controls=others(Group.CONTROL),
        scrubbed=_scrubbed(run, stage),
    )


def _scrubbed(run: Run, stage: int) -> tuple[int, int] | None:
    """What a scrub or a reversal took out, whoever edited it; None: the stage is none, or nothing stood before it."""
    if not stage or not isinstance(run.plan.active[stage - 1], Unediting):
        return None
    standing = (Verdict.HOLDS, Verdict.WEAK)
    stood = [fact for fact in run.sheet.group(Group.EDITED) if run.verdict(fact.id, stage - 1) in standing]
    gone = sum(run.verdict(fact.id, stage) is Verdict.FAILS for fact in stood)
    return (gone, len(stood)) if stood else None


def tell(tally: Tally) -> str:
    """A tally as the sentence that sums up."""
    parts = []
    if tally.scrubbed is not None:
        gone, stood = tally.scrubbed
        parts.append(f"{gone:,} of {stood:,} edits {'is' if gone == 1 else 'are'} gone")
    elif tally.made:
        parts.append(f"{tally.hold:,} of {tally.made:,} edits {tally.verb}")
        if tally.weak:
            parts[0] += f" ({tally.weak:,} of them weak: not in every wording)"
        parts += [f"{count:,} {_were(count)} lost during *{title}*" for title, count in tally.lost_in]
        if tally.never_took:
            parts.append(f"{tally.never_took:,} never took")
    elif tally.edits and not (tally.already_known or tally.taken_back):
        parts.append(f"{tally.edits:,} edits are still to be made")
    for count, became in ((tally.already_known, "already known"), (tally.taken_back, "taken back")):
        if count and tally.scrubbed is None:
            noun = "" if parts else "edit " if count == 1 else "edits "
            parts.append(f"{count:,} {noun}{_were(count)} {became}")
    for (lost, known), noun in ((tally.neighbours, "neighbours"), (tally.controls, "controls")):
        if lost:
            parts.append(f"{lost:,} of {known:,} {noun} {_were(lost)} lost")
        elif known:
            parts.append(f"all {known:,} {noun} are intact")
    text = "; ".join(parts)
    return text[:1].upper() + text[1:] + "." if text else ""


def split(sentence: str) -> tuple[str, str]:
    """A summing-up sentence as its first count and the rest: '31 of 40 edits hold', '9 were lost during …'."""
    found = re.match(r"([^;(]+?)(?:; | \(|\.$)(.*)", sentence, re.DOTALL)
    if not found:
        return sentence, ""
    rest = found[2].replace(")", "", 1) if sentence[len(found[1]) :].startswith(" (") else found[2]
    return found[1], rest[:1].upper() + rest[1:]


def certainty(tally: Tally) -> str:
    """How sure the share of edits that hold is, and what it is a share of; empty without edits."""
    if not tally.made:
        return ""
    reach = share(tally.hold, tally.made)
    hold, low, high = (f"{100 * value:.0f} %" for value in (reach.estimate, reach.low, reach.high))
    edits = f"all {tally.made:,} edits" if tally.made > 1 else "the edits"
    took, of_those = tally.made - tally.never_took, ""
    if 0 < took < tally.made and tally.hold <= took:  # the share that pictures of survival draw
        of_those = f" ({100 * tally.hold / took:.0f} % of the {took:,} that took)"
    return (
        f"{hold} of {edits} {tally.verb}{of_those}. Of many more edits made in the same way, between {low} and {high} "
        "would (95 % interval after Wilson)."
    )


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


def strength_sentence(check: LiveCheck, sheet: FactSheet, strength: float) -> str:
    """'At 60 %, right after this step: 23 of 40 edits, 118 of 120 neighbours, 99 of 100 controls stand.'"""
    gives = dict(zip(check.fact_ids, check.gives, strict=True))
    parts = []
    for group, noun in ((Group.EDITED, "edits"), (Group.NEIGHBOURS, "neighbours"), (Group.CONTROL, "controls")):
        asked = [gives[fact.id] for fact in sheet.group(group) if fact.id in gives]
        if asked:
            parts.append(f"{sum(asked):,} of {len(asked):,} {noun}")
    return f"At {strength:.0f} %, right after this step: {', '.join(parts)} stand."


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


def time_left(seconds: float) -> str:
    """'8 s', '45 s', '3 min 30 s', '25 min', '2 h 5 min': the longer it takes, the less is known, and said, of it."""
    steps = ((10, 1), (60, 5), (600, 30), (1800, 60), (math.inf, 300))
    step = next(step for below, step in steps if seconds < below)
    return duration(step * round(seconds / step))


def amount(count: float) -> str:
    """Bytes as a person reads them."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit in ("B", "kB") else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def memory_sentence(memory: Memory) -> str:
    """'1.2 GB of memory: optimiser 0.6 GB, weights …', what needs most first."""
    parts = [
        ("weights", memory.weights), ("gradients", memory.gradients), ("optimiser", memory.optimiser),
        ("activations", memory.activations), ("copies to go back to", memory.copies),
    ]  # fmt: skip
    said = [f"{name} {amount(size)}" for name, size in sorted(parts, key=lambda part: -part[1]) if size]
    return f"{amount(memory.total)} of memory: {', '.join(said)}"
