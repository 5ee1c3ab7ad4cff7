"""The keys of stages: everything that decides a stage's weights, and nothing else, in one hash."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version

from editview.runs.operations import Prepared, digest

RECIPE = 1
"""Raise it when an operation computes something else than before, so that old stages aren't taken for new ones."""


def stage_keys(fingerprint: str, device: str, seed: int, operations: Sequence[Prepared]) -> tuple[str, ...]:
    """The key of the checkpoint, then one for each stage after it.

    `fingerprint` covers the checkpoint's weights with their number format, configuration and tokenizer; `device` is a
    torch device id, of which the kind counts.
    """
    libraries = [version(library).split(".")[0] for library in ("torch", "transformers")]
    keys = [digest([RECIPE, fingerprint, device.partition(":")[0], libraries])]
    for operation in operations:
        keys.append(digest([keys[-1], seed, operation.content]))
    return tuple(key[:40] for key in keys)
