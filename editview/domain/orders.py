"""Orders of the same operations: which there are, which were run, and what two of them keep, fact by fact."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain, islice, permutations
from typing import NamedTuple

from editview.domain.comparison import Interval, paired_difference
from editview.domain.facts import Fact, FactSheet, Group
from editview.domain.operations import Edit, FineTune, Operation, Scrub, UndoEdit
from editview.domain.plan import Plan, writing_of
from editview.domain.sentences import comparison, operation_title, verb
from editview.domain.session import Run, RunState
from editview.domain.survival import NAMES
from editview.domain.verdicts import Verdict

MOST_ORDERS = 6
LONGEST_NAME = 40  # signs of an order's name that a sentence has room for


def order_key(plan: Plan) -> str:
    """Equal for plans that compute the same in the same order."""
    return repr((plan.checkpoint, plan.seed, [operation.content() for operation in plan.active]))


def ingredients(plan: Plan) -> str:
    """Equal for plans that do the same operations in any order."""
    contents = sorted(repr(operation.content()) for operation in plan.active)
    return repr((plan.checkpoint, plan.seed, contents))


def orders(plan: Plan) -> list[Plan]:
    """The plan's own order first, then others of its switched-on operations, at most six in all, equal ones once.

    Where there are more: neighbours swapped come first, then the reverse, which tell most for their price.
    """
    active = plan.active
    resting = tuple(operation for operation in plan.operations if not operation.enabled)
    swaps = ((*active[:i], active[i + 1], active[i], *active[i + 2 :]) for i in range(len(active) - 1))
    found = {order_key(plan): plan}
    for arrangement in chain(swaps, (active[::-1],), islice(permutations(active), 720)):
        if len(found) == MOST_ORDERS:
            break
        other = plan.model_copy(update={"operations": (*arrangement, *resting)})
        if all(other.stage_undone_by(undo) for undo in other.active if isinstance(undo, UndoEdit)):
            found.setdefault(order_key(other), other)
    return list(found.values())


def edits_last(plan: Plan) -> Plan:
    """The plan with its fine-tunes first and all else behind them, each in the order that it had.

    A scrub stays behind the edits that it is to wear off.
    """
    operations = sorted(plan.operations, key=lambda operation: not _goes_first(operation))
    return plan.model_copy(update={"operations": tuple(operations)})


def why_edits_stay(plan: Plan) -> str:
    """Why the edits of a plan can't be put last; empty: they can."""
    if not any(isinstance(operation, Edit) for operation in plan.active):
        return "The plan has no edit."
    if not any(map(_goes_first, plan.active)):
        return "The plan has no fine-tune that edits could come after."
    return "The edits come last already." if edits_last(plan).active == plan.active else ""


def _goes_first(operation: Operation) -> bool:
    return isinstance(operation, FineTune) and not isinstance(operation, Scrub)


def order_name(plan: Plan) -> str:
    """'Edit → Fine-tune'; with the object where a verb alone would stand for two different operations."""
    active = plan.active
    contents = {word: {repr(o.content()) for o in active if verb(o) == word} for word in map(verb, active)}
    names = [verb(o) if len(contents[verb(o)]) == 1 else operation_title(o) for o in active]
    return " → ".join(names) or "Nothing"


def comparable(runs: Iterable[Run], plan: Plan, sheet: FactSheet) -> list[Run]:
    """The newest finished run of each order of this plan's operations on this sheet, the order first run first."""
    wanted = ingredients(plan)
    newest: dict[str, Run] = {}
    for run in runs:
        if run.state is RunState.FINISHED and ingredients(run.plan) == wanted and _same(run.sheet, sheet):
            newest[order_key(run.plan)] = run
    return list(newest.values())


def _same(one: FactSheet, other: FactSheet) -> bool:
    return one is other or one.content_hash == other.content_hash


_STANDS = (Verdict.HOLDS, Verdict.WEAK)


class FactPair(NamedTuple):
    """One fact at the end of both orders. None: it wasn't asked there."""

    fact: Fact
    first: Verdict | None
    second: Verdict | None
    said_first: str
    said_second: str

    @property
    def kept(self) -> tuple[bool, bool]:
        return self.first in _STANDS, self.second in _STANDS

    @property
    def differs(self) -> bool:
        return self.first is not self.second


@dataclass(frozen=True, slots=True)
class Kept:
    """How many facts of a group each order keeps at its end, and the paired difference, second less first."""

    group: Group
    both: int
    only_first: int
    only_second: int
    neither: int
    difference: Interval

    @property
    def count(self) -> int:
        return self.both + self.only_first + self.only_second + self.neither

    @property
    def first(self) -> int:
        return self.both + self.only_first

    @property
    def second(self) -> int:
        return self.both + self.only_second

    @property
    def clear(self) -> bool:
        """The interval of the difference leaves out no difference at all."""
        return not self.difference.low <= 0 <= self.difference.high


