"""UltraEdit: one look at each fact, and the change in closed form.

Gu et al. 2025, "UltraEdit: Training-, Subject-, and Memory-Free Lifelong Editing in Language Models", arXiv 2505.14679.
At each token of a new answer a matrix is given h and the loss has the slope g in what it puts out. Both are normalised
by their mean and deviation over all edits so far, this and earlier steps of the plan; then the matrix is to put out
-η ‖ĥ‖² ĝ more at h, in the sense of least squares with a ridge of 1. As in the authors' program, the matrices of
several layers share one normalisation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from editview.domain.errors import EditViewError
from editview.domain.facts import Fact
from editview.domain.operations import UltraEdit
from editview.domain.progress import Progress
from editview.edits.answers import Lesson, Reading, lessons, positions
from editview.edits.requests import check_facts, checked_layers, settled
from editview.edits.solving import ridge_change
from editview.edits.writing import Outcome, rewriting
from editview.lm.anatomy import sizes
from editview.lm.forward import hooked
from editview.lm.gradients import learning
from editview.lm.model import LanguageModel

MEMORY = "ultraedit"
WHAT = "Looking at the facts"


@dataclass(frozen=True)
class Seen:
    """What is known of the features seen so far: their mean and sum of squared deviations [features], float64."""

    count: int
    mean: Tensor
    squares: Tensor

    @staticmethod
    def of(features: Tensor) -> Seen:
        """Of one batch [tokens, features], with the unbiased variance times the tokens, as the authors count it."""
        count = len(features)
        variance = features.var(0) if count > 1 else torch.zeros_like(features[0])
        return Seen(count, features.mean(0), count * variance)

    def __add__(self, other: Seen) -> Seen:
        count = self.count + other.count
        apart = other.mean - self.mean
        squares = self.squares + other.squares + self.count * other.count / count * apart**2
        return Seen(count, self.mean + other.count / count * apart, squares)

    def normalised(self, features: Tensor) -> Tensor:
        deviation = (self.squares / (self.count - 1)).sqrt()
        return (features - self.mean) / (deviation + torch.finfo(torch.float32).eps)

    @property
    def row(self) -> Tensor:
        return torch.cat([self.mean.new_tensor([self.count]), self.mean, self.squares])

    @staticmethod
    def from_row(row: Tensor) -> Seen:
        mean, squares = row[1:].chunk(2)
        return Seen(int(row[0]), mean, squares)


def edit(
    lm: LanguageModel,
    facts: Sequence[Fact],
    operation: UltraEdit,
    seed: int,
    progress: Progress,
    *,
    memory: Mapping[str, Tensor] | None = None,
) -> Outcome:
    """Write the new answers of `facts` into the weights, in place, whole or not at all. Nothing in it is random.

    `memory` holds under 'ultraedit' a row [1 + 2 · (inputs + width)] for each earlier UltraEdit step: count, mean and
    squares of its features; the outcome's has one for this step too. Raises EditViewError when there is but one token
    to write and none before it.
    """
    operation = settled(lm, operation)
    layers = checked_layers(lm, operation)
    check_facts(facts, by_subject=False)
    everything = lessons(lm, facts)
    inputs, width = sizes(lm.anatomy.mlp_output(lm.model, layers[0]))
    nothing = torch.zeros(1 + 2 * (inputs + width), dtype=torch.float64, device=lm.device)
    rows = (memory or {}).get(MEMORY, nothing[None][:0]).to(nothing)
    earlier = sum(map(Seen.from_row, rows), Seen.from_row(nothing))
    if earlier.count + sum(len(lesson.answer) for lesson in everything[: operation.turn]) < 2:
        raise EditViewError(
            "UltraEdit compares what it writes with what it wrote before, so it can't begin with a single token. "
            "Edit more facts in this step, more of them at a time, or choose another method."
        )
    own = Seen.from_row(nothing)
    with rewriting(lm, layers) as writing:
        for start in range(0, len(everything), operation.turn):
            part = everything[start : start + operation.turn]

            def say(done: int, start: int = start) -> None:
                progress(start + done, len(facts), WHAT)

            looks = looked_at(lm, part, layers, operation.batch_size, say)
            own = sum((Seen.of(features) for look in looks for features in look.values()), own)
            seen = earlier + own
            for layer in layers:
                features = torch.cat([look[layer] for look in looks])
                key, slope = torch.split(seen.normalised(features), [inputs, width], dim=1)
                values = -operation.learning_rate * key.square().sum(1, keepdim=True) * slope
                writing.add(layer, ridge_change(features[:, :inputs], values))
        progress(len(facts), len(facts), WHAT)
        return Outcome(writing.rounded_away(), {MEMORY: torch.cat([rows, own.row[None]]).cpu()})


def looked_at(
    lm: LanguageModel, lessons: Sequence[Lesson], layers: Sequence[int], size: int, say: Callable[[int], None]
) -> list[dict[int, Tensor]]:
    """Per batch and layer: h and g at each token of the answers [tokens, inputs + width], float64.

    The longest texts come first, `size` together; g is the slope of the mean loss over the batch's answer tokens.
    """
    modules = {layer: lm.anatomy.mlp_output(lm.model, layer) for layer in layers}
    seen: dict[int, tuple[Tensor, Tensor]] = {}

    def look(layer: int) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
        def hook(_: nn.Module, given: tuple[Tensor, ...], output: Tensor) -> None:
            seen[layer] = given[0], output

        return hook

    found = []
    order = sorted(range(len(lessons)), key=lambda i: -len(lessons[i].read))
    reading = Reading(lm, lessons, -1)
    with (
        learning(lm, [module.weight for module in modules.values()]),
        hooked(*(module.register_forward_hook(look(layer)) for layer, module in modules.items())),
    ):
        for start in range(0, len(order), size):
            say(start)
            batch = order[start : start + size]
            at = positions([lessons[i] for i in batch], lm.device)
            loss = reading.losses(batch).mean()
            slopes = torch.autograd.grad(loss, [seen[layer][1] for layer in layers])
            found.append(
                {
                    layer: torch.cat([seen[layer][0].detach()[at], slope[at]], dim=1).double()
                    for layer, slope in zip(layers, slopes, strict=True)
                }
            )
    return found
