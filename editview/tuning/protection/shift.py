"""A penalty on the shift of activations: edited prompts are to pass the edited layers as they did before.

Held is what a block puts out, the residual stream behind it, not what its feed-forward part adds: later layers read the
sum, and a drift that lower layers cause is as harmful as one of the edited matrix's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from editview.domain.facts import Fact
from editview.domain.progress import Progress
from editview.lm.forward import hidden_of
from editview.lm.model import LanguageModel, at_rest
from editview.tuning.protection.reading import at_places, in_batches, prompts_of, turn


class ShiftPenalty(TrainerCallback):
    """Adds the gradient of λ · mean ‖h − h₀‖² / ‖h₀‖² to each step's.

    h are the outputs of the edited blocks at the subject's last token and at the prompt's, h₀ those of the model as it
    is when this is made; the mean runs over layers, places and the prompts whose turn it is, `at_once` of them.
    Nothing drops out meanwhile and nothing random is drawn, so that the data are trained on as they would be. Before
    the step's own gradients are taken, so both are clipped as one; the loss that is reported is that of the data alone.
    """

    def __init__(
        self, lm: LanguageModel, facts: Sequence[Fact], layers: Sequence[int], weight: float, at_once: int, seed: int,
        progress: Progress,
    ) -> None:  # fmt: skip
        self._lm, self._layers, self._weight, self._seed = lm, layers, weight, seed
        self._prompts = prompts_of(lm, facts)
        self._at_once = min(at_once, len(self._prompts))
        found: dict[int, Tensor] = {}
        for batch in in_batches(self._prompts, progress):
            with torch.no_grad():
                found |= dict(zip(batch, self._states(batch).unbind(1), strict=True))
        self._before = torch.stack([found[at] for at in range(len(self._prompts))], dim=1)

    def _states(self, places: Sequence[int]) -> Tensor:
        """[layers, prompts, 2, width], float32."""
        blocks = [self._lm.anatomy.block(self._lm.model, layer) for layer in self._layers]
        with at_rest(self._lm.model):
            prompts = [self._prompts[at] for at in places]
            states = at_places(self._lm, prompts, blocks, lambda _, output: hidden_of(output))
        return torch.stack([state.float() for state in states])

    def shift(self, places: Sequence[int]) -> Tensor:
        """The mean of ‖h − h₀‖² / ‖h₀‖² over these prompts."""
        before = self._before[:, list(places)]
        return ((self._states(places) - before).square().sum(-1) / before.square().sum(-1)).mean()

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        places = turn(state.global_step, self._at_once, len(self._prompts), f"{self._seed} shift")
        penalty = self._weight * self.shift(places)
        if penalty.requires_grad:  # else only layers above the edited ones are trained
            penalty.backward()  # type: ignore[no-untyped-call]
