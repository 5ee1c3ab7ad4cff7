"""What a report says of two checkpoints: the sentence, its evidence, the tensors, the facts asked of both."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from editview.domain.difference import Difference, headline, remarks
from editview.domain.history import Findings
from editview.domain.history_words import opened
from editview.domain.inspection import Inspection, memory_sentence
from editview.domain.inspection import headline as inspected
from editview.domain.inspection import remarks as inspection_remarks
from editview.domain.sentences import tally as counted
from editview.domain.sentences import tell
from editview.domain.session import Run
from editview.domain.two_checkpoints import (
    HashedFile,
    TensorRow,
    command,
    difference_map,
    differing_answers,
    name_of,
    places_of,
    sureness,
    tensor_rows,
    told_about,
    told_of,
)
from editview.domain.update_kind import judged
from editview.domain.weight_map import headline as weights_sentence
from editview.formats.report import contents
from editview.formats.report.page import ANOTHER_DAY, write_page
from editview.formats.report.spectrum_picture import spectrum_picture
from editview.formats.report.weights_picture import weights_picture

MOST_TENSORS = 1000
"""Rows of the table: of larger models those that changed most."""


def write_comparison(
    found: Difference | None,
    files: Sequence[Sequence[HashedFile]],
    path: Path,
    asked: Run | None = None,
    inspection: Inspection | None = None,
    then: Findings | None = None,
) -> None:
    """Write what lies between two checkpoints as one file, or what was found in one that is alone at hand.

    `files` are those of the first and of the second.

    `asked` is the run that asked both a fact sheet; it is left out unless both were asked all of it.
    `inspection` says which facts the change touched, `then` that some of this was found at another time.
    Raises EditViewError when the place can't be written.
    """
    write_page("comparison.html", _contents(found, files, asked, inspection, then), path)


def _contents(
    found: Difference | None,
    files: Sequence[Sequence[HashedFile]],
    asked: Run | None,
    inspection: Inspection | None,
    then: Findings | None,
) -> dict[str, Any]:
    two = told_about(found, inspection)
    titles = ("Before", "After")[-len(two) :]
    return {
        "titles": titles,
        "names": [name_of(one) for one in two],
        "places": [places_of(one) for one in two],
        "difference": _difference(found) if found else None,
        "asked": _asked(asked) if asked is not None and asked.last_checked == 1 else None,
        "inspection": _inspection(inspection) if inspection else None,
        "then": " ".join((opened(then.entry, ANOTHER_DAY), *then.remarks)) if then else "",
        "changed": bool(then and then.remarks),
        "files": files,
        "command": command(two[0] if len(two) > 1 else None, two[-1]),
    }


def _difference(found: Difference) -> dict[str, Any]:
    judgement, drawn, rows = judged(found), difference_map(found), tensor_rows(found)
    return {
        "sentence": judgement.sentence,
        "evidence": (*judgement.evidence, headline(found)),
        "remarks": remarks(found),
        "weights": weights_picture(drawn, {"": 0}),
        "weights_sentence": weights_sentence(drawn),
        "spectrum": _spectrum(rows),
        "tensors": [(row, told_of(row).replace("\n", " – ")) for row in rows[:MOST_TENSORS]],
        "more": len(rows) - MOST_TENSORS,
    }


def _inspection(found: Inspection) -> dict[str, Any]:
    return {
        "sentence": inspected(found),
        "memories": [memory_sentence(one) for one in found.memories if one.looks_edited],
        "remarks": inspection_remarks(found),
        "touched": found.touched,
    }


def _spectrum(rows: Sequence[TensorRow]) -> dict[str, Any] | None:
    """Of the matrix that holds most of the change."""
    row = next((row for row in rows if row.rank is not None), None)
    if row is None or row.tensor is None or row.tensor.spectrum is None or not row.tensor.spectrum.values:
        return None
    return {"sentence": told_of(row).partition("\n")[0], "drawing": spectrum_picture(row.tensor.spectrum)}


def _asked(run: Run) -> dict[str, Any]:
    differing = set(differing_answers(run))
    rows = sorted(contents.rows(run, 1), key=lambda row: row.fact.id not in differing)
    groups = contents.groups(run)
    return {
        "sheet": run.sheet,
        "count": len(differing),
        "sentence": tell(counted(run, 1)),
        "sureness": sureness(run),
        "groups": [contents.GROUP_NAMES[group] for group in groups],
        "counts": [contents.counts(rows, groups, at) for at in range(2)],
        "rows": [(row, row.fact.id in differing) for row in rows],
    }
