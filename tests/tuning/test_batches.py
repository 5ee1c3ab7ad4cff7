"""Examples become token rows whose prompts and padding are not trained on."""

from __future__ import annotations

import pytest

from editview.domain.errors import Cancelled
from editview.domain.examples import Example, Turn
from editview.domain.progress import silent
from editview.tuning.batches import IGNORED, batch, tokenised
from tests.tuning.models import tokenizer


def learnt(example: Example, max_length: int = 64, template: str | None = None) -> str:
    """The text of the tokens that are trained on."""
    reader = tokenizer()
    reader.chat_template = template
    made = batch(tokenised(reader, [example], max_length, silent), padding=0)
    return reader.decode([token for token in made["labels"][0].tolist() if token != IGNORED])


def test_only_the_answer_is_trained_on_and_it_ends_the_text() -> None:
    assert learnt(Example(" Paris", prompt="The capital is")) == " Paris<end>"


def test_running_text_is_trained_on_whole() -> None:
    assert learnt(Example("Good morning.")) == "Good morning.<end>"


def test_a_long_example_is_cut_and_not_ended() -> None:
    assert learnt(Example(" one two three", prompt="Count:"), max_length=10) == " one"


def test_without_a_chat_template_a_conversation_is_plain_text() -> None:
    example = Example("Hello", conversation=(Turn("user", "Hi"),))
    assert learnt(example) == "Hello<end>"


def test_the_chat_template_decides_what_ends_an_answer() -> None:
    template = (
        "{% for m in messages %}[{{ m['role'] }}]{{ m['content'] }};{% endfor %}"
        "{% if add_generation_prompt %}[assistant]{% endif %}"
    )
    example = Example("Hello", conversation=(Turn("user", "Hi"), Turn("assistant", "Yes?"), Turn("user", "Hm")))
    assert learnt(example, template=template) == "Hello;"


def test_padding_is_on_the_right_and_neither_seen_nor_learnt() -> None:
    made = batch(tokenised(tokenizer(), [Example("ab"), Example("abcd")], 64, silent), padding=0)
    assert made["attention_mask"].tolist() == [[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]]
    assert made["labels"][0].tolist()[3:] == [IGNORED, IGNORED]
    assert made["labels"][0][2] == 0  # the real end-of-text token is learnt, though it pads as well
    assert made["labels"].shape == made["input_ids"].shape == (2, 5)


def test_examples_without_an_answer_are_left_out() -> None:
    rows = tokenised(tokenizer(), [Example(""), Example("yes"), Example(" late", prompt="p" * 70)], 64, silent)
    assert len(rows) == 1


def test_preparing_data_can_be_cancelled() -> None:
    def stop(done: int, total: int, what: str) -> None:
        if done:
            raise Cancelled

    with pytest.raises(Cancelled):
        tokenised(tokenizer(), [Example("text")] * 100, 64, stop)
