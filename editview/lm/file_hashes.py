"""What names files beyond doubt: sha256 of a checkpoint's weights and settings and of training data, for reports."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from editview.domain.errors import EditViewError
from editview.domain.hashed_file import HashedFile
from editview.domain.plan import Checkpoint
from editview.domain.progress import Progress
from editview.lm.sources import local_folder

_KINDS = (".safetensors", ".json")
_PIECE = 2**23  # bytes read at once

Named = tuple[str, Path]
"""What a file is to be called, and where it is."""


def hashed(checkpoints: Iterable[Checkpoint], progress: Progress) -> tuple[tuple[HashedFile, ...], ...]:
    """The files of each checkpoint, and of its adapter; none where it isn't any more. `progress` counts bytes.

    Raises OSError and what `progress` raises.
    """
    return hashed_files([list(checkpoint_files(checkpoint)) for checkpoint in checkpoints], progress)


def hashed_files(groups: Sequence[Sequence[Named]], progress: Progress) -> tuple[tuple[HashedFile, ...], ...]:
    """As `hashed`, for any files that are there."""
    total, done = sum(path.stat().st_size for files in groups for _, path in files), 0
    hashes = []
    for files in groups:
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


def checkpoint_files(checkpoint: Checkpoint) -> Iterator[Named]:
    """Those of a checkpoint that decide what it says."""
    for source, before in ((checkpoint.source, ""), (checkpoint.adapter, "adapter/")):
        folder = None
        with suppress(EditViewError):
            folder = local_folder(source) if source else None
        for path in sorted(folder.iterdir()) if folder else ():
            if path.suffix in _KINDS and path.is_file():
                yield before + path.name, path
