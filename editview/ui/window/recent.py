"""What was open lately, to be opened again: plans and checkpoints, the latest first."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QMenu, QWidget

from editview.domain.plan import Checkpoint
from editview.ui import remembered
from editview.ui.hub import Hub
from editview.ui.opening.opening import Opening


class RecentMenu(QMenu):
    """Follows the hub: the file of a plan and a checkpoint that could be described are remembered as they come."""

    def __init__(self, hub: Hub, opening: Opening, parent: QWidget) -> None:
        super().__init__("Open recent", parent)
        self._hub, self._opening = hub, opening
        hub.plan_changed.connect(self._plan)
        hub.checkpoint_changed.connect(self._checkpoint)
        hub.replies.disk_used.connect(self._fill)  # it may have been cleared
        self._fill()

    def _plan(self) -> None:
        if self._hub.history.path is not None:
            self._remember(f"plan {self._hub.history.path}")

    def _checkpoint(self) -> None:
        if self._hub.plan.checkpoint.source != "demo":
            self._remember(f"checkpoint {self._hub.plan.checkpoint.source}")

    def _remember(self, entry: str) -> None:
        if entry != next(iter(remembered.recent()), None):
            remembered.remember_recent(entry)
            self._fill()

    def _fill(self) -> None:
        self.clear()
        for kind, _, name in (entry.partition(" ") for entry in remembered.recent()):
            action = self.addAction(name.replace("&", "&&"))
            if kind == "plan":
                action.triggered.connect(partial(self._opening.open_path, Path(name)))
            else:
                action.triggered.connect(partial(self._opening.open_checkpoint, Checkpoint(source=name)))
        self.menuAction().setEnabled(not self.isEmpty())
