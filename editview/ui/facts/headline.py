"""The sentence over the table: how many edits hold, in big type, what happened to the rest below, as sure as it is."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from editview.domain.facts import Group
from editview.domain.operations import FineTune
from editview.domain.orders import order_key, order_name
from editview.domain.plan import Plan
from editview.domain.sentences import Tally, certainty, split, tell
from editview.domain.session import RunState
from editview.ui.facts.grid import GROUPS, FactsGrid
from editview.ui.facts.words import GROUP_NAMES
from editview.ui.look.labels import Sentence, Words
from editview.ui.look.theme import BODY, HEADLINE, SMALL, theme


@dataclass(frozen=True, slots=True)
class Sayings:
    """What the headline says: the caption over it, the big words, the rest, and how sure it is."""

    caption: str = ""
    big: str = ""
    rest: str = ""
    certainty: str = ""


def sayings(grid: FactsGrid, plan: Plan) -> Sayings:
    """What there is to say of a grid, before, during and after a run; `plan` is the one in the cards."""
    stage = grid.current
    if not len(grid):
        return Sayings("", "No facts yet", "Open a fact sheet, or drop one on the window.")
    if stage is None:
        return _before(grid)
    counted = grid.tally(stage)
    caption = _caption(grid, stage, order_key(plan) != order_key(grid.plan))
    if stage == 0:
        return Sayings(caption, _edits_to_make(grid), _known_before(grid, counted))
    big, rest = split(tell(counted))
    return Sayings(caption, big, rest, certainty(counted))


def _before(grid: FactsGrid) -> Sayings:
    counts = [
        int((grid.group == GROUPS.index(group)).sum()) for group in (Group.EDITED, Group.NEIGHBOURS, Group.CONTROL)
    ]
    edits, others = counts[0], counts[1] + counts[2]
    if grid.run is not None and grid.run.state is RunState.RUNNING:
        return Sayings("", "Asking the model", f"{len(grid):,} facts are asked before anything is changed.")
    watched = f" {others:,} other facts are watched as well, so that no damage goes unseen." if edits and others else ""
    return Sayings("", _edits_to_make(grid), f"Press *Run* to see which of them the model keeps.{watched}")


def _edits_to_make(grid: FactsGrid) -> str:
    edits = int((grid.group == GROUPS.index(Group.EDITED)).sum())
    return f"{edits:,} edit{'' if edits == 1 else 's'} to make" if edits else f"{len(grid):,} facts to watch"


def _known_before(grid: FactsGrid, counted: Tally) -> str:
    """Of the facts that are to stay, how many the checkpoint knows: only those can be lost."""
    parts = []
    for group, (_, known) in ((Group.NEIGHBOURS, counted.neighbours), (Group.CONTROL, counted.controls)):
        if asked := int((grid.known[:, 0] & (grid.group == GROUPS.index(group))).sum()):
            parts.append(f"{known:,} of {asked:,} {GROUP_NAMES[group].lower()}")
    return f"The checkpoint knows {' and '.join(parts)}." if parts else ""


def _caption(grid: FactsGrid, stage: int, other_plan: bool) -> str:
    """How far the run has come, and whose it is where the cards say another plan."""
    where, order = _where(grid, stage), f"*{order_name(grid.plan)}*"
    if not other_plan:
        return where
    if grid.run is not None and grid.run.state is RunState.FINISHED:
        return f"Result of {order}, not of the plan as it is now"
    return f"{where} ({order}, not the plan as it is now)"


def _where(grid: FactsGrid, stage: int) -> str:
    title = grid.names[stage]
    known, provisional = int(grid.known[:, stage].sum()), int(grid.provisional[:, stage].sum())
    operation = grid.plan.active[stage - 1] if stage else None
    stopped = grid.run is not None and grid.run.state in (RunState.STOPPED, RunState.FAILED)
    if provisional == known and isinstance(operation, FineTune):
        words = f"training step {grid.live_step[stage]:,} of {operation.steps:,} of *{title}*"
        return f"Stopped at {words}" if stopped else f"So far, at {words}"
    if known < len(grid) or provisional:
        when = f"after *{title}*" if stage else "before the first step"
        asked = f"{known - provisional:,} of {len(grid):,} facts asked {when}"
        return f"Stopped with {asked}" if stopped else f"So far, {asked}"
    if stage + 1 == len(grid.titles):
        return f"After *{title}*"
    where = f"after step {stage} of {len(grid.titles) - 1}, *{title}*" if stage else "before the first step"
    return f"Stopped {where}" if stopped else where[:1].upper() + where[1:]


class Headline(QWidget):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._caption = Sentence(size=SMALL, role="muted")
        self._big = Words(size=HEADLINE, bold=True)
        self._rest = Sentence(size=BODY)
        self._said: Sayings | None = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme().px(4))
        for label in (self._caption, self._big, self._rest):
            label.setWordWrap(True)
            label.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)  # as high as its width asks
            layout.addWidget(label)
        self.say(Sayings())

    def say(self, said: Sayings) -> None:
        if said == self._said:
            return
        self._said = said
        self._caption.say(said.caption)
        self._caption.setVisible(bool(said.caption))
        self._big.setText(said.big)
        self._rest.say(said.rest)
        self._rest.setVisible(bool(said.rest))
        self._big.setToolTip(said.certainty)
        self._big.setAccessibleDescription(said.certainty)
        words = ". ".join(part.rstrip(".") for part in (said.caption, said.big, said.rest) if part)
        self.setAccessibleName(words.replace("*", ""))

    @property
    def said(self) -> Sayings:
        return self._said or Sayings()
