"""Keys and current values: what the edited matrices are given, and what is put out, at the subject's last token."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from editview.domain.facts import Fact
from editview.edits.rows import filled, read_on, read_shared
from editview.lm.anatomy import Matrix, sizes
from editview.lm.forward import by_text, fused, hidden_of, hooked, padded, stopping_after, stopping_before
from editview.lm.model import LanguageModel, asking
from editview.lm.tokens import encoded_at

ROWS = 256  # texts in one forward


def keys_and_values(
    lm: LanguageModel,
    facts: Sequence[Fact],
    layers: Sequence[int],
    templates: Sequence[Sequence[str]],
    last: int,
) -> tuple[dict[int, Tensor], Tensor]:
    """By layer the key of each fact [facts, inputs], and what block `last` puts out at the bare prompt [facts, width].

    A key is the input of the edited matrix at the subject's last token: the mean over template types of each type's
    mean, so the bare prompt, the first type, counts as much as all openings together. float64, in one pass.
    """
    matrices = [lm.anatomy.mlp_output(lm.model, layer) for layer in layers]
    block = lm.anatomy.block(lm.model, last)
    values = torch.zeros(len(facts), lm.config.hidden_size, dtype=torch.float64, device=lm.device)
    keys = [values.new_zeros(len(facts), sizes(matrix)[0]) for matrix in matrices]
    order = sorted(range(len(facts)), key=lambda i: len(facts[i].prompt))  # so that little is padding
    size = max(1, ROWS // max(map(len, templates)))
    for first in range(0, len(order), size):
        here = order[first : first + size]
        for number, group in enumerate(templates):
            given, put_out = at_subject(lm, [facts[i] for i in here], group, matrices, None if number else block)
            for key, seen in zip(keys, given, strict=True):
                key[here] += seen.mean(1) / len(templates)
            if put_out is not None:
                values[here] = put_out[:, 0]
    return dict(zip(layers, keys, strict=True)), values


def at_subject(
    lm: LanguageModel,
    facts: Sequence[Fact],
    templates: Sequence[str],
    matrices: Sequence[Matrix],
    output: nn.Module | None,
) -> tuple[list[Tensor], Tensor | None]:
    """What some matrices are given, ascending, and what the module `output` after them puts out; in one pass.

    At the subject's last token of each prompt in each template: [facts, templates, inputs], [facts, templates, width],
    float64. Nothing behind the subject is read, and what the prompts begin with is read once.
    """
    rows = encoded_at(lm.tokenizer, [filled(template, fact) for fact in facts for template in templates])
    given: list[Tensor] = []
    put_out: list[Tensor] = []

    def see(tensor: Tensor) -> Tensor:
        return by_text(tensor, len(rows))[:, -1].double().view(len(facts), len(templates), -1)

    if output is None:
        ending = stopping_before(matrices[-1], lambda _: None)
    else:
        ending = stopping_after(output, lambda _, result: put_out.append(see(hidden_of(result))))
    with asking(lm), fused(lm.model):
        until = matrices[-1] if output is None else output
        past, seen, rest = read_shared(lm, [ids[:at] for ids, at in rows], len(templates), 1, until)
        lasts = [[*left, ids[at]] for left, (ids, at) in zip(rest, rows, strict=True)]
        with hooked(*(m.register_forward_pre_hook(lambda _, inputs: given.append(see(inputs[0]))) for m in matrices)):
            read_on(lm, past, seen, *padded(lasts, lm.device, left=True), ending)
    return [tensor.clone() for tensor in given], put_out[0].clone() if put_out else None
