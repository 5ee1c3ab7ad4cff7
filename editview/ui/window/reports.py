"""Saving a report of the shown run, or of two compared, and opening it afterwards in what shows such files here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QWidget

from editview.domain.files import file_name
from editview.domain.history import Recalled
from editview.domain.requests import Request, SaveReport, SaveSideBySide
from editview.domain.session import Run, RunState
from editview.ui.hub import Hub
from editview.ui.problem import Problem

_HTML, _PDF = "Web pages (*.html)", "PDF (*.pdf)"


def place_of_report(window: QWidget, name: str) -> str:
    """Where a person wants a report to be, of which kind says its ending; '' when nowhere."""
    path, kind = QFileDialog.getSaveFileName(window, "Save the report", f"{name}.html", f"{_HTML};;{_PDF}")
    if not path or path.lower().endswith(".pdf"):
        return path
    return path.removesuffix(".html") + (".pdf" if kind == _PDF else ".html")


class Reports(QObject):
    """Belongs to the window whose dialogs it shows."""

    def __init__(self, hub: Hub, window: QWidget) -> None:
        super().__init__(window)
        self._hub, self._window = hub, window
        hub.report_wanted.connect(self._ask)
        hub.pair_report_wanted.connect(self._ask_of_any_two)

    def possible(self) -> bool:
        """Whether the shown run has ended, with some stage asked."""
        run = self._hub.run
        return run is not None and run.state is not RunState.RUNNING and run.last_checked is not None

    def save(self) -> None:
        """Of the shown run."""
        if self._hub.run is not None and self.possible():
            self._ask((self._hub.run,))

    def _ask(self, runs: tuple[Run, ...]) -> None:
        name = file_name(runs[0].plan.name, "report") + (" - orders compared" if len(runs) > 1 else "")
        self._write(name, lambda path: SaveReport(runs[0], path, *runs[1:]))

    def _ask_of_any_two(self, two: tuple[Recalled, Recalled]) -> None:
        names = " and ".join(dict.fromkeys(one.entry.name for one in two))
        self._write(file_name(names, "report") + " - runs compared", lambda path: SaveSideBySide(*two, path))

    def _write(self, name: str, request: Callable[[str], Request]) -> None:
        if path := place_of_report(self._window, name):
            self._hub.noted.emit("The report is being written.")
            self._hub.send(request(path))

    def open(self, path: str) -> None:
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(Path(path).absolute()))):
            sentence = f"Nothing on this machine opens '{path}' by itself. Open it from your browser."
            self._hub.problem.emit(Problem(sentence, ""))
