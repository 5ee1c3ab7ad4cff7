"""The runs so far, in one SQLite file that several processes read and write at once.

A run is a row, its sheet (kept once for all runs on it) and what it told, in pieces that only ever come on top: a kill
costs the last few seconds. What was found of checkpoints is a row and one piece. Deleted rows stay for a month, so that
they can be brought back. A damaged file is put aside under another name and a new one begun; one of a newer version is
left alone.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from editview.domain import places
from editview.domain.errors import EditViewError
from editview.domain.events import RunsListed
from editview.domain.history import EntryKind, RunEntry
from editview.domain.session import RunState
from editview.runs.processes import is_alive, mark

T = TypeVar("T")

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE sheets (hash TEXT PRIMARY KEY, content BLOB NOT NULL)""",
        """CREATE TABLE runs (
            id TEXT PRIMARY KEY, began REAL NOT NULL, ended REAL, state TEXT NOT NULL, plan TEXT NOT NULL,
            checkpoint TEXT NOT NULL, steps TEXT NOT NULL, stage TEXT NOT NULL DEFAULT '',
            sentence TEXT NOT NULL DEFAULT '', failure TEXT NOT NULL DEFAULT '', note TEXT NOT NULL DEFAULT '',
            door TEXT NOT NULL, process TEXT NOT NULL, deleted REAL,
            whole_plan TEXT NOT NULL, files TEXT NOT NULL, sheet TEXT NOT NULL REFERENCES sheets (hash)
        )""",
        """CREATE TABLE pieces (
            run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE, number INTEGER NOT NULL, content BLOB NOT NULL,
            PRIMARY KEY (run, number)
        )""",
        """CREATE INDEX runs_by_time ON runs (began)""",
    ),
    (
        """ALTER TABLE runs RENAME COLUMN plan TO name""",
        """ALTER TABLE runs ADD COLUMN kind TEXT NOT NULL DEFAULT 'run'""",
    ),
)
"""The statements that lead from one version of the file to the next. Never change one: add another."""

_OURS = 0x45645677  # application_id: 'EdVw'
_PATIENCE = 10.0  # seconds to wait for another process
_STAYS = 30 * 24 * 3600.0  # seconds that a deleted run can be brought back
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_FIELDS = tuple(field.name for field in fields(RunEntry))
_LISTED = ", ".join((*_FIELDS, "process"))  # columns are called as the fields are


class _Foreign(sqlite3.DatabaseError):
    """A database, but none of ours."""


@dataclass(frozen=True, slots=True)
class NewRun:
    """What is known of a run when it begins; `whole_plan`, `files`, `sheet` and `start` as `told` and `named` say.

    Of findings `start` is all of them (`findings.py`); they have no plan, and a sheet without facts.
    """

    id: str
    name: str
    checkpoint: str
    steps: str
    door: str
    whole_plan: str
    files: str
    sheet_hash: str
    sheet: bytes
    start: bytes
    kind: EntryKind = EntryKind.RUN


@dataclass(frozen=True, slots=True)
class Kept:
    """All that is kept of a run."""

    entry: RunEntry
    whole_plan: str
    files: str
    sheet_hash: str
    sheet: bytes
    pieces: tuple[bytes, ...]


