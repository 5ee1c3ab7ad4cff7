"""Causal tracing: where a model looks facts up (Meng et al. 2022, arXiv 2202.05262, section 2 and appendix B).

Three kinds of runs: clean; corrupted, with noise on the embeddings of the subject; and corrupted with something
restored, which is the clean state after one layer, or what the feed-forward parts of a window of layers write, at one
token. What was computed once is kept: a run with something restored begins at the layer where that is.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache

from editview.domain.errors import EditViewError
from editview.domain.facts import Fact
from editview.domain.progress import Progress
from editview.domain.tracing import FEWEST, TOKENS, Effects, Token, Tracing, window_around, window_of
from editview.lm.forward import alike, forked, head_only_at, hidden_of, hooked, padded, resumed_after, run
from editview.lm.model import LanguageModel, asking
from editview.lm.tokens import answered, subject_end, subject_tokens

MOST = 40  # facts that are traced; of a larger sheet some are drawn
SAMPLES = 4  # of the noise, for each fact; the paper takes 10, and 1,000 facts
NOISE = 3.0  # its size, in standard deviations of the embeddings of subjects
BATCH_TOKENS = 1024  # read in one forward; every layer's states of so many are kept
DRAWS = 200  # of the facts, to see how firm the peak is
WHAT = "Looking where facts are looked up"


@dataclass(frozen=True)
class _Text:
    """One fact as the model reads it: the prompt and its true answer, but for the answer's last token."""

    number: int
    ids: list[int]
    answer: list[int]
    subject: range
    places: dict[int, int]  # for each of TOKENS, by its place there, the token that stands for it

    @property
    def scored(self) -> range:
        """The positions that tell the answer's tokens."""
        return range(len(self.ids) - len(self.answer), len(self.ids))


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
        work = _Work(lm, progress, sum(_cost(group, samples, layers) for group in groups))
        states = torch.full((len(facts), layers, len(TOKENS)), torch.nan, dtype=torch.float64)
        memory, corrupted = states.clone(), torch.zeros(len(facts), dtype=torch.float64)
        for texts in groups:
            with hooked(*work.watching()):
                group = _Group.read(lm, texts, spread, seed, samples, work)
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


def _texts(lm: LanguageModel, facts: Sequence[Fact], seed: int) -> list[_Text]:
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
            texts.append(_Text(number, ids, answer, subject, places))
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
    lm: LanguageModel, texts: Sequence[_Text], most: int, progress: Progress, batch_tokens: int
) -> tuple[list[_Text], int, float]:
    """The first `most` facts whose true answer is the model's own choice, how many it didn't know, and the mean
    probability of the answers that it knows."""
    known: list[_Text] = []
    probabilities: list[float] = []
    asked = 0
    for start in range(0, len(texts), most):
        for batch in alike(texts[start : start + most], lambda text: len(text.ids), batch_tokens):
            progress(len(known), most, "Asking which facts the model knows")
            ids, _ = padded([text.ids for text in batch], lm.device)
            chances, chosen = _answers(lm, ids, batch)
            for text, chance, own in zip(batch, chances.tolist(), chosen.tolist(), strict=True):
                if own:
                    known.append(text)
                    probabilities.append(chance)
        asked += len(texts[start : start + most])
        if len(known) >= most:
            break
    unknown = asked - len(known)
    return known[:most], unknown, sum(probabilities[:most]) / max(1, len(probabilities[:most]))


def _answers(
    lm: LanguageModel, ids: Tensor, texts: Sequence[_Text], past: DynamicCache | None = None
) -> tuple[Tensor, Tensor]:
    """Read `ids` on from `past`; for each row the probability of its whole answer, and whether the model chooses it.

    Both [rows], on the CPU; probabilities are float64.
    """
    read = past.get_seq_length() if past is not None else 0
    rows = torch.tensor([row for row, text in enumerate(texts) for _ in text.answer], device=lm.device)
    columns = torch.tensor([place - read for text in texts for place in text.scored], device=lm.device)
    wanted = torch.tensor([token for text in texts for token in text.answer], device=lm.device)
    with head_only_at(lm, rows, columns):
        logits = run(lm, ids, past).logits.float()
    losses = logits.logsumexp(-1) - logits.gather(1, wanted[:, None])[:, 0]
    own = (logits.argmax(-1) == wanted).cpu()
    rows = rows.cpu()
    total = torch.zeros(len(texts), dtype=torch.float64).index_add_(0, rows, losses.double().cpu())
    chosen = torch.zeros(len(texts)).index_add_(0, rows, (~own).float()) == 0
    return (-total).exp(), chosen


