"""What names a file beyond doubt."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HashedFile:
    """A file that something was computed from, so that it can be told later whether it is the same."""

    name: str
    bytes: int
    sha256: str  # '': it isn't where it was
