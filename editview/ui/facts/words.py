"""What the table says of a fact in words: chips, what became of it, names of the filters."""

from __future__ import annotations

from dataclasses import dataclass

from editview.domain.answers_of_both import WHOSE, Said, mark, told, wanted
from editview.domain.facts import Fact, Group
from editview.domain.look import Mark
from editview.domain.operations import FineTune
from editview.domain.sentences import stage_verbs, when_lost
from editview.domain.session import Run
from editview.domain.verdicts import Change, gives
from editview.ui.facts.grid import CHANGES, GROUPS, MARKS, Chip, FactsGrid

_SHORT = 32  # characters of a text that is no known answer
GROUP_NAMES = {Group.EDITED: "Edited", Group.NEIGHBOURS: "Neighbours", Group.CONTROL: "Controls"}
GROUP_WORDS = {Group.EDITED: "edited", Group.NEIGHBOURS: "neighbour", Group.CONTROL: "control"}


def group_name(group: Group, grid: FactsGrid) -> str:
    """Of two checkpoints nobody knows whether anything was edited."""
    return "New answers" if grid.of_two and group is Group.EDITED else GROUP_NAMES[group]


@dataclass(frozen=True, slots=True)
class Category:
    """What a filter by change picks: facts of one group that share a fate. No change: weak in some wording."""

    group: Group
    change: Change | None
    stage: int = 0  # that lost them
    original: bool = False  # which of two checkpoints gives the original answer, and not the wanted one

    @property
    def label(self) -> str:
        if self.change in WHOSE:
            noun = "original answer" if self.original else wanted(self.group)
            return f"{noun if self.group is Group.EDITED else GROUP_NAMES[self.group].lower()} {self.change}"
        words = "weak: not in every wording" if self.change is None else self.change.value
        if self.stage:
            words += f" in step {self.stage}"
        return words if self.group is Group.EDITED else f"{GROUP_NAMES[self.group].lower()} {words}"


def became(grid: FactsGrid, row: int) -> str:
    """'lost between steps 30 and 40' (and of which step where several train), 'new answer after only'; empty while
    nothing is known."""
    change = CHANGES[grid.change_now[row]]
    if change is None or grid.run is None:
        return ""
    if grid.of_two:
        before, after = _both(grid, row)
        words = told(grid.sheet.facts[row].group, before, after)
        return f"{words}, in other words" if before is after and _differ(grid.run, grid.sheet.facts[row]) else words
    words = "not known before" if change is Change.NEVER_KNOWN else change.value
    if stage := int(grid.lost_in_now[row]):
        when, title = _when(grid, row), stage_verbs(grid.run)[stage]
        several = sum(isinstance(operation, FineTune) for operation in grid.plan.active) > 1
        words += f" during {title}" if not when else f" {when} of {title}" if several else f" {when}"
    return f"{words}, so far" if grid.provisional_now[row] else words


def says_now(grid: FactsGrid, row: int) -> str:
    """What the model says; while training goes on, what is known of it: the wanted answer, or how another begins."""
    if not grid.provisional_now[row]:
        return grid.said[row]
    if grid.said_live[row]:
        return f"{grid.said_live[row]}…"
    match CHANGES[grid.change_now[row]]:
        case Change.LOST | Change.DAMAGED:
            return f"no longer {grid.sheet.facts[row].wanted}"
        case Change.PENDING | Change.NEVER_TOOK | Change.NEVER_KNOWN | Change.TAKEN_BACK:
            return ""
        case _:
            return grid.sheet.facts[row].wanted


def chip_mark(grid: FactsGrid, row: int, stage: int) -> Mark:
    """A chip's glyph and word; its colour is that of the chip."""
    if not grid.of_two:
        return MARKS[Chip(grid.chips[row, stage])]
    both = _both(grid, row)
    return mark(grid.sheet.facts[row].group, both[stage], both[1 - stage], after=stage == 1)


def chip_words(grid: FactsGrid, row: int, stage: int) -> str:
    """A chip read aloud: 'fails at training step 40, lost between steps 30 and 40'."""
    words = chip_mark(grid, row, stage).word
    if grid.provisional[row, stage]:
        words += f" at training step {grid.live_step[stage]:,}"
    if (step := int(grid.lost_step[row, stage])) and grid.chips[row, stage] == Chip.FAILS:
        words += f", lost {when_lost(int(grid.held_step[row, stage]), step)}"
    return words


def _both(grid: FactsGrid, row: int) -> tuple[Said, Said]:
    before, after = grid.gives[row]
    return Said(before), Said(after)


def _differ(run: Run, fact: Fact) -> bool:
    """Whether two checkpoints don't answer a fact word for word alike."""
    before, after = (stage.checks[fact.id].said for stage in run.stages)
    return before != after


