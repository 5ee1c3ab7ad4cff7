"""Survival: how many of the facts that stood still stand, after each stage and while training goes on.

Who counts: a neighbour or control that the checkpoint itself knew; an edit from the edit stage that made it take. A
fact stands while its prompt is answered as wanted (verdict holds or weak), which is also what live checks ask.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import compress, islice

from editview.domain.comparison import share
from editview.domain.facts import Group
from editview.domain.operations import FineTune
from editview.domain.plan import written_by
from editview.domain.sentences import stage_titles
from editview.domain.session import Run, Stage
from editview.domain.validation import gained
from editview.domain.verdicts import LiveCheck, Verdict

NAMES = {Group.EDITED: "edits", Group.NEIGHBOURS: "neighbours", Group.CONTROL: "controls"}

DEFINITION = (
    "Counted are facts that stood before: edits that took, neighbours and controls that the checkpoint knew. "
    "A fact stands while its prompt gets the wanted answer."
)


@dataclass(frozen=True, slots=True)
class Count:
    """So many stand, of those that count."""

    stand: int
    of: int


@dataclass(frozen=True, slots=True)
class Moment:
    """All groups counted at once: after a stage, or after a training step within it. Empty groups are absent."""

    stage: int
    step: int | None  # None: the check after the stage
    counts: dict[Group, Count]


class Survival:
    """The moments of a run, in order. `update` adds what is new and counts nothing twice."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.moments: list[Moment] = []
        self._counted: dict[Group, set[str]] = {group: set() for group in Group}
        self._stage = self._live = 0
        self._asked, self._stands = 0, set[str]()  # of the stage that is being counted
        self._masks: dict[Group, list[bool]] | None = None  # whom to count, in the order of its live checks

    def update(self) -> bool:
        """Count the checks that came since; True: there were some."""
        before = len(self.moments)
        while self._stage < len(self.run.stages):
            stage = self.run.stages[self._stage]
            if len(stage.live) < self._live:  # training went back to an earlier step
                del self.moments[len(stage.live) - self._live :]
                self._live = len(stage.live)
            self._count_live(stage.live[self._live :])
            self._ask(stage)
            if self._asked < len(self.run.sheet):
                break
            self._count_stage()
            self._stage, self._live, self._asked, self._stands, self._masks = self._stage + 1, 0, 0, set(), None
        return len(self.moments) > before

    def of(self, group: Group) -> list[Moment]:
        """The moments at which a group was counted."""
        return [moment for moment in self.moments if group in moment.counts]

    def stretches(self, group: Group) -> list[list[Moment]]:
        """The curves of a group: one a fine-tune, each from the moment of the stage before it."""
        found: list[list[Moment]] = []
        before: Moment | None = None
        for moment in self.of(group):
            if moment.stage and isinstance(self.run.plan.active[moment.stage - 1], FineTune) and before is not None:
                if before.step is None:
                    found.append([before])
                found[-1].append(moment)
            before = moment
        return found

    def _count_live(self, checks: list[LiveCheck]) -> None:
        if checks and self._masks is None:
            watched = checks[0].fact_ids  # the same for all of a stage
            self._masks = {group: [fact_id in ids for fact_id in watched] for group, ids in self._counted.items()}
        for check in checks:
            masks = self._masks or {}
            counts = {group: Count(sum(compress(check.gives, mask)), sum(mask)) for group, mask in masks.items()}
            self._add(check.step, counts)
        self._live += len(checks)

    def _ask(self, stage: Stage) -> None:
        """Take in the checks as they come, in batches, so that no update has to judge a whole sheet."""
        for fact_id, check in islice(stage.checks.items(), self._asked, None):
            self._asked += 1
            if check.verdict is not Verdict.FAILS:
                self._stands.add(fact_id)

    def _count_stage(self) -> None:
        for group, counted in self._counted.items():
            counted |= self._newly_counted(self._stage, group) & self._stands
        self._add(None, {group: Count(len(ids & self._stands), len(ids)) for group, ids in self._counted.items()})

    def _newly_counted(self, stage: int, group: Group) -> set[str]:
        """The facts that count from this stage on if they stand there."""
        operation = self.run.plan.active[stage - 1] if stage else None
        ids = {fact.id for fact in self.run.sheet.group(group)}
        if group is not Group.EDITED:
            return ids if operation is None else set()
        if operation is None:
            return set()
        return {fact_id for fact_id in written_by(operation, ids) if not self.run.known_before(fact_id)}

    def _add(self, step: int | None, counts: dict[Group, Count]) -> None:
        self.moments.append(Moment(self._stage, step, {group: count for group, count in counts.items() if count.of}))


