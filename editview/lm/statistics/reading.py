"""Reading a text for the sums Σkkᵀ of several layers: in one pass, to be cancelled and taken up again at any time.

What was summed is kept now and then, after Stop, and where a caller wanted it; a later reading takes it up there. Its
sums are then those of a reading that was never interrupted, bit for bit.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from editview.domain.errors import Cancelled, EditViewError
from editview.domain.progress import Progress
from editview.domain.texts import Text
from editview.lm.anatomy import sizes
from editview.lm.forward import hooked, padded, run, stopping_after
from editview.lm.model import LanguageModel, asking
from editview.lm.statistics import keep
from editview.lm.statistics.chapters import Chapter, Measure, chapters

EVERY = 20  # seconds after which what was summed is kept, so that a crash costs no more
SHARE = 20  # keeping it takes at most one part in so many of the time
STRIPS = 8  # in which the sum of products is added up
WHAT = "Reading text for statistics"


@dataclass
class Sums:
    """Of one layer, over the tokens read so far."""

    products: Tensor  # Σkkᵀ [inputs, inputs] float32; of the lower triangle only what lies in the strips' first columns
    fourth: float  # Σ‖k‖⁴
    tokens: int
    place: tuple[int, int]  # chapters read, and batches of the next one
    kept: str = ""  # where it lies on the disk

    def covariance(self) -> Tensor:
        """E[kkᵀ] [inputs, inputs], float32 on the CPU."""
        products = self.products.cpu()
        return (products.triu() + products.triu(1).T) / self.tokens


class Reading:
    """A text on its way through a model. `total` is what progress reports as the whole, in tokens."""

    def __init__(
        self, lm: LanguageModel, state: str, text: Text, most: int | None, total: int, progress: Progress
    ) -> None:
        self.measure = Measure.of(lm)
        self.total = total
        self._lm, self._text, self._most, self._progress = lm, text, most, progress
        self._stems = {layer: keep.stem(state, layer, text.content, lm.dtype)
                       for layer in range(len(lm.anatomy.mlp_outputs))}  # fmt: skip
        self._sums: dict[int, Sums] = {}
        self._chapters: Iterator[Chapter] = chapters(lm, text.lines, self.measure.chapter, most)
        self._number = 0  # of the next chapter that comes out of it
        self._keep_next = time.monotonic() + EVERY
        self._mask = torch.empty(0)
        self._adding: Sequence[int] = ()

    def up_to(self, layers: Sequence[int], mark: int | None) -> dict[int, Sums]:
        """The sums of the first `mark` chapters, or of all that was asked for; less where the text ends before.

        Marks only grow from call to call. The next call goes on with the same sums, so take from them before it.
        Raises EditViewError when the text is empty.
        """
        for layer in layers:
            self._take_up(layer, mark)
        behind = [layer for layer in layers if not self._sums[layer].kept]
        if behind:
            ended = self._read(behind, mark)
            for layer in behind:
                self._keep_reached(layer, mark, ended)
        return {layer: self._sums[layer] for layer in layers}

    def known(self, layer: int, mark: int) -> Sums | None:
        """The sums of the first `mark` chapters if they are kept; nothing is read."""
        self._take_up(layer, mark)
        sums = self._sums.pop(layer)
        return sums if sums.kept else None

    def _take_up(self, layer: int, mark: int | None) -> None:
        """Go on from the furthest that is kept and not too far; from the beginning when nothing is."""
        inputs = sizes(self._lm.anatomy.mlp_output(self._lm.model, layer))[0]
        now = self._sums.pop(layer, None) or Sums(torch.zeros(inputs, inputs), 0.0, 0, (0, 0))
        now.kept = ""
        for place, name, reached in sorted(self._kept(layer, mark), reverse=True):
            if place <= now.place and not reached:
                break
            if (content := keep.load(name)) is not None:
                tensors, said = content
                fourth, tokens = float(tensors["fourth"]), int(said["tokens"])
                now = Sums(tensors["products"], fourth, tokens, place, name if reached else "")
                break
        now.products = now.products.to(self._lm.device)
        self._sums[layer] = now

    def _kept(self, layer: int, mark: int | None) -> Iterator[tuple[tuple[int, int], str, bool]]:
        """Place and name of what can be gone on from, and whether it is all that is asked for."""
        for name, said in keep.said_of(f"{self._stems[layer]}-").items():
            try:
                place = (int(said["chapter"]), int(said["batch"]))
                tokens, until = int(said["tokens"]), int(said["until"])
            except (KeyError, ValueError):
                continue  # a factor, or damaged
            if said.get("kind") == "cut":
                if mark is None and tokens == self._most:
                    yield place, name, True
            elif (self._most is None or until <= self._most) and (mark is None or place <= (mark, 0)):
                yield place, name, said.get("kind") == "end" or (mark is not None and place == (mark, 0))

    def _read(self, layers: Sequence[int], mark: int | None) -> bool:
        """Read on for these layers; returns whether the text, or what was asked of it, ended before the mark."""
        lm = self._lm
        modules = {layer: lm.anatomy.mlp_output(lm.model, layer) for layer in layers}
        with asking(lm), ExitStack() as stack:
            for layer, module in modules.items():
                stack.enter_context(hooked(module.register_forward_pre_hook(self._add(layer))))
            while mark is None or self._number < mark:
                if (chapter := next(self._chapters, None)) is None:
                    break
                self._read_chapter(chapter, layers)
                self._number += 1
            else:
                return False
        if not any(self._sums[layer].tokens for layer in layers):
            raise EditViewError(f"The text for statistics, '{self._text.name}', is empty. Choose another in the card.")
        return True

    def _read_chapter(self, chapter: Chapter, layers: Sequence[int]) -> None:
        done = chapter.before
        for number, batch in enumerate(chapter.batches):
            try:
                self._progress(min(done, self.total), self.total, WHAT)
            except Cancelled:
                self._keep_going(chapter, layers)
                raise
            self._adding = [layer for layer in layers if self._sums[layer].place == (self._number, number)]
            if self._adding:
                self._forward(batch)
                for layer in self._adding:
                    self._sums[layer].place = (self._number, number + 1)
            done += sum(map(len, batch))
            if time.monotonic() > self._keep_next:
                self._keep_going(chapter, layers)
        for layer in layers:
            if self._sums[layer].place == (self._number, len(chapter.batches)):
                self._sums[layer].place = (self._number + 1, 0)

    def _forward(self, batch: Sequence[Sequence[int]]) -> None:
        ids, mask = padded(batch, self._lm.device)
        self._mask = mask.bool()
        last = self._lm.anatomy.mlp_output(self._lm.model, max(self._adding))
        with stopping_after(last, lambda _, __: None):
            run(self._lm, ids)

    def _add(self, layer: int) -> Callable[[Any, tuple[Any, ...]], None]:
        def hook(_: Any, inputs: tuple[Any, ...]) -> None:
            if layer not in self._adding:
                return
            sums = self._sums[layer]
            real = inputs[0].reshape(*self._mask.shape, -1)[self._mask].float()  # some models flatten texts
            step = -(-real.shape[1] // STRIPS)
            for at in range(0, real.shape[1], step):  # the upper triangle is enough: kkᵀ is symmetric
                sums.products[at : at + step, at:].addmm_(real[:, at : at + step].T, real[:, at:])
            sums.fourth += float(real.square().sum(1).cpu().double().square().sum())
            sums.tokens += len(real)

        return hook

    def _keep_going(self, chapter: Chapter, layers: Sequence[int]) -> None:
        """Keep what was summed so far, to go on from: of layers that are in this chapter, not ahead of it.

        Inside a chapter that is cut there is nothing to go on from: another reading has other batches there.
        """
        start = time.monotonic()
        for layer in layers:
            sums = self._sums[layer]
            inside = sums.place[1] > 0
            if sums.tokens and sums.place[0] == self._number and not (inside and chapter.cut):
                until = chapter.before + chapter.tokens if inside else sums.tokens
                self._keep(f"{self._stems[layer]}-going", sums, "going", until)
        end = time.monotonic()
        self._keep_next = end + max(EVERY, SHARE * (end - start))

    def _keep_reached(self, layer: int, mark: int | None, ended: bool) -> None:
        """Keep what was asked for; what was kept on the way there isn't needed any more."""
        sums = self._sums[layer]
        if not ended:
            kind, called = "mark", str(mark)
        elif sums.tokens == self._most:
            kind, called = "cut", f"cut{self._most}"
        else:
            kind, called = "end", "end"
        sums.kept = f"{self._stems[layer]}-{called}"
        self._keep(sums.kept, sums, kind, sums.tokens)
        going = f"{self._stems[layer]}-going"
        if (said := keep.said_of(going).get(going)) and int(said["tokens"]) <= sums.tokens:
            keep.forget(going)

    def _keep(self, name: str, sums: Sums, kind: str, until: int) -> None:
        said = {"kind": kind, "tokens": sums.tokens, "chapter": sums.place[0], "batch": sums.place[1], "until": until}
        fourth = torch.tensor(sums.fourth, dtype=torch.float64)
        keep.save(name, {"products": sums.products.cpu(), "fourth": fourth}, {k: str(v) for k, v in said.items()})
