"""How a batch gets by with the memory there is, and what to change when it doesn't."""

from __future__ import annotations

import pytest

from editview.domain.memory import Fit, Layout, Memory, fitted, layouts
from editview.domain.operations import FullFineTune, Lora
from editview.domain.sentences import memory_sentence


def test_smaller_parts_come_before_computing_twice() -> None:
    assert [(one.part, one.checkpointing) for one in layouts(6)] == [
        (6, False), (3, False), (2, False), (1, False), (6, True), (3, True), (2, True), (1, True),
    ]  # fmt: skip
    assert [one.part for one in layouts(1)] == [1, 1]


@pytest.mark.parametrize(
    ("available", "layout"),
    [
        (1000, Layout(16)), (260, Layout(16)), (259, Layout(8)), (119, Layout(1)),
        (109, Layout(2, True)), (100, Layout(1, True)),
    ],
)  # fmt: skip
def test_the_quickest_layout_that_fits_is_taken(available: int, layout: Layout) -> None:
    """Weights of 100; 10 an example, or 3 computed twice. Where nothing fits, what needs least."""

    def fit(layout: Layout) -> Fit:
        return Fit(layout, Memory(100, activations=layout.part * (3 if layout.checkpointing else 10)))

    assert fitted(16, fit, available).layout == layout


def test_a_layout_is_told_in_words_unless_the_batch_is_whole() -> None:
    assert Layout(16).words(16) == ""
    assert Layout(4).words(16) == "in parts of 4 to save memory"
    assert Layout(4, True).words(16) == "in parts of 4, layer by layer to save memory"
    assert Layout(16, True).words(16) == "layer by layer to save memory"


def test_what_helps_most_comes_first() -> None:
    full, lora = FullFineTune(batch_size=16, max_length=64), Lora(batch_size=16, max_length=64)
    heavy, busy = Memory(10, 10, 20, 5), Memory(10, 10, 20, 500)
    assert Fit(Layout(1), heavy).levers(full).startswith("LoRA instead of full")
    assert Fit(Layout(16), busy).levers(full) == (
        "a smaller batch size (now 16), shorter examples (now 64 tokens) or LoRA instead of full fine-tuning"
    )
    assert Fit(Layout(1), busy).levers(lora) == "shorter examples (now 64 tokens)"


def test_memory_is_told_by_what_it_is_for() -> None:
    said = memory_sentence(Memory(weights=2_000_000, gradients=1_000_000, optimiser=3_000_000, activations=500_000))
    assert said == "6.5 MB of memory: optimiser 3.0 MB, weights 2.0 MB, gradients 1.0 MB, activations 500 kB"
