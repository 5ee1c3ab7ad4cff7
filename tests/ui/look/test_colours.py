"""One colour an operation: the same wherever it is drawn, and again when its plan is opened again."""

from __future__ import annotations

from editview.domain.operations import Lora, Memit, Operation
from editview.ui.look.colours import give_colours, operation_colour


def colours(*operations: Operation) -> list[str]:
    give_colours(operations)
    return [operation_colour(operation.id).name() for operation in operations]


def test_a_plan_opened_again_or_in_another_order_has_the_same_colours(qapp: object) -> None:
    first = colours(Memit(), Lora())
    assert len(set(first)) == 2
    for _ in range(9):
        assert colours(Memit(), Lora()) == first
    assert colours(Lora(), Memit()) == first[::-1]


def test_an_operation_keeps_its_colour_and_no_other_of_its_plan_has_it(qapp: object) -> None:
    edit, tune, more = Memit(), Lora(), Lora()
    before = colours(edit, tune)
    assert colours(more, tune, edit)[:0:-1] == before
    assert len(set(colours(more, tune, edit))) == 3
