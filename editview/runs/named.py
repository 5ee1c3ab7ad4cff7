"""The files that a plan names, as they are when it is run, or those of checkpoints; what became of them since."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from editview.domain.errors import EditViewError
from editview.domain.operations import FineTune, TargetEdit
from editview.domain.plan import Checkpoint, Plan
from editview.formats.fact_sheets import read_facts
from editview.formats.texts import place_of
from editview.formats.training_data import packaged, training_data
from editview.lm.sources import local_folder


def files_said(plan: Plan) -> str:
    """How each file and folder that a plan names looks now; what is packaged with the program isn't named."""
    return _said(_named(plan))


def checkpoints_said(checkpoints: Iterable[Checkpoint]) -> str:
    """How the folders of checkpoints look now."""
    return _said(_folders(checkpoints))


def what_changed_of(checkpoints: Iterable[Checkpoint], files: str) -> Iterator[str]:
    """A sentence for each folder that isn't as it was in `files`."""
    return _changed(_folders(checkpoints), files)


def what_changed(plan: Plan, sheet: str, files: str) -> Iterator[str]:
    """A sentence for each file that isn't as it was in `files`, and for the sheet whose content isn't `sheet` now."""
    yield from _changed(_named(plan), files)
    as_they_were = "its facts are shown, and asked if the plan runs again, as they were."
    try:
        if read_facts(plan.facts, plan.columns)[0].content_hash != sheet:
            yield f"The fact sheet '{plan.facts}' has changed since: {as_they_were} Open it to take it as it is now."
    except EditViewError:
        yield f"The fact sheet '{plan.facts}' can't be opened any more: {as_they_were}"


def same_files(one: str, other: str) -> bool:
    """Whether all that two runs of the same steps named was the same for both."""
    first, second = (
        {(what, name): content or stamp for what, name, stamp, content in json.loads(files)} for files in (one, other)
    )
    return first == second


Named = tuple[str, str, Path | None]
"""What it is, its name in the plan, and where it is (None: not on this machine)."""


def _said(named: Iterable[Named]) -> str:
    return json.dumps([[what, name, _stamp(path), _content(what, name)] for what, name, path in named])


def _changed(named: Iterable[Named], files: str) -> Iterator[str]:
    before = {(what, name): [stamp, content] for what, name, stamp, content in json.loads(files)}
    for what, name, path in named:
        was = before.get((what, name))
        if path is None or not path.exists():
            yield f"The {what} '{name}' isn't where it was."
        elif was is not None and _stamp(path) != was[0] and (was[1] is None or _content(what, name) != was[1]):
            yield f"The {what} '{name}' has changed since."


def _named(plan: Plan) -> Iterator[Named]:
    yield from _folders([plan.checkpoint])
    for operation in plan.active:
        if isinstance(operation, FineTune) and packaged(operation.data) is None:
            yield "training data", operation.data, place_of(operation.data)
        if isinstance(operation, TargetEdit) and not _is_packaged(operation.statistics):
            yield "text for statistics", operation.statistics, place_of(operation.statistics)


def _folders(checkpoints: Iterable[Checkpoint]) -> Iterator[Named]:
    """Each once: an adapter may be held against the model that it lies on."""
    sources = [each for one in checkpoints for each in (("checkpoint", one.source), ("adapter", one.adapter))]
    for what, source in dict.fromkeys(sources):
        if source is not None and source != "demo":
            yield what, source, _folder(source)


def _is_packaged(text: str) -> bool:
    return text == "packaged" or packaged(text) is not None


def _folder(source: str) -> Path | None:
    with suppress(EditViewError):
        return local_folder(source)
    return None


def _stamp(path: Path | None) -> list[Any] | None:
    """Size and time of change of a file, or of all files of a folder."""
    try:
        if path is None or not path.is_dir():
            return None if path is None else [path.stat().st_size, path.stat().st_mtime_ns]
        return [[file.name, file.stat().st_size, file.stat().st_mtime_ns] for file in sorted(path.iterdir())]
    except OSError:
        return None


def _content(what: str, name: str) -> str | None:
    """What names the content of training data, which the run has read anyway; None: the stamp has to do."""
    if what == "training data":
        with suppress(EditViewError, OSError):
            return training_data(name).content
    return None
