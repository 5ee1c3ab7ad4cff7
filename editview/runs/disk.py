"""Counts what EditView keeps on this machine, and clears one kind of it, unless a run needs that now."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from psutil import pid_exists

from editview.domain import places
from editview.domain.disk import Kind, Use
from editview.domain.errors import EditViewError
from editview.domain.files import clear_folders
from editview.runs.history import History
from editview.runs.journal import under_way

_FOLDERS = {Kind.STAGES: places.stages, Kind.STATISTICS: places.statistics}


def uses() -> tuple[Use, ...]:
    """Every kind, in the order in which they are shown."""
    return tuple(Use(kind, sum(map(_size, _files(kind))), str(_place(kind)), _needed(kind)) for kind in Kind)


def clear(kind: Kind) -> None:
    """Raises EditViewError when a run needs it, or it can't be removed."""
    if needed := _needed(kind):
        raise EditViewError(needed)
    try:
        if kind in _FOLDERS:
            _clear_folder(_FOLDERS[kind]())
        elif kind is Kind.RUNS:
            History().clear()
        else:
            for path in _files(kind):
                if kind is Kind.LOGS:
                    os.truncate(path, 0)  # this process goes on writing to it
                else:
                    path.unlink(missing_ok=True)
    except OSError as error:
        raise EditViewError(
            f"Not all of it could be removed: {(error.strerror or str(error)).lower()}. What is left is still counted.",
            str(error),
        ) from error


def _needed(kind: Kind) -> str:
    running = under_way(places.stages()) if kind in _FOLDERS else []
    return f"*{running[0]}* is being run and needs it. Stop the run, or wait until it has ended." if running else ""


def _place(kind: Kind) -> Path:
    return {
        Kind.STAGES: places.stages(),
        Kind.STATISTICS: places.statistics(),
        Kind.LEARNT: places.caches(),
        Kind.RUNS: places.runs(),
        Kind.SETTINGS: places.window_settings(),
        Kind.LOGS: places.logs(),
    }[kind]


def _files(kind: Kind) -> Iterable[Path]:
    if kind is Kind.RUNS:
        return History().files()
    if kind is Kind.LEARNT:
        return (places.timings(), places.measured(), places.fingerprints())
    place = _place(kind)
    return _within(place) if place.is_dir() else [place] if place.exists() else []


def _within(folder: Path) -> Iterator[Path]:
    for path, _, names in os.walk(folder):
        yield from (Path(path) / name for name in names)


def _size(path: Path) -> int:
    with suppress(OSError):  # gone meanwhile
        return path.stat().st_size
    return 0


def _clear_folder(folder: Path) -> None:
    """In one move, so that whoever uses the folder sees all of it or nothing; what an earlier try left goes too."""
    clear_folders(folder, pid_exists)
    if folder.is_dir():
        aside = folder.with_name(f".{folder.name}.{os.getpid()}-{uuid.uuid4().hex[:8]}.part")
        folder.rename(aside)
        shutil.rmtree(aside)
