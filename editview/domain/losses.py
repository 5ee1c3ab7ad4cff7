"""What to ask of a run to learn whether interference explains what a fine-tune lost: which stages, which facts."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence

from editview.domain.facts import Fact, Group
from editview.domain.operations import FineTune
from editview.domain.plan import Plan, writing_of
from editview.domain.requests import MeasureInterference
from editview.domain.sentences import stage_titles
from editview.domain.session import Run
from editview.domain.verdicts import Verdict

MOST_EDITS, MOST_CONTROLS = 300, 100
"""Facts that are measured; of more some are drawn."""


def fine_tunes(plan: Plan) -> tuple[int, ...]:
    """The stages (counted from 1) of the fine-tunes that come after an edit which stands."""
    stages = enumerate(plan.active, start=1)
    return tuple(at for at, one in stages if isinstance(one, FineTune) and plan.standing_before(one))


def question(run: Run | None, stage: int | None = None) -> MeasureInterference | str:
    """What to ask about the fine-tune of a stage, or the last one after an edit; or why there is nothing to ask, as a
    sentence that says what to do."""
    if run is None:
        return "Nothing has run yet. Press *Run*; when a fine-tune has ended, this shows what it did to the edits."
    choice = fine_tunes(run.plan)
    if stage is None:
        stage = choice[-1] if choice else None
    if stage not in choice:
        return "This run has no fine-tune after an edit. Put one behind an edit in the plan, and press *Run*."
    before, after = run.stages[stage - 1], run.stages[stage]
    if len(after.checks) < len(run.sheet):
        return f"*{stage_titles(run)[stage]}* hasn't been run to its end. Press *Run*, and look again when it has."
    stood = [fact for fact in _named(run.sheet.group(Group.EDITED)) if _stood(run, fact.id, stage - 1)]
    if not stood:
        return (
            f"No edit that names its subject stood before *{stage_titles(run)[stage]}*, so there was nothing for it to "
            "lose. Let the edit take first."
        )
    measured = _some(stood, MOST_EDITS, run.plan.seed)
    lost = tuple(fact for fact in measured if run.verdict(fact.id, stage) is Verdict.FAILS)
    edits = run.plan.standing_before(run.plan.active[stage - 1])
    places = [run.plan.active.index(edit) for edit in edits]
    return MeasureInterference(
        checkpoint=run.plan.checkpoint,
        before=before.info.key,
        after=after.info.key,
        edits=tuple((run.stages[at].info.key, run.stages[at + 1].info.key) for at in places),
        kept=tuple(fact for fact in measured if fact not in lost),
        lost=lost,
        controls=tuple(_some(_named(run.sheet.group(Group.CONTROL)), MOST_CONTROLS, run.plan.seed)),
        stood=len(stood),
        seed=run.plan.seed,
    )


def _stood(run: Run, fact_id: str, stage: int) -> bool:
    """Whether an edit put a fact in and it stands at a stage; one that was known before is no edit's work."""
    writing = writing_of(run.plan, fact_id, stage, lambda at: run.verdict(fact_id, at) is Verdict.FAILS)
    stands = run.verdict(fact_id, stage) in (Verdict.HOLDS, Verdict.WEAK)
    return stands and writing is not None and not writing.taken_back and not run.known_before(fact_id)


def _named(facts: Iterable[Fact]) -> list[Fact]:
    """The facts whose prompts name their subject: others have no place to be looked at."""
    return [fact for fact in facts if fact.subject and ("{}" in fact.template or fact.subject in fact.template)]


def _some(facts: Sequence[Fact], most: int, seed: int) -> list[Fact]:
    """At most so many, drawn by the seed, in their order."""
    places = sorted(random.Random(seed).sample(range(len(facts)), min(most, len(facts))))
    return [facts[place] for place in places]
