"""What the bundle weighs, how soon its window stands, and whether it runs the demo where no Python is.

    python -m benchmarks.bundle dist/EditView [--json]

Needs Xvfb, xwininfo and xdotool. Starts the bundled program on a display of its own with an empty environment and an
empty home, waits for its window on the screen, presses Ctrl+R, and waits until the store holds all stages of the demo's
plan; then the bundle's command line tells what came of it. `mapped_from_elsewhere` counts files of another Python that
the process has mapped. Exits with 1 where something fails.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

SCREEN = "1280x800x24"
PATIENCE_S = 900


def megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink()) / 1e6


def wait_for(found: Callable[[], bool], what: str, seconds: float = PATIENCE_S) -> float:
    """Seconds until it is so. Exits when it takes too long."""
    began = time.perf_counter()
    while not found():
        if time.perf_counter() - began > seconds:
            sys.exit(f"After {seconds:,.0f} s still not: {what}.")
        time.sleep(0.02)
    return time.perf_counter() - began


@contextmanager
def screen() -> Iterator[str]:
    """A display of its own, by its name."""
    reads, writes = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writes), "-screen", "0", SCREEN], pass_fds=[writes], stderr=subprocess.DEVNULL
    )
    try:
        yield f":{os.read(reads, 16).decode().strip()}"
    finally:
        server.terminate()
        server.wait()


def shown(environment: dict[str, str]) -> bool:
    tree = subprocess.run(["xwininfo", "-root", "-tree"], env=environment, capture_output=True, text=True).stdout
    windows = [line.split()[0] for line in tree.splitlines() if "EditView" in line and "1x1" not in line]
    looked = (
        subprocess.run(["xwininfo", "-id", window], env=environment, capture_output=True, text=True).stdout
        for window in windows
    )
    return any("IsViewable" in about for about in looked)


def mapped_from_elsewhere(process: int, bundle: Path) -> int:
    paths = {line.split()[-1] for line in Path(f"/proc/{process}/maps").read_text().splitlines() if "/" in line}
    return sum("python" in path.lower() and not path.startswith(str(bundle)) for path in paths)


def main() -> None:
    parser = argparse.ArgumentParser(description="Size of the bundle, time to its window, and the demo run from it.")
    parser.add_argument("bundle", type=Path, help="the folder that PyInstaller made")
    parser.add_argument("--json", action="store_true", help="print one JSON object as the last line")
    chosen = parser.parse_args()
    bundle: Path = chosen.bundle.resolve()
    program = bundle / "editview"

    with tempfile.TemporaryDirectory() as home, screen() as display:
        desk = {"DISPLAY": display, "PATH": "/usr/bin:/bin"}
        bare = {"DISPLAY": display, "HOME": home, "EDITVIEW_HOME": f"{home}/kept", "PATH": home, "LANG": "C.UTF-8"}
        began = time.perf_counter()
        window = subprocess.Popen([program, "open"], env=bare, cwd=home)
        try:
            shown_s = wait_for(lambda: shown(desk), "a window on the screen", 120)
            elsewhere = mapped_from_elsewhere(window.pid, bundle)
            pressed = time.perf_counter()

            def stages() -> int:
                return len(list(Path(home, "kept", "stages").glob("*/record.jsonl")))

            time.sleep(2)  # for the jobs behind the window
            # Without a window manager nothing has the keyboard until it is given it.
            subprocess.run(["xdotool", "search", "--onlyvisible", "--name", "EditView", "windowfocus"], env=desk)
            subprocess.run(["xdotool", "key", "Escape"], env=desk)  # the tour of the first start
            subprocess.run(["xdotool", "key", "ctrl+r"], env=desk)
            wait_for(lambda: stages() == 3, "all stages of the demo's plan")
            demo_s = time.perf_counter() - pressed
        finally:
            window.terminate()
            window.wait()
        told = subprocess.run([program, "run", "demo", "--json"], env=bare, cwd=home, capture_output=True, text=True)
        if told.returncode:
            sys.exit(f"The bundle's command line failed: {told.stderr}")
        groups = [stage["groups"]["edited"] for stage in json.loads(told.stdout.splitlines()[-1])["stages"]]
    figures = {
        "megabytes": round(megabytes(bundle)), "shown_s": round(shown_s, 2), "demo_s": round(demo_s, 1),
        "mapped_from_elsewhere": elsewhere, "edited": groups, "all_s": round(time.perf_counter() - began, 1),
    }  # fmt: skip
    print(
        f"{figures['megabytes']:,} MB; the window stands after {shown_s:.1f} s; the demo's plan took {demo_s:.0f} s "
        f"from Ctrl+R; edited facts by stage: {groups}; files of another Python in use: {elsewhere}"
    )
    if chosen.json:
        print(json.dumps(figures))
    sys.exit(1 if elsewhere else 0)


if __name__ == "__main__":
    main()
