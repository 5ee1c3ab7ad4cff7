"""Downloads report bytes, can be cancelled, and leave pickles where they are."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from huggingface_hub.errors import HfHubHTTPError, HFValidationError

from editview.domain.errors import Cancelled, EditViewError
from editview.domain.progress import silent
from editview.lm import sources
from editview.lm.sources import download, local_folder


class Hub:
    """A hub with one model, and what was fetched from it."""

    def __init__(self, folder: Path, files: dict[str, int]) -> None:
        self.folder, self.files, self.fetched = folder, files, []

    def model_info(self, source: str, files_metadata: bool) -> Any:
        return SimpleNamespace(siblings=[SimpleNamespace(rfilename=n, size=s) for n, s in self.files.items()])

    def fetch(self, source: str, name: str, tqdm_class: Any) -> str:
        with tqdm_class(total=self.files[name], desc=name, name="huggingface_hub.http_get") as bar:
            for _ in range(10):
                bar.update(self.files[name] / 10)
        self.fetched.append(name)
        return str(self.folder / name)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
    hub = Hub(
        tmp_path,
        {
            "config.json": 100, "tokenizer.json": 900, "model.safetensors": 9000, "pytorch_model.bin": 9000,
            "modeling.py": 50, "README.md": 10, "onnx/model.safetensors": 5,
        },
    )  # fmt: skip
    monkeypatch.setattr(sources, "HfApi", lambda: hub)
    monkeypatch.setattr(sources, "hf_hub_download", hub.fetch)
    return hub


def test_only_what_a_model_needs(hub: Hub) -> None:
    seen: list[tuple[int, int]] = []
    assert download("a/model", lambda done, total, what: seen.append((done, total))) == hub.folder
    assert sorted(hub.fetched) == ["config.json", "model.safetensors", "tokenizer.json"]
    assert seen == sorted(seen)
    assert seen[-1] == (10_000, 10_000)
    assert len(seen) > 20


def test_code_and_pickles_only_when_allowed(hub: Hub) -> None:
    download("a/model", silent, code=True)
    assert "modeling.py" in hub.fetched
    del hub.files["model.safetensors"]
    with pytest.raises(EditViewError, match="no weights in the safetensors format"):
        download("a/model", silent)
    download("a/model", silent, pickle=True)
    assert "pytorch_model.bin" in hub.fetched


def test_cancel_ends_it_within_a_file(hub: Hub) -> None:
    def stop(done: int, total: int, what: str) -> None:
        if done > 3000:
            raise Cancelled

    with pytest.raises(Cancelled):
        download("a/model", stop)
    assert "model.safetensors" not in hub.fetched


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (HFValidationError("bad"), "knows no model"),
        (ConnectionError("off"), "network"),
        (OSError(28, "full"), "disk"),
        (HfHubHTTPError.__bases__[0]("no such host"), "There is no folder 'a/model' here"),
    ],
)
def test_what_goes_wrong_is_said(hub: Hub, monkeypatch: pytest.MonkeyPatch, error: Exception, says: str) -> None:
    def fail(*_: Any, **__: Any) -> str:
        raise error

    monkeypatch.setattr(sources, "hf_hub_download", fail)
    with pytest.raises(EditViewError, match=says):
        download("a/model", silent)


@pytest.mark.parametrize("source", ["./model", "~/nowhere-at-all", "/models/x", "a/b/c", "a\\b", "models/"])
def test_what_is_a_path_is_not_looked_up(source: str) -> None:
    with pytest.raises(EditViewError, match="no folder"):
        local_folder(source)