def headline(survival: Survival) -> str:
    """'During *Fine-tune* the edits fell from 40 to 18 of 40; controls stayed at 99 of 100.'; empty: nothing known.

    What the training gained follows in a sentence of its own.
    """
    if not survival.moments:
        return ""
    last, run = survival.moments[-1], survival.run
    title = f"*{stage_titles(run)[last.stage]}*"
    training = last.stage > 0 and isinstance(run.plan.active[last.stage - 1], FineTune)
    if _before(survival) is None:
        known = [f"{count.stand:,} {NAMES[group]}" for group, count in last.counts.items()]
        return f"The checkpoint knows {' and '.join(known)}; what becomes of them shows here." if known else ""
    lead = f"During {title}" if training else f"With {title}"
    if last.step is not None:
        lead += f", up to step {last.step:,},"
    stage = run.stages[last.stage]
    return f"{lead} {'; '.join(moved(survival))}. {gained(stage.validations.values(), stage.kept_step)}".rstrip()


def _before(survival: Survival) -> Moment | None:
    """The end of the stage before the last moment's."""
    last = survival.moments[-1]
    return next((moment for moment in reversed(survival.moments) if moment.stage < last.stage), None)


def moved(survival: Survival) -> list[str]:
    """'the edits fell from 40 to 18 of 40', …: what the last moment is against the stage before, a group each."""
    if not survival.moments or (before := _before(survival)) is None:
        return []
    parts, run = [], survival.run
    for group, now in survival.moments[-1].counts.items():
        was = before.counts.get(group)
        name = f"the {NAMES[group]}" if group is Group.EDITED else NAMES[group]
        if was is None:
            parts.append(f"{now.stand:,} of {len(run.sheet.group(group)):,} {NAMES[group]} took")
        elif was.of != now.of:
            parts.append(f"{now.stand:,} of {now.of:,} {NAMES[group]} stand")
        elif was.stand == now.stand:
            parts.append(f"{name} stayed at {now.stand:,} of {now.of:,}")
        else:
            verb = "fell" if now.stand < was.stand else "rose"
            parts.append(f"{name} {verb} from {was.stand:,} to {now.stand:,} of {now.of:,}")
    return parts


def told(survival: Survival, moment: Moment) -> str:
    """One moment in words: 'Step 30 of *Fine-tune*: 25 of 40 edits stand (62 %, 95 % interval 47 to 76 %); …'."""
    title = stage_titles(survival.run)[moment.stage]
    where = f"Step {moment.step:,} of {title}" if moment.step is not None else f"After {title}"
    if moment.stage == 0:
        where = "Before, in the checkpoint itself"
    parts = []
    for group, count in moment.counts.items():
        text = f"{count.stand:,} of {count.of:,} {NAMES[group]} stand"
        if group is Group.EDITED:
            reach = share(count.stand, count.of)
            low, high = round(100 * reach.low), round(100 * reach.high)
            text += f" ({round(100 * reach.estimate)} %, 95 % interval {low} to {high} %)"
        parts.append(text)
    return f"{where}: {'; '.join(parts) or 'nothing to count'}."


def percent(share: float) -> str:
    """Never 0 % or 100 % unless it is."""
    if 0 < share < 0.005:
        return "<1 %"
    if 0.995 < share < 1:
        return ">99 %"
    return f"{100 * share:.0f} %"