def _embeddings_of_subjects(lm: LanguageModel, texts: Sequence[_Text]) -> Tensor:
    tokens = [text.ids[place] for text in texts for place in text.subject]
    embeddings: Tensor = lm.embedding(torch.tensor(tokens, device=lm.device))
    return embeddings


# ---- the runs -----------------------------------------------------------------------------------------------------


class _Work:
    """How far it is, in layers of tokens that are computed; asks at every layer whether to go on."""

    def __init__(self, lm: LanguageModel, progress: Progress, total: int) -> None:
        self.lm, self.total, self.done = lm, total, 0
        self._progress = progress

    def watching(self) -> list[Any]:
        """Hooks that make every layer a point where the work can be cancelled."""
        blocks = (self.lm.anatomy.block(self.lm.model, i) for i in range(len(self.lm.anatomy.blocks)))
        return [block.register_forward_pre_hook(self._tell) for block in blocks]

    def _tell(self, *_: Any) -> None:
        self._progress(self.done, self.total, WHAT)


def _cost(texts: Sequence[_Text], samples: int, layers: int) -> int:
    tokens = max(len(text.ids) for text in texts)
    restored = samples * sum(tokens - at for text in texts for at in text.places.values())
    after = sum(layers - layer + layers - window_around(layer, layers).start for layer in range(layers))
    return (1 + samples) * len(texts) * tokens * layers + restored * after