def _when(grid: FactsGrid, row: int) -> str:
    """'between steps 30 and 40'; empty where no step is known."""
    held, lost = int(grid.held_step_now[row]), int(grid.lost_step_now[row])
    return when_lost(held, lost) if lost else ""


def headings(grid: FactsGrid) -> tuple[str, ...]:
    """The stages as columns: '2 Fine-tune on support tickets'; the checkpoint has no number, and two are before and
    after."""
    if grid.of_two:
        return "Before", "After"
    return (grid.titles[0], *(f"{stage} {title}" for stage, title in enumerate(grid.titles[1:], start=1)))


def fate(grid: FactsGrid, row: int) -> str:
    """What became of a fact as one sentence, with the stage's title and what the model says now."""
    fact, change = grid.sheet.facts[row], CHANGES[grid.change_now[row]]
    if grid.of_two:
        return _fate_of_both(grid, row)
    if change is None:
        return "Not asked yet. Press *Run* to see what the model answers."
    now, before = says_now(grid, row), _answer(fact, grid.said[row])
    says = f"it says “{_answer(fact, now)}”" + (", but not in every wording" if grid.weak_now[row] else "")
    if grid.provisional_now[row] and not now:
        says = f"it said “{before}” before this training"
    title = f"*{grid.names[grid.lost_in_now[row]]}*"
    match change:
        case Change.LOST | Change.DAMAGED:
            when = f"{step} of {title}" if (step := _when(grid, row)) else f"during {title}"
            if grid.provisional_now[row]:
                said = f": it now says “{grid.said_live[row]}…”" if grid.said_live[row] else ""
                return f"Lost {when}, as far as training has come{said}."
            return f"Lost {when}: {_again(grid.run, fact, before)}."
        case Change.PENDING:
            later = "" if grid.edited_at[row] < len(grid.titles) else " No step of this plan edits it."
            return f"Not yet edited: {says}.{later}"
        case Change.TOOK:
            return f"The edit took: {says}."
        case Change.NEVER_TOOK:
            return f"The edit never took: {says} where “{fact.wanted}” is wanted."
        case Change.NEVER_KNOWN:
            return f"The model didn't know this before: {says} where “{fact.wanted}” is right."
        case Change.KNOWN_BEFORE:
            return f"Already known: the model gave the new answer before any edit, and {says}."
        case Change.TAKEN_BACK:
            return f"Its edit was taken back: {says}."
        case Change.RECOVERED:
            return f"Lost on the way and recovered: {says}."
        case Change.SURVIVED:
            return f"Survived every step so far: {says}."
        case _:
            return f"Intact: {says}."


def _fate_of_both(grid: FactsGrid, row: int) -> str:
    """'Before: “Rome”, the original answer. After: “Paris”, the new answer.'"""
    fact, stages = grid.sheet.facts[row], grid.run.stages if grid.run else []
    says = [_answer(fact, stage.checks[fact.id].said) for stage in stages if fact.id in stage.checks]
    told_of = [f"“{text}”, {_which(fact, given)}" for text, given in zip(says, _both(grid, row), strict=False)]
    if len(told_of) == 2 and told_of[0] == told_of[1]:
        return f"Both: {told_of[0]}."
    return " ".join(f"{when}: {each}." for when, each in zip(headings(grid), told_of, strict=False)) or "Not asked yet."


def _which(fact: Fact, given: Said) -> str:
    """Which of a fact's answers one is."""
    match given:
        case Said.WANTED | Said.IN_PART:
            return f"the {wanted(fact.group)}" + (", but not in every wording" if given is Said.IN_PART else "")
        case Said.ORIGINAL:
            return "the original answer"
        case _:
            return f"where “{fact.wanted}” is the {wanted(fact.group)}"


def _answer(fact: Fact, said: str) -> str:
    """A greedy text as the answer it gives: one of the fact's two where it starts with it, else its first words."""
    known = next((answer for answer in (fact.wanted, fact.other) if answer and gives(said, answer)), None)
    if known is not None:
        return known
    text = " ".join(said.split())
    return (text if len(text) <= _SHORT else f"{text[:_SHORT].rsplit(' ', 1)[0]} …") or "nothing"


def _again(run: Run | None, fact: Fact, says: str) -> str:
    """'it now says “Paris” again', where the checkpoint said so before any step."""
    before = run.stages[0].checks.get(fact.id) if run else None
    return f"it now says “{says}”" + (" again" if before and _answer(fact, before.said) == says else "")


__all__ = [
    "GROUPS",
    "GROUP_NAMES",
    "GROUP_WORDS",
    "MARKS",
    "Category",
    "became",
    "chip_mark",
    "chip_words",
    "fate",
    "group_name",
    "headings",
    "says_now",
]
