"""Fingerprints of checkpoints that were opened before, so that what is known of them is found without loading weights.

A checkpoint counts as the same while its files have the sizes and times of change that they had, and what reads them
is what it was.
"""

from __future__ import annotations

import json
from contextlib import suppress
from functools import cache, lru_cache
from importlib.metadata import version
from pathlib import Path

from editview.domain import places
from editview.domain.checkpoint import CheckpointInfo, Device
from editview.domain.errors import EditViewError
from editview.domain.files import write_atomically
from editview.domain.plan import Checkpoint
from editview.lm.model import RECIPE
from editview.lm.opening import describe
from editview.lm.sources import local_folder
from editview.runs.operations import digest

Identity = str

_REMEMBERED = 200


def identity(checkpoint: Checkpoint, device: Device) -> Identity | None:
    """Names a checkpoint's files as they are now, and the number format it is loaded in; None: not on this machine.

    Raises EditViewError when it names a folder that isn't there.
    """
    files = []
    for source in filter(None, (checkpoint.source, checkpoint.adapter)):
        folder = local_folder(source)
        if folder is None:
            return None
        for path in sorted(folder.iterdir()):
            with suppress(OSError):
                status = path.stat()
                files.append([str(path.resolve()), status.st_size, status.st_mtime_ns, status.st_ctime_ns])
    return digest([files, checkpoint.dtype, checkpoint.adapter, device.id.partition(":")[0], _reader()])


@cache
def _reader() -> list[str]:
    """What a fingerprint depends on beside the files."""
    return [str(RECIPE), *map(version, ("torch", "transformers", "tokenizers", "peft"))]


def described(checkpoint: Checkpoint, device: Device) -> CheckpointInfo:
    """What `describe` says, read anew only when the files have changed. Raises EditViewError."""
    name = identity(checkpoint, device)
    return describe(checkpoint, device) if name is None else _described(name, checkpoint, device)


@lru_cache(maxsize=8)
def _described(name: Identity, checkpoint: Checkpoint, device: Device) -> CheckpointInfo:
    return describe(checkpoint, device)


class Fingerprints:
    """A small file; losing it costs opening a checkpoint once more."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or places.fingerprints()

    def of(self, checkpoint: Checkpoint, device: Device) -> str | None:
        """The fingerprint of a checkpoint that was opened before and hasn't changed since."""
        return self._known().get(identity(checkpoint, device) or "")

    def remember(self, name: Identity, fingerprint: str) -> None:
        known = self._known()
        known.pop(name, None)
        known[name] = fingerprint
        with suppress(EditViewError):
            write_atomically(self._path, json.dumps(dict(list(known.items())[-_REMEMBERED:])).encode())

    def _known(self) -> dict[str, str]:
        try:
            found = json.loads(self._path.read_text("utf-8"))
            return {str(name): str(fingerprint) for name, fingerprint in found.items()}
        except (OSError, ValueError, AttributeError):
            return {}
