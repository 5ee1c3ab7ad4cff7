"""What a checkpoint folder holds, read from headers alone, and refused where it isn't whole."""

from __future__ import annotations

import json
import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from editview.domain.errors import EditViewError
from editview.lm.sources import PICKLES

Kind = TypeVar("Kind", str, list[Any], dict[str, Any])

LARGEST_HEADER = 100_000_000  # bytes, the format's own limit
FORMATS = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "I8": "int8", "U8": "uint8"}
TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "spiece.model", "*.tiktoken")


@dataclass(frozen=True)
class Header:
    """The tensors of a checkpoint's files by name: format and shape."""

    tensors: dict[str, tuple[str, tuple[int, ...]]]
    places: dict[str, tuple[Path, int]]  # the file that each lies in, and the byte there at which it begins
    bytes: int

    @property
    def dtype(self) -> str:
        """The number format that most of the weights are in."""
        sizes: dict[str, int] = {}
        for kind, shape in self.tensors.values():
            sizes[kind] = sizes.get(kind, 0) + math.prod(shape)
        most = max(sizes, key=lambda kind: sizes[kind]) if sizes else "F32"
        return FORMATS.get(most, most.lower())


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file; EditViewError when it isn't one."""
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise EditViewError(
            f"'{path}' can't be read. The checkpoint is damaged; fetch it again.", str(error)
        ) from error
    if not isinstance(content, dict):
        raise _damaged(path, f"It holds no object: {content!r:.200}")
    return content


def member(path: Path, content: dict[str, Any], name: str, kind: type[Kind], of: type = object) -> Kind:
    """What the JSON object read from `path` has under a name, empty where there is nothing.

    Raises EditViewError for another kind. `of` is the kind of each entry of a list or values of an object.
    """
    value = kind() if content.get(name) is None else content[name]
    entries = value.values() if isinstance(value, dict) else value
    if not isinstance(value, kind) or not all(isinstance(entry, of) for entry in entries):
        raise _damaged(path, f"{name}: {value!r:.200}")
    return value


def _damaged(path: Path, details: str) -> EditViewError:
    return EditViewError(f"'{path}' doesn't hold what it should. The checkpoint is damaged; fetch it again.", details)


def read_header(folder: Path, stem: str, allow_pickle: bool) -> Header | None:
    """The tensors in `stem`.safetensors or its shards; None for pickled weights that were allowed.

    Raises EditViewError when weights or a shard are missing, a file is cut off, or there are only pickles.
    """
    index = folder / f"{stem}.safetensors.index.json"
    if index.is_file():
        shards = sorted(set(member(index, read_json(index), "weight_map", dict, of=str).values()))
        missing = [name for name in shards if not _inside(folder, name).is_file()]
        if missing or not shards:
            raise EditViewError(
                f"The checkpoint in '{folder}' isn't whole: {len(missing)} of its {len(shards)} weight files are "
                "missing. Fetch it again.",
                "\n".join(missing),
            )
        return _joined([_read(_inside(folder, name)) for name in shards])
    single = folder / f"{stem}.safetensors"
    if single.is_file():
        return _read(single)
    if any(path.suffix in PICKLES for path in folder.iterdir()):
        if allow_pickle:
            return None
        raise EditViewError(
            f"'{folder}' has its weights as pickle files only, and those can run code when they are read. Choose a "
            "checkpoint with safetensors, or allow pickled weights for this one if you trust where it comes from."
        )
    raise EditViewError(f"'{folder}' holds no weights: there is no {stem}.safetensors in it. Choose another folder.")


def check_tokenizer_files(folder: Path) -> None:
    if not any(next(folder.glob(pattern), None) for pattern in TOKENIZER_FILES):
        raise EditViewError(
            f"'{folder}' holds no tokenizer, so text can't be turned into what the model reads. Copy the tokenizer "
            "files of the model it was made from into the folder."
        )


def _inside(folder: Path, name: str) -> Path:
    if Path(name).name != name:
        raise EditViewError(f"The list of weight files in '{folder}' names '{name}', which lies outside the folder.")
    return folder / name


def _read(path: Path) -> Header:
    """One file's header, checked against the file's size."""
    size = path.stat().st_size
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if length > min(size - 8, LARGEST_HEADER):
                raise ValueError(f"a header of {length} bytes in a file of {size}")
            entries = json.loads(file.read(length))
        entries.pop("__metadata__", None)
        tensors = {name: (entry["dtype"], tuple(entry["shape"])) for name, entry in entries.items()}
        for name, (kind, shape) in tensors.items():
            if not isinstance(kind, str) or not all(isinstance(part, int) for part in shape):
                raise TypeError(f"{name} is of the format {kind!r} and the shape {shape!r}")
        end = max((entry["data_offsets"][1] for entry in entries.values()), default=0)
        if 8 + length + end != size:
            raise ValueError(f"{8 + length + end} bytes announced, {size} there")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, struct.error) as error:
        raise EditViewError(
            f"The weights in '{path}' are cut off or damaged, so nothing was loaded. Fetch the file again.", str(error)
        ) from error
    places = {name: (path, 8 + length + entry["data_offsets"][0]) for name, entry in entries.items()}
    return Header(tensors, places, end)


def _joined(headers: list[Header]) -> Header:
    tensors: dict[str, tuple[str, tuple[int, ...]]] = {}
    places: dict[str, tuple[Path, int]] = {}
    for header in headers:
        tensors |= header.tensors
        places |= header.places
    return Header(tensors, places, sum(header.bytes for header in headers))
