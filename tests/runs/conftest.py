"""A home of its own for every test, one thread, and the small world saved once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests import small
from tests.runs.studio import Studio


@pytest.fixture(autouse=True, scope="package")
def one_thread() -> Iterator[None]:
    """More than one would only wait for each other on models this small."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDITVIEW_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> small.World:
    return small.World.make(tmp_path_factory.mktemp("world"))


@pytest.fixture
def studio(world: small.World, home: Path) -> Studio:
    return Studio(world, home)
