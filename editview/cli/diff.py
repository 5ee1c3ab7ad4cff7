"""`editview diff`: what lies between the weights of two checkpoints."""

from __future__ import annotations

import json
from typing import Any

from rich.table import Table
from rich.text import Text

from editview.cli.saying import say
from editview.cli.screen import Bar, ctrl_c, show
from editview.domain.difference import Difference, TensorDifference, headline, remarks
from editview.domain.errors import Cancelled
from editview.domain.plan import Checkpoint
from editview.domain.sentences import amount
from editview.domain.weight_map import percent

_MOST = 30
"""Tensors that the table shows: those that changed most."""


def diff(first: Checkpoint, second: Checkpoint, as_json: bool) -> int:
    """Compare two checkpoints; 0 when their weights are equal but for number formats, else 1."""
    from editview.lm.comparing import compare
    from editview.lm.stored import StoredCheckpoint

    with ctrl_c() as stop, Bar() as bar:

        def progress(done: int, total: int, what: str) -> None:
            if stop.is_set():
                raise Cancelled
            bar.show(done, total, f"{what} ({amount(done)} of {amount(total)})")

        found = compare(StoredCheckpoint(first), StoredCheckpoint(second), progress)
    if as_json:
        print(json.dumps(_outcome(found)))
    else:
        if found.changed:
            show(_table(found))
        for remark in remarks(found):
            say(remark)
        show(headline(found))
    return 1 if found.changed or found.only_first or found.only_second else 0


def _table(found: Difference) -> Table:
    most = sorted(found.changed, key=lambda tensor: tensor.norm_change, reverse=True)
    more = f"{len(most) - _MOST:,} more changed; --json lists all" if len(most) > _MOST else None
    shown = Table(title="Changed most", caption=more)
    for name in ("Layer", "Part", "Tensor"):
        shown.add_column(name)
    for name in ("Changed by", "Share of the change"):
        shown.add_column(name, justify="right")
    for tensor in most[:_MOST]:
        layer = "" if tensor.layer is None else str(tensor.layer + 1)
        cells = (layer, tensor.kind.value, tensor.name, percent(tensor.change.relative), percent(found.share(tensor)))
        shown.add_row(*map(Text, cells))
    return shown


def _outcome(found: Difference) -> dict[str, Any]:
    return {
        "sentence": headline(found),
        "remarks": list(remarks(found)),
        "changed": len(found.changed),
        "only_first": list(found.only_first),
        "only_second": list(found.only_second),
        "tensors": [_tensor(found, tensor) for tensor in found.tensors],
    }


def _tensor(found: Difference, tensor: TensorDifference) -> dict[str, Any]:
    """Layers are counted from 0; `relative` is null where there was nothing before."""
    relative = tensor.change.relative
    return {
        "name": tensor.name,
        "layer": tensor.layer,
        "kind": tensor.kind.value,
        "shape": list(tensor.shape),
        "formats": list(tensor.formats),
        "same": tensor.same,
        "rounding": tensor.rounding,
        "relative": relative if relative != float("inf") else None,
        "share": found.share(tensor) if tensor in found.changed else 0.0,
    }
