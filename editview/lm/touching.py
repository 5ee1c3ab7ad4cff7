"""How strongly a change of memories acts on subjects: ‖ΔW k‖ of each one's key, in multiples of what others get.

W maps keys to what is written for them, so an edit's ΔW is large on the keys of its own subjects and small on others
(MEMIT, arXiv 2210.07229, eq. 14, where ΔW = R Kᵀ (C + K Kᵀ)⁻¹). Keys of all subjects have much in common, which a
fine-tune moves too; what is common is taken off, and a key counts by its direction alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from editview.domain.errors import EditViewError
from editview.domain.progress import Progress
from editview.lm.anatomy import sizes
from editview.lm.forward import alike, by_text, fused, hooked, padded, run, stopping_before
from editview.lm.model import LanguageModel, asking
from editview.lm.stored import StoredCheckpoint
from editview.lm.tokens import encoded_at

OPENINGS = ("About {}", "Here is {}", "In short, {}")
"""Neutral ways to mention a subject; the first token of a text is read differently by many models, so none begins with
it."""

BATCH_TOKENS = 2048  # read in one forward
_TINY = torch.finfo(torch.float32).tiny


def has_memory(checkpoint: StoredCheckpoint, layer: int) -> bool:
    """Whether a layer's memory is in a checkpoint's files, in the size that its settings say."""
    name = _name(checkpoint, layer)
    stored = checkpoint.find(name)
    return stored is not None and stored.shape == checkpoint.infos[name].shape


def changed_layers(
    first: StoredCheckpoint, second: StoredCheckpoint, progress: Progress
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The layers whose memory differs by more than its number format, and those that couldn't be compared; ascending.

    One of the two may lack a memory, or hold values there that are no numbers.

    Raises EditViewError where no layer can be compared.
    """
    count = len(second.built.anatomy.mlp_outputs)
    lacking = tuple(layer for layer in range(count) if not (has_memory(first, layer) and has_memory(second, layer)))
    if len(lacking) == count:
        raise EditViewError(
            f"No layer's memory, as '{_name(second, 0)}', is in the files of both checkpoints, so they can't be "
            "compared there. Save both as safetensors in the usual layout."
        )
    found, skipped = [], {*lacking}
    for layer in sorted({*range(count)} - skipped):
        progress(layer, count, "Comparing the memories")
        one, other = (which.whole(_name(second, layer)) for which in (first, second))
        coarse = min(one.dtype, other.dtype, key=lambda dtype: dtype.itemsize)
        if not (torch.isfinite(one).all() and torch.isfinite(other).all()):
            skipped.add(layer)
        elif not torch.equal(one.to(coarse), other.to(coarse)):
            found.append(layer)
    progress(count, count, "Comparing the memories")
    return tuple(found), tuple(sorted(skipped))


def change(first: StoredCheckpoint, second: StoredCheckpoint, layer: int) -> Tensor:
    """ΔW of a layer's memory [outputs, inputs], float32, where both have it."""
    name = _name(second, layer)
    difference = second.whole(name).float() - first.whole(name).float()
    return difference.T if second.infos[name].transposed else difference


def _name(checkpoint: StoredCheckpoint, layer: int) -> str:
    return f"{checkpoint.built.anatomy.mlp_outputs[layer]}.weight"


def subject_keys(
    lm: LanguageModel, subjects: Sequence[str], layers: Sequence[int], progress: Progress
) -> dict[int, Tensor]:
    """By layer what its memory is given at each subject's last token [openings, subjects, inputs]; float32, CPU.

    Nothing behind the last of `layers` is computed.
    """
    matrices = [lm.anatomy.mlp_output(lm.model, layer) for layer in sorted(layers)]
    count = len(subjects)
    keys = [torch.zeros(len(OPENINGS) * count, sizes(matrix)[0]) for matrix in matrices]
    texts = [opening.replace("{}", subject) for opening in OPENINGS for subject in subjects]
    rows = encoded_at(lm.tokenizer, [(text, len(text)) for text in texts])
    batch: list[int] = []

    def see(place: int, inputs: Tensor) -> None:
        at = [rows[i][1] for i in batch]
        keys[place][batch] = by_text(inputs, len(batch))[range(len(batch)), at].float().cpu()

    def watching(place: int, matrix: nn.Module) -> Any:
        return matrix.register_forward_pre_hook(lambda _, inputs: see(place, inputs[0]))

    done = 0
    with asking(lm), fused(lm.model), hooked(*(watching(i, matrix) for i, matrix in enumerate(matrices))):
        for batch in alike(range(len(rows)), lambda i: len(rows[i][0]), BATCH_TOKENS):
            progress(done, len(rows), "Reading the subjects")
            with stopping_before(matrices[-1], lambda _: None):
                run(lm, padded([rows[i][0] for i in batch], lm.device)[0])
            done += len(batch)
    progress(len(rows), len(rows), "Reading the subjects")
    return {layer: key.view(len(OPENINGS), count, -1) for layer, key in zip(sorted(layers), keys, strict=True)}


def times(change: Tensor, keys: Tensor) -> Tensor:
    """How many times as strongly as on the usual subject a change [outputs, inputs] acts on each [subjects].

    `keys` [openings, subjects, inputs] of all of them: their mean is what they have in common, their median is 1.
    """
    own = nn.functional.normalize(keys - keys.mean(1, keepdim=True), dim=-1)
    acted = (own @ change.T).norm(dim=-1).mean(0)
    found: Tensor = acted / acted.median().clamp(min=_TINY)
    return found
