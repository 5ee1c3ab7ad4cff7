"""The runs of causal tracing: clean, corrupted, and corrupted with something restored (arXiv 2202.05262, section 2.1).

Corrupted is the subject, by noise on its embeddings. Restored is, at one token, the clean state after one layer, or
what the feed-forward parts of a window of layers write. What was computed once is kept: a run with something restored
begins at the layer and at the token where that is.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache

from editview.domain.progress import Progress
from editview.domain.tracing import window_around
from editview.lm.forward import by_text, forked, head_only_at, hidden_of, hooked, padded, resumed_after, run
from editview.lm.model import LanguageModel

WHAT = "Looking where facts are looked up"


@dataclass(frozen=True)
class Text:
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


def answer_chances(
    lm: LanguageModel, ids: Tensor, texts: Sequence[Text], past: DynamicCache | None = None
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


class Work:
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


def cost(texts: Sequence[Text], samples: int, layers: int) -> int:
    """Layers of tokens that all runs of a group compute together."""
    tokens = max(len(text.ids) for text in texts)
    restored = samples * sum(tokens - at for text in texts for at in text.places.values())
    after = sum(layers - layer + layers - window_around(layer, layers).start for layer in range(layers))
    return (1 + samples) * len(texts) * tokens * layers + restored * after


@dataclass
class Group:
    """Facts of similar length, read together: for each one clean row, then its corrupted ones."""

    lm: LanguageModel
    texts: list[Text]
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
    def read(lm: LanguageModel, texts: list[Text], spread: float, seed: int, samples: int, work: Work) -> Group:
        """The clean and the corrupted runs, in one forward. `spread` is the size of the noise."""
        rows = [text for text in texts for _ in range(1 + samples)]
        ids, _ = padded([text.ids for text in rows], lm.device)
        noise = noise_of(texts, ids.shape, lm.embedding.embedding_dim, seed, samples).mul_(spread)
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
                matrix.register_forward_hook(
                    lambda _, __, output: memory.append(by_text(output, len(rows))[:: 1 + samples].clone())
                )
            )
        past = DynamicCache(config=lm.model.config)
        with hooked(*seen):
            chances, _ = answer_chances(lm, ids, rows, past)
        work.done += ids.numel() * len(layers)
        corrupted = chances.view(len(texts), 1 + samples)[:, 1:].mean(1)
        return Group(lm, texts, samples, ids, embeddings[0], outputs, past, memory, corrupted)

    def restore(self, into: Tensor, layer: int, window: range | None, work: Work, batch_tokens: int) -> None:
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

    def _read_on(self, layer: int, window: range | None, at: int, part: Sequence[tuple[int, int, int]]) -> list[float]:
        """The answer's probability of some rows, read on from token `at`, where something is restored."""
        rows = torch.tensor([row for _, _, row in part], device=self.lm.device)
        facts = torch.tensor([fact for fact, _, _ in part], device=self.lm.device)
        past = None
        if at:
            past = forked(self.past)
            past.batch_select_indices(rows)
            past.crop(at - self.ids.shape[1])  # negative: how many tokens it forgets
        with self._restored(layer, rows, facts, at) if window is None else self._written(window, rows, facts, at):
            chances, _ = answer_chances(self.lm, self.ids[rows, at:], [self.texts[fact] for fact, _, _ in part], past)
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
                written = by_text(output, len(rows))[:, 1:]
                return torch.cat([self.memory[layer][facts, at : at + 1], written], dim=1).reshape(output.shape)

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


def noise_of(texts: Sequence[Text], shape: torch.Size, width: int, seed: int, samples: int) -> Tensor:
    """Noise of unit size at the subjects of the corrupted rows [rows, tokens, width], each fact's its own."""
    noise = torch.zeros(*shape, width)
    for index, text in enumerate(texts):
        chance = torch.Generator().manual_seed(random.Random(f"{seed} {text.number} noise").getrandbits(48))
        first = index * (1 + samples) + 1
        drawn = torch.randn(samples, len(text.subject), width, generator=chance)
        noise[first : first + samples, text.subject.start : text.subject.stop] = drawn
    return noise
