"""The stage store: bit-exact, noticing damage, evicting, surviving kills, full disks and neighbours."""

from __future__ import annotations

import math
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch

from editview.domain.errors import EditViewError
from editview.domain.validation import Validation
from editview.domain.verdicts import Answer, Check, LiveCheck
from editview.domain.weights import MatrixKind, TensorChange
from editview.runs import journal, sealed
from editview.runs.store import Asked, Live, Loss, NotKept, Record, StageLost, StageStore

WEIGHTS = {"a": torch.tensor([[1.0, -0.0], [float("inf"), 1e-40]]), "b": torch.randn(5, 3).bfloat16()}
RECORD = Record(
    (TensorChange("a", 1, MatrixKind.MLP_OUT, (2, 2), 2.0, 0.5),),
    12.5,
    (Loss(1, 4.0, 1e-3), Loss(2, 3.5, 9e-4)),
    ("a note",),
    ("a",),
    (Validation(0, 4.0, 0.5, 2), Validation(2, 3.0)),
    1,
)
CHECK = Check("f1", (Answer("The capital of Perú is", "Lima", True, 0.1, None), Answer("¿?", "x", False, 2.0, 1.0)))
LIVE = LiveCheck(10, ("f1",), (True,), (0.2,), (math.nan,))


@pytest.fixture
def store(tmp_path: Path) -> StageStore:
    return StageStore(tmp_path / "stages")


def test_a_stage_comes_back_bit_by_bit(store: StageStore) -> None:
    store.keep("k", RECORD, WEIGHTS, ("sheet", Live((LIVE,), 10)))
    store.keep_asked("k", "sheet", Asked((CHECK,), 0.5))

    back = store.weights("k")
    assert {name: tensor.dtype for name, tensor in back.items()} == {n: t.dtype for n, t in WEIGHTS.items()}
    assert all(back[name].numpy(force=True).tobytes() == WEIGHTS[name].numpy(force=True).tobytes() for name in ["a"])
    assert torch.equal(back["b"].view(torch.int16), WEIGHTS["b"].view(torch.int16))
    assert store.record("k") == RECORD
    assert store.asked("k", "sheet") == Asked((CHECK,), 0.5)
    live = store.live("k", "sheet")
    assert live is not None
    assert live.every == 10
    assert math.isnan(live.checks[0].nll_other[0])
    assert live.checks[0].gives == (True,)
    assert list(store.root.glob("tmp-*")) == []


def test_what_was_never_kept_is_not_there(store: StageStore) -> None:
    assert store.record("k") is None
    assert not store.is_intact("k")
    assert store.asked("k", "sheet") is None
    with pytest.raises(StageLost):
        store.weights("k")
    store.keep_asked("k", "sheet", Asked((CHECK,), 0.5))  # the stage itself couldn't be kept: nothing to lie beside
    assert store.asked("k", "sheet") is None


def test_a_flipped_byte_in_the_weights_is_noticed_and_the_entry_goes(store: StageStore) -> None:
    store.keep("k", RECORD, WEIGHTS)
    path = store.root / "k" / "weights.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert store.record("k") == RECORD  # the size is right
    assert not store.is_intact("k")
    assert store.record("k") is None


@pytest.mark.parametrize("name", ["weights.safetensors", "record.jsonl"])
def test_a_cut_or_missing_file_is_noticed(store: StageStore, name: str) -> None:
    for damage in (lambda path: path.write_bytes(path.read_bytes()[:-4]), lambda path: path.unlink()):
        store.keep("k", RECORD, WEIGHTS)
        assert store.is_intact("k")
        damage(store.root / "k" / name)
        assert store.record("k") is None
        assert not (store.root / "k").exists()


def test_damaged_checks_are_asked_again_and_the_stage_stays(store: StageStore) -> None:
    store.keep("k", RECORD, WEIGHTS)
    store.keep_asked("k", "sheet", Asked((CHECK,), 0.5))
    (path,) = (store.root / "k").glob("checks-*")
    path.write_text(path.read_text().replace("Lima", "Rome"))
    assert store.asked("k", "sheet") is None
    assert store.record("k") == RECORD


def test_checks_kept_before_first_choices_were_counted_are_still_read(store: StageStore) -> None:
    store.keep("k", RECORD, WEIGHTS)
    store.keep_asked("k", "sheet", Asked((CHECK,), 0.5))
    (path,) = (store.root / "k").glob("checks-*")
    head, *items = sealed.read(path)
    for item in items:
        for answer in item["answers"]:
            del answer["wanted_first"]
    sealed.write(path, [head, *items])
    assert store.asked("k", "sheet") == Asked((CHECK,), 0.5)


def test_the_least_recently_used_stage_goes_first(store: StageStore) -> None:
    for number, key in enumerate(["old", "used", "newer"]):
        store.keep(key, RECORD, {"a": torch.zeros(1000)})
        os.utime(store.root / key / "record.jsonl", (number, number))
    assert store.record("old")  # used now, so that 'used' is the oldest
    store.limit = 3 * 4000 + 3000
    store.keep("newest", RECORD, {"a": torch.zeros(1000)})
    assert {folder.name for folder in store.root.iterdir()} == {"old", "newer", "newest"}


