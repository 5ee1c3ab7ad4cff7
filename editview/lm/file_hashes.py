"""What names a checkpoint's files beyond doubt: sha256 of its weights and settings, for reports."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from editview.domain.errors import EditViewError
from editview.domain.plan import Checkpoint
from editview.domain.progress import Progress
from editview.domain.two_checkpoints import HashedFile
from editview.lm.sources import local_folder

_KINDS = (".safetensors", ".json")
_PIECE = 2**23  # bytes read at once


def hashed(checkpoints: Iterable[Checkpoint], progress: Progress) -> tuple[tuple[HashedFile, ...], ...]:
    """The files of each checkpoint, and of its adapter; none where it isn't any more. `progress` counts bytes.

    Raises OSError and what `progress` raises.
    """
    found = [list(_files(checkpoint)) for checkpoint in checkpoints]
    total, done = sum(path.stat().st_size for files in found for _, path in files), 0
    hashes = []
    for files in found:
        mine = []
        for name, path in files:
            digest, size = hashlib.sha256(), 0
            with path.open("rb", buffering=0) as file:
                while piece := file.read(_PIECE):
                    digest.update(piece)
                    size += len(piece)
                    progress(done + size, total, "Hashing the files")
            mine.append(HashedFile(name, size, digest.hexdigest()))
            done += size
        hashes.append(tuple(mine))
    return tuple(hashes)


def _files(checkpoint: Checkpoint) -> Iterator[tuple[str, Path]]:
    for source, before in ((checkpoint.source, ""), (checkpoint.adapter, "adapter/")):
        folder = None
        with suppress(EditViewError):
            folder = local_folder(source) if source else None
        for path in sorted(folder.iterdir()) if folder else ():
            if path.suffix in _KINDS and path.is_file():
                yield before + path.name, path
