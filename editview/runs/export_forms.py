"""The forms in which a stage is written, and how what is read back is held against it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from editview.domain.errors import EditViewError
from editview.domain.export import Form
from editview.domain.plan import Checkpoint
from editview.domain.progress import Progress
from editview.domain.room import free
from editview.domain.sentences import amount
from editview.lm.anatomy import writes_transposed
from editview.lm.changes import differing
from editview.lm.low_rank import LowRank, low_rank
from editview.lm.model import LanguageModel, weights_fingerprint
from editview.lm.opening import open_as_stored
from editview.lm.saving import carry_over, linear_module, save_adapter, save_checkpoint, take_over
from editview.lm.sources import hub_id

READING = "Reading the checkpoint as it is stored"
FACTORING = "Looking for the adapter's matrices"
COMPARING = "Holding it against the stage"

Distance = tuple[int, float]
"""How many weights aren't bit for bit what was computed, and the largest difference among them."""


@dataclass(frozen=True)
class Written:
    """What lies in a folder now.

    `compare` tells how far a model that was read back is from the stage; None: it isn't what was written. `remedy`
    says what to do where it answers otherwise than the stage did.
    """

    dtype: str
    compare: Callable[[LanguageModel, Progress], Distance | None]
    remedy: str


def write_checkpoint(
    lm: LanguageModel, checkpoint: Checkpoint, form: Form, folder: Path, progress: Progress
) -> Written:
    """The model as a whole. What doesn't differ from the checkpoint keeps every bit; with `Form.STORED` what differs is
    rounded to the number format of the checkpoint's files.
    """
    progress(0, 1, READING)
    stored, origin = open_as_stored(checkpoint)
    if form is Form.COMPUTED:
        nn.Module.to(stored, lm.dtype)
    _check_room(stored, folder)
    changed = take_over(stored, lm.weights())
    weights, now = dict(stored.named_parameters()), lm.weights()
    distance = _distance((weights[name].detach(), now[name].cpu()) for name in changed)
    expected = weights_fingerprint(weights, lm.dtype)
    save_checkpoint(stored, folder, progress)
    carry_over(origin, folder, settings=form is Form.STORED, code=checkpoint.allow_code)

    def compare(again: LanguageModel, progress: Progress) -> Distance | None:
        progress(0, 1, COMPARING)
        return distance if weights_fingerprint(again.weights()) == expected else None

    formats = sorted({str(weights[name].dtype).removeprefix("torch.") for name in changed or weights})
    computed_in = str(lm.dtype).removeprefix("torch.")
    remedy = (
        f"Its weights were rounded from {computed_in} to {formats[0]}: export it as computed, which keeps every bit."
        if distance[0]
        else ""
    )
    return Written(" and ".join(formats), compare, remedy)


def _check_room(model: PreTrainedModel, folder: Path) -> None:
    needed = sum(parameter.numel() * parameter.element_size() for parameter in model.parameters())
    there = free(folder)
    if needed > there:
        raise EditViewError(
            f"The export takes {amount(needed)} and {amount(there)} are free there. Make room, or choose another place."
        )


def write_adapter(lm: LanguageModel, checkpoint: Checkpoint, form: Form, folder: Path, progress: Progress) -> Written:
    """What differs from the checkpoint as a PEFT adapter. Raises EditViewError where that isn't exact."""
    progress(0, 1, READING)
    stored, origin = open_as_stored(checkpoint)
    base, now = {name: weight.detach().to(lm.dtype) for name, weight in stored.named_parameters()}, lm.weights()
    names = differing(base, now)
    if not names:
        raise EditViewError("Nothing differs from the checkpoint at this stage, so there is no adapter to write.")
    modules = {name: _linear(stored, name) for name in names}
    changes = {}
    for done, name in enumerate(names):
        progress(done, len(names), FACTORING)
        changes[name] = _factored(stored, modules[name], base[name], now[name].cpu(), lm.device)
    progress(len(names), len(names), FACTORING)
    unchanged = weights_fingerprint({name: base[name] for name in base.keys() - changes.keys()})
    by_module = {modules[name]: change for name, change in changes.items()}
    transposed = {name for name in names if writes_transposed(stored.get_submodule(modules[name]))}
    save_adapter(stored, by_module, hub_id(checkpoint.source) or str(origin.resolve()), folder)

    def compare(again: LanguageModel, progress: Progress) -> Distance | None:
        read = dict(again.weights())
        pairs = []
        for done, name in enumerate(names):
            progress(done, len(names), COMPARING)
            merged = read.pop(name).cpu()
            pairs.append((merged.T if name in transposed else merged, changes[name].wanted))
            if not changes[name].is_exact(pairs[-1][0]):
                return None
        return _distance(pairs) if weights_fingerprint(read) == unchanged else None

    return Written("float32", compare, "Export the whole checkpoint instead.")


def _linear(model: PreTrainedModel, tensor: str) -> str:
    """The linear layer that a changed tensor is the matrix of."""
    module = linear_module(model, tensor)
    if module is None:
        raise EditViewError(
            "This stage can't be written as an adapter: it changes more than the matrices of linear layers "
            f"({tensor}). Export the whole checkpoint.",
        )
    return module


def _factored(model: PreTrainedModel, module: str, base: Tensor, wanted: Tensor, device: torch.device) -> LowRank:
    if writes_transposed(model.get_submodule(module)):
        base, wanted = base.T.contiguous(), wanted.T.contiguous()
    found = low_rank(base, wanted, torch.device("cpu") if device.type == "mps" else device)  # which has no float64
    if found is None:
        raise EditViewError(
            f"This stage can't be written as an adapter: what it adds to '{module}' isn't of low rank, so two thin "
            "matrices would be no smaller than the whole. Export the whole checkpoint."
        )
    return found


def _distance(pairs: Iterable[tuple[Tensor, Tensor]]) -> Distance:
    off, largest = 0, 0.0
    for one, other in pairs:
        gaps = (one.double() - other.double()).abs()
        off += int(gaps.count_nonzero())
        largest = max(largest, float(gaps.max()))
    return off, largest
