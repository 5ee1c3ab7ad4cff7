"""Who counts for survival, when, and what is said about it."""

from __future__ import annotations

from editview.domain.facts import Fact, FactSheet, Group
from editview.domain.operations import FullFineTune, Memit, Scrub
from editview.domain.plan import Plan
from editview.domain.run_events import Checked, LiveChecked, RunStarted, StageFinished, StageInfo, StageStarted
from editview.domain.sentences import summary
from editview.domain.session import Run, Session
from editview.domain.survival import Count, Survival, headline, told
from editview.domain.verdicts import Answer, Change, Check, LiveCheck
from tests import sample

EDIT, NEAR, CONTROL = Group.EDITED, Group.NEIGHBOURS, Group.CONTROL
SHEET = FactSheet(
    "few",
    (
        *(Fact(f"e{i}", EDIT, f"E{i}", "{} is", "old", "new") for i in range(3)),
        *(Fact(f"c{i}", CONTROL, f"C{i}", "{} is", "wood") for i in range(3)),
    ),
)


def run_of(plan: Plan, standing: list[str], live: dict[int, list[str]] | None = None) -> Run:
    """A run whose facts stand as said, stage by stage: 'e0 c1'; `live` says the same for steps of a stage."""
    session = Session()
    stages = tuple(StageInfo(i, None, f"Stage {i}", str(i)) for i in range(len(plan.active) + 1))
    run = session.apply(RunStarted("r", plan, SHEET, stages, ()))
    for stage, stand in enumerate(standing):
        session.apply(StageStarted("r", stage, False))
        for at, given in enumerate((live or {}).get(stage, [])):
            gives = tuple(fact.id in given for fact in SHEET)
            nothing = (0.0,) * len(gives)
            ids = tuple(fact.id for fact in SHEET)
            session.apply(LiveChecked("r", stage, LiveCheck(10 * (at + 1), ids, gives, nothing, nothing)))
        checks = tuple(Check(f.id, (Answer(f.prompt, "", f.id in stand, 1.0, None),)) for f in SHEET)
        session.apply(Checked("r", stage, checks))
        session.apply(StageFinished("r", stage, (), 1.0))
    return run


def counted(run: Run) -> Survival:
    survival = Survival(run)
    survival.update()
    return survival


def test_only_facts_that_stood_before_count() -> None:
    run = run_of(sample.plan(), ["c0 c1", "e0 e1 c0 c1 c2", "e0 e2 c0 c2"])
    before, edited, tuned = counted(run).moments
    assert before.counts == {CONTROL: Count(2, 2)}  # no edit is made yet; c2 was never known
    assert edited.counts == {EDIT: Count(2, 2), CONTROL: Count(2, 2)}  # e2 didn't take
    assert tuned.counts == {EDIT: Count(1, 2), CONTROL: Count(1, 2)}  # neither e2 nor c2 is counted as saved


def test_edits_made_after_the_fine_tune_count_from_there() -> None:
    run = run_of(sample.plan(edit_first=False), ["c0", "e2 c0", "e0 e1 e2 c0"])
    moments = counted(run).moments
    assert EDIT not in moments[1].counts
    assert moments[2].counts[EDIT] == Count(2, 2)  # e2 was known before its edit: no success of it


def test_live_checks_are_counted_once_and_agree_with_counting_at_the_end() -> None:
    plan, sheet = sample.plan(), sample.sheet()
    session, growing = Session(), None
    for event in sample.events(plan, sheet):
        run = session.apply(event)
        growing = growing or Survival(run)
        growing.update()
    assert growing is not None
    at_once = counted(growing.run)
    assert growing.moments == at_once.moments
    assert [moment.step for moment in at_once.moments] == [None, None, 10, 20, 30, 40, 50, 60, None]
    assert not growing.update()


def test_live_counts_take_the_facts_that_took() -> None:
    run = run_of(sample.plan(), ["c0", "e0 e1 c0", "e0 c0"], live={2: ["e0 e1 e2 c0", "e1 c0"]})
    live = [moment.counts[EDIT] for moment in counted(run).moments if moment.step]
    assert live == [Count(2, 2), Count(1, 2)]


def test_the_headline_says_what_the_last_stage_did() -> None:
    fell = run_of(sample.plan(), ["c0 c1", "e0 e1 c0 c1", "e0 c0 c1"])
    assert headline(counted(fell)) == "During *Stage 2* the edits fell from 2 to 1 of 2; controls stayed at 2 of 2."
    took = run_of(sample.plan(), ["c0 c1", "e0 e1 c0"])
    assert headline(counted(took)) == "With *Stage 1* 2 of 3 edits took; controls fell from 2 to 1 of 2."
    assert headline(counted(run_of(sample.plan(), ["c0"]))).startswith("The checkpoint knows 1 controls")
    assert headline(counted(run_of(sample.plan(), []))) == ""


def test_a_moment_is_told_with_the_interval_of_the_edits() -> None:
    run = run_of(sample.plan(), ["c0", "e0 e1 e2 c0", "e0 c0"], live={2: ["e0 e1 c0"]})
    sentence = told(counted(run), counted(run).moments[2])
    assert sentence == "Step 10 of Stage 2: 2 of 3 edits stand (67 %, 95 % interval 21 to 94 %); 1 of 1 controls stand."


def test_no_watched_fact_of_a_group_leaves_it_out() -> None:
    run = run_of(sample.plan(), ["", "", ""])
    assert all(not moment.counts for moment in counted(run).moments)
    assert NEAR not in counted(run).moments[0].counts


def test_what_a_fine_tune_teaches_counts_as_written_by_it() -> None:
    plan = Plan(operations=(FullFineTune(teach=0.1), FullFineTune()))
    run = run_of(plan, ["e0 c0", "e0 e1 e2 c0", "e0 e1 c0"])
    taught, tuned = counted(run).moments[1:]
    assert taught.counts[EDIT] == Count(2, 2)  # e0 was known before
    assert tuned.counts[EDIT] == Count(1, 2)
    known, survived, lost = SHEET.group(EDIT)
    assert (run.change(survived, 1), run.change(survived, 2)) == (Change.TOOK, Change.SURVIVED)
    assert run.change(lost, 2) is Change.LOST
    assert run.change(known, 1) is Change.KNOWN_BEFORE
    assert summary(run, 2).startswith("1 of 2 edits hold; 1 was lost during *Stage 2*; 1 was already known;")
    assert headline(counted(run)) == "During *Stage 2* the edits fell from 2 to 1 of 2; controls stayed at 1 of 1."


def test_a_scrub_tells_what_is_gone_and_calls_it_taken_back() -> None:
    run = run_of(Plan(operations=(Memit(), Scrub())), ["c0 c1", "e0 e1 e2 c0 c1", "e2 c0"])
    assert summary(run, 2) == "2 of 3 edits are gone; 1 of 2 controls was lost."
    gone, _, stands = SHEET.group(EDIT)
    assert run.change(gone, 2) is Change.TAKEN_BACK
    assert run.change(stands, 2) is Change.SURVIVED


def test_a_scrub_tells_what_is_gone_of_edits_that_the_plan_did_not_make() -> None:
    run = run_of(Plan(operations=(Scrub(trained="chosen", layers=(0,)),)), ["e0 e1 c0", "c0"])
    assert summary(run, 1) == "2 of 2 edits are gone; all 1 controls are intact."
