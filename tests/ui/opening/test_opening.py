"""Telling files apart, and the dialogs that ask for one more word before something is opened."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from editview.domain.checkpoint import CheckpointInfo
from editview.domain.events import CheckpointDescribed, EngineLoading, FactsPreviewed, Failed, Noted, RunFailed
from editview.domain.plan import Checkpoint
from editview.domain.requests import DescribeCheckpoint, DownloadCheckpoint, Request
from editview.ui.hub import Hub
from editview.ui.opening.checkpoint_dialog import CheckpointDialog
from editview.ui.opening.csv_dialog import CsvDialog
from editview.ui.opening.recognise import Kind, cached_models, recognise
from tests import sample


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("plan.toml", "", Kind.PLAN),
        ("facts.CSV", "", Kind.TABLE),
        ("counterfact.json", '[{"requested_rewrite": {"subject": "X"}}]', Kind.SHEET),
        ("chat.jsonl", '{"messages": []}', Kind.DATA),
        ("facts.jsonl", '{"subject": "X"}', Kind.SHEET),
        ("book.txt", "Once", Kind.DATA),
        ("model.safetensors", "", Kind.CHECKPOINT),
        ("picture.png", "", Kind.UNKNOWN),
    ],
)
def test_files_are_told_apart(tmp_path: Path, name: str, content: str, kind: Kind) -> None:
    (tmp_path / name).write_text(content)
    assert recognise(tmp_path / name) is kind


def test_folders_are_checkpoints_or_adapters(tmp_path: Path) -> None:
    assert recognise(tmp_path) is Kind.CHECKPOINT
    (tmp_path / "adapter_config.json").write_text("{}")
    assert recognise(tmp_path) is Kind.ADAPTER


def test_models_in_the_cache_are_offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    (tmp_path / "models--openai--small").mkdir()
    (tmp_path / "datasets--x--y").mkdir()
    assert cached_models() == ["openai/small"]
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "nowhere"))
    assert cached_models() == []


def info(checkpoint: Checkpoint, reason: str | None = None) -> CheckpointInfo:
    return CheckpointInfo(checkpoint, "Mine", "Llama", 10**9, 2 * 10**9, "bfloat16", 16, (), "CPU", True, reason)


def test_a_checkpoint_is_described_before_it_can_be_used(qtbot: QtBot) -> None:
    sent: list[Request] = []
    hub = Hub(sample.plan(), lambda request: sent.append(request) or len(sent))
    dialog = CheckpointDialog(hub, Checkpoint(source="/models/mine"))
    qtbot.addWidget(dialog)
    dialog.show()
    chosen = Checkpoint(source="/models/mine")
    assert sent == [DescribeCheckpoint(chosen)]
    assert not dialog.use.isEnabled()
    hub.take([CheckpointDescribed(info(Checkpoint(source="another")))])
    assert not dialog.use.isEnabled()
    hub.take([CheckpointDescribed(info(chosen))])
    assert dialog.use.isEnabled()
    assert "1.0 billion parameters in 16 layers" in dialog.described.accessibleName()
    dialog.source.setEditText("owner/name")
    assert not dialog.use.isEnabled()
    qtbot.waitUntil(lambda: len(sent) == 2)
    hub.take([Failed(1, "That was an older question.")])
    assert dialog.described.accessibleName() == "Reading what it is…"
    hub.take([Failed(2, "It isn't in the cache of this machine.")])
    assert dialog.described.accessibleName() == "It isn't in the cache of this machine."
    dialog.download.click()
    assert sent[-1] == DownloadCheckpoint("owner/name")
    hub.take([EngineLoading("Downloading: 40 %")])
    assert dialog.described.accessibleName() == "Downloading: 40 %."
    hub.take([Noted("*owner/name* is on this machine now."), EngineLoading("")])
    assert sent[-1] == DescribeCheckpoint(Checkpoint(source="owner/name"))
    hub.take([CheckpointDescribed(info(dialog.checkpoint))])
    dialog.accept()
    assert dialog.checkpoint == Checkpoint(source="owner/name")


def test_a_download_can_be_stopped(qtbot: QtBot) -> None:
    stops: list[int] = []
    numbers = itertools.count(1)
    hub = Hub(sample.plan(), lambda request: next(numbers), stop=stops.append)
    dialog = CheckpointDialog(hub, Checkpoint(source="owner/name"))
    qtbot.addWidget(dialog)
    hub.take([Failed(1, "It isn't in the cache.")])
    dialog.download.click()
    assert not dialog.source.isEnabled()
    hub.take([RunFailed("another", "A run beside it failed.")])
    dialog.download.click()
    assert stops == [2]
    assert dialog.source.isEnabled()
    dialog.download.click()
    dialog.reject()
    assert stops == [2, 3]


def test_columns_are_named_with_what_can_be_told_filled_in(qtbot: QtBot) -> None:
    preview = FactsPreviewed(
        "x.csv", ("who", "sentence", "was", "becomes"), (("France", "The capital of {} is", "Paris", "Lyon"),),
        (("prompt", "sentence"),),
    )  # fmt: skip
    dialog = CsvDialog(preview)
    qtbot.addWidget(dialog)
    assert not dialog.go.isEnabled()
    assert dialog.sentence.accessibleName() == "Which column holds the subject and the true answer?"
    for ours, theirs in (("subject", "who"), ("target_true", "was"), ("target_new", "becomes")):
        dialog.choices[ours].setCurrentText(theirs)
    assert dialog.go.isEnabled()
    assert dict(dialog.columns) == {
        "subject": "who", "prompt": "sentence", "target_true": "was", "target_new": "becomes"
    }  # fmt: skip
    item = dialog.table.item(0, 3)
    assert item is not None
    assert item.text() == "Lyon"
