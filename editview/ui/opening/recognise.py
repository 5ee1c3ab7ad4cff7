"""What a file or folder is, judged by its content as far as its first lines tell, before anything is opened."""

from __future__ import annotations

import os
import re
from enum import Enum, auto
from pathlib import Path

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
