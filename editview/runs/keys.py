"""The keys of stages: everything that decides a stage's weights, and nothing else, in one hash."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from importlib.metadata import version

from editview.runs.operations import Prepared, PreparedEdit, digest

RECIPE = 4
"""Raise it when an operation computes something else than before, so that old stages aren't taken for new ones."""

_CHECKPOINT = 20  # signs that the keys of a checkpoint's stages have in common


def stage_keys(fingerprint: str, device: str, seed: int, operations: Sequence[Prepared]) -> tuple[str, ...]:
    """The key of the checkpoint, then one for each stage after it.

    `fingerprint` covers the checkpoint's weights with their number format, configuration and tokenizer; `device` is a
    torch device id, of which the kind counts.
    """
    return tuple(key for key, _ in _keys(fingerprint, device, seed, operations))


def full_keys(fingerprint: str, device: str, seed: int, operations: Sequence[Prepared]) -> tuple[str, ...]:
    """The same, with each stage's own edit at full strength: what the stage is scaled from. Mostly the stage itself."""
    return tuple(full for _, full in _keys(fingerprint, device, seed, operations))


def _keys(fingerprint: str, device: str, seed: int, operations: Sequence[Prepared]) -> Iterator[tuple[str, str]]:
    root = last = digest([RECIPE, fingerprint, device.partition(":")[0], _libraries()])

    def short(key: str) -> str:
        return root[:_CHECKPOINT] + key[_CHECKPOINT:40]

    yield short(root), short(root)
    for operation in operations:
        full = operation.full if isinstance(operation, PreparedEdit) else operation
        before, last = last, digest([last, seed, operation.content])
        yield short(last), short(digest([before, seed, full.content]))


def same_checkpoint(key: str, other: str) -> bool:
    """Whether two stages began from the same checkpoint."""
    return key[:_CHECKPOINT] == other[:_CHECKPOINT]


@cache
def _libraries() -> list[str]:
    """What computes, up to the versions that may compute something else."""
    return [".".join(version(library).split(".")[:2]) for library in ("torch", "transformers", "peft")]
