"""Hold EditView against what the public reference programs computed on the same model, stage by stage.

    python -m benchmarks.golden FOLDER… [--json]

A folder is a case of MEMIT, AlphaEdit or ROME (`hparams.json`, `requests.json`, `context_templates.json`, `model`,
`cov_layer{L}.safetensors`, `intermediates.safetensors`, `delta_layer{L}.safetensors`, `eval.json`, …), a table of where
subjects end (`lookup_{program}.json`), zsRE answers (`{model}_{program}.json`), or holds such folders. Figures are
relative Frobenius distances, or shares of what differs. Exits 1 when one is beyond its tolerance, 2 when a folder can't
be compared.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import torch

from benchmarks.golden import edits, tables
from benchmarks.golden.cases import Case
from benchmarks.golden.lines import Line, NotComparable
from editview.domain.errors import EditViewError


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.golden", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--json", action="store_true", help="print one JSON object as the last line")
    options = parser.parse_args(arguments)
    lines: list[Line] = []
    seconds: dict[str, float] = {}
    unusable = []
    for folder in [found for given in options.folders for found in _comparable(given) or [given]]:
        try:
            found = _compare(folder, seconds)
        except (NotComparable, EditViewError, KeyError) as error:
            what = f"there is no {error}" if isinstance(error, KeyError) else str(error)
            print(f"{folder}: can't be compared: {what}", file=sys.stderr)
            unusable.append(str(folder))
            continue
        for line in found:
            print(line)
        lines += found
    for name, taken in seconds.items():
        print(f"{name}  edits took {taken:.1f} s on {torch.get_num_threads()} threads")
    fits = all(line.fits for line in lines)
    if options.json:
        result = [asdict(line) | {"distance": _number(line.distance), "fits": line.fits} for line in lines]
        print(json.dumps({"lines": result, "edit_seconds": seconds, "unusable": unusable, "fits": fits}))
    return 1 if not fits else 2 if unusable else 0


def _compare(folder: Path, seconds: dict[str, float]) -> list[Line]:
    match _kind(folder):
        case "edits":
            case = Case.read(folder)
            lines, seconds[case.name] = edits.compare(case)
            return lines
        case "lookup":
            return tables.lookup(folder)
        case "zsre":
            return tables.zsre(folder)
    raise NotComparable("it is no folder of golden numbers")


def _kind(folder: Path) -> str | None:
    if (folder / "hparams.json").exists():
        return "edits"
    if any(folder.glob("lookup_*.json")):
        return "lookup"
    return "zsre" if folder.is_dir() and any(tables.is_zsre(path) for path in folder.glob("*_*.json")) else None


def _comparable(folder: Path) -> list[Path]:
    """The folder itself, or those in it; models and statistics, whose names begin with '_', belong to the others."""
    if _kind(folder):
        return [folder]
    return [path for path in sorted(folder.glob("*/")) if path.name[0] != "_" and _kind(path)]


def _number(value: float) -> float | None:
    """JSON knows no infinity."""
    return value if math.isfinite(value) else None


if __name__ == "__main__":
    sys.exit(main())
