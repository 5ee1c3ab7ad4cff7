"""Where things lie: what is packaged with the program, and what it writes on this machine."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

_PACKAGE = Path(__file__).resolve().parent.parent


def resources() -> Path:
    """The packaged resources: inside the installed wheel, or beside the package in a checkout."""
    installed = _PACKAGE / "resources"
    return installed if installed.is_dir() else _PACKAGE.parent / "resources"


def data() -> Path:
    """What is kept between starts: stages, statistics, timings. `EDITVIEW_HOME` puts it elsewhere."""
    home = os.environ.get("EDITVIEW_HOME")
    return Path(home) if home else Path(platformdirs.user_data_dir("EditView", appauthor=False))


def stages() -> Path:
    return data() / "stages"


def statistics() -> Path:
    return data() / "statistics"


def demo_plan() -> Path:
    return resources() / "demo" / "plan.toml"


def demo_study() -> Path:
    return resources() / "demo" / "study.toml"


def autosaved_plan() -> Path:
    return data() / "plan.toml"


def logs() -> Path:
    home = os.environ.get("EDITVIEW_HOME")
    return Path(home) / "logs" if home else Path(platformdirs.user_log_dir("EditView", appauthor=False))
