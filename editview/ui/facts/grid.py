"""What the table shows, in columns of numbers: ten thousand facts are counted, filtered and sorted in milliseconds.

Grows with its run: `read` takes in what came since the last time. The rules are those of `domain.verdicts.change` and
`lost_between`, written for columns; a test holds both to the same answers.
"""

from __future__ import annotations

from itertools import islice

import numpy as np
import numpy.typing as npt

from editview.domain.answers_of_both import said
from editview.domain.facts import FactSheet, Group
from editview.domain.operations import Edit, Operation, UndoEdit, Unediting
from editview.domain.plan import Plan, of_two_checkpoints, written_by
from editview.domain.sentences import Tally, operation_title, told_apart
from editview.domain.session import Run, Stage
from editview.domain.verdicts import Change, LiveCheck, Verdict
from editview.ui.facts.chips import CHANGES, CHIPS_OF_BOTH, MARKS, ORIGINAL_BY, WANTED_BY, Chip, Numbers, code

Flags = npt.NDArray[np.bool_]

GROUPS = tuple(Group)
_VERDICTS = {Verdict.HOLDS: 1, Verdict.WEAK: 2, Verdict.FAILS: 3}  # 0: not known
_NEVER = 1_000_000  # a stage that doesn't come
_BAD = [code(change) for change in (Change.LOST, Change.DAMAGED, Change.NEVER_TOOK)]


