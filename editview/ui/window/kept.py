"""What is kept, from the window: the runs so far and the disk, each in a dialog that comes back as large as it was."""

from __future__ import annotations

import time

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QDialog

from editview.domain.disk import Kind
from editview.domain.events import DiskUsed
from editview.domain.history import Recalled
from editview.domain.history_words import opened
from editview.domain.requests import ListRuns
from editview.domain.session import RunState
from editview.ui.hub import Hub
from editview.ui.kept.disk_dialog import DiskDialog
from editview.ui.kept.runs_dialog import RunsDialog
from editview.ui.look.message_bar import MessageBar
from editview.ui.look.theme import Mode, theme
from editview.ui.window import settings


class Kept(QObject):
    """Each dialog is there once, beside the window, which stays usable."""

    def __init__(self, hub: Hub, message: MessageBar) -> None:
        super().__init__(message)
        self._hub, self._message = hub, message
        self._open: dict[type[QDialog], QDialog] = {}
        hub.recalled.connect(self._recalled)
        for signal in (hub.pair_wanted, hub.replies.findings_recalled):
            signal.connect(lambda _: self._close(RunsDialog))
        hub.replies.disk_used.connect(self._cleared)

    def show_runs(self) -> None:
        self._show(RunsDialog)

    def show_disk(self) -> None:
        self._show(DiskDialog)

    def _show(self, kind: type[RunsDialog] | type[DiskDialog]) -> None:
        if kind not in self._open:
            dialog = self._open[kind] = kind(self._hub, self._message.window())
            settings.restore_dialog(dialog)
            dialog.finished.connect(lambda: self._closed(kind))
        self._open[kind].show()
        self._open[kind].raise_()
        self._open[kind].activateWindow()

    def _close(self, kind: type[QDialog]) -> None:
        if kind in self._open:
            self._open[kind].close()

    def _closed(self, kind: type[QDialog]) -> None:
        dialog = self._open.pop(kind)
        settings.save_dialog(dialog)
        dialog.deleteLater()

    def close(self) -> None:
        for kind in list(self._open):
            self._close(kind)

    def _recalled(self, recalled: Recalled) -> None:
        self._close(RunsDialog)
        if recalled.run.state is RunState.RUNNING:  # this window's own, seen as it grows
            return
        said = " ".join((opened(recalled.entry, time.time()), *recalled.remarks))
        unfinished = recalled.entry.state in (RunState.STOPPED, RunState.FAILED)
        self._message.show_note(said, lasting=True, then=("Go on", self._hub.start_run) if unfinished else None)

    def _cleared(self, found: DiskUsed) -> None:
        if found.cleared is Kind.SETTINGS:
            theme().remember(Mode.SYSTEM, 1.0)
        if found.cleared is Kind.RUNS and RunsDialog in self._open:
            self._hub.send(ListRuns())
