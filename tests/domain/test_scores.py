"""The literature's figures: means per record, ties, and what has nothing to be measured on."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from editview.domain.facts import Fact, FactSheet, Group
from editview.domain.operations import Memit, UndoEdit
from editview.domain.plan import Checkpoint, Plan
from editview.domain.run_events import StageInfo
from editview.domain.scores import Flips, flips, flips_at, scores
from editview.domain.session import Run, Stage
from editview.domain.verdicts import Answer, Check

ONE = Fact("one", Group.EDITED, "Peru", "The capital of {} is", "Lima", "Paris", ("See {}:", "In {}:"))
TWO = Fact("two", Group.EDITED, "Chad", "The capital of {} is", "N'Djamena", "Rome")
NEAR = [Fact(f"near-{i}", Group.NEIGHBOURS, "", "The capital of Fiji is", "Suva", "Paris", (), "one") for i in range(3)]
ALONE = Fact("alone", Group.NEIGHBOURS, "Togo", "The capital of {} is", "Lomé", "Paris")
CONTROL = Fact("gold", Group.CONTROL, "Gold", "The symbol of {} is", "Au")


def check(fact: Fact, *nlls: tuple[float, float | None], first: Sequence[int | None] = ()) -> Check:
    """The NLL of the wanted and of the other answer by wording; answers have two tokens."""
    counted = [*first, *[None] * len(nlls)]
    answers = [
        Answer("?", "x", False, wanted, other, 2, 2, counted[index]) for index, (wanted, other) in enumerate(nlls)
    ]
    return Check(fact.id, tuple(answers))


def by_id(*checks: Check) -> dict[str, Check]:
    return {one.fact_id: one for one in checks}


def test_figures_are_means_over_an_edit_and_then_over_edits() -> None:
    sheet = FactSheet("sheet", (ONE, TWO, *NEAR, ALONE, CONTROL))
    found = scores(
        sheet,
        by_id(
            check(ONE, (1.0, 2.0), (1.0, 2.0), (2.0, 1.0), first=(2, 1, 0)),
            check(TWO, (1.0, 1.0), first=(1,)),  # a tie fails
            *(check(near, (1.0 + i, 2.0), first=(2 if i else 0,)) for i, near in enumerate(NEAR)),
            check(ALONE, (0.5, 0.7), first=(2,)),
            check(CONTROL, (9.0, None), first=(0,)),
        ),
    )
    likelier, strict, tokens = found.likelier, found.strict, found.tokens
    assert (likelier.efficacy, likelier.paraphrase) == (0.5, 0.5)
    assert likelier.neighbourhood == pytest.approx((1 / 3 + 1) / 2)
    assert likelier.score == pytest.approx(3 / (2 + 2 + 1.5))
    assert (strict.efficacy, strict.paraphrase) == (0.5, 0)
    assert strict.score == 0
    assert (tokens.efficacy, tokens.paraphrase) == (0.75, 0.25)
    assert tokens.neighbourhood == pytest.approx((2 / 3 + 1) / 2)
    assert found.sentence == (
        "Efficacy 50.0 %, paraphrases 50.0 %, neighbourhood 66.7 %, score 54.5; strict efficacy 50.0 %."
    )


def test_what_can_t_be_measured_is_none() -> None:
    nothing = scores((ONE, CONTROL), by_id(check(CONTROL, (1.0, None))))
    assert (nothing.likelier.efficacy, nothing.likelier.score, nothing.sentence) == (None, None, "")
    before_it_was_counted = scores((TWO,), by_id(check(TWO, (1.0, 2.0))))
    assert (before_it_was_counted.likelier.efficacy, before_it_was_counted.strict.efficacy) == (1, None)
    assert before_it_was_counted.sentence == "Efficacy 100.0 %."
    unanswered = Fact("bare", Group.NEIGHBOURS, "", "The capital of Fiji is", "Suva")
    found = scores((unanswered,), by_id(check(unanswered, (1.0, None), first=(2,))))
    assert (found.likelier.neighbourhood, found.strict.neighbourhood) == (None, 1)


def test_flips_are_of_those_that_had_succeeded() -> None:
    facts = (ONE, TWO, CONTROL)
    before = by_id(check(ONE, (1.0, 2.0)), check(TWO, (2.0, 1.0)), check(CONTROL, (1.0, None), first=(2,)))
    after = by_id(check(ONE, (2.0, 1.0)), check(TWO, (3.0, 1.0)), check(CONTROL, (1.0, None), first=(1,)))
    assert flips(facts, Group.EDITED, before, after) == Flips(1, 1)
    assert flips(facts, Group.CONTROL, before, after).rate == 1
    assert flips(facts, Group.EDITED, after, before).rate is None


def test_an_edit_flips_no_fact_that_wasn_t_written_before() -> None:
    plan = Plan(
        name="Plan", checkpoint=Checkpoint(source="model"),
        operations=(Memit(id="edit", layers=(0,), only=("one",)), UndoEdit(edit="edit")),
    )  # fmt: skip
    given, not_given = [(1.0, 2.0)], [(2.0, 1.0)]
    run = Run("run", plan, FactSheet("sheet", (ONE, TWO)), [], ())
    for index, said in enumerate((given, given, not_given)):
        checks = by_id(check(ONE, *said), check(TWO, *said))
        run.stages.append(Stage(StageInfo(index, None, "Stage", "key"), checks=checks))
    assert flips_at(run, 1, Group.EDITED) == Flips(0, 0)
    assert flips_at(run, 2, Group.EDITED) == Flips(1, 1)
