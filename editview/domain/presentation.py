"""The story of a run for people in a room: one message a screen, chosen from what the run showed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from editview.domain.facts import Fact, Group
from editview.domain.look import Mark, mark_at
from editview.domain.operations import FineTune, Operation
from editview.domain.orders import (
    Kept,
    comparable,
    compared,
    edits_kept,
    in_short,
    kept,
    order_key,
    order_name,
    orders,
    pair_up,
    told,
)
from editview.domain.plan import written_by
from editview.domain.sentences import certainty, split, stage_titles, stage_verbs, tally, tell, when_lost
from editview.domain.session import Run, RunState, Stage
from editview.domain.survival import NAMES, Survival, moved
from editview.domain.validation import gained
from editview.domain.verdicts import Change, Verdict
from editview.domain.weight_map import step_by_step, weight_map

WAITING = "waiting"  # the topic of the one screen before any run
MOST_LINES = 5  # facts that a screen has room for
MEASURED = "Measured on this model and these facts. Another model, or other facts, may come out otherwise."
UNTRIED = "Whether another order keeps more isn't known before it has run: *Compare orders* runs it."
STAY = "What it knows must stay as it is."
CHOSEN = "Of {} other orders that were run this is the one that keeps most; the intervals don't allow for that choice."


class Shows(Enum):
    """What a screen draws under its words."""

    WORDS = "words alone"
    FACTS = "some facts"
    SURVIVAL = "survival"
    WEIGHTS = "weights"
    ORDERS = "what two orders keep"
    DIFFERENCE = "the difference of two orders"


@dataclass(frozen=True, slots=True)
class Line:
    """One fact: what it is asked, the wanted answer, what the model says, and when it was lost, if it was."""

    prompt: str
    wanted: str
    said: str
    mark: Mark
    lost: str = ""


@dataclass(frozen=True, slots=True)
class Screen:
    """`topic` stays the same while a screen's words grow; `small` makes a message exact: intervals, conditions."""

    topic: str
    caption: str
    message: str
    rest: str = ""
    small: str = ""
    shows: Shows = Shows.WORDS
    lines: tuple[Line, ...] = ()
    kept: tuple[Kept, ...] = ()  # of the two orders, a group each
    names: tuple[str, str] = ("", "")  # of the two orders


def waiting(name: str, why_not: str = "") -> Screen:
    """The one screen before any run; `why_not` says what is in the way of one."""
    how = f"Press Run (Ctrl+R), here or in the window: what *{name}* does is told here while it runs."
    return Screen(WAITING, name, "Nothing has run yet", why_not or how)


def next_place(before: Sequence[Screen], at: int, after: Sequence[Screen]) -> int:
    """Where somebody stands who stood at a place of the story before it grew.

    Whoever is at the newest stage goes on with the run; everybody else stays where they are.
    """
    if at == newest(before) and before[at].topic.startswith("stage"):
        return newest(after)
    return next((place for place, screen in enumerate(after) if screen.topic == before[at].topic), 0)


def newest(screens: Sequence[Screen]) -> int:
    """The place of the stage that a run has come to."""
    return max((place for place, screen in enumerate(screens) if screen.topic.startswith("stage")), default=0)


