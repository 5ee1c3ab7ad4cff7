"""Judge updates of known kinds and print which were taken for which: `python -m benchmarks.update_kinds`.

    python -m benchmarks.update_kinds [--count 112] [--first 0] [--parts built-on held-out] [--threads 1] [--page]

Each is made by EditView's own operations on a small model, saved, and compared from the files alone. The rules were
built on one part; the other has other seeds, sizes, settings and architectures, and was only ever judged. `--page`
writes the tables into docs/update-kinds.md.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from transformers.utils import logging

from benchmarks.update_kinds.tables import Row, matrix, numbers, summary, write_page
from benchmarks.update_kinds.updates import BUILT_ON, HELD_OUT, Part, Update, carry_out, drawn, make_models
from editview.domain.errors import EditViewError
from editview.domain.operations import Edit, Lora, UltraEdit
from editview.domain.plan import Checkpoint
from editview.domain.progress import silent
from editview.domain.update_kind import judged
from editview.lm.change_spectra import with_spectra
from editview.lm.comparing import compare
from editview.lm.stored import StoredCheckpoint


def judge(update: Update, part: Part, base: Path) -> Row:
    """Make an update in a folder that goes again, and judge it. Raises EditViewError where an operation refuses."""
    with tempfile.TemporaryDirectory() as folder:
        first, second = carry_out(update, base, Path(folder))
        began = time.process_time()
        one, other = (StoredCheckpoint(Checkpoint(source=str(place))) for place in (first, second))
        found = judged(with_spectra(one, other, compare(one, other, silent), silent))
    family, size = part.models[update.model]
    ranks = [step.rank for step in update.steps if isinstance(step, Lora)]
    counted = any(isinstance(step, Edit) and not isinstance(step, UltraEdit) for step in update.steps)
    return Row(
        update.kind, update.name, f"{family}, {size.layers} × {size.width}", update.storage.name, found,
        facts=update.facts if counted else None, rank=ranks[0] if ranks else None,
        seconds=time.process_time() - began,
    )  # fmt: skip


def rows_of(part: Part, first: int, count: int, folder: Path) -> list[Row]:
    rows = []
    models = make_models(part, folder)
    for number, update in enumerate(drawn(part, first + count)):
        if number < first:
            continue
        try:
            row = judge(update, part, models[update.model])
        except EditViewError as error:
            print(f"{part.name} {number}: {update.name} was refused: {error}", file=sys.stderr)
            continue
        rows.append(row)
        print(f"{part.name} {number}: {row}", flush=True)
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parts = {part.name.replace(" ", "-"): part for part in (BUILT_ON, HELD_OUT)}
    parser.add_argument("--count", type=int, default=112, help="updates in each part")
    parser.add_argument("--first", type=int, default=0, help="the first one's number")
    parser.add_argument("--parts", nargs="+", choices=parts, default=list(parts))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--page", action="store_true", help="write the tables into docs/update-kinds.md")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["EDITVIEW_HOME"] = str(Path(folder) / "home")
        for name in options.parts:
            place = Path(folder) / name
            found[parts[name].name] = rows_of(parts[name], options.first, options.count, place)
    for name, rows in found.items():
        print(f"\n{summary(name, rows)}\n{matrix(rows)}\n{numbers(rows)}")
    if options.page:
        write_page(found)


if __name__ == "__main__":
    main()
