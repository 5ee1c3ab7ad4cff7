"""What a tracing suggests, and how it is said."""

from __future__ import annotations

import pytest

from editview.domain.tracing import (
    TOKENS,
    Token,
    Tracing,
    basis,
    headline,
    run_up_to,
    told,
    window_around,
    window_of,
)

LAST = TOKENS.index(Token.LAST_OF_SUBJECT)


def tracing(memory: list[float], baseline: float = 0.9, corrupted: float = 0.1, **settings: float) -> Tracing:
    """One whose memory has these effects at the subject's last token, a layer each, and others elsewhere."""
    rows = tuple(tuple(effect if at == LAST else 0.5 for at in range(len(TOKENS))) for effect in memory)
    known = {"used": 12, "unknown": 0, "steady": 1.0} | settings
    return Tracing(rows, rows, window_of(len(memory)), baseline=baseline, corrupted=corrupted, **known)  # type: ignore[arg-type]


def test_the_run_ends_where_the_memory_matters_most_at_the_subjects_last_token() -> None:
    found = tracing([0.0] * 10 + [0.1, 0.3, 0.2] + [0.0] * 15)
    assert found.peak == 11
    assert found.suggested == (8, 9, 10, 11)
    assert headline(found) == "The model seems to look up these facts in layers 9 to 12."


@pytest.mark.parametrize(("layers", "count"), [(1, 1), (6, 1), (12, 2), (28, 4), (32, 5), (48, 7), (80, 11)])
def test_the_run_is_a_seventh_of_the_layers_and_inside_the_model(layers: int, count: int) -> None:
    assert len(run_up_to(layers - 1, layers)) == count
    assert run_up_to(0, layers) == (0,)


def test_the_window_is_that_of_the_paper_in_proportion() -> None:
    assert window_around(20, 48) == range(15, 25)
    assert window_around(2, 48) == range(7)
    assert window_around(46, 48) == range(41, 48)
    assert window_around(3, 6) == range(3, 4)
    assert all(layer in window_around(layer, layers) for layers in range(1, 81) for layer in range(layers))


def test_nothing_is_suggested_where_tracing_says_nothing() -> None:
    blurred_in_vain = tracing([0.1, 0.2, 0.0], baseline=0.5, corrupted=0.45)
    nothing_returns = tracing([-0.1, -0.2, 0.0])
    for found in (blurred_in_vain, nothing_returns):
        assert found.suggested == ()
        assert headline(found).startswith("Tracing doesn't say")
        assert "brings back" not in basis(found)


def test_the_basis_names_what_was_left_out_and_how_firm_the_peak_is() -> None:
    firm, shaky = tracing([0.1, 0.42, 0.2]), tracing([0.1, 0.42, 0.2], unknown=3, steady=0.61)
    assert "12 facts that the model knows." in basis(firm)
    assert "falls from 90 % to 10 %" in basis(firm)
    assert "layer 2 writes at the subject's last piece brings back 42 percentage points" in basis(firm)
    assert "random draws" not in basis(firm)
    assert "(3 more it doesn't know were left out)" in basis(shaky)
    assert "61 % of random draws" in basis(shaky)


def test_a_cell_is_told_in_a_sentence() -> None:
    found = tracing([0.0] * 24)
    assert told(found, 9, 0, memory=True) == (
        "Restoring what the memory of layers 8 to 12 writes at the first piece of the subject brings back 50 "
        "percentage points of the answer's probability (layer index 9)."
    )
    assert told(found, 9, LAST, memory=False).endswith("brings nothing back (layer index 9).")
    unseen = Tracing(((None,) * 6,), ((None,) * 6,), 1, 5, 0, 0.9, 0.1, 1.0)
    assert told(unseen, 0, 1, memory=True).startswith("None of these prompts")
