from hypothesis import given
from hypothesis import strategies as st

from editview.domain.operations import FullFineTune, Lora, Memit, UndoEdit
from editview.domain.plan import Plan, PlanHistory, Writing, writing_of

EDIT, TUNE, LORA = Memit(id="edit"), FullFineTune(id="tune"), Lora(id="lora")
PLAN = Plan(operations=(EDIT, TUNE, LORA))


def order(plan: Plan) -> list[str]:
    return [operation.id for operation in plan.operations]


def test_moving_puts_the_operation_where_it_was_asked() -> None:
    assert order(PLAN.moved("edit", 1)) == ["tune", "edit", "lora"]
    assert order(PLAN.moved("lora", 0)) == ["lora", "edit", "tune"]
    assert order(PLAN) == ["edit", "tune", "lora"]


def test_a_duplicate_stands_below_under_its_own_name() -> None:
    copy = PLAN.duplicated("edit").operations[1]
    assert copy.id != "edit"
    assert copy.content() == EDIT.content()


def test_an_operation_switched_off_makes_no_stage() -> None:
    plan = PLAN.switched("edit")
    assert [operation.id for operation in plan.active] == ["tune", "lora"]
    assert writing_of(plan, "any", 2) is None
    assert writing_of(plan.switched("edit"), "any", 3) == Writing(1, taken_back=False)


def test_an_edit_of_some_facts_edits_only_these() -> None:
    plan = Plan(operations=(TUNE, Memit(only=("a",)), Memit(only=("b",))))
    assert [writing_of(plan, name, 3) for name in "abc"] == [Writing(2, False), Writing(3, False), None]
    assert writing_of(plan, "b", 2) is None


def test_an_edit_is_taken_back_once_all_edits_of_the_fact_are() -> None:
    first, second = Memit(id="first", only=("a",)), Memit(id="second")
    back, all_back = UndoEdit(id="u", edit="first"), UndoEdit(id="v", edit="second")
    plan = Plan(operations=(first, second, back, TUNE, all_back, second.model_copy(update={"id": "third"})))
    assert [writing_of(plan, "a", stage) for stage in (3, 4, 5, 6)] == [
        Writing(1, False), Writing(1, False), Writing(1, True), Writing(1, False)
    ]  # fmt: skip
    repair = Memit(id="repair", failing=True)
    repaired = Plan(operations=(first, repair, back))
    assert writing_of(repaired, "a", 3) == Writing(1, taken_back=False)
    assert writing_of(repaired, "a", 3, lambda stage: False) == Writing(1, taken_back=True)
    assert plan.stage_undone_by(back) == 1
    assert plan.stage_undone_by(all_back) == 2
    assert plan.moved("u", 0).stage_undone_by(back) is None
    twice = back.model_copy(update={"id": "again"})
    assert plan.added(twice).stage_undone_by(twice) is None  # it would write the negative of the edit


def test_the_card_is_no_part_of_what_is_computed() -> None:
    assert Memit(id="x").content() == Memit(id="y", enabled=False).content()
    assert Memit(clamp=1).content() != Memit(clamp=2).content()


@given(st.lists(st.sampled_from(["move", "switch", "remove", "duplicate"]), max_size=12))
def test_undoing_everything_gives_the_first_plan_and_redoing_the_last(steps: list[str]) -> None:
    history = PlanHistory(PLAN)
    for step in steps:
        plan = history.now
        if plan.operations:
            first = plan.operations[0].id
            match step:
                case "move":
                    history.change(plan.moved(first, len(plan.operations) - 1))
                case "switch":
                    history.change(plan.switched(first))
                case "remove":
                    history.change(plan.removed(first))
                case "duplicate":
                    history.change(plan.duplicated(first))
    last = history.now
    while history.can_undo:
        history.undo()
    assert history.now == PLAN
    while history.can_redo:
        history.redo()
    assert history.now == last


def test_a_plan_that_undo_leads_back_to_is_never_saved_over_the_file_that_was_opened_after_it() -> None:
    other = PLAN.removed(PLAN.operations[0].id)
    history = PlanHistory(PLAN)
    history.open(other, "other.toml")
    assert (history.path, history.saved) == ("other.toml", other)
    history.undo()
    assert history.path is None
    history.redo()
    assert history.path == "other.toml"
    history.undo()
    history.change(PLAN.switched(PLAN.operations[0].id))
    assert history.path is None
    history.keep(history.now, "mine.toml")
    history.undo()
    assert history.path == "mine.toml"


def test_a_copy_of_an_opened_plan_belongs_to_the_opened_one_alone() -> None:
    other = PLAN.removed(PLAN.operations[0].id)
    history = PlanHistory(PLAN)
    history.open(other, "other.toml")
    history.keep(other, "copy.toml")
    assert history.path == "copy.toml"
    history.undo()
    assert history.path is None
    history.keep(PLAN, "mine.toml")
    assert history.path == "mine.toml"
    history.redo()
    assert history.path is None
    history.keep(other, "copy.toml")
    assert history.path == "copy.toml"
    history.undo()
    assert history.path is None
