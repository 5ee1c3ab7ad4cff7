"""The foot of the window: what the engine is doing, where it runs, and the memory in use."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu, QStatusBar, QToolButton, QWidget

from editview.domain.requests import ChooseDevice
from editview.domain.sentences import amount
from editview.ui.hub import Hub
from editview.ui.look.icons import icon
from editview.ui.look.labels import Words
from editview.ui.look.theme import SMALL, theme


class StatusBar(QStatusBar):
    def __init__(self, hub: Hub, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._hub = hub
        self.setSizeGripEnabled(False)
        self.engine = Words("", SMALL, "muted", parent=self)
        self.memory = Words("", SMALL, "muted", parent=self)
        self.device = QToolButton(self)
        self.device.setIcon(icon("device", "muted"))
        self.device.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.device.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.device.setAccessibleName("Where the model runs")
        self.device.setToolTip("Where the model runs")
        self.devices = QMenu("Where the model runs", self)
        self.device.setMenu(self.devices)
        self.addWidget(self.engine, 1)
        self.addPermanentWidget(self.memory)
        self.addPermanentWidget(self.device)
        for signal in (hub.engine_changed, hub.run_started, hub.run_changed, hub.runs_changed):
            signal.connect(self._show)
        theme().follow(self._dress)
        self._show()

    def _show(self) -> None:
        hub = self._hub
        if hub.loading:
            self.engine.setText(f"{hub.loading}…")
        elif hub.broken:
            self.engine.setText("The model libraries couldn't be loaded: plans can be written, not run")
        elif hub.engine is None:
            self.engine.setText("The model libraries are loaded behind the window…")
        else:
            self.engine.setText("Running" if hub.running else "Ready")
        if hub.memory is not None:
            self.memory.setText(f"{amount(hub.memory.used)} of {amount(hub.memory.total)} of memory in use")
        self.device.setVisible(hub.engine is not None)
        if hub.engine is not None:
            self._offer()

    def _offer(self) -> None:
        engine = self._hub.engine
        assert engine is not None
        self.device.setText(engine.device.name)
        ids = [action.data() for action in self.devices.actions()]
        if ids == [device.id for device in engine.devices]:
            for action in self.devices.actions():
                action.setChecked(action.data() == engine.device.id)
            return
        self.devices.clear()
        choice = QActionGroup(self.devices)
        for device in engine.devices:
            action = self.devices.addAction(f"{device.name}, {amount(device.memory_total)}")
            action.setData(device.id)
            action.setCheckable(True)
            action.setChecked(device.id == engine.device.id)
            action.triggered.connect(partial(self._hub.send, ChooseDevice(device.id)))
            choice.addAction(action)

    def _dress(self) -> None:
        self.device.setFont(theme().font(SMALL))
        self.setContentsMargins(theme().px(16), 0, theme().px(8), 0)
