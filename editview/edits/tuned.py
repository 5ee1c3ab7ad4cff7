"""Training one feed-forward output matrix on new answers.

Only that matrix has gradients. Adam works on a float32 copy of it; the model computes with the copy rounded to its own
number format.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor

from editview.domain.operations import TunedEdit
from editview.domain.progress import Progress
from editview.edits.answers import Lesson, Reading, token_means
from editview.edits.writing import Outcome, not_finite, rewriting
from editview.lm.anatomy import writes_transposed
from editview.lm.gradients import learning
from editview.lm.model import LanguageModel

LEARNT = 1e-2  # a batch with a lower loss isn't trained on; a pass with a lower one is the last
WHAT = "Training one matrix on the facts"
KNOWN = "The facts of this edit were already known: the model gives each new answer, so there was nothing to train."


def tuned(
    lm: LanguageModel,
    lessons: Sequence[Lesson],
    layer: int,
    operation: TunedEdit,
    progress: Progress,
    *,
    order: Callable[[], Iterable[int]],
    limit: float = math.inf,
) -> Outcome:
    """Train the matrix of `layer`, in place, whole or not at all.

    A step is one of Adam's (betas 0.9 and 0.999) on the mean over a batch of each answer's mean NLL per token. `order`
    gives the lessons' order in each pass. No weight moves further than `limit` from where it was.
    """
    module = lm.anatomy.mlp_output(lm.model, layer)
    steps = math.ceil(len(lessons) / operation.batch_size)
    with rewriting(lm, [layer]) as writing, learning(lm, [module.weight]):
        weight = module.weight
        reading = Reading.of(lm, lessons, layer)
        before = writing.untouched[layer].float()
        master = before.clone()
        adam = torch.optim.Adam([master], lr=operation.learning_rate)
        trained = False
        for number in range(operation.epochs):
            places = list(order())
            losses = []
            for step in range(steps):
                progress(number * steps + step, operation.epochs * steps, WHAT)
                batch = places[step * operation.batch_size : (step + 1) * operation.batch_size]
                loss = token_means(reading.losses(batch), [lessons[i] for i in batch]).mean()
                losses.append(loss.item() * len(batch))
                if not math.isfinite(losses[-1]):
                    raise not_finite(f"The loss of step {number * steps + step} isn't finite")
                if loss.item() >= LEARNT:
                    trained = True
                    _advance(adam, master, before, limit, torch.autograd.grad(loss, weight)[0])
                    with torch.no_grad():
                        weight.copy_(master)
            if sum(losses) < LEARNT * len(lessons):
                break
        progress(operation.epochs * steps, operation.epochs * steps, WHAT)
        if not trained:
            return Outcome({}, notes=(KNOWN,), nothing_to_write=True)
        change = master.double() - writing.untouched[layer].double()
        writing.add(layer, change.T if writes_transposed(module) else change)
        return Outcome(writing.rounded_away())


def _advance(adam: torch.optim.Adam, master: Tensor, before: Tensor, limit: float, slope: Tensor) -> None:
    master.grad = slope.float()
    adam.step()
    if limit < math.inf:
        torch.clamp(master, before - limit, before + limit, out=master)
