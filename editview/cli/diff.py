"""`editview diff`: what lies between the weights of two checkpoints, and what kind of update it was."""

from __future__ import annotations

import json
from typing import Any

from rich.table import Table
from rich.text import Text

from editview.cli.saying import say, say_notes
from editview.cli.screen import Bar, ctrl_c, show
from editview.domain.change_spectrum import ChangeSpectrum
from editview.domain.difference import Difference, TensorDifference, headline, remarks
from editview.domain.errors import Cancelled
from editview.domain.events import CheckpointsCompared
from editview.domain.history import TERMINAL
from editview.domain.plan import Checkpoint
from editview.domain.requests import CompareCheckpoints
from editview.domain.sentences import amount
from editview.domain.update_kind import Judgement, judged
from editview.domain.weight_map import percent

_MOST = 30
"""Tensors that the table shows: those that changed most."""

_LEADING = 32
"""Singular values of each tensor in the JSON: the largest."""


def diff(first: Checkpoint, second: Checkpoint, as_json: bool, quick: bool = False) -> int:
    """Compare two checkpoints, and keep what was found; 0 when their weights are equal but for number formats, else 1.

    `quick`: only how much each tensor changed, not in which directions.
    """
    from editview.lm.change_spectra import with_spectra
    from editview.lm.comparing import compare
    from editview.lm.stored import StoredCheckpoint
    from editview.runs.findings import Keeper
    from editview.runs.history import History

    with ctrl_c() as stop, Bar() as bar:

        def reading(done: int, total: int, what: str) -> None:
            looking(done, total, f"{what} ({amount(done)} of {amount(total)})")

        def looking(done: int, total: int, what: str) -> None:
            if stop.is_set():
                raise Cancelled
            bar.show(done, total, what)

        one, other = StoredCheckpoint(first), StoredCheckpoint(second)
        found = compare(one, other, reading)
        if not quick:
            found = with_spectra(one, other, found, looking)
    asked = CompareCheckpoints(first, second)
    Keeper(History(), say_notes, TERMINAL)(CheckpointsCompared(asked, found, whole=not quick))
    tell(found, not quick, as_json)
    return 1 if found.changed or found.only_first or found.only_second else 0


def tell(found: Difference, whole: bool, as_json: bool) -> None:
    """Print what lies between two checkpoints; `whole`: the spectra were looked for."""
    judgement = judged(found)
    if as_json:
        print(json.dumps(_outcome(found, judgement)))
    else:
        if whole or not found.changed:
            show(judgement.sentence)
            for evidence in judgement.evidence:
                show(f"  {evidence}")
        if found.changed:
            show(_table(found))
        for remark in remarks(found):
            say(remark)
        if found.changed or not found.tensors:
            show(headline(found))


def _table(found: Difference) -> Table:
    most = sorted(found.changed, key=lambda tensor: tensor.norm_change, reverse=True)
    more = f"{len(most) - _MOST:,} more changed; --json lists all" if len(most) > _MOST else None
    shown = Table(title="Changed most", caption=more)
    for name in ("Layer", "Part", "Tensor"):
        shown.add_column(name)
    for name in ("Changed by", "Share of the change", "Rank", "Effective"):
        shown.add_column(name, justify="right")
    for tensor in most[:_MOST]:
        layer = "" if tensor.layer is None else str(tensor.layer + 1)
        cells = (layer, tensor.kind.value, tensor.name, percent(tensor.change.relative), percent(found.share(tensor)))
        shown.add_row(*map(Text, (*cells, *_ranks(tensor.spectrum))))
    return shown


def _ranks(spectrum: ChangeSpectrum | None) -> tuple[str, str]:
    """'8 of 256' and '6.4': directions that stand out of rounding, and the effective rank."""
    if spectrum is None:
        return "", ""
    over = "" if spectrum.rank_is_known else "over "
    return f"{over}{spectrum.rank:,} of {spectrum.directions:,}", f"{spectrum.effective_rank:,.1f}"


def _outcome(found: Difference, judgement: Judgement) -> dict[str, Any]:
    return {
        "update": {
            "kind": judgement.kind.value,
            "sentence": judgement.sentence.replace("*", ""),
            "evidence": list(judgement.evidence),
            "facts": judgement.facts,
            "rank": judgement.rank,
        },
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
        "spectrum": _spectrum(tensor.spectrum) if tensor.spectrum else None,
    }


def _spectrum(spectrum: ChangeSpectrum) -> dict[str, Any]:
    """`rescaled` is null where no rows were made longer, `agreement` where no layer's memory changed before."""
    rescaled = spectrum.rescaled
    return {
        "rank": spectrum.rank,
        "rank_is_known": spectrum.rank_is_known,
        "directions": spectrum.directions,
        "effective_rank": spectrum.effective_rank,
        "rounding": spectrum.rounding,
        "values": list(spectrum.values[:_LEADING]),
        "rescaled": {"least": rescaled.least, "most": rescaled.most, "rank": rescaled.rank} if rescaled else None,
        "agreement": spectrum.agreement,
    }
