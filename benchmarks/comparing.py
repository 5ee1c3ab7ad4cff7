"""Comparing two checkpoints, beside merely reading the same files: how much of the reading's speed is left.

    python -m benchmarks.comparing [--gigabytes 4] [--rounds 3] [--folder FOLDER] [--json]

Llama-shaped bfloat16 checkpoints of that size are made in a folder that goes again: one, the same with three matrices
edited, and one with every weight changed. Each round reads and compares in turn, from the disk (where the system lets
its cache be dropped) and from the cache. Reading takes the whole files, both at once, into buffers that are reused.
Then the spectra of what changed are looked for, which is a second pass over the changed matrices alone.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import psutil
import torch
from safetensors.torch import save_file
from transformers import LlamaConfig

from editview.domain.plan import Checkpoint
from editview.domain.progress import Progress, silent
from editview.lm.change_spectra import with_spectra
from editview.lm.comparing import compare
from editview.lm.stored import StoredCheckpoint

WIDTH, INNER, WORDS = 2048, 8192, 32000
PER_LAYER = 4 * WIDTH**2 + 3 * WIDTH * INNER + 2 * WIDTH
BAR = 0.7


def tensors(layer: int, seed: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed * 1000 + layer)
    shapes = {f"self_attn.{part}_proj": (WIDTH, WIDTH) for part in "qkvo"}
    shapes |= {"mlp.gate_proj": (INNER, WIDTH), "mlp.up_proj": (INNER, WIDTH), "mlp.down_proj": (WIDTH, INNER)}
    found = {f"model.layers.{layer}.{name}.weight": _random(shape, generator) for name, shape in shapes.items()}
    norms = ("input_layernorm", "post_attention_layernorm")
    return found | {f"model.layers.{layer}.{name}.weight": torch.ones(WIDTH, dtype=torch.bfloat16) for name in norms}


def _random(shape: tuple[int, int], generator: torch.Generator) -> torch.Tensor:
    return (torch.randn(shape, generator=generator) * 0.02).bfloat16()


def outer() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(7)
    words = {name: _random((WORDS, WIDTH), generator) for name in ("model.embed_tokens.weight", "lm_head.weight")}
    return words | {"model.norm.weight": torch.ones(WIDTH, dtype=torch.bfloat16)}


def make(folder: Path, layers: int, change: Callable[[str, torch.Tensor], torch.Tensor]) -> Path:
    """A checkpoint in shards of one layer each."""
    folder.mkdir()
    LlamaConfig(
        hidden_size=WIDTH, intermediate_size=INNER, num_hidden_layers=layers, num_attention_heads=16, vocab_size=WORDS
    ).save_pretrained(folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"architectures": ["LlamaForCausalLM"]}))
    where: dict[str, str] = {}
    for at in range(layers + 1):
        shard = outer() if at == layers else tensors(at, 0)
        name = f"model-{at + 1:05d}-of-{layers + 1:05d}.safetensors"
        save_file({key: change(key, tensor) for key, tensor in shard.items()}, folder / name)
        with (folder / name).open("rb") as file:
            os.fsync(file.fileno())
        where |= dict.fromkeys(shard, name)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": where}))
    return folder


def files(*folders: Path) -> list[Path]:
    return [path for folder in folders for path in sorted(folder.glob("*.safetensors"))]


def drop(*folders: Path) -> None:
    """Make the next read come from the disk."""
    for path in files(*folders):
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def read(*folders: Path) -> None:
    """Both checkpoints at once, in large pieces, and nothing else."""

    def all_of(folder: Path) -> None:
        buffer = memoryview(bytearray(2**22))
        for path in files(folder):
            with path.open("rb", buffering=0) as file:
                while file.readinto(buffer):
                    pass

    with ThreadPoolExecutor(2) as readers:
        list(readers.map(all_of, folders))


def timed(do: Callable[[], object]) -> float:
    began = time.perf_counter()
    do()
    return time.perf_counter() - began


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gigabytes", type=float, default=4.0, help="of each checkpoint")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where the files are made; the system's temporary folder")
    parser.add_argument("--threads", type=int, default=1, help="of torch; reading has its own")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    layers = max(3, -(-int(options.gigabytes * 1e9 / 2 - 2 * WORDS * WIDTH) // PER_LAYER))
    edited = {f"model.layers.{layer}.mlp.down_proj.weight" for layer in range(3)}
    with tempfile.TemporaryDirectory(dir=options.folder) as where:
        place = Path(where)
        first = make(place / "first", layers, lambda name, tensor: tensor)
        others = {
            "edited": make(place / "edited", layers, lambda name, tensor: tensor * 1.01 if name in edited else tensor),
            "tuned": make(place / "tuned", layers, lambda name, tensor: tensor * 1.01 if tensor.dim() > 1 else tensor),
        }
        size = sum(path.stat().st_size for path in files(first))
        found: dict[str, float] = {"gigabytes": size / 1e9}
        found["peak_megabytes"] = peak(lambda note: stored_and_compared(first, others["tuned"], note))
        found["largest_tensor_megabytes"] = WORDS * WIDTH * 2 / 1e6
        for kind, second in others.items():
            for state in ("disk", "cache"):
                ratios, speeds = [], []
                for _ in range(options.rounds):
                    seconds = {}
                    for what, do in (
                        ("read", lambda second=second: read(first, second)),
                        ("compare", lambda second=second: stored_and_compared(first, second)),
                    ):
                        if state == "disk":
                            drop(first, second)
                        else:
                            read(first, second)
                        seconds[what] = timed(do)
                    ratios.append(seconds["read"] / seconds["compare"])
                    speeds.append(2 * size / 1e9 / seconds["compare"])
                found[f"ratio_{kind}_{state}"] = statistics.median(ratios)
                found[f"gigabytes_a_second_{kind}_{state}"] = statistics.median(speeds)
        for kind, second in others.items():
            one, other = both(first, second)
            difference = compare(one, other, silent)
            found[f"spectra_matrices_{kind}"] = sum(len(tensor.shape) == 2 for tensor in difference.changed)
            began = time.process_time(), time.perf_counter()
            found[f"spectra_peak_megabytes_{kind}"] = peak(partial(with_spectra, one, other, difference))
            found[f"spectra_cpu_seconds_{kind}"] = time.process_time() - began[0]
            found[f"spectra_seconds_{kind}"] = time.perf_counter() - began[1]
    worst = min(value for name, value in found.items() if name.startswith("ratio") and name.endswith("disk"))
    if options.json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            print(f"{name:34} {value:10.2f}")
        print(f"At least {worst:.0%} of the speed of reading from the disk; the bar is {BAR:.0%}.")
    return int(worst < BAR)


def both(*folders: Path) -> list[StoredCheckpoint]:
    return [StoredCheckpoint(Checkpoint(source=str(folder))) for folder in folders]


def stored_and_compared(first: Path, second: Path, progress: Progress = silent) -> None:
    compare(*both(first, second), progress)


def peak(do: Callable[[Progress], object]) -> float:
    """Megabytes that the process grows by at most while it works, asked ten times a second and at every report."""
    process = psutil.Process()
    before, most, ended = process.memory_info().rss, 0, threading.Event()

    def note(*_: object) -> None:
        nonlocal most
        most = max(most, process.memory_info().rss)

    def watch() -> None:
        while not ended.wait(0.1):
            note()

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        do(note)
    finally:
        ended.set()
        watcher.join()
    return (most - before) / 1e6


if __name__ == "__main__":
    sys.exit(main())
