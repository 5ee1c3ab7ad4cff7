"""Where things lie: what is packaged with the program, and what it writes on this machine.

Each kind lies where the platform expects it: what can be made again among the caches, runs and the plan under way in
the data folder, settings and logs in theirs. `EDITVIEW_HOME` puts all of them into one folder.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import platformdirs

_PACKAGE = Path(__file__).resolve().parent.parent
_APP = "EditView"


def resources() -> Path:
    """The packaged resources: inside the installed wheel, or beside the package in a checkout."""
    installed = _PACKAGE / "resources"
    return installed if installed.is_dir() else _PACKAGE.parent / "resources"


def _home() -> Path | None:
    home = os.environ.get("EDITVIEW_HOME")
    return Path(home) if home else None


def data() -> Path:
    """What can't be made again: the runs so far, the plan under way."""
    return _home() or Path(platformdirs.user_data_dir(_APP, appauthor=False))


def caches() -> Path:
    """What can be made again: stages, statistics, what was learnt of this machine."""
    return _home() or Path(platformdirs.user_cache_dir(_APP, appauthor=False))


def settings() -> Path:
    return _home() or Path(platformdirs.user_config_dir(_APP, appauthor=False))


def logs() -> Path:
    home = _home()
    return home / "logs" if home else Path(platformdirs.user_log_dir(_APP, appauthor=False))


def stages() -> Path:
    return caches() / "stages"


def statistics() -> Path:
    return caches() / "statistics"


def timings() -> Path:
    return caches() / "timings.json"


def measured() -> Path:
    return caches() / "measured.json"


def fingerprints() -> Path:
    return caches() / "fingerprints.json"


def runs() -> Path:
    return data() / "runs.sqlite"


def autosaved_plan() -> Path:
    return data() / "plan.toml"


def window_settings() -> Path:
    return settings() / "window.ini"


def demo_plan() -> Path:
    return resources() / "demo" / "plan.toml"


def demo_study() -> Path:
    return resources() / "demo" / "study.toml"


def move_in() -> None:
    """Move what earlier versions kept in the data folder to where it belongs, unless something lies there already."""
    for place in (stages(), statistics(), timings(), measured(), fingerprints(), window_settings()):
        before = data() / place.name
        if before != place and before.exists() and not place.exists():
            with suppress(OSError):  # it stays where it is, and is made again
                place.parent.mkdir(parents=True, exist_ok=True)
                before.rename(place)
