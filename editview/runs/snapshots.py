"""Snapshots of a fine-tune under way, in the stage store: what makes an interrupted one go on.

A snapshot is an entry of the store like a stage, so it is written whole or not at all, counts in the store's limit and
notices damage. Its name is the key of the stage that it leads to, with the step it was taken after.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass

from torch import Tensor

from editview.domain.verdicts import LiveCheck
from editview.runs.store import Live, Record, StageLost, StageStore

EVERY = 60.0
"""Seconds of training between snapshots, at least."""

_AT = "-at-"


@dataclass(frozen=True, slots=True)
class Found:
    """The last snapshot of a stage: what training goes on from, and what was told up to it."""

    step: int
    state: dict[str, Tensor]
    record: Record  # seconds, losses and looks up to it
    live: tuple[LiveCheck, ...]


def step_kept(store: StageStore, key: str) -> int:
    """The step after which the last snapshot of a stage was taken; 0: there is none. Reads names alone."""
    return max(_steps(store, key), default=0)


def find(store: StageStore, key: str, sheet: str) -> Found | None:
    """The last snapshot that is intact; damaged ones are removed."""
    for step in sorted(_steps(store, key), reverse=True):
        name = f"{key}{_AT}{step}"
        record, live = store.record(name), store.live(name, sheet)
        if record is not None:
            with suppress(StageLost):
                state = store.weights(name)
                return Found(step, state, record, live.checks if live else ())
    return None


def keep(
    store: StageStore,
    key: str,
    step: int,
    state: dict[str, Tensor],
    record: Record,
    live: tuple[str, Live] | None,
    spare: Collection[str],
) -> None:
    """Keep a snapshot in the place of those before it, which stay until it is whole. As `StageStore.keep`."""
    before = _steps(store, key)
    store.keep(f"{key}{_AT}{step}", record, state, live, {*spare, *(f"{key}{_AT}{one}" for one in before)})
    for one in before:
        if one != step:
            store.discard(f"{key}{_AT}{one}")


def clear(store: StageStore, key: str) -> None:
    """Remove the snapshots of a stage that is finished, or is to be computed anew."""
    for step in _steps(store, key):
        store.discard(f"{key}{_AT}{step}")


def _steps(store: StageStore, key: str) -> list[int]:
    names = (path.name for path in store.root.glob(f"{key}{_AT}*"))
    return [int(step) for step in (name.rpartition(_AT)[2] for name in names) if step.isdecimal()]
