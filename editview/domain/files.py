"""Writing files whole or not at all: what was there stays until the new content is safely on the disk."""

from __future__ import annotations

import errno
import os
import re
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from editview.domain.errors import EditViewError

_PART = ".part"
_NOT_IN_NAMES = r'[<>:"/\\|?*\x00-\x1f]+'  # on one system or another


def file_name(title: str, otherwise: str) -> str:
    """A title as the name of a file on any system, without a suffix; `otherwise` where nothing of it is left."""
    return re.sub(_NOT_IN_NAMES, "", title).strip(" .") or otherwise


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write into that takes the place of `path` at the end, unless an error comes first.

    Makes the folder when it is missing. Raises EditViewError when the disk is full or the place can't be written.
    """
    part: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.{os.getpid()}-", suffix=_PART, dir=path.parent)
        part = Path(name)
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError as error:
        raise not_written(path, error) from error
    finally:
        if part is not None:
            with suppress(OSError):
                part.unlink(missing_ok=True)


def write_atomically(path: Path, content: bytes) -> None:
    """Raises EditViewError when the disk is full or the place can't be written; `path` is then as it was."""
    with replacing(path) as file:
        file.write(content)


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """A folder to write into, beside `path`, that takes its place at the end, unless an error comes first.

    What stood at `path` is removed after the new folder has taken its place. Raises EditViewError when the disk is full
    or the place can't be written; then, and after any other error, nothing is left of what was written.
    """
    part: Path | None = None
    missing = [folder for folder in path.parents if not folder.exists()]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.parent / f".{path.name}.{os.getpid()}-{uuid.uuid4().hex[:8]}{_PART}"
        part.mkdir()
        yield part
        readable = part.stat().st_mode & 0o666  # libraries make files that their owner alone can read
        for written in (*part.rglob("*"), part):
            if written.is_file():
                written.chmod(readable)
            _onto_the_disk(written)
        old = part.with_suffix(".replaced")
        if path.exists():
            path.rename(old)
        try:
            part.rename(path)
        except BaseException:
            if old.exists():
                old.rename(path)
            raise
        with suppress(OSError):  # it is in its place, whatever happens now
            _onto_the_disk(path.parent)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise not_written(path, error) from error
    finally:
        if part is not None:
            shutil.rmtree(part, ignore_errors=True)
        for folder in missing if not path.exists() else ():
            with suppress(OSError):
                folder.rmdir()


def clear_folders(path: Path, lives: Callable[[int], bool]) -> None:
    """Remove what processes that live no more have left of `replacing_folder(path)`."""
    begins = f".{path.name}."
    for part in path.parent.glob(f".*{_PART}"):
        process = part.name.removeprefix(begins).partition("-")[0]
        if part.name.startswith(begins) and process.isdecimal() and part.is_dir() and not lives(int(process)):
            shutil.rmtree(part, ignore_errors=True)


def _onto_the_disk(path: Path) -> None:
    if os.name == "nt" and path.is_dir():
        return  # Windows opens no folders
    handle = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def clear_parts(folder: Path, lives: Callable[[int], bool]) -> int:
    """Remove what was half written in a folder by processes that live no more; returns how many files."""
    left = 0
    for part in folder.glob(f".*{_PART}"):
        process = part.name.removesuffix(_PART).rpartition(".")[2].partition("-")[0]
        if not (process.isdecimal() and lives(int(process))):
            with suppress(OSError):
                part.unlink()
                left += 1
    return left


def try_place(path: Path) -> None:
    """Raises EditViewError when no file can be written there, before anything long begins."""
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        path.parent.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=path.parent).close()
    except OSError as error:
        raise not_written(path, error) from error


def not_written(path: Path, error: OSError) -> EditViewError:
    """What to say of a file that couldn't be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        reason = "the disk is full. Make room or choose another place, and try again."
    elif isinstance(error, PermissionError):
        reason = "this place may not be written to. Choose another."
    else:
        reason = f"{(error.strerror or str(error)).lower()}. Choose another place or name."
    return EditViewError(f"'{path}' couldn't be saved: {reason} Nothing was changed.", str(error))
