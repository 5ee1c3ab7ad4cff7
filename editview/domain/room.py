"""How much what is kept between starts may take on the disk, and what goes first when it takes more."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Kept:
    """A file or folder that can be made again."""

    path: Path
    bytes: int
    used: float  # when, last


def too_many(kept: Iterable[Kept], limit: int, spare: Collection[str] = ()) -> Iterator[Path]:
    """The least recently used, as many as must go for the rest to take at most `limit` bytes; none named in `spare`."""
    oldest_first = sorted(kept, key=lambda one: one.used)
    over = sum(one.bytes for one in oldest_first) - limit
    for one in oldest_first:
        if over <= 0:
            return
        if one.path.name not in spare:
            yield one.path
            over -= one.bytes


def half_of_the_disk(folder: Path, kept: Iterable[Kept]) -> int:
    """Bytes that a folder may take so that as much stays free on its disk."""
    return (sum(one.bytes for one in kept) + free(folder)) // 2


def free(folder: Path) -> int:
    """Bytes that are free on the disk that a folder lies on, or will."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.is_dir())
    return shutil.disk_usage(there).free
