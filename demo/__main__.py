"""Makes the whole demo anew and measures it: `python -m demo`.

The fact sheet and the texts, the tokenizer and the model, then the table of figures, printed and put into the model's
card. `--out FOLDER` with another `--seed` makes and measures another model and leaves the shipped one alone.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch

from demo import quality, sheet, train
from demo.world import DEMO, read_world


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=DEMO / "model")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    world, shipped = read_world(), options.out == DEMO / "model"
    if shipped:
        sheet.write(DEMO, world, seed=0)
    began = time.perf_counter()
    train.make(world, options.out, options.seed)
    print(f"Trained in {(time.perf_counter() - began) / 60:.1f} minutes on {options.threads} threads.", flush=True)
    table = quality.table(quality.measured(str(options.out), quality.FRESH_DRAWS, say=print))
    if shipped:
        quality.write_into(DEMO / "model" / "README.md", table)
    print(table)


if __name__ == "__main__":
    main()