def pair_up(first: Run, second: Run) -> list[FactPair]:
    """Every fact of the sheet at the last stage of both runs: first those kept by one order only, then other
    differences, then the rest; each in the sheet's order."""
    by_one, otherwise, alike = list[FactPair](), list[FactPair](), list[FactPair]()
    ends = first.stages[-1].checks, second.stages[-1].checks
    for fact in first.sheet:
        one, two = ends[0].get(fact.id), ends[1].get(fact.id)
        pair = FactPair(
            fact,
            one.verdict if one else None,
            two.verdict if two else None,
            one.said if one else "",
            two.said if two else "",
        )
        stands = pair.kept
        (by_one if stands[0] is not stands[1] else otherwise if pair.differs else alike).append(pair)
    return by_one + otherwise + alike


def edited(plan: Plan, sheet: FactSheet) -> set[str]:
    """The facts that the plan's operations edit, but for those whose edits it takes back."""
    writings = {fact.id: writing_of(plan, fact.id, len(plan.active)) for fact in sheet.group(Group.EDITED)}
    return {fact_id for fact_id, writing in writings.items() if writing is not None and not writing.taken_back}


def edits_kept(run: Run) -> tuple[int, int]:
    """How many of the edits made stand at the last stage, and how many were made; what was known before is no edit."""
    made = {fact_id for fact_id in edited(run.plan, run.sheet) if not run.known_before(fact_id)}
    return sum(run.verdict(fact_id, len(run.stages) - 1) in _STANDS for fact_id in made), len(made)


def kept(first: Run, pairs: Iterable[FactPair], group: Group, second: Run | None = None) -> Kept | None:
    """Count a group over both orders. Edits that no operation makes, and neighbours and controls that the checkpoint
    didn't know, are left out; None: nobody is left. `second` is needed where it isn't an order of the same: then both
    must have made, or known, what is counted."""
    runs = [first] if second is None else [first, second]
    made = set.intersection(*(edited(run.plan, run.sheet) for run in runs)) if group is Group.EDITED else set()

    def counts(pair: FactPair) -> bool:
        if pair.first is None or pair.second is None:
            return False
        if group is Group.EDITED:
            return pair.fact.id in made
        return all(run.verdict(pair.fact.id, 0) in _STANDS for run in runs)

    outcomes = [pair.kept for pair in pairs if pair.fact.group is group and counts(pair)]
    if not outcomes:
        return None
    difference = paired_difference([one for one, _ in outcomes], [two for _, two in outcomes])
    return Kept(
        group,
        both=outcomes.count((True, True)),
        only_first=outcomes.count((True, False)),
        only_second=outcomes.count((False, True)),
        neither=outcomes.count((False, False)),
        difference=difference,
    )


def tiles(kept: Kept) -> tuple[tuple[str, int, str, str], ...]:
    """What two orders keep as a two by two: glyphs, count, words, and the role of the colour."""
    return (
        ("✓ ✓", kept.both, "kept by both", "holds"),
        ("✓ ✗", kept.only_first, "only by the first", "neutral"),
        ("✗ ✓", kept.only_second, "only by the second", "neutral"),
        ("✗ ✗", kept.neither, "by neither", "fails"),
    )


def in_short(names: tuple[str, str], noun: str = "order") -> tuple[str, str]:
    """What two orders are called where there is no room for long names."""
    return names if max(map(len, names)) <= LONGEST_NAME else (f"the first {noun}", f"the second {noun}")


def compared(names: tuple[str, str], edits: Kept | None, noun: str = "order") -> str:
    """The sentence; orders with long names are called the first and the second there, and named elsewhere."""
    if edits is None:
        return "Neither order edits a fact."
    sentence = comparison(*in_short(names, noun), edits.difference, edits.count)
    return sentence.replace("*the", "*The", 1) if sentence.startswith("*the") else sentence


def told(kept: Kept) -> str:
    """'Controls: 99 and 98 of 100 kept, no clear difference (-1 points, 95 % interval -5 to +2).'"""
    points, low, high = (round(100 * x) for x in (kept.difference.estimate, kept.difference.low, kept.difference.high))
    name = NAMES[kept.group].capitalize()
    judged = "a clear difference" if kept.clear else "no clear difference"
    return (
        f"{name}: {kept.first:,} and {kept.second:,} of {kept.count:,} kept, {judged} "
        f"({points:+d} points, 95 % interval {low:+d} to {high:+d})."
    )
