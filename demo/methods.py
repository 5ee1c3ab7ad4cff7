"""All editing methods on the demo model, by the number of facts: `python -m demo.methods` (`--json` for machines).

Each edit starts from the untouched model with the method's preset. Figures are means over draws of facts with their
range; what the model *says* counts. The draws are others than those that the presets were chosen on.
"""

from __future__ import annotations

import argparse
import copy
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

from demo.quality import FRESH_DRAWS, facts_of, scores, tell
from demo.sheet import draw_sheet
from demo.world import World, read_world
from editview.domain.checkpoint import Device
from editview.domain.errors import EditViewError
from editview.domain.facts import Group
from editview.domain.operations import METHODS, Edit
from editview.domain.plan import Checkpoint
from editview.domain.progress import silent
from editview.edits.methods import edit
from editview.edits.requests import settled
from editview.lm.model import LanguageModel
from editview.lm.opening import open_model

COUNTS = (1, 10, 40, 200)
PAGE = Path(__file__).parent.parent / "docs" / "methods.md"
EDITORS = tuple(method for method in METHODS if issubclass(method, Edit))
COLUMNS = ("efficacy", "paraphrases", "neighbours", "controls", "seconds")


def one(lm: LanguageModel, world: World, method: type[Edit], count: int, draw: int) -> tuple[float, ...] | None:
    """Efficacy, paraphrases, neighbours and controls in percent, and the seconds that the edit took.

    None where the method refuses: UltraEdit can't write a single one-word answer.
    """
    facts = facts_of(draw_sheet(world, draw, edits=count))
    operation = settled(lm, method())
    untouched = copy.deepcopy(lm.model.state_dict())
    began = time.perf_counter()
    try:
        edit(lm, [fact for fact in facts if fact.group is Group.EDITED], operation, draw, {}, silent)
    except EditViewError:
        return None
    seconds = time.perf_counter() - began
    found, _ = scores(lm, facts)
    lm.model.load_state_dict(untouched)
    return found.edits, found.paraphrases, found.neighbours, found.controls, seconds


def measured(methods: Sequence[type[Edit]], counts: Sequence[int], draws: Sequence[int]) -> Iterator[dict]:
    """A row for each method and number of facts: its name, the number, and a list of values for each column."""
    world = read_world()
    lm = open_model(Checkpoint(source="demo"), Device("cpu", "CPU", 0), silent)
    for method in methods:
        one(lm, world, method, 1, 0)  # statistics are taken once; they are kept and count for nobody
        for count in counts:
            found = [values for draw in draws if (values := one(lm, world, method, count, draw)) is not None]
            columns = zip(*found, strict=True) if found else [()] * len(COLUMNS)
            yield {"method": method.label, "facts": count} | dict(zip(COLUMNS, columns, strict=True))


def table(rows: Sequence[dict]) -> str:
    """Markdown: mean and range of every figure."""

    def cell(values: Sequence[float]) -> str:
        if not values:
            return "refused"
        mean, low, high = sum(values) / len(values), min(values), max(values)
        return f"{mean:.1f}" + (f" ({low:.1f}-{high:.1f})" if high > low else "")

    lines = [f"| method | facts | {' | '.join(COLUMNS)} |", "|---" * (len(COLUMNS) + 2) + "|"]
    for row in rows:
        cells = [cell(row[name]) for name in COLUMNS]
        lines.append(f"| {row['method']} | {row['facts']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = {method.model_fields["method"].default: method for method in EDITORS}
    parser.add_argument("--methods", nargs="+", choices=names, default=list(names))
    parser.add_argument("--facts", type=int, nargs="+", default=COUNTS)
    parser.add_argument("--draws", type=int, nargs="+", default=FRESH_DRAWS)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--page", action="store_true", help="write the table into docs/methods.md")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    tell(
        measured([names[name] for name in options.methods], options.facts, options.draws),
        table,
        PAGE if options.page else None,
        options.json,
    )


if __name__ == "__main__":
    main()
