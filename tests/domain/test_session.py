import math
from dataclasses import replace

from editview.domain.facts import Group
from editview.domain.run_events import LiveChecked, RunFailed, RunStopped, StageInfo, StageStarted
from editview.domain.sentences import Tally, amount, certainty, duration, operation_title, summary, tell
from editview.domain.session import RunState, Session, Stage, StageState
from editview.domain.verdicts import Answer, Change, Check, LiveCheck, Verdict
from tests import sample


def test_a_whole_run_grows_into_one_session() -> None:
    run = sample.session().latest
    assert run is not None
    assert run.state is RunState.FINISHED
    assert [stage.state for stage in run.stages] == [StageState.REUSED, StageState.DONE, StageState.DONE]
    assert run.last_checked == 2
    assert sum(run.counts(2, Group.CONTROL).values()) == len(run.sheet.group(Group.CONTROL))


def test_every_fact_lost_in_training_carries_its_step() -> None:
    run = sample.session().latest
    assert run is not None
    lost = [fact for fact in run.sheet if run.change(fact, 2) is Change.LOST]
    assert lost
    for fact in lost:
        assert run.stages[2].lost_between(fact.id) in {(step, step + 10) for step in range(10, 60, 10)}
    for fact in run.sheet:
        if run.verdict(fact.id, 2) is not Verdict.FAILS:
            assert run.stages[2].lost_between(fact.id) is None


def test_training_that_goes_on_after_the_last_live_check_ends_at_its_own_last_step() -> None:
    """12 steps, asked every 10: a fact that stood at 10 and fails at the end was lost at 12."""
    stage = Stage(StageInfo(1, "tune", "Fine-tune", "key"))
    for step in (0, 10):
        stage.live.append(LiveCheck(step, ("lost", "stands"), (True, True), (0.1, 0.1), (math.nan, math.nan)))
    stage.losses = [(step, 1.0) for step in range(1, 13)]
    for fact_id, given in (("lost", False), ("stands", True), ("unwatched", False)):
        stage.checks[fact_id] = Check(fact_id, (Answer("Q", "A", given, 1.0, None),))
    assert [stage.lost_between(fact_id) for fact_id in ("lost", "stands", "unwatched")] == [(10, 12), None, None]
    assert [stage.watches(fact_id) for fact_id in ("lost", "unwatched")] == [True, False]


def test_how_answers_begin_is_kept_of_the_latest_look_alone() -> None:
    session = sample.session()
    run = session.latest
    assert run is not None
    lives = run.stages[2].live
    for step in (70, 80):
        session.apply(LiveChecked(run.id, 2, replace(lives[-1], step=step, said=("Pa",) * len(lives[-1].fact_ids))))
    assert [bool(live.said) for live in lives[-3:]] == [False, False, True]


def test_a_fact_not_asked_everywhere_has_no_change_yet() -> None:
    session = Session()
    events = list(sample.events(sample.plan(), sample.sheet()))
    for event in events[:3]:
        session.apply(event)
    run = session.latest
    assert run is not None
    assert run.change(run.sheet.facts[-1], 0) is None


def test_stopping_and_failing_leave_what_was_finished() -> None:
    for ending, state in ((RunStopped("run-1"), StageState.WAITING), (RunFailed("run-1", "No."), StageState.FAILED)):
        session = Session()
        for event in sample.events(sample.plan(), sample.sheet()):
            session.apply(event)
            if isinstance(event, StageStarted) and event.stage == 2:
                break
        run = session.apply(ending)
        assert run.stages[1].state is StageState.DONE
        assert run.stages[2].state is state
        assert run.last_checked == 1


def test_the_sentence_counts_what_the_run_shows() -> None:
    run = sample.session().latest
    assert run is not None
    stand = sum(run.verdict(fact.id, 2) is not Verdict.FAILS for fact in run.sheet.group(Group.EDITED))
    text = summary(run, 2)
    assert text.startswith(f"{stand} of 10 edits stand (")
    assert "*Fine-tune on support tickets*" in text
    assert summary(run, 0).startswith("10 edits are still to be made")


def test_words_for_operations_times_and_sizes() -> None:
    plan, sheet = sample.plan(), sample.sheet()
    assert [operation_title(operation, sheet) for operation in plan.operations] == [
        "Edit 10 facts",
        "Fine-tune on support tickets",
    ]
    assert [duration(s) for s in (0.2, 45, 200, 7500)] == ["1 s", "45 s", "3 min 20 s", "2 h 5 min"]
    assert [amount(b) for b in (12, 4_000, 11_600_000)] == ["12 B", "4 kB", "11.6 MB"]


def test_a_share_says_what_it_is_of() -> None:
    counted = Tally(40, 30, 28, 0, (), 2, 6, 4, (0, 0), (0, 0))
    assert certainty(counted).startswith("93 % of all 30 edits hold (100 % of the 28 that took). Of many more")
    assert certainty(replace(counted, never_took=0)).startswith("93 % of all 30 edits hold. ")
    assert certainty(replace(counted, hold=0, never_took=30)).startswith("0 % of all 30 edits hold. ")
    assert certainty(replace(counted, made=1, hold=1, never_took=0)).startswith("100 % of the edits hold. ")


def test_edits_that_were_known_or_taken_back_are_told_apart_from_those_that_hold() -> None:
    counted = Tally(40, 30, 28, 0, (), 2, 6, 4, (0, 0), (0, 0))
    assert tell(counted) == "28 of 30 edits hold; 2 never took; 6 were already known; 4 were taken back."
    weak = Tally(40, 30, 28, 3, (), 2, 0, 0, (0, 0), (0, 0))
    assert tell(weak) == "28 of 30 edits stand (3 of them weak: not in every wording); 2 never took."
    assert certainty(weak).startswith("93 % of all 30 edits stand (100 % of the 28 that took). ")
    assert tell(Tally(40, 0, 0, 0, (), 0, 0, 40, (0, 0), (0, 0))) == "40 edits were taken back."
    assert tell(Tally(1, 0, 0, 0, (), 0, 1, 0, (0, 0), (0, 0))) == "1 edit was already known."