@dataclass
class _Group:
    """Facts of similar length, read together: for each one clean row, then its corrupted ones."""

    lm: LanguageModel
    texts: list[_Text]
    samples: int
    ids: Tensor  # [rows, tokens]
    embeddings: Tensor  # [rows, tokens, width], with the noise
    outputs: list[Any]  # what each block put out, in the form that it does
    past: DynamicCache  # keys and values of all rows
    memory: list[Tensor]  # what each layer's feed-forward part wrote in the clean run [facts, tokens, width]
    corrupted: Tensor  # probability of the answer [facts], the mean over the noise

    @property
    def numbers(self) -> list[int]:
        return [text.number for text in self.texts]

    @staticmethod
    def read(
        lm: LanguageModel, texts: list[_Text], spread: float, seed: int, samples: int, work: _Work
    ) -> _Group:  # fmt: skip
        """The clean and the corrupted runs, in one forward."""
        rows = [text for text in texts for _ in range(1 + samples)]
        ids, _ = padded([text.ids for text in rows], lm.device)
        noise = _noise(texts, ids.shape, lm.embedding.embedding_dim, seed, samples).mul_(spread)
        noise = noise.to(lm.device, lm.dtype)
        embeddings: list[Tensor] = []
        outputs: list[Any] = []
        memory: list[Tensor] = []

        def corrupt(_: Any, __: Any, output: Tensor) -> Tensor:
            embeddings.append(output + noise)
            return embeddings[0]

        layers = range(len(lm.anatomy.blocks))
        seen = [lm.embedding.register_forward_hook(corrupt)]
        for layer in layers:
            block, matrix = lm.anatomy.block(lm.model, layer), lm.anatomy.mlp_output(lm.model, layer)
            seen.append(block.register_forward_hook(lambda _, __, output: outputs.append(output)))
            seen.append(
                matrix.register_forward_hook(lambda _, __, output: memory.append(output[:: 1 + samples].clone()))
            )
        past = DynamicCache(config=lm.model.config)
        with hooked(*seen):
            chances, _ = _answers(lm, ids, rows, past)
        work.done += ids.numel() * len(layers)
        corrupted = chances.view(len(texts), 1 + samples)[:, 1:].mean(1)
        return _Group(lm, texts, samples, ids, embeddings[0], outputs, past, memory, corrupted)

    def restore(self, into: Tensor, layer: int, window: range | None, work: _Work, batch_tokens: int) -> None:
        """Put the answer's probability with something restored, the mean over the noise, [facts, layers, tokens].

        Without a window it is the state after the layer; with one, what the window's feed-forward parts write.
        """
        wanted: dict[int, list[tuple[int, int, int]]] = {}  # by token: the fact, its token's part, the row
        for fact, text in enumerate(self.texts):
            for place, at in text.places.items():
                into[text.number, layer, place] = 0
                rows = range(fact * (1 + self.samples) + 1, (fact + 1) * (1 + self.samples))
                wanted.setdefault(at, []).extend((fact, place, row) for row in rows)
        start = layer if window is None else window.start
        for at, every in wanted.items():
            tokens = self.ids.shape[1] - at
            size = max(1, batch_tokens // tokens)
            for part in (every[first : first + size] for first in range(0, len(every), size)):
                chances = self._read_on(layer, window, at, part)
                for (fact, place, _), chance in zip(part, chances, strict=True):
                    into[self.texts[fact].number, layer, place] += chance / self.samples
                work.done += len(part) * tokens * (len(self.outputs) - start)

    def _read_on(
        self, layer: int, window: range | None, at: int, part: Sequence[tuple[int, int, int]]
    ) -> list[float]:  # fmt: skip
        """The answer's probability of some rows, read on from token `at`, where something is restored."""
        rows = torch.tensor([row for _, _, row in part], device=self.lm.device)
        facts = torch.tensor([fact for fact, _, _ in part], device=self.lm.device)
        past = None
        if at:
            past = forked(self.past)
            past.batch_select_indices(rows)
            past.crop(at - self.ids.shape[1])  # negative: how many tokens it forgets
        with self._restored(layer, rows, facts, at) if window is None else self._written(window, rows, facts, at):
            chances, _ = _answers(self.lm, self.ids[rows, at:], [self.texts[fact] for fact, _, _ in part], past)
        return list(chances.tolist())

    def _restored(self, layer: int, rows: Tensor, facts: Tensor, at: int) -> Any:
        """Inside, the model goes on from the corrupted states after `layer`, the one at `at` being the clean one."""
        states = hidden_of(self.outputs[layer])
        mixed = states[rows, at:]
        mixed[:, 0] = states[facts * (1 + self.samples), at]
        return resumed_after(self.lm, layer, self._as_put_out(layer, mixed))

    @contextmanager
    def _written(self, window: range, rows: Tensor, facts: Tensor, at: int) -> Iterator[None]:
        """Inside, the feed-forward parts of the window's layers write at `at` what they wrote in the clean run."""

        def rewrite(layer: int) -> Any:
            def hook(_: Any, __: Any, output: Tensor) -> Tensor:
                return torch.cat([self.memory[layer][facts, at : at + 1], output[:, 1:]], dim=1)

            return hook

        lm, before = self.lm, window.start - 1
        hooks = [lm.anatomy.mlp_output(lm.model, layer).register_forward_hook(rewrite(layer)) for layer in window]
        if before < 0:
            hooks.append(lm.embedding.register_forward_hook(lambda *_: self.embeddings[rows, at:]))
            resumed: Any = nullcontext()
        else:
            states = hidden_of(self.outputs[before])[rows, at:]
            resumed = resumed_after(lm, before, self._as_put_out(before, states))
        with hooked(*hooks), resumed:
            yield

    def _as_put_out(self, layer: int, states: Tensor) -> Any:
        output = self.outputs[layer]
        return (states, *output[1:]) if isinstance(output, tuple) else states


def _noise(texts: Sequence[_Text], shape: torch.Size, width: int, seed: int, samples: int) -> Tensor:
    """Noise of unit size at the subjects of the corrupted rows [rows, tokens, width], each fact's its own."""
    noise = torch.zeros(*shape, width)
    for index, text in enumerate(texts):
        chance = torch.Generator().manual_seed(random.Random(f"{seed} {text.number} noise").getrandbits(48))
        first = index * (1 + samples) + 1
        drawn = torch.randn(samples, len(text.subject), width, generator=chance)
        noise[first : first + samples, text.subject.start : text.subject.stop] = drawn
    return noise


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
