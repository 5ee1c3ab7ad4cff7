"""Files are written whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from editview.domain.errors import EditViewError
from editview.domain.files import clear_folders, not_written, replacing, replacing_folder, write_atomically


def test_a_file_is_written_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "file.txt"
    write_atomically(path, b"first")
    write_atomically(path, b"second")
    assert path.read_bytes() == b"second"
    assert [entry.name for entry in path.parent.iterdir()] == ["file.txt"]


def test_an_error_while_writing_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    write_atomically(path, b"old")

    def half() -> None:
        with replacing(path) as file:
            file.write(b"half")
            raise KeyError("x")

    with pytest.raises(KeyError):
        half()
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file.txt"]


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_is_said_in_words_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    path = tmp_path / "plan.toml"
    write_atomically(path, b"old")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, call, full)
    with pytest.raises(EditViewError, match="the disk is full"):
        write_atomically(path, b"new")
    monkeypatch.undo()
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["plan.toml"]


def test_a_really_full_disk() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no device here that is always full")
    with pytest.raises(OSError, match="28") as caught, full.open("wb", buffering=0) as file:
        file.write(b"x")
    assert "the disk is full" in str(not_written(full, caught.value))


def test_a_place_that_is_no_folder_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(EditViewError, match="couldn't be saved"):
        write_atomically(tmp_path / "file" / "plan.toml", b"x")


def fill(path: Path, text: str) -> None:
    with replacing_folder(path) as folder:
        assert folder.parent == path.parent
        (folder / "inner").mkdir()
        (folder / "inner" / "file.txt").write_text(text)


def test_a_folder_is_written_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder"
    fill(path, "first")
    assert (path / "inner" / "file.txt").read_text() == "first"
    (path / "left over.txt").write_text("x")
    fill(path, "second")
    assert [entry.name for entry in path.iterdir()] == ["inner"]
    assert (path / "inner" / "file.txt").read_text() == "second"
    assert [entry.name for entry in path.parent.iterdir()] == ["folder"]


@pytest.mark.parametrize("fails_at", [1, 2])
def test_a_folder_that_cannot_be_put_in_its_place_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails_at: int
) -> None:
    path = tmp_path / "folder"
    fill(path, "old")
    renamed, rename = 0, Path.rename

    def sometimes(one: Path, other: Path) -> Path:
        nonlocal renamed
        renamed += 1
        if renamed == fails_at:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return rename(one, other)

    monkeypatch.setattr(Path, "rename", sometimes)
    with pytest.raises(EditViewError, match="couldn't be saved"):
        fill(path, "new")
    assert (path / "inner" / "file.txt").read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder"]


def test_any_error_while_a_folder_is_written_leaves_nothing_of_it(tmp_path: Path) -> None:
    def half() -> None:
        with replacing_folder(tmp_path / "new" / "place" / "folder") as folder:
            (folder / "file").write_text("half")
            raise KeyError("x")

    with pytest.raises(KeyError):
        half()
    assert not list(tmp_path.iterdir())


def test_only_what_dead_processes_left_of_that_folder_is_cleared(tmp_path: Path) -> None:
    names = (
        ".folder.77-ab.part",
        ".folder.78-ab.part",
        ".folder.x-ab.part",
        ".other.77-ab.part",
        ".folder.77-file.part",
    )
    for name in names[:-1]:
        (tmp_path / name).mkdir()
    (tmp_path / names[-1]).write_text("a file")
    clear_folders(tmp_path / "folder", lambda process: process == 78)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == sorted(names[1:])
