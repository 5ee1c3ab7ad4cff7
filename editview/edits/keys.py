"""Keys and current values: what the edited matrices are given, and what the blocks put out, at the subject."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from editview.domain.facts import Fact
from editview.edits.targets import filled
from editview.lm.anatomy import sizes
from editview.lm.forward import hidden_of, padded, run, stopping_after
from editview.lm.model import LanguageModel, asking
from editview.lm.tokens import encode, last_token_before

ROWS = 64  # texts in one forward


def keys(lm: LanguageModel, facts: Sequence[Fact], layer: int, templates: Sequence[Sequence[str]]) -> Tensor:
    """The key of each fact [facts, inputs], float64: the input of the edited matrix at the subject's last token.

    The mean over template types of each type's mean: the bare prompt counts as much as all openings together.
    """
    module = lm.anatomy.mlp_output(lm.model, layer)
    types = []
    for group in templates:
        texts = [filled(template, fact) for fact in facts for template in group]
        seen = _at_subject(lm, texts, module, lambda inputs, _: inputs[0])
        types.append(seen.view(len(facts), len(group), -1).mean(1))
    return torch.stack(types).mean(0)


def at_subjects(lm: LanguageModel, facts: Sequence[Fact]) -> tuple[list[list[int]], list[int]]:
    """The tokens of each fact's bare prompt, and the place of its subject's last token among them."""
    texts = [filled("{}", fact) for fact in facts]
    return [encode(lm.tokenizer, text) for text, _ in texts], [last_token_before(lm.tokenizer, *text) for text in texts]


def current_values(lm: LanguageModel, facts: Sequence[Fact], layer: int) -> Tensor:
    """What block `layer` puts out at the subject's last token of the bare prompt [facts, width], float64."""
    texts = [filled("{}", fact) for fact in facts]
    return _at_subject(lm, texts, lm.anatomy.block(lm.model, layer), lambda _, output: hidden_of(output))


def matrix_at_subject(lm: LanguageModel, facts: Sequence[Fact], layer: int) -> tuple[Tensor, Tensor]:
    """The edited matrix's input [facts, inputs] and output [facts, width] there, bare prompt, float64, in one pass."""
    module = lm.anatomy.mlp_output(lm.model, layer)
    inputs, _ = sizes(module)
    texts = [filled("{}", fact) for fact in facts]
    both = _at_subject(lm, texts, module, lambda given, output: torch.cat([given[0], output], dim=-1))
    return both[:, :inputs], both[:, inputs:]


def _at_subject(
    lm: LanguageModel,
    texts: Sequence[tuple[str, int]],
    module: nn.Module,
    take: Callable[[tuple[Any, ...], Any], Tensor],
) -> Tensor:
    """What `take` takes from a module's inputs and output at the end of each text's subject [texts, size], float64."""
    rows = [encode(lm.tokenizer, text) for text, _ in texts]
    at = [last_token_before(lm.tokenizer, text, end) for text, end in texts]
    order = sorted(range(len(rows)), key=lambda i: (len(rows[i]), i))
    found: list[Tensor | None] = [None] * len(rows)
    with asking(lm):
        for start in range(0, len(order), ROWS):
            part = order[start : start + ROWS]
            seen: list[Tensor] = []
            ids, _ = padded([rows[i] for i in part], lm.device)
            with stopping_after(module, lambda inputs, output, seen=seen: seen.append(take(inputs, output))):  # type: ignore[misc]
                run(lm, ids)
            for place, i in enumerate(part):
                found[i] = seen[0].view(*ids.shape, -1)[place, at[i]]  # some models flatten texts
    return torch.stack([vector for vector in found if vector is not None]).double().clone()
