"""Causal tracing: where a model looks facts up (Meng et al. 2022, arXiv 2202.05262, section 2 and appendix B).

Which facts are traced, at which tokens, and what comes out of the runs, which `restoring` makes.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import torch
from torch import Tensor

from editview.domain.errors import EditViewError
from editview.domain.facts import Fact
from editview.domain.progress import Progress
from editview.domain.tracing import FEWEST, TOKENS, Effects, Token, Tracing, window_around, window_of
from editview.lm.forward import alike, hooked, padded
from editview.lm.model import LanguageModel, asking
from editview.lm.restoring import WHAT, Group, Text, Work, answer_chances, cost
from editview.lm.tokens import answered, subject_end, subject_tokens

MOST = 40  # facts that are traced; of a larger sheet some are drawn
SAMPLES = 4  # of the noise, for each fact; the paper takes 10, and 1,000 facts
NOISE = 3.0  # its size, in standard deviations of the embeddings of subjects
BATCH_TOKENS = 1024  # read in one forward; every layer's states of so many are kept
DRAWS = 200  # of the facts, to see how firm the peak is


def trace(
    lm: LanguageModel,
    facts: Sequence[Fact],
    progress: Progress,
    seed: int = 0,
    *,
    most: int = MOST,
    samples: int = SAMPLES,
    batch_tokens: int = BATCH_TOKENS,
) -> Tracing:
    """Trace those facts whose true answers the model gives, at most `most` of them, drawn by the seed.

    The answer's probability is that of all its tokens (the paper's answers have one). Where several tokens play the
    same part in a prompt, one is drawn. Raises EditViewError for a model without the usual feed-forward matrices, and
    when it knows fewer than five of the facts; Cancelled at any layer of any run.
    """
    if lm.anatomy.not_editable:
        raise EditViewError(f"This model can't be traced, nor edited: {lm.anatomy.not_editable}.")
    with asking(lm):
        known, unknown, baseline = _known(lm, _texts(lm, facts, seed), most, progress, batch_tokens)
        if len(known) < FEWEST:
            raise _too_few(len(known), unknown)
        spread = NOISE * _embeddings_of_subjects(lm, known).float().std().item()
        layers = len(lm.anatomy.blocks)
        groups = list(alike(known, lambda text: len(text.ids) * (1 + samples), batch_tokens))
        work = Work(lm, progress, sum(cost(group, samples, layers) for group in groups))
        states = torch.full((len(facts), layers, len(TOKENS)), torch.nan, dtype=torch.float64)
        memory, corrupted = states.clone(), torch.zeros(len(facts), dtype=torch.float64)
        for texts in groups:
            with hooked(*work.watching()):
                group = Group.read(lm, texts, spread, seed, samples, work)
                for layer in range(layers):
                    group.restore(states, layer, None, work, batch_tokens)
                    group.restore(memory, layer, window_around(layer, layers), work, batch_tokens)
            corrupted[group.numbers] = group.corrupted
        progress(work.total, work.total, WHAT)
    numbers = torch.tensor([text.number for text in known])
    states, memory = (effects[numbers] - corrupted[numbers][:, None, None] for effects in (states, memory))
    return Tracing(
        states=_rows(states),
        memory=_rows(memory),
        window=window_of(layers),
        used=len(known),
        unknown=unknown,
        baseline=baseline,
        corrupted=corrupted[numbers].mean().item(),
        steady=_steady(memory[:, :, TOKENS.index(Token.LAST_OF_SUBJECT)], seed),
    )


def _too_few(known: int, unknown: int) -> EditViewError:
    count = f"only {known:,} of" if known else "none of"
    asked = f"The model knows {count} the {known + unknown:,} facts that it was asked" if unknown else (
        "No fact of the sheet names its subject, its prompt and a true answer" if not known else
        f"The sheet has only {known:,} facts to ask"
    )  # fmt: skip
    return EditViewError(
        f"{asked}, and where facts are looked up shows only on facts that the model knows: it takes {FEWEST} or more. "
        "Add such facts to the sheet, as controls, or choose the layers by hand."
    )


# ---- the facts ----------------------------------------------------------------------------------------------------


def _texts(lm: LanguageModel, facts: Sequence[Fact], seed: int) -> list[Text]:
    """The facts that can be traced, in an order drawn by the seed."""
    window = getattr(lm.config, "sliding_window", None)  # beyond it, what was read isn't all kept
    longest = min(lm.longest, window - 1) if window else lm.longest
    usable = [(i, fact) for i, fact in enumerate(facts) if fact.true_answer.strip() and _has_subject(fact)]
    random.Random(seed).shuffle(usable)
    pairs = answered(lm.tokenizer, [(fact.prompt, fact.true_answer) for _, fact in usable])
    texts = []
    for (number, fact), (prompt, answer) in zip(usable, pairs, strict=True):
        ids = prompt + answer[:-1]
        if prompt and len(ids) <= longest:
            end = subject_end(fact, fact.template)
            subject = subject_tokens(lm.tokenizer, fact.prompt, end - len(fact.subject), end)
            places = _places(subject, len(prompt), random.Random(f"{seed} {number}"))
            texts.append(Text(number, ids, answer, subject, places))
    return texts


def _has_subject(fact: Fact) -> bool:
    return bool(fact.subject.strip()) and ("{}" in fact.template or fact.subject in fact.template)


def _places(subject: range, prompt: int, chance: random.Random) -> dict[int, int]:
    """Which token stands for each part of the prompt; `prompt` is its length."""
    found = {Token.LAST_OF_SUBJECT: subject[-1]}
    if len(subject) > 1:
        found[Token.FIRST_OF_SUBJECT] = subject[0]
    if len(subject) > 2:
        found[Token.INSIDE_SUBJECT] = chance.choice(subject[1:-1])
    after = range(subject[-1] + 1, prompt)
    if after:
        found[Token.LAST] = after[-1]
    if len(after) > 1:
        found[Token.FIRST_AFTER] = after[0]
    if len(after) > 2:
        found[Token.AFTER] = chance.choice(after[1:-1])
    return {TOKENS.index(token): place for token, place in found.items()}


def _known(
    lm: LanguageModel, texts: Sequence[Text], most: int, progress: Progress, batch_tokens: int
) -> tuple[list[Text], int, float]:
    """The first `most` facts whose true answer is the model's own choice, how many it didn't know, and the mean
    probability of the answers that it knows."""
    known: list[Text] = []
    probabilities: list[float] = []
    asked = 0
    for start in range(0, len(texts), most):
        for batch in alike(texts[start : start + most], lambda text: len(text.ids), batch_tokens):
            progress(len(known), most, "Asking which facts the model knows")
            ids, _ = padded([text.ids for text in batch], lm.device)
            chances, chosen = answer_chances(lm, ids, batch)
            for text, chance, own in zip(batch, chances.tolist(), chosen.tolist(), strict=True):
                if own:
                    known.append(text)
                    probabilities.append(chance)
        asked += len(texts[start : start + most])
        if len(known) >= most:
            break
    unknown = asked - len(known)
    return known[:most], unknown, sum(probabilities[:most]) / max(1, len(probabilities[:most]))


def _embeddings_of_subjects(lm: LanguageModel, texts: Sequence[Text]) -> Tensor:
    tokens = [text.ids[place] for text in texts for place in text.subject]
    embeddings: Tensor = lm.embedding(torch.tensor(tokens, device=lm.device))
    return embeddings


# ---- what came out ------------------------------------------------------------------------------------------------


def _rows(effects: Tensor) -> Effects:
    """The mean over the facts [layers][tokens] of effects [facts, layers, tokens] that are NaN where there are none."""
    return tuple(tuple(None if math.isnan(one) else one for one in row) for row in effects.nanmean(0).tolist())


def _steady(effects: Tensor, seed: int) -> float:
    """In what share of draws of the facts, with replacement, the peak [facts, layers] stays where it is.

    Give or take a 24th of the layers: neighbours in a deep model mean the same.
    """
    facts, layers = effects.shape
    drawn = torch.randint(facts, (DRAWS, facts), generator=torch.Generator().manual_seed(seed))
    peaks = effects[drawn].mean(1).argmax(-1)
    near = (peaks - effects.mean(0).argmax()).abs() <= layers // 24
    return near.double().mean().item()
