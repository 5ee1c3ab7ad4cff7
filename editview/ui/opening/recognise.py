"""What a file or folder is, judged by its name and its first lines, before anything is opened."""

from __future__ import annotations

import os
from enum import Enum, auto
from pathlib import Path


class Kind(Enum):
    CHECKPOINT = auto()
    ADAPTER = auto()
    SHEET = auto()  # JSON facts
    TABLE = auto()  # CSV facts, whose columns have to be named
    DATA = auto()  # examples to train on
    PLAN = auto()
    UNKNOWN = auto()


def is_table(source: str) -> bool:
    return source.lower().endswith((".csv", ".tsv"))


def recognise(path: Path) -> Kind:
    if path.is_dir():
        return Kind.ADAPTER if (path / "adapter_config.json").exists() else Kind.CHECKPOINT
    if is_table(path.name):
        return Kind.TABLE
    match path.suffix.lower():
        case ".toml":
            return Kind.PLAN
        case ".json" | ".jsonl":
            return Kind.SHEET if _tells_of_subjects(path) else Kind.DATA
        case ".txt":
            return Kind.DATA
        case ".safetensors":
            return Kind.CHECKPOINT
    return Kind.UNKNOWN


def _tells_of_subjects(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return b'"subject"' in file.read(16_384)
    except OSError:
        return False


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
