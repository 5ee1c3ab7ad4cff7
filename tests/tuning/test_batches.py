"""Examples become token rows whose prompts and padding are not trained on."""

from __future__ import annotations

import copy

import pytest

from editview.domain.errors import Cancelled, EditViewError
from editview.domain.examples import Example, Turn
from editview.domain.left_out import Why
from editview.domain.operations.tuning import TrainOn
from editview.domain.progress import silent
from editview.tuning.batches import IGNORED, batch, tokenised
from tests import families
from tests.tuning.models import tokenizer

CHAT = (
    "{{ bos_token }}{% for m in messages %}[{{ m['role'] }}]{{ m['content'] }};{% endfor %}"
    "{% if add_generation_prompt %}[assistant]{% endif %}"
)
TALK = (Turn("user", "Hi"), Turn("assistant", "Yes?"), Turn("user", "Hm"))


def seen(example: Example, template: str | None, train_on: TrainOn = "answers") -> tuple[str, str]:
    """The whole text as the model reads it, and the part that is trained on, by a tokenizer that puts BOS in front."""
    reader = copy.deepcopy(families.tokenizer(bos=True))
    reader.chat_template = template
    [row] = tokenised(reader, [example], 64, silent, train_on)
    return reader.decode(row.tokens), reader.decode(row.tokens[row.answer_at :])


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
    assert [left.why for left in rows.left_out] == [Why.CUT, Why.CUT]


def test_preparing_data_can_be_cancelled() -> None:
    def stop(done: int, total: int, what: str) -> None:
        if done:
            raise Cancelled

    with pytest.raises(Cancelled):
        tokenised(tokenizer(), [Example("text")] * 100, 64, stop)


def test_everything_is_trained_on_where_that_is_wished() -> None:
    assert seen(Example(" Lima", "Peru:"), None, "everything") == ("<begin>Peru: Lima<end>", "<begin>Peru: Lima<end>")
    whole, learnt = seen(Example("Hello", conversation=TALK), CHAT, "everything")
    assert whole == learnt == "<begin>[user]Hi;[assistant]Yes?;[user]Hm;[assistant]Hello;"


def test_a_text_begins_once_whoever_puts_the_beginning_there() -> None:
    assert seen(Example("Hello", conversation=TALK[:1]), CHAT) == ("<begin>[user]Hi;[assistant]Hello;", "Hello;")
    assert seen(Example("Hello", conversation=TALK[:1]), None) == (
        "<begin>user: Hi\nassistant: Hello<end>",
        "Hello<end>",
    )
    assert seen(Example("<begin>Hello"), None)[0] == "<begin>Hello<end>"


def test_a_template_that_opens_a_coming_answer_otherwise_keeps_its_own_end() -> None:
    thinking = CHAT.replace("[assistant]{% endif", "[assistant]<think></think>{% endif")
    assert seen(Example("Hello", conversation=TALK), thinking)[1] == "Hello;"
    rewriting = CHAT.replace("{{ bos_token }}", "{% if add_generation_prompt %}Answer.{% endif %}")
    assert seen(Example("Hm", conversation=TALK), rewriting) == (
        "[user]Hi;[assistant]Yes?;[user]Hm;[assistant]Hm;",
        "Hm;",
    )


def test_what_the_template_refuses_is_left_out_with_its_reason() -> None:
    reader = tokenizer()
    reader.chat_template = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system role') }}{% endif %}x"
    bad = Example("Hello", conversation=(Turn("system", "Be kind."), Turn("user", "Hi")), line=7)
    rows = tokenised(reader, [bad, Example("text")], 64, silent)
    assert len(rows) == 1
    [left] = rows.left_out
    assert (left.where, left.why) == ("Line 7", Why.REFUSED)
    assert "no system role" in str(left)
    with pytest.raises(EditViewError, match=r"Line 7 .*no system role"):
        tokenised(reader, [bad], 64, silent)


def test_a_row_knows_whether_it_was_cut_and_where_it_comes_from() -> None:
    rows = list(tokenised(tokenizer(), [Example("abc", line=3), Example("abcdefgh", line=4)], 6, silent))
    assert [(row.line, row.cut, len(row.tokens)) for row in rows] == [(3, False, 4), (4, True, 6)]
