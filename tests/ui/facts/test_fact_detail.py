"""The opened fact: its story in words, every wording at every stage, its course over training."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QFontMetricsF
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QComboBox, QTabBar
from pytestqt.qtbot import QtBot

from editview.domain.facts import FactSheet
from editview.domain.operations import FullFineTune
from editview.domain.plan import Plan
from editview.domain.run_events import Checked, LiveChecked
from editview.domain.session import Run, Session
from editview.domain.survival import percent
from editview.domain.verdicts import Change, Check, LiveCheck, likelihood
from editview.ui.facts.answers import AnswersModel
from editview.ui.facts.curve import FactCurve, course, end_words, trained_stages
from editview.ui.facts.detail import FactDetail
from editview.ui.facts.grid import FactsGrid
from editview.ui.facts.words import fate
from editview.ui.look.theme import SMALL, theme
from tests import sample


def finished(edit_first: bool = True) -> tuple[Run, FactsGrid]:
    run = sample.session(edit_first).latest
    assert run is not None
    return run, FactsGrid(run.sheet, run.plan, run)


def row_of(run: Run, change: Change) -> int:
    return next(row for row, fact in enumerate(run.sheet) if run.change(fact, 2) is change)


@pytest.fixture
def detail(qtbot: QtBot) -> FactDetail:
    made = FactDetail(lambda sentence: None)
    qtbot.addWidget(made)
    made.resize(600, 300)
    made.show()
    return made


def test_every_fate_has_its_sentence() -> None:
    run, grid = finished()
    for change, start in {
        Change.LOST: "Lost between steps",
        Change.SURVIVED: "Survived every step",
        Change.INTACT: "Intact: it says “",
        Change.DAMAGED: "Lost between steps",
    }.items():
        assert fate(grid, row_of(run, change)).startswith(start)
    unedited = FactsGrid(run.sheet, run.plan, None)
    assert fate(unedited, 0) == "Not asked yet. Press *Run* to see what the model answers."


def test_answers_are_those_of_the_run_and_before_the_edit_none_fails(qtbot: QtBot) -> None:
    run, grid = finished()
    answers = AnswersModel()
    QAbstractItemModelTester(answers, QAbstractItemModelTester.FailureReportingMode.Fatal, answers)
    row = row_of(run, Change.LOST)
    answers.show(grid, row)
    fact = run.sheet.facts[row]
    assert [answers.data(answers.index(i, 0)) for i in range(answers.rowCount())] == list(fact.wordings)
    for stage in range(3):
        for place, answer in enumerate(run.stages[stage].checks[fact.id].answers):
            assert answers.data(answers.index(place, stage + 1)) == answer.said
            assert answers.chances(place, stage + 1).startswith(percent(answer.p_wanted))
    assert [answers.mark(0, column).word for column in (1, 2, 3)] == ["not yet edited", "holds", "fails"]
    aloud = answers.data(answers.index(0, 3), Qt.ItemDataRole.AccessibleTextRole)
    assert f"“{fact.other}” is" in aloud


def test_the_course_runs_from_before_training_to_its_end() -> None:
    run, grid = finished()
    row = row_of(run, Change.LOST)
    drawn = course(grid, row, 2)
    assert drawn is not None
    assert drawn.steps == (0, 10, 20, 30, 40, 50, 60)
    before = run.stages[1].checks[run.sheet.facts[row].id].answers[0]
    assert drawn.p_wanted[0] == before.p_wanted
    assert drawn.p_other[0] == before.p_other
    assert drawn.lost == run.stages[2].lost_between(run.sheet.facts[row].id)
    assert trained_stages(grid) == (2,)
    assert course(grid, row, 1) is None


def test_the_curve_draws_how_likely_whole_answers_are() -> None:
    run, _ = finished()
    before, row = run.stages[1].checks, row_of(run, Change.SURVIVED)
    fact_id = run.sheet.facts[row].id
    long = replace(before[fact_id].answers[0], wanted_tokens=3)
    before[fact_id] = replace(before[fact_id], answers=(long,))
    drawn = course(FactsGrid(run.sheet, run.plan, run), row, 2)
    assert drawn is not None
    assert drawn.p_wanted[0] == long.p_wanted
    assert drawn.p_wanted[-2] == likelihood(run.stages[2].live[-2].nll_wanted[row], 3)


def test_once_it_was_asked_after_the_training_the_curve_ends_as_the_table_does() -> None:
    run, grid = finished()
    row = row_of(run, Change.LOST)
    fact_id = run.sheet.facts[row].id
    whole = course(grid, row, 2)
    after = run.stages[2].checks[fact_id].answers[0]
    assert whole is not None
    assert (whole.steps[-1], whole.p_wanted[-1], whole.p_other[-1]) == (60, after.p_wanted, after.p_other)
    assert whole.at(len(whole.steps) - 1).startswith("After step 60 of ")
    run.stages[2].live = run.stages[2].live[:-1]  # the last look was at step 50
    assert course(FactsGrid(run.sheet, run.plan, run), row, 2) == whole
    del run.stages[2].checks[fact_id]
    under_way = course(FactsGrid(run.sheet, run.plan, run), row, 2)
    assert under_way is not None
    assert under_way.steps == whole.steps[:-1]
    assert under_way.at(len(under_way.steps) - 1).startswith("Step 50 of ")


def test_answers_are_copied_with_their_judgement_and_probabilities() -> None:
    run, grid = finished()
    answers, row = AnswersModel(), row_of(run, Change.LOST)
    answers.show(grid, row)
    titles, first, *_ = answers.lines(range(answers.rowCount()))
    given = [stage.checks[run.sheet.facts[row].id].answers[0] for stage in run.stages]
    assert titles[:2] == ["asked", "Checkpoint: says"]
    assert titles[9].startswith("2 Fine-tune on support tickets: ")
    assert first[0] == given[0].prompt
    assert first[9:] == [given[2].said, "fails", given[2].p_wanted, given[2].p_other]
    assert first[2] == "not yet edited"
    answers.show(FactsGrid(run.sheet, run.plan, None), row)
    assert answers.lines([0])[1][1:5] == [None, "not asked", None, None]


def test_answers_get_the_room_they_need_or_a_second_line(detail: FactDetail, qtbot: QtBot) -> None:
    run, grid = finished()
    row = row_of(run, Change.LOST)
    fact_id = run.sheet.facts[row].id
    check = run.stages[1].checks[fact_id]
    named = tuple(replace(answer, said="Nikolai Rimsky Korsakov") for answer in check.answers)
    run.stages[1].checks[fact_id] = replace(check, answers=named)
    table = detail.answers
    table.setParent(None)
    qtbot.addWidget(table)
    table.show()
    for width, tall in ((1200, False), (400, True)):
        table.resize(width, 300)
        table.show_fact(grid, row)
        lines = table._delegate.lines(table.answers.said(0, 2), table.columnWidth(2))
        assert (len(lines) > 1) is tall
        assert "…" not in "".join(lines)
        assert table.rowHeight(0) == theme().px(58 if tall else 40)


def test_a_fact_without_another_answer_has_one_curve() -> None:
    plan, sheet, session = Plan(operations=(FullFineTune(id="t"),)), sample.sheet(0, 1, 0), Session()
    events = list(sample.events(plan, sheet))
    for event in events:
        if isinstance(event, LiveChecked):
            live = event.check
            event = LiveChecked(
                event.run,
                event.stage,
                LiveCheck(live.step, live.fact_ids, live.gives, live.nll_wanted, (float("nan"),)),
            )
        session.apply(event)
    assert session.latest is not None
    drawn = course(FactsGrid(sheet, plan, session.latest), 0, 1)
    assert drawn is not None
    assert len(drawn.curves) == 1


def test_pointing_at_the_curve_tells_the_step(qtbot: QtBot) -> None:
    run, grid = finished()
    curve = FactCurve(lambda sentence: None)
    qtbot.addWidget(curve)
    curve.resize(400, 200)
    curve.show()
    row = row_of(run, Change.LOST)
    curve.show_course(course(grid, row, 2))
    qtbot.mouseMove(curve, QPoint(60, 100))
    qtbot.keyClick(curve, Qt.Key.Key_Left)
    told = curve.accessibleDescription()
    assert told.startswith("Step ")
    assert f"“{run.sheet.facts[row].wanted}” is" in told
    lost = curve.image()
    curve.show_course(course(grid, row_of(run, Change.SURVIVED), 2))
    assert curve.image() != lost


def test_a_long_name_at_the_end_of_a_curve_keeps_its_number(qtbot: QtBot) -> None:
    measure = QFontMetricsF(theme().font(SMALL))
    words = end_words("the Federated States of Micronesia", 0.93, measure, 100)
    assert words.startswith("the F")
    assert words.endswith("… 93 %")
    assert measure.horizontalAdvance(words) <= 100
    assert end_words("Peru", 0.93, measure, 100) == "Peru 93 %"


def test_narrow_it_has_tabs_and_wide_it_shows_both(detail: FactDetail, qtbot: QtBot) -> None:
    run, grid = finished()
    detail.show_fact(grid, row_of(run, Change.LOST))
    tabs = detail.findChild(QTabBar)
    assert tabs.isVisible()
    assert detail.answers.isVisible()
    assert not detail.curve.isVisible()
    tabs.setCurrentIndex(1)
    assert detail.curve.isVisible()
    assert not detail.answers.isVisible()
    detail.resize(1000, 300)
    qtbot.waitUntil(lambda: detail.curve.isVisible() and detail.answers.isVisible() and not tabs.isVisible())


def test_of_two_fine_tunes_the_one_that_lost_the_fact_is_drawn(detail: FactDetail) -> None:
    edit, tune = sample.plan().operations
    plan = Plan(operations=(edit, tune, tune.model_copy(update={"id": "again"})))
    sheet: FactSheet = sample.sheet(20, 0, 0)
    session = Session()
    for event in sample.events(plan, sheet):
        session.apply(event)
    assert session.latest is not None
    grid = FactsGrid(sheet, plan, session.latest)
    for stage in (2, 3):
        row = next(row for row in range(len(sheet)) if grid.lost_in_now[row] == stage)
        detail.show_fact(grid, row)
        box = detail.findChild(QComboBox)
        assert box.isVisible() or not detail.curve.isVisible()
        assert box.currentData() == stage


def test_a_fact_that_holds_in_some_wordings_only_says_so() -> None:
    run, grid = finished()
    row = next(row for row in range(len(run.sheet)) if grid.weak_now[row])
    assert fate(grid, row).endswith("”, but not in every wording.")


def test_a_long_answer_is_told_by_the_answer_it_gives() -> None:
    sheet, plan, session = sample.sheet(), sample.plan(), Session()
    for event in sample.events(plan, sheet):
        if isinstance(event, Checked):
            checks = tuple(
                Check(check.fact_id, tuple(replace(a, said=f"{a.said}, as\n everyone knows") for a in check.answers))
                for check in event.checks
            )
            event = replace(event, checks=checks)
        run = session.apply(event)
    grid = FactsGrid(sheet, plan, run)
    lost = row_of(run, Change.LOST)
    assert fate(grid, lost).endswith(f"it now says “{sheet.facts[lost].true_answer}” again.")
    assert grid.said[lost] == f"{sheet.facts[lost].true_answer}, as everyone knows"
    damaged = row_of(run, Change.DAMAGED)
    assert fate(grid, damaged).endswith("it now says “something, as everyone knows”.")
