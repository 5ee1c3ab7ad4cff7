"""Statistics of keys: the uncentred covariance E[kkᵀ] of what the feed-forward output matrices are given over a text.

Computed in one pass for all layers asked and kept on disk, for this very state of the weights and this very text
(MEMIT, arXiv 2210.07229, section 4.3). Nobody waits for them twice, and no model gets another one's.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from editview.domain import places
from editview.domain.errors import EditViewError
from editview.domain.files import replacing
from editview.domain.progress import Progress
from editview.domain.room import Kept, half_of_the_disk, too_many
from editview.lm.anatomy import sizes
from editview.lm.forward import alike, hooked, padded, run, stopping_after
from editview.lm.model import LanguageModel, asking, fingerprint, weights_fingerprint
from editview.lm.tokens import encode_all

PASSAGE = 1024  # tokens read in one piece at most
BATCH_TOKENS = 4096  # in one forward
STRIPS = 8  # in which the sum of products is added up
FORMAT = 1  # of what is kept; raised when the way it is computed changes
MOST = 20 * 10**9  # bytes that are kept; what was used longest ago goes first


def text_file(name: str) -> Path:
    """The file behind a plan's 'text for statistics'; EditViewError when it isn't there."""
    path = places.resources() / "demo" / "statistics.txt" if name == "packaged" else Path(name).expanduser()
    if not path.is_file():
        raise EditViewError(f"The text for statistics, '{path}', isn't there. Choose a text file in the edit's card.")
    return path


def covariances(
    lm: LanguageModel, layers: Sequence[int], text: str, tokens: int, progress: Progress
) -> dict[int, Tensor]:
    """E[kkᵀ] [inputs, inputs], float32 on the CPU, by layer, over the first `tokens` tokens of a text.

    Each line of the text is a passage of its own; padding doesn't count. What is on disk is read from there.
    """
    content = text_file(text).read_bytes()
    state = fingerprint(lm.model, lm.tokenizer)
    kept = {layer: _kept_at(state, layer, content, tokens, lm.dtype) for layer in layers}
    known = {layer: covariance for layer, path in kept.items() if (covariance := _load(path)) is not None}
    missing = [layer for layer in layers if layer not in known]
    computed = covariances_of(lm, missing, _lines(content, text), tokens, progress) if missing else {}
    for layer, covariance in computed.items():
        _save(kept[layer], covariance)
    if computed:
        _make_room()
    return known | computed


def covariances_of(
    lm: LanguageModel, layers: Sequence[int], lines: Sequence[str], tokens: int, progress: Progress
) -> dict[int, Tensor]:
    """The same over given passages, always computed. The forward ends after the last layer asked."""
    what = "Reading text for statistics"
    passages = _passages(lm, lines, tokens, progress, what)
    inputs = max(sizes(lm.anatomy.mlp_output(lm.model, layer))[0] for layer in layers)
    if sum(map(len, passages)) < inputs:
        raise EditViewError(
            f"The text for statistics is too short: this model needs more than {inputs:,} tokens of it. Choose a "
            "longer text, or raise 'Tokens for statistics'."
        )
    modules = {layer: lm.anatomy.mlp_output(lm.model, layer) for layer in layers}
    last = max(layers)
    sums: dict[int, Tensor] = {}
    mask = torch.empty(0)

    def add(layer: int) -> Callable[[Any, tuple[Any, ...]], None]:
        def hook(_: Any, inputs: tuple[Any, ...]) -> None:
            real = inputs[0].reshape(*mask.shape, -1)[mask.bool()].float()  # some models flatten texts
            if layer not in sums:
                sums[layer] = real.new_zeros(real.shape[1], real.shape[1])
            step = -(-real.shape[1] // STRIPS)
            for at in range(0, real.shape[1], step):  # the upper triangle is enough: kkᵀ is symmetric
                sums[layer][at : at + step, at:].addmm_(real[:, at : at + step].T, real[:, at:])

        return hook

    done, total = 0, sum(map(len, passages))
    with asking(lm), hooked(*(module.register_forward_pre_hook(add(layer)) for layer, module in modules.items())):
        for batch in alike(passages, len, BATCH_TOKENS):
            progress(done, total, what)
            ids, mask = padded(batch, lm.device)
            with stopping_after(modules[last], lambda _, __: None):
                run(lm, ids)
            done += sum(map(len, batch))
    progress(total, total, what)
    return {layer: ((sums[layer].triu() + sums[layer].triu(1).T) / total).cpu() for layer in layers}


def _lines(content: bytes, name: str) -> list[str]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise EditViewError(
            f"The text for statistics, '{name}', isn't written in UTF-8. Save it as UTF-8 text.", str(error)
        ) from error
    return [line for line in text.splitlines() if line.strip()]


def _passages(lm: LanguageModel, lines: Sequence[str], tokens: int, progress: Progress, what: str) -> list[list[int]]:
    """The first `tokens` tokens, in passages that the model can read in one piece."""
    size = min(lm.longest, PASSAGE)
    found: list[list[int]] = []
    left = tokens
    for at in range(0, len(lines), 64):
        for ids in encode_all(lm.tokenizer, lines[at : at + 64]):
            for start in range(0, min(len(ids), left), size):
                found.append(ids[start : min(start + size, left)])
            left -= min(len(ids), left)
        progress(0, tokens, what)
        if left <= 0:
            break
    if not found:
        raise EditViewError("The text for statistics is empty. Choose a text file in the edit's card.")
    return found


def _kept_at(state: str, layer: int, content: bytes, tokens: int, dtype: torch.dtype) -> Path:
    text = hashlib.sha256(content).hexdigest()
    key = hashlib.sha256(f"{FORMAT} {state} {layer} {text} {tokens} {dtype}".encode()).hexdigest()
    return places.statistics() / f"{key[:32]}.safetensors"


def _load(path: Path) -> Tensor | None:
    """What was kept; None when nothing was, or it isn't what was written."""
    try:
        with safe_open(path, "pt") as file:
            covariance: Tensor = file.get_tensor("covariance")
            if (file.metadata() or {}).get("sha256") != _checksum(covariance):
                return None
    except (OSError, SafetensorError):
        return None
    with suppress(OSError):
        os.utime(path)
    return covariance


def _save(path: Path, covariance: Tensor) -> None:
    """Kept whole or not at all; a disk that is full costs the next run time, not this one its result."""
    with suppress(EditViewError), replacing(path) as file:
        file.write(save({"covariance": covariance.contiguous()}, {"sha256": _checksum(covariance)}))


def _checksum(covariance: Tensor) -> str:
    return weights_fingerprint({"covariance": covariance})


def _make_room() -> None:
    for path in too_many(_files(), min(MOST, half_of_the_disk(places.statistics(), _files()))):
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _files() -> Iterable[Kept]:
    for path in places.statistics().glob("*.safetensors"):
        with suppress(OSError):
            yield Kept(path, (status := path.stat()).st_size, status.st_mtime)
