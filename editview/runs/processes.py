"""Names a process so that a later one can tell whether it still lives, even when its number was given out again."""

from __future__ import annotations

import os

import psutil


def mark() -> str:
    """This process: its number and when it started."""
    return f"{os.getpid()}-{int(psutil.Process().create_time() * 100)}"


def is_alive(marked: str) -> bool:
    """Whether the process that `mark` named still runs; False for anything that isn't such a name."""
    try:
        pid, started = map(int, marked.split("-"))
        return abs(int(psutil.Process(pid).create_time() * 100) - started) <= 100
    except (ValueError, psutil.Error):
        return False
