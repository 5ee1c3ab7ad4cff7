"""Comparisons and inspections in the list of runs: kept as they are found, brought back as they were."""

from __future__ import annotations

import math
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from editview.domain import places
from editview.domain.errors import EditViewError
from editview.domain.events import CheckpointsCompared, Event, Inspected, Noted
from editview.domain.history import TERMINAL, EntryKind
from editview.domain.plan import Checkpoint
from editview.domain.requests import CompareCheckpoints, InspectCheckpoint
from editview.domain.update_kind import judged
from editview.runs.findings import Keeper, findings
from editview.runs.history import History
from tests import two

ASKED = CompareCheckpoints(two.BEFORE, two.AFTER)
FIRST = CheckpointsCompared(ASKED, two.difference(spectra=False), whole=False)
WHOLE = CheckpointsCompared(ASKED, two.difference(), whole=True)
INSPECTED = Inspected(InspectCheckpoint(two.AFTER, two.BEFORE), two.inspection())


def keep(*events: Event) -> list[Event]:
    heard: list[Event] = []
    keeper = Keeper(History(), heard.append, TERMINAL)
    for event in events:
        keeper(event)
    return heard


def test_a_comparison_is_a_row_from_the_start_and_whole_at_the_end() -> None:
    heard: list[Event] = []
    keeper = Keeper(History(), heard.append, TERMINAL)
    keeper(FIRST)
    (entry,) = History().listed().runs
    assert (entry.kind, entry.name, entry.door) == (EntryKind.COMPARISON, "before → after", TERMINAL)
    assert entry.checkpoint == "/models/before → /models/after"
    assert entry.sentence.startswith("2 of 4 tensors changed")
    assert not findings(History(), entry.id).whole
    History().note(entry.id, "the one from Monday")
    keeper(WHOLE)
    assert heard == [FIRST, WHOLE]
    (entry,) = History().listed().runs
    assert entry.note == "the one from Monday"
    assert entry.sentence.startswith(judged(WHOLE.found).sentence)
    then = findings(History(), entry.id)
    assert (then.found, then.whole) == (WHOLE.found, True)


@pytest.mark.parametrize("original", [two.BEFORE, None])
def test_an_inspection_comes_back_as_it_was(original: Checkpoint | None) -> None:
    found = replace(two.inspection(), original=original)
    keep(Inspected(InspectCheckpoint(two.AFTER, original), found))
    (entry,) = History().listed().runs
    said = "against before" if original else "without the one before"
    assert (entry.kind, entry.name, entry.steps) == (EntryKind.INSPECTION, "after", said)
    assert "1 is answered" in entry.sentence
    assert findings(History(), entry.id).found == found


def test_numbers_that_are_not_finite_come_back_too() -> None:
    broken = replace(WHOLE.found.tensors[2], norm_change=math.inf)
    found = replace(WHOLE.found, tensors=(broken,))
    keep(CheckpointsCompared(ASKED, found, whole=True))
    assert findings(History(), History().listed().runs[0].id).found == found


def test_files_that_changed_since_are_said(tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    for folder in (before, after):
        folder.mkdir()
        (folder / "model.safetensors").write_bytes(b"1")
    first, second = Checkpoint(source=str(before)), Checkpoint(source=str(before), adapter=str(after))
    keep(CheckpointsCompared(CompareCheckpoints(first, second), replace(WHOLE.found, first=first, second=second), True))
    (entry,) = History().listed().runs
    assert findings(History(), entry.id).remarks == ()
    (before / "model.safetensors").write_bytes(b"1, and more")
    as_it_was = "What was found is shown as it was."
    assert findings(History(), entry.id).remarks == (f"The checkpoint '{before}' has changed since.", as_it_was)
    (after / "model.safetensors").unlink()
    after.rmdir()
    assert findings(History(), entry.id).remarks[1] == f"The adapter '{after}' isn't where it was."


def test_rows_of_all_kinds_are_deleted_and_brought_back_together() -> None:
    keep(WHOLE)
    keep(INSPECTED)
    ids = [entry.id for entry in History().listed().runs]
    History().delete(ids)
    assert History().listed().runs == ()
    History().restore()
    assert [entry.id for entry in History().listed().runs] == ids
    History().clear()
    with pytest.raises(EditViewError, match="in the list of runs any more"):
        findings(History(), ids[0])


def test_a_list_that_cannot_be_written_takes_nothing_away() -> None:
    places.runs().mkdir(parents=True)  # no file can lie there
    note, event = keep(INSPECTED)
    assert event is INSPECTED
    assert isinstance(note, Noted)
    assert note.sentence.startswith("This can't be kept in the list of runs for now.")
    places.runs().rmdir()
    odd = Checkpoint(source="/models/\udcff")  # a folder's name that no text can hold
    note, event = keep(replace(INSPECTED, inspection=replace(INSPECTED.inspection, edited=odd)))
    assert isinstance(note, Noted)
    assert isinstance(event, Inspected)


def test_damage_is_a_sentence() -> None:
    keep(WHOLE)
    with sqlite3.connect(places.runs()) as file:
        file.execute("UPDATE pieces SET content = x'00'")
    with pytest.raises(EditViewError, match="can't be read"):
        findings(History(), History().listed().runs[0].id)


def test_a_row_is_named_by_how_its_id_begins() -> None:
    keep(WHOLE)
    (entry,) = History().listed().runs
    assert History().named(entry.id[:4]) == entry
    keep(WHOLE)
    with pytest.raises(EditViewError, match="2 ids of the runs so far begin with ''"):
        History().named("")
    with pytest.raises(EditViewError, match="'editview runs' lists them"):
        History().named("zz")