class History:
    """Each call opens the file anew, so any thread may call. Raises EditViewError when the file can't be used now."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or places.runs()
        self.remark = ""  # what happened to the file, until it is told

    # ---- a run that goes on ----------------------------------------------------------------------------------

    def begin(self, run: NewRun) -> None:
        self._do(lambda file: _add(file, run))

    def go_on(self, run: str, piece: bytes, state: RunState, stage: str, sentence: str, failure: str = "") -> None:
        """Add what a run told since the last time, and how it stands. Nothing happens to a run that was cleared."""
        ended = None if state is RunState.RUNNING else time.time()

        def work(file: sqlite3.Connection) -> None:
            file.execute(
                "UPDATE runs SET state = ?, ended = ?, stage = ?, sentence = ?, failure = ? WHERE id = ?",
                (state, ended, stage, sentence, failure, run),
            )
            file.execute(
                "INSERT INTO pieces SELECT id, (SELECT max(number) + 1 FROM pieces WHERE run = id), ? FROM runs"
                " WHERE id = ?",
                (piece, run),
            )

        self._do(work)

    # ---- findings --------------------------------------------------------------------------------------------

    def keep(self, found: NewRun, sentence: str) -> None:
        """Add what was found; where a part of it is there already, the whole takes its place and the note stays."""

        def work(file: sqlite3.Connection) -> None:
            if not file.execute("SELECT count(*) FROM runs WHERE id = ?", (found.id,)).fetchone()[0]:
                _add(file, found)
            file.execute("UPDATE pieces SET content = ? WHERE run = ?", (found.start, found.id))
            file.execute(
                "UPDATE runs SET state = ?, ended = ?, sentence = ? WHERE id = ?",
                (RunState.FINISHED, time.time(), sentence, found.id),
            )

        self._do(work)

    # ---- the list --------------------------------------------------------------------------------------------

    def listed(self) -> RunsListed:
        def work(file: sqlite3.Connection) -> RunsListed:
            rows = file.execute(f"SELECT {_LISTED} FROM runs WHERE deleted IS NULL ORDER BY began DESC").fetchall()
            (deleted,) = file.execute("SELECT count(*) FROM runs WHERE deleted IS NOT NULL").fetchone()
            return RunsListed(tuple(map(_entry, rows)), deleted)

        found = self._do(work)
        remark, self.remark = self.remark, ""
        return replace(found, remark=remark)

    def kept(self, run: str) -> Kept:
        """Raises EditViewError when there is no such run any more."""

        def work(file: sqlite3.Connection) -> Kept | None:
            row = file.execute(
                f"SELECT {_LISTED}, whole_plan, files, hash, content FROM runs JOIN sheets ON hash = sheet"
                " WHERE id = ?",
                (run,),
            ).fetchone()
            if row is None:
                return None
            pieces = file.execute("SELECT content FROM pieces WHERE run = ? ORDER BY number", (run,))
            *said, plan, files, sheet_hash, sheet = row
            return Kept(_entry(said), plan, files, sheet_hash, sheet, tuple(content for (content,) in pieces))

        found = self._do(work)
        if found is None:
            raise EditViewError("This isn't in the list of runs any more: it was cleared meanwhile.")
        return found

    def finished_on(self, sheet_hash: str) -> list[tuple[str, str, str]]:
        """The finished runs on a sheet, the latest first: id, `whole_plan` and `files` of each."""

        def work(file: sqlite3.Connection) -> list[tuple[str, str, str]]:
            such = "sheet = ? AND state = ? AND kind = ? AND deleted IS NULL ORDER BY began DESC"
            values = (sheet_hash, RunState.FINISHED, EntryKind.RUN)
            return file.execute(f"SELECT id, whole_plan, files FROM runs WHERE {such}", values).fetchall()

        return self._do(work)

    def named(self, beginning: str) -> RunEntry:
        """The listed row whose id begins so. Raises EditViewError when none does, or several do."""
        entries = [entry for entry in self.listed().runs if entry.id.startswith(beginning)]
        if not entries:
            raise EditViewError(f"No id of the runs so far begins with '{beginning}'. 'editview runs' lists them.")
        if len(entries) > 1:
            raise EditViewError(f"{len(entries):,} ids of the runs so far begin with '{beginning}'. Give more of it.")
        return entries[0]

    def note(self, run: str, note: str) -> None:
        self._do(lambda file: file.execute("UPDATE runs SET note = ? WHERE id = ?", (note, run)))

    def delete(self, runs: Collection[str]) -> None:
        """Take runs off the list; `restore` brings them back together. Those deleted long ago go for good."""

        def work(file: sqlite3.Connection) -> None:
            now = time.time()
            file.executemany("UPDATE runs SET deleted = ? WHERE id = ?", [(now, run) for run in runs])
            _remove(file, "deleted < ?", (now - _STAYS,))

        self._do(work)

    def restore(self) -> None:
        """Bring back what was deleted last."""
        latest = "deleted = (SELECT max(deleted) FROM runs)"
        self._do(lambda file: file.execute(f"UPDATE runs SET deleted = NULL WHERE {latest}"))

    def clear(self) -> None:
        """Remove every run for good, but those that go on, and with them what was put aside."""

        def work(file: sqlite3.Connection) -> None:
            running = file.execute("SELECT id, process FROM runs WHERE state = ?", (RunState.RUNNING,)).fetchall()
            alive = [run for run, process in running if is_alive(process)]
            _remove(file, f"id NOT IN ({', '.join('?' * len(alive))})", alive)

        self._do(work)
        with suppress(EditViewError):  # another process reads it: the room is used again later
            self._do(lambda file: file.execute("VACUUM"), whole=False)
        for path in self.aside():
            path.unlink(missing_ok=True)

    def files(self) -> tuple[Path, ...]:
        """All files that it takes."""
        beside = (self.path.with_name(self.path.name + end) for end in ("", "-wal", "-shm"))
        return (*(path for path in beside if path.exists()), *self.aside())

    def aside(self) -> list[Path]:
        """Damaged files that were put aside."""
        return sorted(self.path.parent.glob(f"{self.path.stem}.damaged-*"))

    # ---- the file --------------------------------------------------------------------------------------------

    def _do(self, work: Callable[[sqlite3.Connection], T], whole: bool = True) -> T:
        """Do it in one transaction (`whole`), in a file that is sound by then."""
        try:
            try:
                return self._try(work, whole)
            except sqlite3.DatabaseError as error:
                if not _is_damage(error):
                    raise
                self._put_aside(str(error))
                return self._try(work, whole)
        except (sqlite3.Error, OSError) as error:
            raise _not_usable(self.path, error) from error

    def _try(self, work: Callable[[sqlite3.Connection], T], whole: bool) -> T:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self.path, timeout=_PATIENCE, isolation_level=None)) as file:
            self._prepare(file)
            file.execute("PRAGMA foreign_keys = ON")
            if not whole:
                return work(file)
            file.execute("BEGIN IMMEDIATE")
            try:
                found = work(file)
                file.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    file.execute("ROLLBACK")
                raise
            return found

    def _prepare(self, file: sqlite3.Connection) -> None:
        """Bring the file to this version, whoever else does the same at this moment."""
        if _version(file) < len(MIGRATIONS):
            _write_ahead(file)
            file.execute("BEGIN IMMEDIATE")
            for version in range(_version(file), len(MIGRATIONS)):
                for statement in MIGRATIONS[version]:
                    file.execute(statement)
                file.execute(f"PRAGMA user_version = {version + 1}")
            file.execute(f"PRAGMA application_id = {_OURS}")
            file.execute("COMMIT")
        if _version(file) > len(MIGRATIONS):
            raise EditViewError(
                f"The list of runs, '{self.path}', was made by a newer EditView. It is left as it is; runs are neither "
                "listed nor kept until you update EditView."
            )

    def _put_aside(self, reason: str) -> None:
        """Move a damaged file, whole, out of the way, unless another process has done so meanwhile."""
        with suppress(sqlite3.DatabaseError):
            self._try(lambda file: file.execute("SELECT count(*) FROM runs"), whole=False)
            return
        aside = self.path.with_name(f"{self.path.stem}.damaged-{time.strftime('%Y%m%d-%H%M%S')}-{mark()}.sqlite")
        for end in ("", "-wal", "-shm"):
            with suppress(FileNotFoundError):  # another process was quicker
                self.path.with_name(self.path.name + end).rename(aside.with_name(aside.name + end))
        self.remark = (
            f"The list of runs was damaged. It was put aside as '{aside}', and a new list has begun; what was computed "
            "is still kept."
        )


def _write_ahead(file: sqlite3.Connection) -> None:
    """Set the journal's mode, for which SQLite itself doesn't wait while another process begins the file."""
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            file.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.01)


def _version(file: sqlite3.Connection) -> int:
    """0: nothing in it yet. Raises `_Foreign` for a database of something else."""
    (version,) = file.execute("PRAGMA user_version").fetchone()
    (owner,) = file.execute("PRAGMA application_id").fetchone()
    (tables,) = file.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if owner != _OURS and (tables or version):
        raise _Foreign("another program's database")
    return int(version)


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return isinstance(error, _Foreign) or code in _DAMAGED or "no such table" in str(error)


def _not_usable(path: Path, error: Exception) -> EditViewError:
    said = str(error)
    if "locked" in said or "busy" in said:
        return EditViewError("The list of runs is in use by another EditView just now. Try again in a moment.", said)
    if "full" in said:
        return EditViewError(f"The list of runs, '{path}', can't be written: the disk is full. Make room.", said)
    return EditViewError(f"The list of runs, '{path}', can't be read or written here: {said}.", said)


def _entry(row: Sequence[Any]) -> RunEntry:
    *said, process = row
    values = dict(zip(_FIELDS, said, strict=True))
    state, kind = RunState(values["state"]), EntryKind(values["kind"])
    cut_off = state is RunState.RUNNING and not is_alive(process)
    return RunEntry(**{**values, "state": RunState.STOPPED if cut_off else state, "kind": kind})


def _add(file: sqlite3.Connection, run: NewRun) -> None:
    file.execute("INSERT OR IGNORE INTO sheets VALUES (?, ?)", (run.sheet_hash, run.sheet))
    file.execute(
        "INSERT INTO runs (id, began, state, name, checkpoint, steps, door, process, whole_plan, files, sheet, kind)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            run.id, time.time(), RunState.RUNNING, run.name, run.checkpoint, run.steps, run.door, mark(),
            run.whole_plan, run.files, run.sheet_hash, run.kind,
        ),
    )  # fmt: skip
    file.execute("INSERT INTO pieces VALUES (?, 0, ?)", (run.id, run.start))


def _remove(file: sqlite3.Connection, such: str, values: Sequence[object]) -> None:
    file.execute(f"DELETE FROM runs WHERE {such}", values)
    file.execute("DELETE FROM sheets WHERE hash NOT IN (SELECT sheet FROM runs)")