def test_a_stage_larger_than_the_limit_is_not_kept_and_evicts_nothing(store: StageStore) -> None:
    store.keep("k", RECORD, WEIGHTS)
    store.limit = 2000
    with pytest.raises(NotKept, match=r"more than the 2 kB"):
        store.keep("large", RECORD, {"a": torch.zeros(1000)})
    assert store.record("k") == RECORD
    assert store.record("large") is None


def test_without_a_limit_half_of_the_disk_is_left_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    assert StageStore(tmp_path / "not" / "yet" / "there").limit == 500
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=10**15))
    assert StageStore(tmp_path).limit == 200 * 10**9


@pytest.mark.parametrize(("wished", "bytes"), [("1.5", 1_500_000_000), ("0", 0), ("1e3", 10**12)])
def test_the_environment_may_set_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wished: str, bytes: int
) -> None:
    monkeypatch.setenv("EDITVIEW_STORE_GB", wished)
    assert StageStore(tmp_path).limit == bytes
    assert StageStore(tmp_path, 7).limit == 7


@pytest.mark.parametrize("wished", ["a lot", "-1", "nan", "inf"])
def test_a_limit_that_is_no_number_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wished: str) -> None:
    monkeypatch.setenv("EDITVIEW_STORE_GB", wished)
    with pytest.raises(EditViewError, match="how many gigabytes"):
        StageStore(tmp_path)


def _run(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_a_full_disk_is_a_sentence_and_leaves_no_trace(store: StageStore) -> None:
    done = _run(
        """
        import resource, sys
        from pathlib import Path
        import torch
        from editview.runs.store import NotKept, Record, StageStore
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        try:
            StageStore(Path(sys.argv[1])).keep("k", Record(), {"a": torch.zeros(1_000_000)})
        except NotKept as error:
            print(error)
        """,
        store.root,
    )
    assert "the disk is full" in done.stdout, done.stderr
    assert list(store.root.iterdir()) == []


def test_a_kill_while_writing_leaves_nothing_but_a_leftover_that_the_next_start_removes(store: StageStore) -> None:
    store.keep("k", RECORD, WEIGHTS)
    done = _run(
        """
        import os, signal, sys
        from pathlib import Path
        import torch
        from editview.runs import journal, sealed
        from editview.runs.store import Record, StageStore
        journal.Journal(Path(sys.argv[1]), "My plan").under_way("Fine-tune on tickets", 1)
        sealed.write = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        StageStore(Path(sys.argv[1])).keep("other", Record(), {"a": torch.zeros(10)})
        """,
        store.root,
    )
    assert done.returncode == -signal.SIGKILL
    assert len(list(store.root.glob("tmp-*"))) == 1

    assert store.clear_leftovers() == 1
    (sentence,) = journal.interrupted(store.root)
    assert "*My plan* was cut off during *Fine-tune on tickets*" in sentence
    assert [path.name for path in store.root.iterdir()] == ["k"]
    assert journal.interrupted(store.root) == []


def test_leftovers_of_a_living_process_are_left_alone(store: StageStore) -> None:
    under_way = journal.Journal(store.root, "My plan")
    under_way.under_way("Edit 3 facts", 0)
    with store._temporary() as path:
        path.mkdir(parents=True)
        assert store.clear_leftovers() == 0
        assert journal.interrupted(store.root) == []
        assert path.exists()
    under_way.end()
    assert list(store.root.iterdir()) == []


def test_two_processes_share_a_store(store: StageStore) -> None:
    """Both keep, read and throw out the same few stages; whatever is found is whole."""
    code = """
        import random, sys
        from pathlib import Path
        import torch
        from editview.runs.store import Asked, Record, StageLost, StageStore
        torch.set_num_threads(1)
        store, chance = StageStore(Path(sys.argv[1]), limit=30_000), random.Random(int(sys.argv[2]))
        found = 0
        for _ in range(60):
            number = chance.randrange(4)
            key = f"k{number}"
            if store.record(key) is None or chance.random() < 0.1:
                store.keep(key, Record(seconds=number), {"a": torch.full((2000,), float(number))})
            store.keep_asked(key, "sheet", Asked((), number))
            try:
                assert torch.equal(store.weights(key)["a"], torch.full((2000,), float(number)))
                found += 1
            except StageLost:
                pass
        print(found)
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(store.root)]
    workers = [subprocess.Popen([*command, str(i)], stdout=subprocess.PIPE, text=True) for i in range(2)]
    assert all(int(worker.communicate(timeout=60)[0]) > 30 for worker in workers)
    assert all(worker.returncode == 0 for worker in workers)
    assert all(store.is_intact(folder.name) for folder in store.root.iterdir())
