"""Which two: from the folders that were dropped, from what was compared lately, from the disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from editview.domain.plan import Checkpoint
from editview.ui import remembered
from editview.ui.hub import Hub
from editview.ui.opening.checkpoint_dialog import CheckpointDialog
from editview.ui.opening.recognise import cached_models, checkpoints_of

_RECENT = "compared/recent"


def recent() -> list[Checkpoint]:
    """What was compared lately, the latest first."""
    pairs = (entry.partition("\t") for entry in remembered.recent(_RECENT))
    return [Checkpoint(source=source, adapter=adapter or None) for source, _, adapter in pairs if source]


def remember(checkpoint: Checkpoint) -> None:
    remembered.remember_recent(f"{checkpoint.source}\t{checkpoint.adapter or ''}", _RECENT)


def offers(plan: Checkpoint) -> list[tuple[str, Sequence[Checkpoint]]]:
    """What a side offers to click, under headings. `plan` is the checkpoint of the plan."""
    lately = recent()
    known = [plan, *lately]
    cached = [Checkpoint(source=name) for name in cached_models()]
    demo = Checkpoint()
    return [
        ("Compared lately", lately),
        ("The plan's", [plan] if plan not in lately else []),
        ("In the Hugging Face cache", [one for one in cached if one not in known]),
        ("Built in", [demo] if demo not in known else []),
    ]


def by_folder(parent: QWidget, base: Checkpoint | None) -> list[Checkpoint] | None:
    """A folder that a person chooses; None: none was chosen, or it is no checkpoint."""
    path = QFileDialog.getExistingDirectory(parent, "Choose a folder")
    return checkpoints_of([Path(path)], base) if path else None


def by_dialog(hub: Hub, start: Checkpoint | None, parent: QWidget, to_be: str = "compared") -> Checkpoint | None:
    """One of the cache, with an adapter, or from the hub, described before it is taken."""
    dialog = CheckpointDialog(
        hub, start or hub.plan.checkpoint, parent, question=f"Which checkpoint is to be {to_be}?", to_edit=False
    )
    chosen = dialog.checkpoint if dialog.exec() and dialog.info is not None else None
    dialog.deleteLater()
    return chosen
