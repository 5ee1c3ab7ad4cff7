"""What a report says of two checkpoints: the sentence, its evidence, the tensors, the facts asked of both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from editview.domain.answers_of_both import Said, mark, pairs, sentence, told
from editview.domain.answers_of_both import headline as answered
from editview.domain.commands import commands
from editview.domain.difference import Difference, headline, remarks
from editview.domain.facts import Fact, Group
from editview.domain.hashed_file import HashedFile
from editview.domain.history import Findings
from editview.domain.history_words import opened
from editview.domain.inspection import Inspection, memory_sentence, written_sentence
from editview.domain.inspection import headline as inspected
from editview.domain.inspection import remarks as inspection_remarks
from editview.domain.session import Run
from editview.domain.two_checkpoints import (
    TensorRow,
    difference_map,
    differing_answers,
    map_sentence,
    name_of,
    places_of,
    tensor_rows,
    told_about,
    told_of,
)
from editview.domain.update_kind import judged
from editview.formats.report import contents
from editview.formats.report.inspection_pictures import layers_picture, subjects_picture
from editview.formats.report.page import ANOTHER_DAY, write_page
from editview.formats.report.spectrum_picture import spectrum_picture
from editview.formats.report.weights_picture import weights_picture

NO_KIND = (
    "What kind of update this was isn't told here: the directions of the changes weren't looked at. Compare the two "
    "again, to the end, to know it."
)

MOST_TENSORS = 1000
"""Rows of the table: of larger models those that changed most."""


def write_comparison(
    found: Difference | None,
    files: Sequence[Sequence[HashedFile]],
    path: Path,
    asked: Run | None = None,
    inspection: Inspection | None = None,
    then: Findings | None = None,
    whole: bool = True,
) -> None:
    """Write what lies between two checkpoints as one file, or what was found in one that is alone at hand.

    `files` are those of the first and of the second.

    `asked` is the run that asked both a fact sheet; it is left out unless both were asked all of it.
    `inspection` says which facts the change touched, `then` that some of this was found at another time. Without the
    spectra, `found` isn't `whole`.
    Raises EditViewError when the place can't be written.
    """
    write_page("comparison.html", _contents(found, files, asked, inspection, then, whole), path)


def _contents(
    found: Difference | None,
    files: Sequence[Sequence[HashedFile]],
    asked: Run | None,
    inspection: Inspection | None,
    then: Findings | None,
    whole: bool,
) -> dict[str, Any]:
    two = told_about(found, inspection)
    titles = ("Before", "After")[-len(two) :]
    asked = asked if asked is not None and asked.last_checked == 1 else None
    return {
        "titles": titles,
        "names": [name_of(one) for one in two],
        "places": [places_of(one) for one in two],
        "difference": _difference(found, whole) if found else None,
        "asked": _asked(asked) if asked else None,
        "inspection": _inspection(inspection) if inspection else None,
        "then": " ".join((opened(then.entry, ANOTHER_DAY), *then.remarks)) if then else "",
        "changed": bool(then and then.remarks),
        "files": [
            replace(file, name=f"{title}: {file.name}")
            for title, mine in zip(titles, files, strict=True)
            for file in mine
        ],
        "commands": commands(found, whole, asked, inspection),
    }


def _difference(found: Difference, whole: bool) -> dict[str, Any]:
    judgement, drawn, rows = judged(found), difference_map(found), tensor_rows(found)
    known = whole or not found.changed
    return {
        "sentence": judgement.sentence if known else headline(found),
        "evidence": (*judgement.evidence, *([headline(found)] if found.changed else [])) if known else (NO_KIND,),
        "remarks": remarks(found),
        "weights": weights_picture(drawn, {"": 0}),
        "weights_sentence": map_sentence(found, drawn),
        "spectrum": _spectrum(rows),
        "tensors": [(row, _part(row), told_of(row).replace("\n", " – ")) for row in rows[:MOST_TENSORS]],
        "more": len(rows) - MOST_TENSORS,
    }


def _part(row: TensorRow) -> str:
    """'memory: writing', of whichever layer."""
    return row.where.partition(", ")[2] or f"{row.where[:1].lower()}{row.where[1:]}"


def _inspection(found: Inspection) -> dict[str, Any]:
    return {
        "sentence": inspected(found),
        "written": written_sentence(found),
        "memories": [memory_sentence(one) for one in found.memories if one.looks_edited],
        "remarks": inspection_remarks(found),
        "touched": found.touched,
        "layers": layers_picture(found),
        "subjects": subjects_picture(found.touched),
        "alone": found.original is None,
    }


def _spectrum(rows: Sequence[TensorRow]) -> dict[str, Any] | None:
    """Of the matrix that holds most of the change."""
    row = next((row for row in rows if row.rank is not None), None)
    if row is None or row.tensor is None or row.tensor.spectrum is None or not row.tensor.spectrum.values:
        return None
    return {"sentence": told_of(row).partition("\n")[0], "drawing": spectrum_picture(row.tensor.spectrum)}


def _asked(run: Run) -> dict[str, Any]:
    """A row a fact, those answered differently first: by which answers they get, then in other words."""
    both, differing = pairs(run), set(differing_answers(run))
    rows = [_row(run, fact, both[fact.id], fact.id in differing) for fact in run.sheet]
    groups = contents.groups(run)
    return {
        "sheet": run.sheet,
        "headline": answered(run),
        "sentence": sentence(run),
        "groups": [_GROUPS[group] for group in groups],
        "counts": [[_counted(rows, group, at) for group in groups] for at in range(2)],
        "rows": sorted(rows, key=lambda row: row.fate),
    }


_GROUPS = {**contents.GROUP_NAMES, Group.EDITED: "New answers"}


def _row(run: Run, fact: Fact, both: tuple[Said, Said], differs: bool) -> contents.Row:
    before, after = both
    marks = mark(fact.group, before, after, after=False), mark(fact.group, after, before, after=True)
    cells = tuple(contents.cell(stage.checks[fact.id], seen) for stage, seen in zip(run.stages, marks, strict=True))
    words = told(fact.group, before, after)
    worded = ", in other words" if differs and before is after else ""
    fate = 2 if not differs else 1 if worded else 0
    group = "new answer" if fact.group is Group.EDITED else contents.GROUP_WORDS[fact.group]
    return contents.Row(fact, group, cells, words, fate, f"{words}{worded}")


def _counted(rows: Sequence[contents.Row], group: Group, at: int) -> contents.Counted:
    """How often which answer is given."""
    found = Counter(row.cells[at].mark.word for row in rows if row.fact.group is group)
    marks = (mark(group, each, Said.ANOTHER, after=False) for each in sorted(Said, reverse=True) if each)
    counts = tuple((seen, seen.word.removesuffix(" answer"), found[seen.word]) for seen in marks if found[seen.word])
    return contents.Counted(_GROUPS[group], found.total(), counts)
