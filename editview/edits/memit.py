"""MEMIT: writes many facts at once into the feed-forward output matrices of a few layers.

Meng et al. 2023, "Mass-Editing Memory in a Transformer", arXiv 2210.07229. The search for target vectors is
`targets.py`; here their difference to what the model puts out now is spread over the layers in closed form (eq. 14).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from editview.domain.errors import EditViewError
from editview.domain.facts import Fact
from editview.domain.operations import Memit
from editview.domain.progress import Progress
from editview.edits.contexts import context_templates
from editview.edits.keys import at_subjects, current_values, keys
from editview.edits.targets import target_vectors
from editview.formats.presets import preset
from editview.lm.anatomy import writes_transposed
from editview.lm.branch import asked_of_matrix
from editview.lm.model import LanguageModel
from editview.lm.statistics import covariances
from editview.lm.tokens import subject_end


@dataclass(frozen=True)
class Trace:
    """What an edit computed on its way, for comparison with other programs. float64 but for `targets`."""

    targets: Tensor  # z [facts, width], float32
    keys: dict[int, Tensor]  # by layer [facts, inputs]
    values: dict[int, Tensor]  # by layer: what the last edited block put out when its turn came [facts, width]
    changes: dict[int, Tensor]  # ΔW by layer, in the weight's own orientation


def edit(
    lm: LanguageModel,
    facts: Sequence[Fact],
    operation: Memit,
    seed: int,
    progress: Progress,
    *,
    statistics: Mapping[int, Tensor] | None = None,
    templates: Sequence[Sequence[str]] | None = None,
) -> Trace:
    """Write the new answers of `facts` into the weights, in place, whole or not at all.

    `seed` decides the sampled openings. `statistics` gives E[kkᵀ] [inputs, inputs] by layer and `templates` the
    openings by type; both are made from the model when not given. After Cancelled or an error the model is as it was.
    """
    operation = settled(lm, operation)
    layers = check_request(lm, facts, operation)
    if templates is None:
        templates = context_templates(lm, operation.prefixes, seed)
    if statistics is None:
        statistics = covariances(lm, layers, operation.statistics, operation.statistics_tokens, progress)
    contexts = [template for group in templates for template in group]
    wanted = target_vectors(lm, facts, layers[-1], operation, contexts, progress)
    weights = {layer: lm.anatomy.mlp_output(lm.model, layer).weight for layer in layers}
    untouched = {layer: weight.detach().clone() for layer, weight in weights.items()}
    rows, at = at_subjects(lm, facts)
    trace = Trace(wanted, {}, {}, {})
    try:
        for number, layer in enumerate(layers):
            progress(number, len(layers), "Writing the facts into the layers")
            key = trace.keys[layer] = keys(lm, facts, layer, templates)
            now = trace.values[layer] = current_values(lm, facts, layers[-1])
            residual = asked_of_matrix(lm, layer, rows, at, (wanted.double() - now) / (len(layers) - number))
            change = solved(statistics[layer], operation.covariance_weight, key, residual)
            if writes_transposed(lm.anatomy.mlp_output(lm.model, layer)):
                change = change.T
            trace.changes[layer] = change
            with torch.no_grad():
                weights[layer].copy_(untouched[layer].double() + change.to(lm.device))
            if not torch.isfinite(weights[layer]).all():
                raise EditViewError(
                    "The edit produced numbers that aren't finite, so the model was left as it was. "
                    "Lower the learning rate of the target vectors, or edit fewer facts at once.",
                    f"ΔW of layer {layer} isn't finite",
                )
        progress(len(layers), len(layers), "Writing the facts into the layers")
    except BaseException:
        with torch.no_grad():
            for layer, weight in weights.items():
                weight.copy_(untouched[layer])
        raise
    return trace


def solved(covariance: Tensor, weight: float, keys: Tensor, residual: Tensor) -> Tensor:
    """ΔW = R [(λC + KKᵀ)⁻¹ K]ᵀ in float64 [width, inputs] (eq. 14); keys [facts, inputs], residual [facts, width]."""
    here = keys.device if keys.device.type != "mps" else torch.device("cpu")
    keys, residual, covariance = (tensor.to(here, torch.float64) for tensor in (keys, residual, covariance))
    matrix = weight * covariance + keys.T @ keys
    factor, failed = torch.linalg.cholesky_ex(matrix)
    if failed:  # float32 rounding in C can push its smallest eigenvalues below zero
        adjusted: Tensor = torch.linalg.solve_ex(matrix, keys.T).result
        if not torch.isfinite(adjusted).all():  # units that are never on (ReLU) leave zeros: they get no change
            adjusted = torch.linalg.pinv(matrix, hermitian=True) @ keys.T
    else:
        adjusted = torch.cholesky_solve(keys.T, factor)
    return residual.T @ adjusted.T


def settled(lm: LanguageModel, operation: Memit) -> Memit:
    """The operation as it will run: without layers, the preset of this model fills in what was left at its default.

    Raises EditViewError when no preset is known.
    """
    if operation.layers:
        return operation
    config = lm.config
    known = preset(config.model_type, config.num_hidden_layers, config.hidden_size, len(lm.embedding.weight))
    if known is None:
        raise EditViewError(
            "There are no ready settings for this model. Choose the layers to edit in the card; the early middle ones, "
            f"of the {config.num_hidden_layers} this model has, are where facts are mostly kept."
        )
    filled = {
        name: getattr(known, name)
        for name, field in Memit.model_fields.items()
        if name != "id" and getattr(operation, name) == field.default
    }
    return operation.model_copy(update=filled)


def check_request(lm: LanguageModel, facts: Sequence[Fact], operation: Memit) -> tuple[int, ...]:
    """The layers to edit, ascending; raises EditViewError where the edit can't be made as asked."""
    if lm.anatomy.not_editable:
        raise EditViewError(f"This model can't be edited: {lm.anatomy.not_editable}.")
    if not facts:
        raise EditViewError("There is no fact to edit. Choose facts that have a new answer.")
    layers = tuple(sorted(set(operation.layers)))
    if layers[-1] >= len(lm.anatomy.blocks):
        raise EditViewError(
            f"The model has layers 0 to {len(lm.anatomy.blocks) - 1}, but the edit asks for layer {layers[-1]}. "
            "Change the layers to edit in the card."
        )
    asked: dict[tuple[str, str], Fact] = {}
    for fact in facts:
        if not fact.new_answer:
            raise EditViewError(f"The fact '{fact.id}' has no new answer, so there is nothing to write.")
        subject_end(fact, fact.template)  # refuses a prompt without its subject
        other = asked.setdefault((fact.subject, fact.prompt), fact)
        if other.new_answer != fact.new_answer:
            raise EditViewError(
                f"The facts '{other.id}' and '{fact.id}' contradict each other: '{fact.prompt}' is to be answered by "
                f"both '{other.new_answer}' and '{fact.new_answer}'. Keep one of them."
            )
    return layers
