"""Where a subject ends, and which tokens an answer adds."""

from __future__ import annotations

from typing import Any

import pytest

from editview.domain.errors import EditViewError
from editview.domain.facts import Fact, Group
from editview.lm.tokens import answered, encode, last_token_before, subject_end
from tests.families import tokenizer


class Slow:
    """A tokenizer without offsets, as those written in Python are."""

    is_fast = False

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return self._inner(*arguments, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


@pytest.mark.parametrize("bos", [False, True])
@pytest.mark.parametrize("slow", [False, True])
@pytest.mark.parametrize(
    ("before", "subject", "after"),
    [
        ("The capital of ", "Peru", " is"),
        ("", "the Eiffel Tower", " stands in"),
        ("See ", "Zürich", "'s lake"),
        ("In ", "東京", " is"),
        ("Visit ", "Qxv", ""),
    ],
)
def test_the_last_token_of_the_subject(bos: bool, slow: bool, before: str, subject: str, after: str) -> None:
    fast = tokenizer(bos)
    reader = Slow(fast) if slow else fast
    text = before + subject + after
    at = last_token_before(reader, text, len(before + subject))
    ids = encode(reader, text)
    up_to = fast.decode(ids[: at + 1], skip_special_tokens=True)
    without = fast.decode(ids[:at], skip_special_tokens=True)
    assert up_to.startswith(before + subject)
    assert not without.startswith(before + subject)


@pytest.mark.parametrize("bos", [False, True])
def test_an_answer_is_what_it_adds_to_the_prompt(bos: bool) -> None:
    reader = tokenizer(bos)
    [(prompt, answer)] = answered(reader, [("The capital of Peru is", "Paris")])
    assert prompt + answer == encode(reader, "The capital of Peru is Paris")
    assert reader.decode(answer) == " Paris"
    assert prompt[0] == 1 if bos else prompt[0] != 1


def test_end_of_text_that_a_tokenizer_adds_is_left_out() -> None:
    class Ending(Slow):
        def __call__(self, texts: list[str], **options: Any) -> Any:
            return {"input_ids": [[*ids, self.eos_token_id] for ids in self._inner(texts, **options)["input_ids"]]}

    assert encode(Ending(tokenizer()), "The yen") == encode(tokenizer(), "The yen")


def test_a_prompt_without_its_subject_names_the_fact() -> None:
    fact = Fact("fact-7", Group.EDITED, "Peru", "The capital of Chile is", "Santiago", "Lima")
    with pytest.raises(EditViewError, match="fact-7"):
        subject_end(fact, fact.template)


def test_a_subject_written_out_is_found() -> None:
    fact = Fact("f", Group.EDITED, "Peru", "The capital of Peru is", "Lima", "Paris")
    assert subject_end(fact, fact.template) == len("The capital of Peru")
    twice = Fact("f", Group.EDITED, "Peru", "{} and {} again", "Lima", "Paris")
    assert twice.prompt[: subject_end(twice, twice.template)] == "Peru and Peru"
