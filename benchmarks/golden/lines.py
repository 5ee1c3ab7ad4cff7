"""What a comparison prints, and reading what it is made from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor


class NotComparable(Exception):
    """A folder that can't be compared; the text says why."""


@dataclass(frozen=True)
class Line:
    """One quantity held against its golden number."""

    case: str
    quantity: str
    of: str
    distance: float
    tolerance: float | None  # None: told as information
    note: str = ""

    @property
    def fits(self) -> bool:
        return self.tolerance is None or self.distance <= self.tolerance  # what is no number doesn't

    def __str__(self) -> str:
        mark = "ok" if self.fits else "TOO FAR"
        judged = "" if self.tolerance is None else f"  (at most {self.tolerance:.0e})  {mark}"
        note = f"  [{self.note}]" if self.note else ""
        return f"{self.case}  {self.quantity:15} {self.of:26} {self.distance:.1e}{judged}{note}"


def distance(ours: Tensor, theirs: Tensor) -> float:
    """‖ours - theirs‖ / ‖theirs‖ (Frobenius); infinite when they aren't of one shape."""
    mine, golden = ours.detach().cpu().double(), theirs.double()
    if mine.shape != golden.shape:
        return torch.inf
    size = float(golden.norm())
    return float((mine - golden).norm()) / (size or 1.0)


def followed(path: Path) -> Path:
    """The file or folder meant; where links were unpacked as small text files, their text says where."""
    if not path.is_symlink() and path.is_file() and path.stat().st_size < 512:
        try:
            target = path.parent / path.read_text("utf-8").strip()
            if target.exists():
                return followed(target)
        except (UnicodeDecodeError, OSError, ValueError):
            pass
    return path.resolve()


def read(path: Path) -> Any:
    try:
        return json.loads(followed(path).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise NotComparable(f"{path} can't be read: {error}") from error


def tensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(followed(path))
    except Exception as error:
        raise NotComparable(f"{path} can't be read: {error}") from error


def tensors_if_there(path: Path) -> dict[str, Tensor]:
    return tensors(path) if path.exists() else {}
