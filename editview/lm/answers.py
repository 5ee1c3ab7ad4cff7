"""Asking facts: what the model says, greedily, and how probable both answers are to it.

Wordings of all facts are read in batches of similar length. Each prompt is read once; its keys and values then serve
both answers' probabilities (mean NLL per answer token, as CounterFact's metrics are built on) and the spoken answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache

from editview.domain.facts import Fact
from editview.domain.progress import Progress, silent
from editview.domain.verdicts import Answer, Check, gives
from editview.lm.forward import forked, head_only_at, padded, run
from editview.lm.model import LanguageModel, asking
from editview.lm.tokens import answer_tokens, encode

BATCH_TOKENS = 4096  # prompt tokens read in one forward
SHEET_BATCH = 32  # facts yielded at a time
READABLE = 6  # tokens spoken beyond the longer answer, so that `said` reads well
SENTENCE_END = re.compile(r"(?<=\w\w)[.!?]+(\s|$)|\n")


@dataclass
class _Question:
    """One wording, what it should and could be answered, and what was found."""

    prompt: str
    wanted: str
    tokens: list[int]  # of the prompt
    answers: list[list[int]]  # tokens of the wanted answer, then of the other one if there is one
    nll: list[float] = field(default_factory=list)
    spoken: list[int] = field(default_factory=list)

    @property
    def budget(self) -> int:
        """How many tokens are spoken at most."""
        return max(map(len, self.answers)) + READABLE


def check(
    lm: LanguageModel, facts: Sequence[Fact], progress: Progress, batch_tokens: int = BATCH_TOKENS
) -> Iterator[tuple[Check, ...]]:
    """Ask every wording of every fact; checks come in the order of `facts`, some at a time.

    `batch_tokens` bounds the prompt tokens read at once: the memory it takes, not the result.
    """
    tokenizer = lm.tokenizer
    for start in range(0, len(facts), SHEET_BATCH):
        progress(start, len(facts), "Asking the facts")
        part = facts[start : start + SHEET_BATCH]
        questions = [[_question(tokenizer, fact, wording) for wording in fact.wordings] for fact in part]
        for batch in _batches([question for of_fact in questions for question in of_fact], batch_tokens):
            with asking(lm):
                _ask(lm, batch)
        yield tuple(
            Check(fact.id, tuple(_answer(tokenizer, question) for question in of_fact))
            for fact, of_fact in zip(part, questions, strict=True)
        )
    progress(len(facts), len(facts), "Asking the facts")


def ask(lm: LanguageModel, prompt: str, max_new_tokens: int = 24, progress: Progress = silent) -> str:
    """What the model says after a prompt, greedily, up to its end-of-text or `max_new_tokens`."""
    tokens = encode(lm.tokenizer, prompt) or [lm.tokenizer.eos_token_id or 0]
    with asking(lm):
        state, logits = _read(lm, [tokens])
        spoken = _speak(lm, state, logits, [max_new_tokens], progress)[0]
    return str(lm.tokenizer.decode(spoken, skip_special_tokens=True)).strip()


def _question(tokenizer: Any, fact: Fact, prompt: str) -> _Question:
    answers = [fact.wanted] if fact.other is None else [fact.wanted, fact.other]
    tokens = [answer_tokens(tokenizer, prompt, answer) for answer in answers]
    return _Question(prompt, fact.wanted, encode(tokenizer, prompt), tokens)


def _batches(questions: list[_Question], batch_tokens: int) -> Iterator[list[_Question]]:
    """Questions of similar length together, each batch within `batch_tokens` once padded."""
    batch: list[_Question] = []
    for question in sorted(questions, key=lambda question: len(question.tokens)):
        if batch and (len(batch) + 1) * len(question.tokens) > batch_tokens:
            yield batch
            batch = []
        batch.append(question)
    if batch:
        yield batch


@dataclass
class _State:
    """Prompts that were read: their keys and values, left-padded, and the mask of what isn't padding."""

    past: DynamicCache
    mask: Tensor  # [rows, prompt]


def _read(lm: LanguageModel, rows: Sequence[Sequence[int]]) -> tuple[_State, Tensor]:
    """Read prompts; the logits of each one's next token [rows, vocabulary]."""
    ids, mask = padded(rows, lm.device, left=True)
    past = DynamicCache(config=lm.model.config)
    every = torch.arange(len(rows), device=lm.device)
    with head_only_at(lm, every, torch.full_like(every, ids.shape[1] - 1)):
        positions = (mask.cumsum(1) - 1).clamp(min=0)
        logits = run(lm, ids, attention_mask=mask, position_ids=positions, past_key_values=past).logits
    return _State(past, mask), logits.float()


