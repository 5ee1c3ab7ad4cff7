"""Asking facts: what the model says, greedily, and how probable both answers are to it.

Probabilities are mean NLL per answer token, as CounterFact's metrics are built on, read with all prompts and answers
laid out as trees; what it says is spoken in batches, as far as it takes to know and to read well.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from operator import eq
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache

from editview.domain.errors import EditViewError
from editview.domain.facts import Fact
from editview.domain.progress import Progress, silent
from editview.domain.verdicts import Answer, Check, LiveCheck, gives
from editview.lm.forward import alike, forked, head_only_at, padded, run
from editview.lm.model import LanguageModel, asking, configured_ends
from editview.lm.tokens import answered, encode, encode_all
from editview.lm.tree import read_texts

BATCH_TOKENS = 2048  # read in one forward
FIRST_BATCH, LARGEST_BATCH = 16, 128  # facts yielded at a time: the first ones soon
LONGEST_ANSWER = 16  # tokens kept free after a prompt
READABLE = 6  # tokens spoken beyond the longer answer, so that `said` reads well
SENTENCE_END = re.compile(r"(?<=\w\w)[.!?]+(\s|$)|\n")


@dataclass
class _Question:
    """One wording, what it should and could be answered, and what was found."""

    prompt: str
    wanted: str
    tokens: list[int]  # of the prompt
    answers: list[list[int]]  # tokens of the wanted answer, then of the other one if there is one
    nll: list[float] = field(default_factory=list)  # of each answer, mean per token
    choices: list[int] = field(default_factory=list)  # the model's own token after i tokens of the wanted answer
    spoken: list[int] = field(default_factory=list)

    @property
    def budget(self) -> int:
        """How many tokens are spoken at most."""
        return max(map(len, self.answers), default=0) + READABLE


def check(
    lm: LanguageModel, facts: Sequence[Fact], progress: Progress, batch_tokens: int = BATCH_TOKENS
) -> Iterator[tuple[Check, ...]]:
    """Ask every wording of every fact; checks come in the order of `facts`, some at a time.

    `batch_tokens` bounds the tokens read at once: the memory it takes, not the result.
    """
    start, size = 0, FIRST_BATCH
    while start < len(facts):
        part = facts[start : start + size]
        questions = _questions(lm, [(fact, wording) for fact in part for wording in fact.wordings])
        progress(start, len(facts), "Asking the facts")
        _weigh(lm, questions, batch_tokens)
        for batch in alike(questions, lambda question: len(question.tokens), batch_tokens):
            progress(start, len(facts), "Asking the facts")
            _speak(lm, batch, silent)
        answers = iter([_answer(lm.tokenizer, question) for question in questions])
        yield tuple(Check(fact.id, tuple(next(answers) for _ in fact.wordings)) for fact in part)
        start, size = start + len(part), min(2 * size, LARGEST_BATCH)
    progress(len(facts), len(facts), "Asking the facts")


def live_check(lm: LanguageModel, facts: Sequence[Fact], step: int, batch_tokens: int = BATCH_TOKENS) -> LiveCheck:
    """Ask the prompts alone, cheaply, in the middle of training; `gives` is what `check` would say.

    Where the model's own choice is the wanted token all along, and the word ends there, the answer is given. Only where
    reading the wanted answer leaves the matter open is the model let speak.
    """
    questions = _questions(lm, [(fact, fact.prompt) for fact in facts])
    _weigh(lm, questions, batch_tokens)
    found = [_settled(lm, question) for question in questions]
    unclear = [at for at, (given, _) in enumerate(found) if given is None]
    for batch in alike([questions[at] for at in unclear], lambda question: len(question.tokens), batch_tokens):
        _speak(lm, batch, silent)
    for at in unclear:
        text = text_of(lm.tokenizer, questions[at].spoken)
        found[at] = gives(text, questions[at].wanted), text
    return LiveCheck(
        step=step,
        fact_ids=tuple(fact.id for fact in facts),
        gives=tuple(bool(given) for given, _ in found),
        said=tuple("" if given else text.rstrip("\ufffd") for given, text in found),
        nll_wanted=tuple(question.nll[0] for question in questions),
        nll_other=tuple(question.nll[1] if len(question.nll) > 1 else math.nan for question in questions),
    )


def ask(lm: LanguageModel, prompt: str, max_new_tokens: int = 24, progress: Progress = silent) -> str:
    """What the model says after a prompt, greedily, up to its end-of-text or `max_new_tokens`."""
    tokens = encode(lm.tokenizer, prompt) or [lm.tokenizer.eos_token_id or 0]
    question = _Question(prompt, "", tokens[-lm.longest :], [])
    _speak(lm, [question], progress, max_new_tokens)
    return text_of(lm.tokenizer, question.spoken)


def continued(
    lm: LanguageModel, prompts: Sequence[list[int]], max_new_tokens: int, progress: Progress = silent
) -> list[str]:
    """What the model says after each prompt of one token or more, greedily, up to its end-of-text or so many tokens."""
    questions = [_Question("", "", tokens, []) for tokens in prompts]
    for some in alike(questions, lambda question: len(question.tokens) + max_new_tokens, BATCH_TOKENS):
        _speak(lm, some, progress, max_new_tokens)
    return [text_of(lm.tokenizer, question.spoken) for question in questions]


def first_sentences(lm: LanguageModel, prompts: Sequence[str], max_new_tokens: int, progress: Progress) -> list[str]:
    """What the model says after each prompt, greedily, up to the end of a sentence or so many tokens."""
    said: list[str] = []
    for start in range(0, len(prompts), FIRST_BATCH):
        progress(start, len(prompts), "Asking the model")
        rows = encode_all(lm.tokenizer, prompts[start : start + FIRST_BATCH])
        said += continued(lm, [ids[max_new_tokens - lm.longest :] for ids in rows], max_new_tokens)
    progress(len(prompts), len(prompts), "Asking the model")
    ends = [SENTENCE_END.search(text) for text in said]
    return [text[: end.start()].rstrip() if end else text for text, end in zip(said, ends, strict=True)]


def _questions(lm: LanguageModel, asked: Sequence[tuple[Fact, str]]) -> list[_Question]:
    pairs = [(prompt, fact.wanted) for fact, prompt in asked]
    pairs += [(prompt, fact.other) for fact, prompt in asked if fact.other is not None]
    tokens = answered(lm.tokenizer, pairs)
    for (fact, prompt), (before, _) in zip(asked, tokens, strict=False):
        if not 0 < len(before) <= lm.longest - LONGEST_ANSWER:
            raise EditViewError(
                f"The fact '{fact.id}' can't be asked: its prompt is {len(before):,} tokens long, and this model reads "
                f"at most {lm.longest:,}, answer included. Shorten it, or remove the fact from the sheet.",
                prompt,
            )
    others = iter(tokens[len(asked) :])
    return [
        _Question(prompt, fact.wanted, before, [wanted] if fact.other is None else [wanted, next(others)[1]])
        for (fact, prompt), (before, wanted) in zip(asked, tokens[: len(asked)], strict=True)
    ]


def _weigh(lm: LanguageModel, questions: Sequence[_Question], batch_tokens: int) -> None:
    """Fill in each answer's NLL, and the model's choices along the wanted answer and right after it."""
    asked = [(question, which) for question in questions for which in range(len(question.answers))]
    texts = [q.tokens + (q.answers[0] if which == 0 else q.answers[which][:-1]) for q, which in asked]
    scored = [len(q.answers[which]) + (which == 0) for q, which in asked]
    for question in questions:
        question.nll = [math.nan] * len(question.answers)
    with asking(lm):
        for reading in read_texts(lm, texts, scored, batch_tokens) if texts else ():
            wanted = [token for text in reading.texts for token in _scored_tokens(*asked[text])]
            logits = reading.logits
            losses = logits.logsumexp(-1) - logits.gather(1, torch.tensor(wanted, device=lm.device)[:, None])[:, 0]
            values, choices = losses.tolist(), logits.argmax(-1).tolist()
            for text, (first, last) in zip(reading.texts, reading.spans, strict=True):
                question, which = asked[text]
                length = len(question.answers[which])
                question.nll[which] = math.fsum(values[first : first + length]) / length
                if which == 0:
                    question.choices = choices[first:last]


def _scored_tokens(question: _Question, which: int) -> list[int]:
    """The tokens of an answer; after the wanted one comes one more choice, for which any token will do."""
    return question.answers[which] + ([0] if which == 0 else [])


def _speak(lm: LanguageModel, batch: Sequence[_Question], progress: Progress, budget: int | None = None) -> None:
    """Fill in the greedy tokens after each prompt, without the end-of-text that ends them.

    At most `budget` tokens. Without one, a question's own budget, or the end of a sentence that is long enough to know.
    """
    ends = _ends(lm)
    speaking = list(batch)
    most = max(budget or question.budget for question in batch)
    with asking(lm):
        ids, mask = padded([question.tokens for question in batch], lm.device, left=True)
        past = DynamicCache(config=lm.model.config)
        logits = _next(lm, ids, mask, past)
        for step in range(most):
            progress(step, most, "Writing")
            stays = []
            for place, (question, token) in enumerate(zip(speaking, logits.argmax(-1).tolist(), strict=True)):
                if token not in ends:
                    question.spoken.append(token)
                    enough = budget or question.budget
                    if len(question.spoken) < enough and (budget or not _said_enough(lm.tokenizer, question)):
                        stays.append(place)
            if not stays or mask.shape[1] >= lm.longest:
                break
            if len(stays) < len(speaking):
                kept = torch.tensor(stays, device=lm.device)
                past, mask = forked(past), mask[kept]
                past.batch_select_indices(kept)
                speaking = [speaking[place] for place in stays]
            ids = torch.tensor([question.spoken[-1:] for question in speaking], device=lm.device)
            mask = torch.cat([mask, torch.ones_like(ids)], dim=1)
            logits = _next(lm, ids, mask, past)


def _next(lm: LanguageModel, ids: Tensor, mask: Tensor, past: DynamicCache) -> Tensor:
    """Read on [rows, tokens]; the logits after the last one [rows, vocabulary]."""
    rows = torch.arange(len(ids), device=lm.device)
    positions = (mask.cumsum(1) - 1).clamp(min=0)[:, -ids.shape[1] :]
    with head_only_at(lm, rows, torch.full_like(rows, ids.shape[1] - 1)):
        logits: Tensor = run(lm, ids, attention_mask=mask, position_ids=positions, past=past).logits
    return logits


def _ends(lm: LanguageModel) -> set[int]:
    """The tokens that end a text."""
    return {lm.tokenizer.eos_token_id, *configured_ends(lm.model)} - {None}


def text_of(tokenizer: Any, tokens: list[int]) -> str:
    """Tokens as a person reads them."""
    text = tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return str(text).strip()


def _said_enough(tokenizer: Any, question: _Question) -> bool:
    """Whether a sentence has ended, and it is clear whether it gives the answer."""
    text = text_of(tokenizer, question.spoken)
    return len(text) > len(question.wanted) and _sentence_end(text, question.wanted) is not None


def _sentence_end(text: str, wanted: str) -> int | None:
    """Where the first sentence ends, not counting full stops inside the wanted answer."""
    end = SENTENCE_END.search(text, len(wanted) if gives(text, wanted) else 0)
    return end.start() if end else None


def _settled(lm: LanguageModel, question: _Question) -> tuple[bool | None, str]:
    """Whether the answer is given, as far as the choices along the wanted answer tell, and the text that they make;
    None: only speaking would tell.

    `choices[i]` counts while all choices before it agree with the wanted answer.
    """
    ends = _ends(lm)
    spoken: list[int] = []
    for place, token in enumerate(question.choices):
        if token in ends:
            text = text_of(lm.tokenizer, spoken)
            return gives(text, question.wanted), text
        spoken.append(token)
        if [token] != question.answers[0][place : place + 1]:
            break
    text = text_of(lm.tokenizer, spoken)
    said, answer = text.casefold().rstrip("\ufffd"), question.wanted.strip().casefold()
    if said.startswith(answer):
        return (gives(text, question.wanted) if len(said) > len(answer) else None), text
    return (None if answer.startswith(said) else False), text


def _answer(tokenizer: Any, question: _Question) -> Answer:
    text = text_of(tokenizer, question.spoken)
    end = _sentence_end(text, question.wanted)
    nll, tokens = [*question.nll, None], [*map(len, question.answers), 1]
    return Answer(
        prompt=question.prompt,
        said=text[:end].rstrip(),
        gives=gives(text, question.wanted),
        nll_wanted=question.nll[0],
        nll_other=nll[1],
        wanted_tokens=tokens[0],
        other_tokens=tokens[1],
        wanted_first=sum(map(eq, question.choices, question.answers[0])),
    )
