"""What statistics are kept on disk between runs: whole or not at all, checked when read, bounded in all.

Everything kept can be computed again, so a disk that is full or a damaged file costs time and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor

from editview.domain import places
from editview.domain.errors import EditViewError
from editview.domain.files import replacing
from editview.domain.room import Kept, half_of_the_disk, too_many
from editview.lm.model import weights_fingerprint

FORMAT = 2  # raised when the way something is computed changes
MOST = 20 * 10**9  # bytes; what was used longest ago goes first
_SUFFIX = ".safetensors"


def stem(state: str, layer: int, content: str, dtype: torch.dtype) -> str:
    """How the names of all begin that is kept of one layer, in one state of the weights, over one text."""
    return hashlib.sha256(f"{FORMAT} {state} {layer} {content} {dtype}".encode()).hexdigest()[:32]


def load(name: str) -> tuple[dict[str, Tensor], dict[str, str]] | None:
    """Tensors and what is said of them; None when nothing was kept, or it isn't what was written."""
    try:
        with safe_open(_path(name), "pt") as file:
            said = dict(file.metadata() or {})
            tensors: dict[str, Tensor] = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError):
        return None
    if said.pop("sha256", None) != _checksum(tensors, said):
        return None
    with suppress(OSError):
        os.utime(_path(name))
    return tensors, said


def said_of(beginning: str) -> dict[str, dict[str, str]]:
    """By name, what is said of everything whose name begins so. Not checked yet: `load` does."""
    found = {}
    for path in places.statistics().glob(f"{beginning}*{_SUFFIX}"):
        with suppress(OSError, SafetensorError), safe_open(path, "pt") as file:
            found[path.name.removesuffix(_SUFFIX)] = dict(file.metadata() or {})
    return found


def save(name: str, tensors: Mapping[str, Tensor], said: Mapping[str, str]) -> None:
    """Keep it if the disk takes it, and let go of what was used longest ago."""
    whole = {key: tensor.contiguous() for key, tensor in tensors.items()}
    with suppress(EditViewError), replacing(_path(name)) as file:
        file.write(to_bytes(whole, {**said, "sha256": _checksum(whole, said)}))
    for path in too_many(_files(), min(MOST, half_of_the_disk(places.statistics(), _files()))):
        with suppress(OSError):
            path.unlink(missing_ok=True)


def there(name: str) -> bool:
    """Whether something is kept; `load` may still find it damaged."""
    return _path(name).exists()


def forget(name: str) -> None:
    with suppress(OSError):
        _path(name).unlink(missing_ok=True)


def _path(name: str) -> Path:
    return places.statistics() / f"{name}{_SUFFIX}"


def _checksum(tensors: dict[str, Tensor], said: Mapping[str, str]) -> str:
    whole = weights_fingerprint(tensors) + json.dumps(dict(said), sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()


def _files() -> Iterable[Kept]:
    for path in places.statistics().glob(f"*{_SUFFIX}"):
        with suppress(OSError):
            yield Kept(path, (status := path.stat()).st_size, status.st_mtime)