def _ask(lm: LanguageModel, batch: list[_Question]) -> None:
    """Fill in the probabilities and the spoken answer of each question."""
    state, logits = _read(lm, [question.tokens for question in batch])
    first = logits.log_softmax(-1)
    for which in range(2):
        rows = [row for row, question in enumerate(batch) if len(question.answers) > which]
        if rows:
            answers = [batch[row].answers[which] for row in rows]
            for row, nll in zip(rows, _mean_nll(lm, state, first, rows, answers), strict=True):
                batch[row].nll.append(nll)
    spoken = _speak(lm, state, logits, [question.budget for question in batch], silent)
    for question, tokens in zip(batch, spoken, strict=True):
        question.spoken = tokens


def _mean_nll(
    lm: LanguageModel, state: _State, first: Tensor, rows: list[int], answers: list[list[int]]
) -> list[float]:
    """Mean NLL per token of one answer a row, read on from the prompts; `first` are the first token's log p."""
    total = -first[rows, [answer[0] for answer in answers]].double()
    longer = [at for at, answer in enumerate(answers) if len(answer) > 1]
    if longer:
        feed, real = padded([answers[at][:-1] for at in longer], lm.device)
        past = forked(state.past)
        chosen = torch.tensor([rows[at] for at in longer], device=lm.device)
        past.batch_select_indices(chosen)
        seen = state.mask[chosen]
        row, column = real.nonzero(as_tuple=True)
        with head_only_at(lm, row, column):
            logits = run(
                lm,
                feed,
                attention_mask=torch.cat([seen, real], dim=1),
                position_ids=seen.sum(1, keepdim=True) + torch.arange(feed.shape[1], device=lm.device),
                past_key_values=past,
            ).logits
        wanted = torch.tensor([token for at in longer for token in answers[at][1:]], device=lm.device)
        nll = -logits.float().log_softmax(-1).gather(1, wanted[:, None]).squeeze(1).double()
        total.index_add_(0, torch.tensor(longer, device=lm.device)[row], nll)
    return [value / len(answer) for value, answer in zip(total.tolist(), answers, strict=True)]


def _speak(lm: LanguageModel, state: _State, logits: Tensor, budgets: list[int], progress: Progress) -> list[list[int]]:
    """Greedy tokens of each row, at most its budget, without the end-of-text that ends them."""
    ends = _ends(lm)
    spoken: list[list[int]] = [[] for _ in budgets]
    open_rows = list(range(len(budgets)))
    past, mask = forked(state.past), state.mask
    for step in range(max(budgets)):
        progress(step, max(budgets), "Writing")
        tokens = logits.argmax(-1).tolist()
        stays = []
        for place, (row, token) in enumerate(zip(open_rows, tokens, strict=True)):
            if token not in ends:
                spoken[row].append(token)
                if len(spoken[row]) < budgets[row]:
                    stays.append(place)
        if not stays:
            break
        if len(stays) < len(open_rows):
            kept = torch.tensor(stays, device=lm.device)
            past.batch_select_indices(kept)
            mask = mask[kept]
            open_rows = [open_rows[place] for place in stays]
        feed = torch.tensor([[spoken[row][-1]] for row in open_rows], device=lm.device)
        position = mask.sum(1, keepdim=True)
        mask = torch.cat([mask, torch.ones_like(feed)], dim=1)
        if int(position.max()) >= lm.longest:
            break
        logits = run(lm, feed, attention_mask=mask, position_ids=position, past_key_values=past).logits[:, -1]
    return spoken


def _ends(lm: LanguageModel) -> set[int]:
    """The tokens that end a text."""
    ends = {lm.tokenizer.eos_token_id}
    configured = getattr(getattr(lm.model, "generation_config", None), "eos_token_id", None)
    ends.update(configured if isinstance(configured, list) else [configured])
    return ends - {None}


def _answer(tokenizer: Any, question: _Question) -> Answer:
    text = str(tokenizer.decode(question.spoken, skip_special_tokens=True)).strip()
    given = gives(text, question.wanted)
    least = len(question.wanted) if given else 1
    end = SENTENCE_END.search(text, least)
    said = text[: end.start()].rstrip() if end else text
    nll_other = question.nll[1] if len(question.nll) > 1 else None
    return Answer(question.prompt, said, given, question.nll[0], nll_other)
