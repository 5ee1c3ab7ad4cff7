"""What reading 100,000 rows of training data costs, beside the plain way, and whether the window stays fluid meanwhile.

    python -m benchmarks.training_data [--rows 100000] [--json]

A file of instructions and answers is made in a folder that goes again. Ours: read, checked, tokenised for the demo
model, cut and held for training, as a fine-tune does it. Plain: `json.loads` of every line and the tokenizer on a
thousand texts at a time, everything kept in lists. Each in a process of its own, one after the other, for its time and
the memory that it adds at most. Then a window is opened, the preview of the same file asked for, and a timer beats
every 5 ms in its event loop: a stall is what a beat comes late. Exits 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

LONGEST = 256  # tokens of a row
BARS = {"time_ratio": 2.0, "memory_ratio": 1.0, "forecast_s": 1.0, "p99_ms": 16.0, "max_ms": 100.0}
MEGABYTE = 1 << 20


def make(rows: int, path: Path) -> None:
    chance = np.random.default_rng(0)
    words = [
        "the",
        "printer",
        "on",
        "floor",
        "is",
        "jammed",
        "again",
        "please",
        "help",
        "me",
        "with",
        "this",
        "ticket",
        "and",
        "tell",
        "when",
        "it",
        "will",
        "be",
        "done",
    ]
    with path.open("w", encoding="utf-8") as file:
        for row in range(rows):
            question, answer = (" ".join(chance.choice(words, chance.integers(5, 60))) for _ in range(2))
            file.write(json.dumps({"instruction": f"{row}: {question}", "output": answer}) + "\n")


def ours(path: Path) -> int:
    from editview.domain.plan import Checkpoint
    from editview.domain.progress import silent
    from editview.formats.training_data import training_data
    from editview.lm.opening import open_tokenizer
    from editview.tuning.batches import tokenised

    tokenizer, _ = open_tokenizer(Checkpoint())
    yield_to_the_clock()
    examples, _ = training_data(str(path)).read()
    return len(tokenised(tokenizer, examples, LONGEST, silent))


def plain(path: Path) -> int:
    from editview.domain.plan import Checkpoint
    from editview.lm.opening import open_tokenizer

    tokenizer, _ = open_tokenizer(Checkpoint())
    yield_to_the_clock()
    with path.open(encoding="utf-8") as file:
        records = [json.loads(line) for line in file]
    texts = [f"### Instruction:\n{one['instruction']}\n\n### Response:\n{one['output']}" for one in records]
    tokens: list[list[int]] = []
    for at in range(0, len(texts), 1000):
        tokens += tokenizer(texts[at : at + 1000], truncation=True, max_length=LONGEST)["input_ids"]
    return len(tokens)


_began: tuple[float, float] = (0.0, 0.0)


def yield_to_the_clock() -> None:
    """The libraries are loaded: what comes now is measured."""
    global _began
    _began = time.process_time(), _highest()


def _highest() -> float:
    """Megabytes this process has held at most so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MEGABYTE


def alone(way: str, path: Path) -> dict[str, float]:
    """One way in a process of its own: CPU seconds, and the megabytes that it adds at most."""
    command = [sys.executable, "-m", "benchmarks.training_data", "--only", way, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | ONE_THREAD)
    return json.loads(done.stdout.splitlines()[-1])  # type: ignore[no-any-return]


ONE_THREAD = {"TOKENIZERS_PARALLELISM": "false"}  # so that CPU time can be compared


def only(way: str, path: Path) -> None:
    rows = {"ours": ours, "plain": plain}[way](path)
    seconds, megabytes = time.process_time() - _began[0], _highest() - _began[1]
    print(json.dumps({"rows": rows, "cpu_s": seconds, "mb": megabytes}))


def in_the_window(path: Path) -> dict[str, float]:
    """How late the event loop's beats come while a preview reads the file; and how long a forecast is held up by it."""
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    from benchmarks.responsiveness import Heart, wait_until
    from editview import app
    from editview.domain.events import TrainingPreviewed
    from editview.domain.operations import Lora
    from editview.formats.plans import demo_plan
    from editview.ui.look.theme import theme
    from editview.ui.plan.training_dialog import TrainingDialog

    application = QApplication(sys.argv[:1])
    application.setStyle("Fusion")
    theme().apply()
    desk = app.Desk(demo_plan())
    hub, problems = desk.hub, list[str]()
    hub.problem.connect(lambda problem: problems.append(problem.sentence))
    desk.window.show()
    QTimer.singleShot(0, desk.start)
    wait_until(lambda: bool(problems) or hub.forecast is not None, "the first forecast", 120)
    tuned = Lora(data=str(path), max_length=LONGEST)
    began, told = time.perf_counter(), dict[str, float]()
    hub.forecast_changed.connect(lambda: told.setdefault("forecast_s", time.perf_counter() - began))
    hub.change_plan(hub.plan.model_copy(update={"operations": (tuned,)}))
    wait_until(lambda: bool(problems) or "forecast_s" in told, "a forecast", 120)
    dialog = TrainingDialog(hub, tuned, desk.window)
    dialog.show()
    heart, began = Heart(lambda: hub.work.what), time.perf_counter()

    def seen(event: TrainingPreviewed) -> None:
        told.setdefault("preview_s" if event.preview.rows else "first_rows_s", time.perf_counter() - began)

    hub.replies.training_seen.connect(seen)
    heart.start()
    wait_until(lambda: bool(problems) or "preview_s" in told, "the preview")
    wait_until(lambda: time.perf_counter() - began > told["preview_s"] + 1, "a last look", 5)
    heart.stop()
    dialog.reject()
    desk.window.close()
    desk.close()
    if problems:
        sys.exit("Nothing was measured: " + " ".join(problems))
    late = [stall.ms for stall in heart.stalls]
    for stall in sorted(heart.stalls, key=lambda stall: -stall.ms)[:5]:
        print(f"  {stall.ms:6.1f} ms at {stall.at:6.2f} s  {stall.doing}")
    return told | {"p99_ms": float(np.percentile(late, 99)), "max_ms": max(late)}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--json", action="store_true", help="print one JSON object as the last line")
    parser.add_argument("--only", nargs=2, metavar=("WAY", "PATH"), help=argparse.SUPPRESS)
    choice = parser.parse_args()
    if choice.only:
        only(choice.only[0], Path(choice.only[1]))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        os.environ["EDITVIEW_HOME"] = folder
        path = Path(folder) / "rows.jsonl"
        make(choice.rows, path)
        size = path.stat().st_size / 1e6
        mine, theirs = alone("ours", path), alone("plain", path)
        figures: dict[str, Any] = {
            "rows": choice.rows,
            "file_mb": size,
            "rows_per_cpu_s": mine["rows"] / mine["cpu_s"],
            "plain_rows_per_cpu_s": theirs["rows"] / theirs["cpu_s"],
            "added_mb": mine["mb"],
            "plain_added_mb": theirs["mb"],
            "time_ratio": mine["cpu_s"] / theirs["cpu_s"],
            "memory_ratio": mine["mb"] / theirs["mb"],
            **in_the_window(path),
        }
    for name, value in figures.items():
        bar = f"  bar {BARS[name]:g}, {'holds' if value < BARS[name] else 'missed'}" if name in BARS else ""
        print(f"{name:22} {value:12,.2f}{bar}")
    if choice.json:
        print(json.dumps({name: round(value, 3) for name, value in figures.items()}))
    return 0 if all(figures[name] < bar for name, bar in BARS.items()) else 1


if __name__ == "__main__":
    sys.exit(main())
