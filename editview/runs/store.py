"""The stage store: what was computed once is never computed again.

A stage lies in a folder named by its key: `weights.safetensors` (the tensors that differ from the checkpoint, whole),
`record.jsonl`, and for each fact sheet `checks-….jsonl` and `live-….jsonl`. Folders and files appear by renaming, so
another process, or a start after a kill, sees whole ones or none. No lock is needed: whoever finds a stage gone or
damaged computes it again.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Collection, Iterable
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import TypeAdapter
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from editview.domain.errors import EditViewError
from editview.domain.plan import Every
from editview.domain.room import Kept, half_of_the_disk, too_many
from editview.domain.sentences import amount
from editview.domain.validation import Validation
from editview.domain.verdicts import Check, LiveCheck
from editview.domain.weights import TensorChange
from editview.runs import sealed
from editview.runs.processes import is_alive, mark

_MOST = 200 * 10**9
"""Bytes that the store takes at most, however large the disk is, unless the environment says more."""

_WEIGHTS, _RECORD = "weights.safetensors", "record.jsonl"
_TEMPORARY = "tmp-"


@dataclass(frozen=True, slots=True)
class Loss:
    step: int
    loss: float
    learning_rate: float


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of a stage beside its weights."""

    changes: tuple[TensorChange, ...] = ()
    seconds: float = 0.0
    losses: tuple[Loss, ...] = ()
    notes: tuple[str, ...] = ()  # what is worth saying of it
    trained: tuple[str, ...] = ()  # tensors that a fine-tune was to change
    validations: tuple[Validation, ...] = ()
    kept_step: int | None = None  # whose weights were kept, where training went on after it