class FactsGrid:
    """One row a fact in the order of the sheet, one column a stage; arrays are [facts] or [facts, stages].

    A verdict seen in the middle of training alone is `provisional` until the stage itself is checked.
    """

    def __init__(self, sheet: FactSheet, plan: Plan, run: Run | None) -> None:
        self.sheet, self.plan, self.run = sheet, plan, run
        self.titles = (
            tuple(stage.info.title for stage in run.stages)
            if run
            else ("Checkpoint", *(operation_title(operation, sheet) for operation in plan.active))
        )
        self.names = told_apart(self.titles)  # the titles, where no number stands beside them
        facts, stages = len(sheet), len(self.titles)
        self.of_two = of_two_checkpoints(plan)  # checkpoints, and not the steps of a plan
        self.group: Numbers = np.array([GROUPS.index(fact.group) for fact in sheet], dtype=np.int64)
        self.edited_at = self._edited_at()
        self.said = [""] * facts  # at the last stage asked
        self.said_live = [""] * facts  # how the answer began at the latest live check, where it wasn't the wanted one
        self._asked_at: Numbers = np.full(facts, -1)  # that stage
        self._checked: Numbers = np.zeros((facts, stages), dtype=np.int64)
        self.gives: Numbers = np.zeros((facts, stages), dtype=np.int64)  # `Said`, of two checkpoints
        self._live: Numbers = np.zeros((facts, stages), dtype=np.int64)
        self._failing_since: Numbers = np.zeros((facts, stages), dtype=np.int64)  # training step; 0: isn't
        self._stood_at: Numbers = np.full((facts, stages), -1)  # training step last seen standing; -1: never was
        self._watched: dict[int, Numbers] = {}  # by stage: rows of the facts that its live checks ask
        self._checks_read = [0] * stages
        self._live_read = [0] * stages
        self.live_step: Numbers = np.zeros(stages, dtype=np.int64)  # of the latest live check
        if not self.read():
            self._derive()

    def __len__(self) -> int:
        return len(self.sheet)

    def operation_id(self, stage: int) -> str | None:
        """Of the operation that made a stage; None for the checkpoint."""
        return self.plan.active[stage - 1].id if stage else None

    def _edited_at(self) -> Numbers:
        at: Numbers = np.full(len(self.sheet), _NEVER)
        stages = list(enumerate(self.plan.active, start=1))
        for stage, operation in reversed(stages):
            at[self._written_by(operation)] = stage
        return at

    def _written_by(self, operation: Operation) -> Flags:
        written = written_by(operation, self.sheet.position)
        return np.array([fact.id in written for fact in self.sheet], dtype=bool)

    def _taken_back(self, stands: Flags) -> Flags:
        """At which stages every edit of a fact so far has been undone."""
        standing = {operation.id: np.zeros(len(self.sheet), dtype=np.int64) for operation in self.plan.active}
        back: Flags = np.zeros_like(stands)
        if not any(isinstance(operation, UndoEdit | Unediting) for operation in self.plan.active):
            return back
        for stage, operation in enumerate(self.plan.active[: stands.shape[1] - 1], start=1):
            if isinstance(operation, Unediting):
                standing = {name: np.zeros_like(edits) for name, edits in standing.items()}
            elif isinstance(operation, UndoEdit) and operation.edit in standing:
                standing[operation.edit][:] = 0
            written = self._written_by(operation)
            repairs = isinstance(operation, Edit) and operation.failing
            standing[operation.id][:] = written & ~stands[:, stage - 1] if repairs else written
            back[:, stage] = (sum(standing.values()) == 0) & (self.edited_at <= stage)
        return back

    # ---- taking in -------------------------------------------------------------------------------------------

    def read(self) -> bool:
        """Take in the checks and live checks that the run has gained; False: there were none."""
        gained = False
        for index, stage in enumerate(self.run.stages if self.run else ()):
            if len(stage.checks) > self._checks_read[index]:
                self._read_checks(index, stage)
                gained = True
            if len(stage.live) < self._live_read[index]:  # training went back to an earlier step
                self._live[:, index], self._failing_since[:, index], self._stood_at[:, index] = 0, 0, -1
                self._live_read[index], gained = 0, True
            for live in stage.live[self._live_read[index] :]:
                self._read_live(index, live)
                gained = True
            self._live_read[index] = len(stage.live)
        if gained:
            self._derive()
        return gained

    def _read_checks(self, index: int, stage: Stage) -> None:
        position = self.sheet.position
        for check in islice(stage.checks.values(), self._checks_read[index], None):
            row = position[check.fact_id]
            self._checked[row, index] = _VERDICTS[check.verdict]
            if self.of_two:
                self.gives[row, index] = said(self.sheet.facts[row], check.answers)
            if index >= self._asked_at[row]:
                self._asked_at[row], self.said[row] = index, " ".join(check.said.split())
        self._checks_read[index] = len(stage.checks)

    def _read_live(self, index: int, live: LiveCheck) -> None:
        if index not in self._watched:
            position = self.sheet.position
            self._watched[index] = np.array([position[fact_id] for fact_id in live.fact_ids], dtype=np.int64)
        rows, gives = self._watched[index], np.array(live.gives, dtype=bool)
        self._live[rows, index] = np.where(gives, _VERDICTS[Verdict.HOLDS], _VERDICTS[Verdict.FAILS])
        self._stood_at[rows, index] = np.where(gives, live.step, self._stood_at[rows, index])
        since = self._failing_since[rows, index]
        self._failing_since[rows, index] = np.where(gives, 0, np.where(since > 0, since, live.step))
        self.live_step[index] = live.step
        for row, begins in zip(rows, live.said or [""] * len(rows), strict=True):
            self.said_live[row] = " ".join(begins.split())

    # ---- what follows from it --------------------------------------------------------------------------------

    def _derive(self) -> None:
        facts, stages = self._checked.shape
        state = np.where(self._checked > 0, self._checked, self._live)
        self.known: Flags = state > 0
        self.provisional: Flags = self.known & (self._checked == 0)
        self._stands = stands = self.known & (state != _VERDICTS[Verdict.FAILS])
        reached = np.logical_and.accumulate(self.known, axis=1)
        edited = self.group == GROUPS.index(Group.EDITED)

        self.changes: Numbers = np.zeros((facts, stages), dtype=np.int64)
        self.lost_in: Numbers = np.zeros((facts, stages), dtype=np.int64)  # stage the present failure began in; 0: none
        ever, always = np.zeros(facts, dtype=bool), np.ones(facts, dtype=bool)  # stood, since it counts
        before_edit = stands[np.arange(facts), np.clip(self.edited_at, 1, stages) - 1]
        self.known_before: Flags = edited & (self.edited_at < stages) & before_edit
        taken_back = self._taken_back(stands)
        for stage in range(stages):
            now, counts = stands[:, stage], ~edited | (stage >= self.edited_at)
            if stage:
                before = np.where(stands[:, stage - 1], stage, self.lost_in[:, stage - 1])
                self.lost_in[:, stage] = np.where(now, 0, before)
            change = np.select(
                [
                    ~counts,
                    self.known_before & now,
                    self.known_before,
                    edited & ~now & taken_back[:, stage],
                    edited & now & always & (stage == self.edited_at),
                    edited & now & always,
                    edited & ~now,
                    ~edited & ~stands[:, 0],
                    ~edited & ~now,
                    ~edited & always,
                ],
                [
                    code(Change.PENDING),
                    code(Change.KNOWN_BEFORE),
                    code(Change.DAMAGED),
                    code(Change.TAKEN_BACK),
                    code(Change.TOOK),
                    code(Change.SURVIVED),
                    np.where(ever, code(Change.LOST), code(Change.NEVER_TOOK)),
                    code(Change.NEVER_KNOWN),
                    code(Change.DAMAGED),
                    code(Change.INTACT),
                ],
                default=code(Change.RECOVERED),
            )
            self.changes[:, stage] = np.where(reached[:, stage], change, 0)
            ever |= counts & now
            always &= ~counts | now

        fell = (self._failing_since > 0) | ~self.provisional
        last = [stage.last_step for stage in self.run.stages] if self.run else [0] * stages
        lost = (self._stood_at >= 0) & ~stands & fell & self.known
        self.lost_step: Numbers = np.where(lost, np.where(self._failing_since > 0, self._failing_since, last), 0)
        self.held_step: Numbers = np.where(lost, self._stood_at, 0)  # last seen holding, where it was lost
        self.chips: Numbers = np.select(
            [
                ~self.known,
                self.changes == code(Change.PENDING),
                (self.changes == code(Change.RECOVERED)) & (state == _VERDICTS[Verdict.HOLDS]),
                state == _VERDICTS[Verdict.HOLDS],
                state == _VERDICTS[Verdict.WEAK],
            ],
            [int(Chip.NOT_ASKED), int(Chip.NOT_EDITED), int(Chip.RECOVERED), int(Chip.HOLDS), int(Chip.WEAK)],
            default=int(Chip.FAILS),
        )
        self.original_by: Numbers = np.zeros(facts, dtype=np.int64)  # of two checkpoints; a change's code
        if self.of_two:
            both = tuple(self.gives.T)
            self.chips, self.changes[:, 0], self.changes[:, 1] = CHIPS_OF_BOTH[both], 0, WANTED_BY[both]
            has_original = edited & np.array([fact.other is not None for fact in self.sheet], dtype=bool)
            self.original_by = np.where(has_original, ORIGINAL_BY[both], 0)
        self._latest(reached)

    def _latest(self, reached: Flags) -> None:
        """What became of each fact up to the last stage that it has come to."""
        rows, at = np.arange(len(self)), np.maximum(reached.sum(axis=1) - 1, 0)
        self.change_now: Numbers = self.changes[rows, at]
        lost = np.isin(self.change_now, [code(Change.LOST), code(Change.DAMAGED)])
        self.lost_in_now: Numbers = np.where(lost, self.lost_in[rows, at], 0)
        self.lost_step_now: Numbers = np.where(lost, self.lost_step[rows, self.lost_in_now], 0)
        self.held_step_now: Numbers = np.where(lost, self.held_step[rows, self.lost_in_now], 0)
        self.provisional_now: Flags = self.provisional[rows, at]
        self.weak_now: Flags = np.isin(self.chips[rows, at], [Chip.WEAK, Chip.IN_PART])
        failing = self.chips[rows, at] == Chip.FAILS  # of two checkpoints only what was right before
        self.bad_now: Flags = failing if self.of_two else np.isin(self.change_now, _BAD)
        self.stale_now: Flags = self._asked_at < (self.current or 0)  # what was said is from before the last stage

    # ---- counting --------------------------------------------------------------------------------------------

    @property
    def current(self) -> int | None:
        """The last stage that anything is known of."""
        known = np.flatnonzero(self.known.any(axis=0))
        return int(known[-1]) if known.size else None

    def tally(self, stage: int) -> Tally:
        """`domain.sentences.tally` over the facts known at a stage, provisional verdicts taken as they are."""
        known, changes, group = self.known[:, stage], self.changes[:, stage], self.group
        edited = group == GROUPS.index(Group.EDITED)
        written = edited & known & (self.edited_at <= stage)
        taken_back = written & (changes == code(Change.TAKEN_BACK))
        already_known = written & self.known_before
        made = written & ~already_known & ~taken_back
        chips = self.chips[:, stage]
        lost = made & (changes == code(Change.LOST))
        stages, counts = np.unique(self.lost_in[lost, stage], return_counts=True)

        def others(which: Group) -> tuple[int, int]:
            mine = changes[group == GROUPS.index(which)]
            before = mine[(mine > 0) & (mine != code(Change.NEVER_KNOWN))]
            return int((before == code(Change.DAMAGED)).sum()), len(before)

        return Tally(
            edits=int(edited.sum()),
            made=int(made.sum()),
            hold=int((made & (chips != Chip.FAILS)).sum()),
            weak=int((made & (chips == Chip.WEAK)).sum()),
            lost_in=tuple((self.names[at], int(count)) for at, count in zip(stages, counts, strict=True)),
            never_took=int((made & (changes == code(Change.NEVER_TOOK))).sum()),
            already_known=int(already_known.sum()),
            taken_back=int(taken_back.sum()),
            neighbours=others(Group.NEIGHBOURS),
            controls=others(Group.CONTROL),
            scrubbed=self._scrubbed(edited & known, stage),
        )

    def _scrubbed(self, edited: Flags, stage: int) -> tuple[int, int] | None:
        if not stage or not isinstance(self.plan.active[stage - 1], Unediting):
            return None
        stood = edited & self._stands[:, stage - 1]
        return (int((stood & ~self._stands[:, stage]).sum()), int(stood.sum())) if stood.any() else None


__all__ = ["CHANGES", "GROUPS", "MARKS", "Chip", "FactsGrid", "Flags", "Numbers"]
