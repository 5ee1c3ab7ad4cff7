"""Any two runs side by side, whatever their plans and sheets: on the facts that both asked, as far as each came."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from editview.domain.facts import Fact, FactSheet, Group
from editview.domain.history import Recalled
from editview.domain.history_words import names_apart, when
from editview.domain.orders import FactPair, Kept, compared, kept, pair_up
from editview.domain.session import Run, RunState

_RUN = "run"


@dataclass(frozen=True, slots=True)
class SideBySide:
    """What two runs keep. Without `pairs` they can't be compared, and `sentence` says why.

    `runs` are both cut to where they came and to the facts they share.
    """

    names: tuple[str, str]
    sentence: str
    remarks: tuple[str, ...] = ()
    pairs: tuple[FactPair, ...] = ()
    edits: Kept | None = None
    others: tuple[Kept, ...] = ()
    runs: tuple[Run, ...] = ()


def side_by_side(first: Recalled, second: Recalled, now: float) -> SideBySide:
    """`now`: seconds since 1970, by which it is told when they were."""
    names = names_apart(first.entry, second.entry, now)
    for recalled in (first, second):
        if recalled.run.last_checked is None:
            name = recalled.entry.name
            return SideBySide(names, f"A run of *{name}* ended before every fact was asked: it has nothing to compare.")
    sheet = shared(first.run.sheet, second.run.sheet)
    if not sheet.facts:
        return SideBySide(names, "These runs asked no fact in common, so there is nothing to compare.")
    one, other = _cut(first.run, sheet), _cut(second.run, sheet)
    pairs = pair_up(one, other)
    edits, *others = (kept(one, pairs, group, other) for group in (Group.EDITED, Group.NEIGHBOURS, Group.CONTROL))
    sentence = compared(names, edits, _RUN) if edits else "No fact was edited by both runs."
    whole = tuple(f"*{each.entry.name}*, {when(each.entry.began, now)}" for each in (first, second))
    remarks = (f"First: {whole[0]}. Second: {whole[1]}.", *_remarks(names, (first.run, second.run), (one, other)))
    return SideBySide(names, sentence, remarks, tuple(pairs), edits, tuple(filter(None, others)), (one, other))


def shared(first: FactSheet, second: FactSheet) -> FactSheet:
    """The facts that stand on both sheets, under the same id and with the same content."""
    if first.content_hash == second.content_hash:
        return first
    there = {fact.id: _alone(fact) for fact in second}
    return replace(first, facts=tuple(fact for fact in first if there.get(fact.id) == _alone(fact)))


def _alone(fact: Fact) -> Fact:
    """A fact but for the edit that it is a neighbour of."""
    return replace(fact, neighbour_of=None)


def _cut(run: Run, sheet: FactSheet) -> Run:
    """A run as if it had been planned to end where it came to."""
    stage = run.last_checked or 0
    plan = run.plan.model_copy(update={"operations": run.plan.active[:stage]})
    return replace(run, plan=plan, sheet=sheet, stages=run.stages[: stage + 1], state=RunState.FINISHED)


def _remarks(names: tuple[str, str], whole: tuple[Run, Run], cut: tuple[Run, Run]) -> Iterator[str]:
    counts = [len(run.sheet) for run in whole]
    shared = len(cut[0].sheet)
    if counts != [shared, shared]:
        yield f"Compared on the {shared:,} facts that both asked, of {counts[0]:,} and {counts[1]:,}."
    for name, run, part in zip(names, whole, cut, strict=True):
        if len(part.stages) < len(run.stages):
            yield f"*{name}* came no further than *{part.stages[-1].info.title}*, and is taken as it stood there."