@dataclass(frozen=True, slots=True)
class Asked:
    """The facts of one sheet asked at a stage."""

    checks: tuple[Check, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Live:
    """The facts of one sheet asked during the training that made a stage, as often as the plan had it."""

    checks: tuple[LiveCheck, ...]
    every: Every


class NotKept(EditViewError):
    """A stage couldn't be written; the run goes on with what it has in memory."""


class StageLost(EditViewError):
    """The weights of a stage are gone or damaged."""

    def __init__(self, details: str) -> None:
        super().__init__(
            "The stored weights of a stage are gone or damaged. Run the plan again: they are computed anew.", details
        )


class StageStore:
    """Stages under `root`, taking at most `limit` bytes; the least recently used go first.

    Without a limit, the one in `EDITVIEW_STORE_GB` holds; without that, what is there may grow until it takes as much
    as it leaves free on its disk. Raises EditViewError when the variable holds no such number.
    """

    def __init__(self, root: Path, limit: int | None = None) -> None:
        self.root = root
        wished = _wished() if limit is None else limit
        self.limit = min(_MOST, half_of_the_disk(root, self._stages())) if wished is None else wished

    # ---- reading ---------------------------------------------------------------------------------------------

    def record(self, key: str) -> Record | None:
        """What is known of a stage; None: it isn't kept. A damaged entry is removed."""
        folder = self.root / key
        if not folder.is_dir():
            return None
        try:
            head, *rest = sealed.read(folder / _RECORD)
            if (folder / _WEIGHTS).stat().st_size != head["bytes"]:
                raise sealed.Damaged(f"{folder / _WEIGHTS}: the size differs")
            changes = [item["change"] for item in rest if "change" in item]
            losses = [item["loss"] for item in rest if "loss" in item]
            looks = _validations([item["validation"] for item in rest if "validation" in item])
            notes, trained = tuple(head["notes"]), tuple(head["trained"])
            known = (_changes(changes), head["seconds"], _losses(losses), notes, trained)
            record = Record(*known, looks, head["kept_step"])
        except (sealed.Damaged, OSError, ValueError, LookupError):
            self.discard(key)
            return None
        with suppress(OSError):
            os.utime(folder / _RECORD)
        return record

    def is_intact(self, key: str) -> bool:
        """Whether the weights are what was written, byte by byte. A damaged entry is removed."""
        try:
            (head, *_) = sealed.read(self.root / key / _RECORD)
            if sealed.file_checksum(self.root / key / _WEIGHTS) == head["sha256"]:
                return True
        except (sealed.Damaged, ValueError, LookupError):
            pass
        self.discard(key)
        return False

    def weights(self, key: str) -> dict[str, torch.Tensor]:
        """The tensors that differ from the checkpoint, on the CPU, by name; raises `StageLost`."""
        if not self.is_intact(key):
            raise StageLost(f"{self.root / key}: gone, or the checksum differs")
        try:
            return load_file(self.root / key / _WEIGHTS)
        except (OSError, SafetensorError) as error:
            raise StageLost(str(error)) from error

    def asked(self, key: str, sheet: str) -> Asked | None:
        """The checks of the sheet with this content hash; None: it wasn't asked at this stage."""
        items = self._of_sheet(key, "checks", sheet)
        if items is None:
            return None
        head, *checks = items
        return Asked(_checks(checks), head["seconds"])

    def has_asked(self, key: str, sheet: str) -> bool:
        """Whether a sheet's checks are there; `asked` may still find them damaged."""
        return (self.root / key / _name("checks", sheet)).exists()

    def live(self, key: str, sheet: str) -> Live | None:
        items = self._of_sheet(key, "live", sheet)
        if items is None:
            return None
        head, *checks = items
        return Live(_live_checks(checks), head["every"])

    def _of_sheet(self, key: str, what: str, sheet: str) -> list[Any] | None:
        path = self.root / key / _name(what, sheet)
        try:
            return sealed.read(path) if path.exists() else None
        except sealed.Damaged:
            path.unlink(missing_ok=True)
            return None

    # ---- writing ---------------------------------------------------------------------------------------------

    def keep(
        self,
        key: str,
        record: Record,
        weights: dict[str, torch.Tensor],
        live: tuple[str, Live] | None = None,
        spare: Collection[str] = (),
    ) -> None:
        """Keep a stage; `live` comes with the content hash of its sheet. Raises `NotKept`, leaving no trace.

        To make room others go, but for those to `spare`, even where that leaves more than the limit.
        """
        with self._not_kept(), self._temporary() as folder:
            folder.mkdir()
            save_file(weights, folder / _WEIGHTS)
            size = (folder / _WEIGHTS).stat().st_size
            if size > self.limit:
                raise NotKept(
                    f"A stage takes {amount(size)}, more than the {amount(self.limit)} that stored stages may take; "
                    "it will be computed again when it is needed."
                )
            head = {
                "bytes": size, "sha256": sealed.file_checksum(folder / _WEIGHTS), "seconds": record.seconds,
                "notes": record.notes, "trained": record.trained, "kept_step": record.kept_step,
            }  # fmt: skip
            changes = ({"change": asdict(change)} for change in record.changes)
            losses = ({"loss": asdict(loss)} for loss in record.losses)
            looks = ({"validation": asdict(look)} for look in record.validations)
            sealed.write(folder / _RECORD, [head, *changes, *losses, *looks])
            if live is not None:
                sheet, what = live
                sealed.write(folder / _name("live", sheet), [{"every": what.every}, *map(asdict, what.checks)])
            try:
                folder.rename(self.root / key)
            except OSError:
                if not (self.root / key / _RECORD).exists():
                    raise
                # another process kept the same stage meanwhile
        self._evict({key, *spare})

    def keep_asked(self, key: str, sheet: str, asked: Asked) -> None:
        """Keep a sheet's checks beside their stage. Raises `NotKept`; nothing happens where the stage isn't kept."""
        if not (self.root / key).is_dir():
            return
        with self._not_kept(), self._temporary() as path:
            sealed.write(path, [{"seconds": asked.seconds}, *map(asdict, asked.checks)])
            with suppress(FileNotFoundError):  # evicted meanwhile
                path.replace(self.root / key / _name("checks", sheet))

    def discard(self, key: str) -> None:
        """Remove a stage in one move, whoever else reads the store."""
        with suppress(OSError), self._temporary() as folder:
            (self.root / key).rename(folder)

    def _evict(self, spare: Collection[str]) -> None:
        for folder in too_many(self._stages(), self.limit, spare):
            self.discard(folder.name)

    def _stages(self) -> Iterable[Kept]:
        for folder in self.root.iterdir() if self.root.is_dir() else ():
            if not folder.name.startswith(_TEMPORARY) and folder.is_dir():
                with suppress(OSError):
                    size = sum(file.stat().st_size for file in folder.iterdir())
                    yield Kept(folder, size, (folder / _RECORD).stat().st_mtime)

    @contextmanager
    def _temporary(self) -> Any:
        """A path that nobody else uses and that is gone afterwards, unless it was renamed."""
        self.root.mkdir(parents=True, exist_ok=True)
        path = self.root / f"{_TEMPORARY}{mark()}-{uuid.uuid4().hex[:8]}"
        try:
            yield path
        finally:
            _remove(path)

    @contextmanager
    def _not_kept(self) -> Any:
        try:
            yield
        except (OSError, SafetensorError) as error:
            raise NotKept(
                "A stage couldn't be kept: the disk is full or can't be written. The run goes on, but this stage will "
                f"be computed again when it is needed. Make room where EditView keeps its stages ({self.root}).",
                str(error),
            ) from error

    def clear_leftovers(self) -> int:
        """Remove what processes that are gone were still writing; returns how many pieces."""
        if not self.root.is_dir():
            return 0
        leftovers = [
            path
            for path in self.root.iterdir()
            if path.name.startswith(_TEMPORARY) and not is_alive(path.name.removeprefix(_TEMPORARY).rsplit("-", 1)[0])
        ]
        for path in leftovers:
            _remove(path)
        return len(leftovers)


def _name(what: str, sheet: str) -> str:
    return f"{what}-{sheet[:32]}.jsonl"


def _wished() -> int | None:
    """The limit that the environment sets, in bytes."""
    wished = os.environ.get("EDITVIEW_STORE_GB")
    if not wished:
        return None
    try:
        if not float(wished) >= 0:
            raise ValueError(wished)
        return int(float(wished) * 10**9)
    except (ValueError, OverflowError) as error:
        raise EditViewError(
            "EDITVIEW_STORE_GB says how many gigabytes stored stages may take at most, so it must be a number, and "
            f"'{wished}' is none. Change it, or take it away."
        ) from error


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink(missing_ok=True)


_changes: Callable[[Any], tuple[TensorChange, ...]] = TypeAdapter(tuple[TensorChange, ...]).validate_python
_losses: Callable[[Any], tuple[Loss, ...]] = TypeAdapter(tuple[Loss, ...]).validate_python
_validations: Callable[[Any], tuple[Validation, ...]] = TypeAdapter(tuple[Validation, ...]).validate_python
_checks: Callable[[Any], tuple[Check, ...]] = TypeAdapter(tuple[Check, ...]).validate_python
_live_checks: Callable[[Any], tuple[LiveCheck, ...]] = TypeAdapter(tuple[LiveCheck, ...]).validate_python
