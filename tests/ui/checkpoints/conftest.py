"""The window that compares two checkpoints, with jobs that only take note."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from editview.domain.checkpoint import Device
from editview.domain.events import BothAsked, CheckpointsCompared, EngineReady
from editview.domain.requests import AskBoth, CompareCheckpoints, Request
from editview.ui.hub import Hub
from editview.ui.window.checkpoints_window import CheckpointsWindow
from editview.ui.window.main_window import MainWindow
from tests import sample, two

CPU = Device("cpu", "CPU", 8 * 10**9)


@dataclass
class Desk:
    hub: Hub
    main: MainWindow
    sent: list[Request] = field(default_factory=list)
    stopped: list[Request] = field(default_factory=list)

    @property
    def window(self) -> CheckpointsWindow:
        found = self.main.checkpoints
        assert found is not None
        return found

    def asked(self, kind: type[Request]) -> list[Request]:
        return [request for request in self.sent if isinstance(request, kind)]

    def compare(self, spectra: bool = True) -> None:
        """Choose the two and let the engine answer."""
        self.main.compare_checkpoints((two.BEFORE, two.AFTER))
        (request,) = self.asked(CompareCheckpoints)[-1:]
        assert isinstance(request, CompareCheckpoints)
        self.hub.take([CheckpointsCompared(request, two.difference(spectra=False), whole=False)])
        if spectra:
            self.hub.take([CheckpointsCompared(request, two.difference(), whole=True)])

    def answer(self, before: set[str], after: set[str]) -> None:
        """Let the engine answer the sheet asked last."""
        (request,) = self.asked(AskBoth)[-1:]
        assert isinstance(request, AskBoth)
        self.hub.take(BothAsked(request, event) for event in two.events(request.sheet, before, after))


@pytest.fixture
def desk(qtbot: QtBot) -> Iterator[Desk]:
    sent: list[Request] = []
    stopped: list[Request] = []

    def send(request: Request) -> int:
        sent.append(request)
        return len(sent)

    hub = Hub(sample.plan(), send, stop=lambda number: stopped.append(sent[number - 1]))
    hub.sheet = sample.sheet(4, 2, 2)
    main = MainWindow(hub)
    qtbot.addWidget(main)
    main.furnish(QLabel("facts"))
    main.hang_pictures({name: QWidget() for name in main.panel_names})
    main.show()
    hub.take([EngineReady((CPU,), CPU)])
    yield Desk(hub, main, sent, stopped)
    if main.checkpoints is not None:
        main.checkpoints.close()
