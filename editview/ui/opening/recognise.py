"""What a file or folder is, judged by its content as far as its first lines tell, before anything is opened."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from enum import Enum, auto
from pathlib import Path

from editview.domain.plan import Checkpoint

_LOOKED_AT = 16_384  # bytes
_FIELDS = re.compile(rb'"(subject|subject_id|concept|requested_rewrite|target_new|neighbour_of)"\s*:')
_SUBJECTS = {b"subject", b"entity"}
"""Headings that a table of facts has."""


class Kind(Enum):
    CHECKPOINT = auto()
    ADAPTER = auto()
    SHEET = auto()  # facts
    DATA = auto()  # examples to train on
    PLAN = auto()
    UNKNOWN = auto()


def recognise(path: Path) -> Kind:
    """A name decides only where the content can't: a table may have any headings."""
    if path.is_dir():
        return Kind.ADAPTER if (path / "adapter_config.json").exists() else Kind.CHECKPOINT
    match path.suffix.lower():
        case ".toml":
            return Kind.PLAN
        case ".csv" | ".tsv":
            return Kind.SHEET
        case ".json" | ".jsonl" | ".txt":
            return Kind.SHEET if _tells_of_facts(path) else Kind.DATA
        case ".safetensors":
            return Kind.CHECKPOINT
    return Kind.UNKNOWN


def checkpoints_of(paths: Sequence[Path], base: Checkpoint | None) -> list[Checkpoint] | None:
    """The checkpoints that these paths are, in their order; None where one of them is something else.

    An adapter lies on the base that comes with it, or on `base`.
    """
    kinds = [recognise(path) for path in paths]
    if not paths or not all(kind in (Kind.CHECKPOINT, Kind.ADAPTER) for kind in kinds):
        return None
    folders = [str(path if path.is_dir() else path.parent) for path in paths]
    bases = [
        Checkpoint(source=folder) for folder, kind in zip(folders, kinds, strict=True) if kind is Kind.CHECKPOINT
    ]  # fmt: skip
    under = bases[0] if bases else base
    found: list[Checkpoint] = []
    for folder, kind in zip(folders, kinds, strict=True):
        if kind is Kind.CHECKPOINT:
            found.append(Checkpoint(source=folder))
        elif under is not None:
            found.append(under.model_copy(update={"adapter": folder}))
        else:
            return None
    return sorted(found, key=lambda one: one.adapter is not None)  # the base comes before what was made of it


def _tells_of_facts(path: Path) -> bool:
    """Whether the first records have fields of facts, or the first line is the headings of a table of facts."""
    try:
        with path.open("rb") as file:
            start = file.read(_LOOKED_AT).lstrip(b"\xef\xbb\xbf \t\r\n")
    except OSError:
        return False
    if start.startswith((b"{", b"[")):
        return _FIELDS.search(start) is not None
    headings = re.split(rb"[,;\t]", start.partition(b"\n")[0])
    return len(headings) > 1 and any(heading.strip(b' "\r').lower() in _SUBJECTS for heading in headings)


def cached_models() -> list[str]:
    """Ids of the models in the Hugging Face cache of this machine, as `owner/name`."""
    home = os.environ.get("HF_HUB_CACHE") or os.path.join(
        os.environ.get("HF_HOME") or os.path.expanduser("~/.cache/huggingface"), "hub"
    )
    try:
        names = [entry.name for entry in os.scandir(home) if entry.is_dir() and entry.name.startswith("models--")]
    except OSError:
        return []
    return sorted("/".join(name.split("--")[1:]) for name in names)
