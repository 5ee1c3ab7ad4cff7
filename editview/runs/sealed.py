"""Files of JSON lines that notice damage: the last line is the checksum of all lines before it.

Line by line, since one JSON text of megabytes would hold up every other thread while it is read or written.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any


class Damaged(Exception):
    """A file is missing, cut off or changed."""


def write(path: Path, items: Iterable[Any]) -> None:
    """Write each item as a line of JSON, then the seal. Not atomic: the caller renames."""
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for item in items:
            line = json.dumps(item, ensure_ascii=False).encode() + b"\n"
            digest.update(line)
            file.write(line)
        file.write(json.dumps({"sha256": digest.hexdigest()}).encode() + b"\n")


def read(path: Path) -> list[Any]:
    """The items of a sealed file; raises `Damaged`."""
    try:
        *lines, seal = path.read_bytes().splitlines(keepends=True)
        digest = hashlib.sha256()
        for line in lines:
            digest.update(line)
        if json.loads(seal) != {"sha256": digest.hexdigest()}:
            raise Damaged(f"{path}: the checksum differs")
        return [json.loads(line) for line in lines]
    except (OSError, ValueError) as error:
        raise Damaged(f"{path}: {error}") from error


def file_checksum(path: Path) -> str:
    """SHA-256 of a file's bytes; raises `Damaged` where it can't be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise Damaged(f"{path}: {error}") from error