class Story:
    """The screens of a run as far as it has come. What can't change any more is put into words once."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.survival = Survival(run)
        self._titles, self._verbs = stage_titles(run), stage_verbs(run)
        self._told: dict[int, Screen] = {}  # of the stages that are complete
        self._gone: list[Screen] | None = None  # what is said of the lost facts
        self._judged: tuple[tuple[str, ...], list[Screen]] | None = None  # the other orders, and what is said of them

    def screens(self, runs: Iterable[Run] = (), earlier: Mapping[str, str] | None = None) -> list[Screen]:
        """`runs` are those of the session, for the other order; `earlier` says when those of another time were."""
        self.survival.update()
        stages = [screen for stage in self.run.stages if (screen := self._stage(stage)) is not None]
        decided = self._decided(runs, earlier or {}) if self.run.state is RunState.FINISHED else []
        return [*stages, *self._cut_off(), *self._lost(), *self._where(), *decided]

    # ---- stages ----------------------------------------------------------------------------------------------

    def _stage(self, stage: Stage) -> Screen | None:
        at = stage.info.index
        if at not in self._told:
            if len(stage.checks) < len(self.run.sheet):
                return self._under_way(stage)
            self._told[at] = self._after(at) if at else self._before()
        return self._told[at]

    def _before(self) -> Screen:
        run, parts = self.run, []
        for group in (Group.NEIGHBOURS, Group.CONTROL):
            facts = run.sheet.group(group)
            if facts:
                known = sum(run.verdict(fact.id, 0) is not Verdict.FAILS for fact in facts)
                parts.append(f"{known:,} of {len(facts):,} {NAMES[group]}")
        others = f"It knows {' and '.join(parts)}; what it knows must stay as it is." if parts else ""
        edits = run.sheet.group(Group.EDITED)
        if not edits:
            there = " and ".join(parts) or "nothing of what is asked"
            return Screen("stage-0", "Before the first step", f"The model knows {there}", STAY)
        known = sum(run.verdict(fact.id, 0) is not Verdict.FAILS for fact in edits)
        gives = f"gives {known:,}" if known else "gives none"
        message = f"The model {gives} of the {len(edits):,} new answers"
        lines = self._lines(edits, 0)
        return Screen("stage-0", "Before the first step", message, others, shows=Shows.FACTS, lines=lines)

    def _after(self, at: int) -> Screen:
        operation, counted = self.run.plan.active[at - 1], tally(self.run, at)
        trains = isinstance(operation, FineTune)
        if trains and not counted.made:
            counted = replace(counted, edits=0)  # those to come are no news of a fine-tune
        message, rest = split(tell(counted))
        lines = () if trains else self._lines(self._written(operation), at)
        if trains:
            stage = self.run.stages[at]
            rest = f"{rest} {gained(stage.validations.values(), stage.kept_step)}".strip()
        return Screen(
            f"stage-{at}",
            f"After *{self._titles[at]}*",
            message or f"*{self._titles[at]}* is done",
            rest,
            certainty(counted),
            Shows.SURVIVAL if trains else Shows.FACTS if lines else Shows.WORDS,
            lines,
        )

    def _under_way(self, stage: Stage) -> Screen | None:
        """A stage that is being carried out or asked now; None: it hasn't begun, or the run ended before it did."""
        run, at = self.run, stage.info.index
        if run.state is not RunState.RUNNING or not (stage.checks or stage.live or stage.progress):
            return None
        caption = f"*{self._titles[at]}* is under way" if at else "Before the first step"
        if stage.checks:
            message = f"{len(stage.checks):,} of {len(run.sheet):,} facts have been asked"
        elif stage.live and self.survival.moments[-1].stage == at:
            return self._training(stage)
        else:
            done = stage.progress
            share = f", {100 * done.done / done.total:.0f} %" if done and done.total else ""
            message = f"{done.what}{share}" if done else self._titles[at]
        return Screen(f"stage-{at}", caption, message)

    def _training(self, stage: Stage) -> Screen:
        """What the last live check of a fine-tune found."""
        at, operation = stage.info.index, self.run.plan.active[stage.info.index - 1]
        assert isinstance(operation, FineTune)
        step = f"step {stage.live[-1].step:,} of {operation.steps:,}"
        message, *others = moved(self.survival) or [step[:1].upper() + step[1:]]
        learnt = gained(stage.validations.values(), stage.kept_step)
        rest = " ".join(filter(None, [_sentence("; ".join(others)), learnt]))
        caption = f"*{self._titles[at]}* is under way: {step}"
        return Screen(f"stage-{at}", caption, message[:1].upper() + message[1:], rest, shows=Shows.SURVIVAL)

    def _cut_off(self) -> list[Screen]:
        run = self.run
        missing = [at for at, stage in enumerate(run.stages) if len(stage.checks) < len(run.sheet)]
        if run.state in (RunState.RUNNING, RunState.FINISHED) or not missing:
            return []
        where = f"*{self._titles[missing[0]]}*" if missing[0] else "the first step"
        if run.failure is not None:
            return [Screen("cut-off", f"During {where}", "The run ended with an error", run.failure[0])]
        return [Screen("cut-off", f"During {where}", "The run was stopped here", "What came before it was measured.")]

    def _written(self, operation: Operation) -> list[Fact]:
        edits = self.run.sheet.group(Group.EDITED)
        written = written_by(operation, [fact.id for fact in edits])
        return [fact for fact in edits if fact.id in written]

    def _lines(self, facts: Iterable[Fact], stage: int) -> tuple[Line, ...]:
        """The first of some facts, as they are answered at a stage: not those that suit the message."""
        lines = []
        for fact in list(facts)[:MOST_LINES]:
            check = self.run.stages[stage].checks[fact.id]
            mark = mark_at(check.verdict, self.run.change(fact, stage))
            lines.append(Line(fact.prompt, fact.wanted, " ".join(check.said.split()), mark))
        return tuple(lines)

    # ---- what came of it -------------------------------------------------------------------------------------

    def _where(self) -> list[Screen]:
        drawn = weight_map(self.run) if any(stage.changes for stage in self.run.stages) else None
        if drawn is None:
            return []
        first, *others = step_by_step(drawn)
        rest = f"{'; '.join(others)}." if others else ""
        return [Screen("where", "Where in the model", first, rest, shows=Shows.WEIGHTS)]

    def _lost(self) -> list[Screen]:
        """Which facts stood once and don't any more, where the run came to its end."""
        if self.run.state is RunState.FINISHED and self._gone is None:
            self._gone = self._find_lost()
        return self._gone or []

    def _find_lost(self) -> list[Screen]:
        run, last = self.run, len(self.run.stages) - 1
        failing = [fact for fact in run.sheet if run.verdict(fact.id, last) is Verdict.FAILS]
        gone = [fact for fact in failing if run.change(fact, last) in (Change.LOST, Change.DAMAGED)]
        lost = {group: [fact for fact in gone if fact.group is group] for group in NAMES}
        counts = [f"{len(facts):,} {_noun(group, len(facts))}" for group, facts in lost.items() if facts]
        if not counts:
            return []
        facts = [fact for found in lost.values() for fact in found]
        lines = tuple(
            replace(line, lost=self._when(fact))
            for fact, line in zip(facts, self._lines(facts, last), strict=False)
        )  # fmt: skip
        rest = "" if len(facts) <= MOST_LINES else f"The first {len(lines)} of them:"
        return [Screen("lost", "Which facts", f"Lost: {_listed(counts)}", rest, shows=Shows.FACTS, lines=lines)]

    def _when(self, fact: Fact) -> str:
        at = self.run.lost_in(fact.id, len(self.run.stages) - 1)
        if at is None:
            return ""
        steps = self.run.stages[at].lost_between(fact.id)
        return f"lost {when_lost(*steps)} of {self._verbs[at]}" if steps else f"lost during {self._verbs[at]}"

    # ---- what to take from it --------------------------------------------------------------------------------

    def _decided(self, runs: Iterable[Run], earlier: Mapping[str, str]) -> list[Screen]:
        own = order_key(self.run.plan)
        others = [run for run in comparable(runs, self.run.plan, self.run.sheet) if order_key(run.plan) != own]
        key = tuple(run.id for run in others)
        if self._judged is None or self._judged[0] != key:
            self._judged = key, self._compared(others, earlier) if others else self._alone()
        return self._judged[1]

    def _alone(self) -> list[Screen]:
        """What one order on its own is worth, and what would tell more."""
        sure = certainty(tally(self.run, len(self.run.stages) - 1))
        if not sure:
            return []
        message, more = sure.split(". ", 1)
        small = UNTRIED if len(orders(self.run.plan)) > 1 else MEASURED
        return [Screen("outcome", "What that is worth", message, more, small)]

    def _compared(self, others: list[Run], earlier: Mapping[str, str]) -> list[Screen]:
        other = max(others, key=lambda run: edits_kept(run)[0])
        pairs, names = pair_up(self.run, other), (order_name(self.run.plan), order_name(other.plan))
        short = in_short(names)
        found = tuple(one for group in NAMES if (one := kept(self.run, pairs, group)) is not None)
        chosen = CHOSEN.format(len(others)) if len(others) > 1 else ""
        if other.id in earlier:
            chosen = f"*{short[1][:1].upper()}{short[1][1:]}* was run {earlier[other.id]}. {chosen}".strip()
        screens = []
        if found and found[0].group is Group.EDITED:
            message, _, rest = compared(names, found[0]).rstrip(".").partition(": ")
            rest, small = _sentence(rest), f"{' '.join(map(told, found[1:]))} {chosen}".strip()
            caption = f"The same steps as *{names[1]}*" if names == short else "The same steps in another order"
            screens.append(Screen("order", caption, message, rest, small, Shows.ORDERS, kept=found[:1], names=names))
        if found:
            message, rest = recommendation(short, found)
            small = f"{MEASURED} {chosen}".strip()
            caption = "What to take from it"
            screens.append(Screen("outcome", caption, message, rest, small, Shows.DIFFERENCE, kept=found, names=short))
        return screens


def recommendation(names: tuple[str, str], found: Sequence[Kept]) -> tuple[str, str]:
    """Which of two orders did better, and why: one is named only where a difference is clear and none contradicts."""
    clear = [one for one in found if one.clear]
    better = {one.difference.estimate > 0 for one in clear}
    reasons = " ".join(told(one) for one in (clear or found))
    if not clear:
        return "Neither order is clearly better here", f"{reasons} More facts would narrow the intervals."
    if len(better) > 1:
        return "Each order has its price here", reasons
    name = names[better.pop()]
    return f"*{name[:1].upper()}{name[1:]}* did better here", reasons


def _noun(group: Group, count: int) -> str:
    return NAMES[group] if count != 1 else NAMES[group].removesuffix("s")


def _listed(parts: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}." if words else ""
