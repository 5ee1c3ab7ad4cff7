"""Measures what a fine-tune did where edits had written, on the stages of a run."""

from __future__ import annotations

from statistics import mean

import torch
from torch import Tensor

from editview.domain.errors import EditViewError
from editview.domain.interference import Interference, LayerInterference, Moved, Reach
from editview.domain.progress import Progress
from editview.domain.requests import MeasureInterference
from editview.lm.anatomy import writes_transposed
from editview.lm.interference import DRAWS, TINY, chance, gain, read, responses, shifts
from editview.lm.model import LanguageModel
from editview.runs.workbench import Workbench

WHAT = "Holding the changes of weights against the edits"


def interference(bench: Workbench, asked: MeasureInterference, progress: Progress) -> Interference:
    """Keys are those that the fine-tune found: of the bare prompts, on the model just before it.

    Raises `StageLost` for a stage that isn't kept any more, EditViewError where the edits wrote nothing, Cancelled.
    """
    facts = (*asked.kept, *asked.lost, *asked.controls)
    edits = len(asked.kept) + len(asked.lost)
    before = read(bench.move_to(asked.before), facts, progress, "Reading the facts before the fine-tune")
    written = _written(bench, asked)
    if not written:
        raise EditViewError(
            "The edits before this fine-tune changed no weights, so there is nothing to hold it against. Give them "
            "more strength, or look at another fine-tune."
        )
    lm = bench.move_to(asked.after)
    after = read(lm, facts, progress, "Reading the facts after the fine-tune")
    subject, prompt = shifts(before.subject, after.subject), shifts(before.prompt, after.prompt)
    layers, count = [], len(lm.anatomy.blocks)
    for layer in range(count):
        progress(layer * DRAWS, count * DRAWS, WHAT)
        tuned = _change(bench, lm, layer, asked.before, asked.after)
        keys = before.keys[layer].to(lm.device)
        reach = None
        if tuned.any():
            drawn = []
            for draw, found in enumerate(chance(tuned, keys[:edits].norm(dim=1), asked.seed + layer)):
                progress(layer * DRAWS + draw, count * DRAWS, WHAT)
                drawn.append(found)
            reach = _reach(gain(tuned, keys[:edits]), gain(tuned, keys[edits:]) if asked.controls else None, drawn)
        of_edit, memory = None, None
        if layer in written:
            ours, theirs = responses(tuned, keys[:edits]), responses(written[layer], keys[:edits])
            of_edit = float(ours.norm() / theirs.norm())
            memory = _moved(ours / theirs.clamp(min=TINY), asked) if reach else None
        moved = (_moved(subject[:, layer], asked), _moved(prompt[:, layer], asked), memory)
        layers.append(LayerInterference(layer, layer in written, reach, of_edit, moved))
    progress(count * DRAWS, count * DRAWS, WHAT)
    return Interference(tuple(layers), len(asked.kept), len(asked.lost), len(asked.controls), asked.stood)


def _change(bench: Workbench, lm: LanguageModel, layer: int, start: str, end: str) -> Tensor:
    """What lies between two stages in a layer's feed-forward output matrix [outputs, inputs], float32."""
    change = bench.difference(f"{lm.anatomy.mlp_outputs[layer]}.weight", start, end)
    return (change.T if writes_transposed(lm.anatomy.mlp_output(lm.model, layer)) else change).float().to(lm.device)


def _written(bench: Workbench, asked: MeasureInterference) -> dict[int, Tensor]:
    """What all edits together changed in each layer that they changed."""
    lm = bench.move_to(asked.before)
    found: dict[int, Tensor] = {}
    for start, end in asked.edits:
        for layer in range(len(lm.anatomy.blocks)):
            change = _change(bench, lm, layer, start, end)
            if change.any():
                found[layer] = found[layer] + change if layer in found else change
    return found


def _reach(edited: float, controls: float | None, drawn: list[float]) -> Reach:
    """Gains in multiples of what random directions get."""
    usual = mean(drawn)
    low, high = torch.tensor(drawn).quantile(torch.tensor([0.025, 0.975])).tolist()
    return Reach(edited / usual, None if controls is None else controls / usual, (low / usual, high / usual))


def _moved(figures: Tensor, asked: MeasureInterference) -> Moved:
    """Split into kept, lost and controls, which may be absent."""
    values = tuple(figures.tolist())
    kept, edits = len(asked.kept), len(asked.kept) + len(asked.lost)
    return Moved(values[:kept], values[kept:edits], values[edits:])
