"""What is under way, written down, so that the start after a kill can say what was found."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from editview.domain.errors import EditViewError
from editview.domain.files import write_atomically
from editview.runs.processes import is_alive, mark

_PREFIX, _SUFFIX = "run-", ".journal"


class Journal:
    """One run of this process. A full disk makes the journal silent, never the run fail."""

    def __init__(self, folder: Path, plan: str) -> None:
        self._path = folder / f"{_PREFIX}{mark()}{_SUFFIX}"
        self._plan = plan

    def under_way(self, title: str, finished: int) -> None:
        """The operation that begins now, and how many before it are finished."""
        found = {"plan": self._plan, "title": title, "finished": finished}
        with suppress(EditViewError):
            write_atomically(self._path, json.dumps(found).encode())

    def end(self) -> None:
        with suppress(OSError):
            self._path.unlink(missing_ok=True)


def under_way(folder: Path) -> list[str]:
    """The names of the plans that are being run now, by whichever process."""
    names = []
    for path in sorted(folder.glob(f"{_PREFIX}*{_SUFFIX}")):
        if is_alive(path.stem.removeprefix(_PREFIX)):
            with suppress(OSError, ValueError, KeyError):
                names.append(str(json.loads(path.read_text("utf-8"))["plan"]))
    return names


def interrupted(folder: Path) -> list[str]:
    """A sentence for each run whose process is gone; their journals are removed."""
    sentences = []
    for path in sorted(folder.glob(f"{_PREFIX}*")):
        if is_alive(path.stem.removeprefix(_PREFIX)):
            continue
        with suppress(OSError, ValueError, KeyError):
            found = json.loads(path.read_text("utf-8"))
            kept = int(found["finished"])
            before = "what came before it was kept" if kept else "nothing else was lost"
            sentences.append(
                f"*{found['plan']}* was cut off during *{found['title']}*: {before}, and the next run of it goes on "
                "from there."
            )
        with suppress(OSError):
            path.unlink(missing_ok=True)
    return sentences
