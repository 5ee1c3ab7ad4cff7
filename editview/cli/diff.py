"""`editview diff`: what lies between the weights of two checkpoints, and what kind of update it was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from editview.cli import both
from editview.cli.report import save, try_report
from editview.cli.run import read_sheet
from editview.cli.saying import say, say_notes
from editview.cli.screen import Bar, ctrl_c, grid, show, show_widest
from editview.domain.change_spectrum import ChangeSpectrum
from editview.domain.difference import Difference, TensorDifference, headline, remarks
from editview.domain.errors import Cancelled
from editview.domain.events import CheckpointsCompared
from editview.domain.history import TERMINAL
from editview.domain.plan import Checkpoint
from editview.domain.requests import AskBoth, CompareCheckpoints, SaveComparison
from editview.domain.sentences import amount
from editview.domain.session import Run
from editview.domain.two_checkpoints import part_words
from editview.domain.update_kind import Judgement, judged
from editview.domain.weight_map import percent

_MOST = 30
"""Tensors that the table shows: those that changed most."""

_LEADING = 32
"""Singular values of each tensor in the JSON: the largest."""


def diff(
    first: Checkpoint,
    second: Checkpoint,
    as_json: bool,
    quick: bool,
    facts: str | None,
    columns: Mapping[str, str],
    device_id: str | None,
    report: Path | None,
) -> int:
    """Compare two checkpoints, and keep what was found; 0 when they are one model but for number formats, else 1.

    `quick`: only how much each tensor changed, not in which directions. `facts` are asked of both; 2 where that
    fails.
    """
    from editview.lm.change_spectra import with_spectra
    from editview.lm.comparing import compare
    from editview.lm.stored import StoredCheckpoint
    from editview.runs.findings import Keeper
    from editview.runs.history import History

    if report is not None:
        try_report(report)
    sheet = read_sheet(facts, columns) if facts else None
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
        request = CompareCheckpoints(first, second)
        Keeper(History(), say_notes, TERMINAL)(CheckpointsCompared(request, found, whole=not quick))
        asked = None
        if facts and sheet:
            asked = both.ask(AskBoth(first, second, sheet, facts, tuple(columns.items())), device_id, stop, bar)
    tell(found, not quick, as_json, asked)
    if report is not None:
        save(SaveComparison(found, str(report), asked, whole=not quick))
        say(f"The report is in '{report}'.")
    if sheet and asked is None:
        return 2
    return 0 if found.equal else 1


def tell(found: Difference, whole: bool, as_json: bool, asked: Run | None = None) -> None:
    """Print what lies between two checkpoints; `whole`: the spectra were looked for, `asked`: so were facts."""
    judgement = judged(found)
    if as_json:
        print(json.dumps({**_outcome(found, judgement), **({"asked": both.outcome(asked)} if asked else {})}))
    else:
        if whole or not found.changed:
            show(judgement.sentence)
            for evidence in judgement.evidence:
                show(evidence, indent=2)
        if found.measured:
            show_widest(_table(found, full=True), _table(found, full=False))
        for remark in remarks(found):
            say(remark)
        if found.changed or not found.tensors:
            show(headline(found))
        if asked is not None:
            both.tell(asked)


def _table(found: Difference, full: bool) -> Table:
    """`full`: with the tensors' whole names and the effective rank."""
    most = sorted(found.measured, key=lambda tensor: tensor.norm_change, reverse=True)
    more = f"{len(most) - _MOST:,} more changed; --json lists all" if len(most) > _MOST else None
    shown = grid("Changed most", more)
    for name in ("Where", "Tensor")[: 2 if full else 1]:
        shown.add_column(name, overflow="fold")
    for name in ("Changed\nby", "Share of\nthe change", "Rank", "Effective\nrank")[: 4 if full else 3]:
        shown.add_column(name, justify="right", no_wrap=True)
    for tensor in most[:_MOST]:
        where = (part_words(tensor), tensor.name) if full else (f"{part_words(tensor)} ({_short(tensor)})",)
        figures = (percent(tensor.change.relative), percent(found.share(tensor)), *_ranks(tensor.spectrum))
        shown.add_row(*map(Text, (*where, *figures[: 4 if full else 3])))
    return shown


def _short(tensor: TensorDifference) -> str:
    """'c_proj' of 'transformer.h.1.mlp.c_proj.weight': what tells the tensors of one part apart."""
    _, _, within = tensor.name.partition(f".{tensor.layer}.")
    name = (within or tensor.name).removesuffix(".weight")
    return name.partition(".")[2] or name


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
        "settings": list(found.settings),
        "tokenizer": list(found.tokenizer),
        "tensors": [_tensor(found, tensor) for tensor in found.tensors],
    }


def _tensor(found: Difference, tensor: TensorDifference) -> dict[str, Any]:
    """Layers are counted from 0; `relative` is null where there was nothing before, or a value is no number."""
    relative = tensor.change.relative if not tensor.broken else float("inf")
    return {
        "name": tensor.name,
        "layer": tensor.layer,
        "kind": tensor.kind.value,
        "shape": list(tensor.shape),
        "formats": list(tensor.formats),
        "same": tensor.same,
        "rounding": tensor.rounding,
        "rows": list(tensor.rows) if tensor.resized else None,
        "not_numbers": list(tensor.not_numbers),
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
