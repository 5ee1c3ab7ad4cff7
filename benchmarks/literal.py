"""MEMIT written down literally, as published programs run it: what EditView's speed and numbers are held against.

Meng et al. 2023, "Mass-Editing Memory in a Transformer", arXiv 2210.07229. One fact at a time; every step a whole
forward from the embeddings, with all contexts padded to the longest; the head at every position, once for the KL term
and once more for the answer; keys by whole forwards, anew for every layer; a full solve [inputs, inputs] a layer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from editview.domain.facts import Fact
from editview.domain.operations import Memit
from editview.edits.rows import ESSENCE, filled
from editview.edits.targets import ENOUGH
from editview.lm.anatomy import writes_transposed
from editview.lm.forward import hidden_of, hooked, padded
from editview.lm.model import LanguageModel
from editview.lm.tokens import answered, encode, last_token_before

TEXTS = 128  # in one forward while keys are read


@dataclass
class Literal:
    """What the edit computed, and the seconds of its phases."""

    targets: Tensor  # z [facts, width]
    iterations: list[int]  # of each fact's search
    changes: dict[int, Tensor] = field(default_factory=dict)  # ΔW by layer, in the weight's own orientation
    seconds: dict[str, float] = field(default_factory=dict)


def edit(
    lm: LanguageModel,
    facts: Sequence[Fact],
    operation: Memit,
    covariances: Mapping[int, Tensor],
    templates: Sequence[Sequence[str]],
    clock: Callable[[], float] = time.perf_counter,
) -> Literal:
    """Write the facts into the weights, in place."""
    layers = sorted(operation.layers)
    contexts = [template for group in templates for template in group]
    lm.model.requires_grad_(False)
    start = clock()
    searches = [search(lm, fact, layers[-1], operation, contexts) for fact in facts]
    made = Literal(torch.stack([z for z, _ in searches]), [count for _, count in searches])
    made.seconds = {"search": clock() - start, "keys": 0.0, "solve": 0.0}
    for number, layer in enumerate(layers):
        start = clock()
        module = lm.anatomy.mlp_output(lm.model, layer)
        of_types = []
        for group in templates:
            texts = [filled(template, fact) for fact in facts for template in group]
            read, _ = at_subjects(lm, module, texts)
            of_types.append(read.view(len(facts), len(group), -1).mean(1))
        keys = torch.stack(of_types).mean(0)
        block = lm.anatomy.block(lm.model, layers[-1])
        _, put_out = at_subjects(lm, block, [filled("{}", fact) for fact in facts])
        read_at = clock()
        made.seconds["keys"] += read_at - start
        keys, missing = keys.double().T, (made.targets - put_out).double().T / (len(layers) - number)
        matrix = operation.covariance_weight * covariances[layer].to(keys.device).double() + keys @ keys.T
        change = missing @ torch.linalg.solve(matrix, keys).T
        change = change.T if writes_transposed(module) else change
        with torch.no_grad():
            module.weight += change.to(module.weight.dtype)
        made.changes[layer] = change
        made.seconds["solve"] += clock() - read_at
    return made


def search(lm: LanguageModel, fact: Fact, layer: int, operation: Memit, contexts: Sequence[str]) -> tuple[Tensor, int]:
    """z [width] of one fact, and in which iteration its search ended."""
    assert fact.new_answer is not None
    [(_, target)] = answered(lm.tokenizer, [(fact.prompt, fact.new_answer)])
    texts = [filled(template, fact) for template in contexts]
    essence = (ESSENCE.replace("{}", fact.subject), len(fact.subject))
    rows = [encode(lm.tokenizer, text) + target[:-1] for text, _ in texts] + [encode(lm.tokenizer, essence[0])]
    places = [last_token_before(lm.tokenizer, text, end) for text, end in [*texts, essence]]
    ids, mask = padded(rows, lm.device)
    wanted = torch.full((len(contexts), ids.shape[1]), -1, device=lm.device)
    for row, length in enumerate(map(len, rows[:-1])):
        wanted[row, length - len(target) : length] = torch.tensor(target, device=lm.device)
    scored = wanted >= 0
    delta = torch.zeros(lm.config.hidden_size, device=lm.device, requires_grad=True)
    first: list[Tensor] = []  # the bare prompt's state, then the essence as the untouched model says it
    states: list[Tensor] = []  # what the head is given

    def moved(_: nn.Module, __: Any, output: Any) -> Any:
        hidden = hidden_of(output)
        if not first:
            first.append(hidden[0, places[0]].detach().float().clone())
        hidden = hidden.clone()
        for row, place in enumerate(places):
            hidden[row, place] += delta.to(hidden.dtype)
        return (hidden, *output[1:]) if isinstance(output, tuple) else hidden

    head = lm.model.get_output_embeddings()
    adam = torch.optim.Adam([delta], lr=operation.learning_rate)
    block = lm.anatomy.block(lm.model, layer)
    for iteration in range(1, operation.steps + 1):
        adam.zero_grad()
        states.clear()
        with hooked(
            block.register_forward_hook(moved),
            head.register_forward_pre_hook(lambda _, given: states.append(given[0])),
        ):
            logits = lm.model(input_ids=ids, attention_mask=mask, use_cache=False).logits
        said = logits[-1, places[-1]].float().log_softmax(-1)
        if len(first) == 1:
            first.append(said.detach())
            if operation.relative_rate:
                adam.param_groups[0]["lr"] *= float(first[0].norm()) / len(delta) ** 0.5
        logs = head(states[0][:-1]).float().log_softmax(-1)
        of_answer = logs.gather(2, wanted.clamp(min=0)[:, :, None]).squeeze(2)
        nll = -((of_answer * scored).sum(1) / len(target)).mean()
        kl = F.kl_div(first[1], said, log_target=True, reduction="sum")
        pull = delta.norm() / first[0].norm() ** 2
        loss = nll + operation.kl_weight * kl + operation.weight_decay * pull
        if loss.item() < ENOUGH or iteration == operation.steps:
            break
        loss.backward()
        adam.step()
        most = operation.clamp * first[0].norm()
        if delta.norm() > most:
            with torch.no_grad():
                delta.mul_(most / delta.norm())
    return (first[0] + delta).detach(), iteration


def at_subjects(lm: LanguageModel, module: nn.Module, texts: Sequence[tuple[str, int]]) -> tuple[Tensor, Tensor]:
    """What a module is given [texts, inputs] and puts out [texts, width] at the subjects' ends, by whole forwards."""
    given, put_out = [], []
    for at in range(0, len(texts), TEXTS):
        part = texts[at : at + TEXTS]
        ids, mask = padded([encode(lm.tokenizer, text) for text, _ in part], lm.device)
        places = [last_token_before(lm.tokenizer, text, end) for text, end in part]
        seen: list[tuple[Tensor, Tensor]] = []
        hook = module.register_forward_hook(lambda _, i, o, seen=seen: seen.append((i[0], hidden_of(o))))
        with torch.no_grad(), hooked(hook):
            lm.model(input_ids=ids, attention_mask=mask, use_cache=False)
        [(inputs, output)] = seen
        given += [inputs[row, place].float() for row, place in enumerate(places)]
        put_out += [output[row, place].float() for row, place in enumerate(places)]
    return torch.stack(given), torch.stack(put_out)
