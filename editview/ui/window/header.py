"""The head of the window: what the plan is called, what it rests on, how far a run is, and the one primary button."""

from __future__ import annotations

import time

from PySide6.QtCore import QElapsedTimer, QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from editview.domain.countdown import Countdown
from editview.domain.plan import checkpoint_name
from editview.domain.sentences import amount, sheet_sentence, time_left
from editview.ui.hub import Hub
from editview.ui.look.chips import Chip
from editview.ui.look.icons import icon
from editview.ui.look.labels import Words
from editview.ui.look.theme import LARGE, SMALL, theme
from editview.ui.plan.card_states import overall

_STEPS = 1000  # of the progress bar


class _Bar(QProgressBar):
    """As wide as it likes to be, or less where the type is big."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(theme().px(240), super().sizeHint().height())


class Header(QWidget):
    """`run` and `stop` are the actions behind the button; the chips offer the actions of their kind."""

    def __init__(
        self, hub: Hub, run: QAction, stop: QAction, checkpoint: list[QAction], sheet: list[QAction],
        parent: QWidget | None = None,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._hub, self._run, self._stop = hub, run, stop
        self.name = QLineEdit(self)
        self.name.setProperty("role", "title")
        self.name.setAccessibleName("Name of the plan")
        self.name.setToolTip("Name of the plan")
        self.name.editingFinished.connect(self._rename)
        self.checkpoint = Chip("Checkpoint", "checkpoint", checkpoint, self)
        self.sheet = Chip("Fact sheet", "facts", sheet, self)
        self.button = QPushButton(self)
        self.button.setProperty("role", "primary")
        self.button.clicked.connect(self._pressed)
        self._pressed_run = QElapsedTimer()
        self._countdown = Countdown()
        self.progress = _Bar(self)
        self.progress.setRange(0, _STEPS)
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName("Progress of the run")
        self.remaining = Words("", SMALL, "muted", parent=self)
        self.remaining.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._lay_out()
        hub.plan_changed.connect(self._show_plan)
        hub.checkpoint_changed.connect(self._show_plan)
        hub.sheet_changed.connect(self._show_plan)
        for signal in (hub.run_changed, hub.run_started, hub.runs_changed, hub.sheet_changed, hub.plan_changed):
            signal.connect(self._show_run)
        theme().follow(self._dress)
        self._show_plan()
        self._show_run()

    def _lay_out(self) -> None:
        self._chips = QHBoxLayout()
        self._chips.addWidget(self.checkpoint)
        self._chips.addWidget(self.sheet)
        self._chips.addStretch(1)
        left = QVBoxLayout()
        left.setSpacing(0)
        left.addWidget(self.name)
        left.addLayout(self._chips)
        self._middle = QVBoxLayout()
        self._middle.addStretch(1)
        self._middle.addWidget(self.remaining)
        self._middle.addWidget(self.progress)
        self._middle.addStretch(1)
        self._layout = QHBoxLayout(self)
        self._layout.addLayout(left, 1)
        self._layout.addLayout(self._middle)
        self._layout.addWidget(self.button)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def _rename(self) -> None:
        name = self.name.text().strip()
        if name:
            self._hub.change_plan(self._hub.plan.model_copy(update={"name": name}))
        else:
            self.name.setText(self._hub.plan.name)

    def _pressed(self) -> None:
        if not self._hub.running:
            self._pressed_run.start()
            self._run.trigger()
        elif not self._pressed_run.isValid() or self._pressed_run.hasExpired(QApplication.doubleClickInterval()):
            self._stop.trigger()  # the second press of a double click on Run isn't meant for it

    def _show_plan(self) -> None:
        hub = self._hub
        if self.name.text() != hub.plan.name:
            self.name.setText(hub.plan.name)
            self.name.setCursorPosition(0)
        info, source = hub.checkpoint, hub.plan.checkpoint.source
        if info is not None and info.checkpoint == hub.plan.checkpoint:
            self.checkpoint.describe(f"{info.name} · {info.architecture}, {amount(info.bytes)}", info.sentence)
        else:
            full = f"{source}: the model that the plan starts from. It is being read."
            self.checkpoint.describe(checkpoint_name(source), full)
        if hub.sheet is not None:
            self.sheet.describe(
                f"{hub.sheet.name} · {len(hub.sheet):,} facts", sheet_sentence(hub.sheet, hub.sheet_problems)
            )
        else:
            short = hub.plan.facts.replace("\\", "/").rsplit("/", 1)[-1]
            full = hub.sheet_missing or f"{hub.plan.facts}: the facts that are asked. They are being read."
            self.sheet.describe(f"{short} · not opened" if hub.sheet_missing else short, full)

    def _show_run(self) -> None:
        hub, latest = self._hub, self._hub.session.latest
        running, why_not = hub.running, hub.obstacle
        ready = running or not why_not
        self.button.setText("Stop" if running else "Run")
        self.button.setIcon(icon("stop" if running else "run", "on_accent" if ready else "faint"))
        self.button.setEnabled(ready)
        tip = (
            "Stop after this step of the work; what is finished stays (Esc or Ctrl+.)"
            if running
            else why_not or "Run the plan (Ctrl+R)"
        )
        self.button.setToolTip(tip)
        self.progress.setVisible(running)
        self.remaining.setVisible(running)
        if running and hub.starting:
            self.progress.setValue(0)
            self.remaining.setText("Starting")
            self._countdown = Countdown()
        elif running and latest is not None:
            state = overall(latest, hub.run_forecast)
            self.progress.setValue(round(_STEPS * state.share))
            seconds = self._countdown.told(state.seconds_left, time.monotonic())
            left = "" if seconds is None else f" · about {time_left(seconds)} left"
            self.remaining.setText(f"{100 * state.share:.0f} %{left}")

    def _dress(self) -> None:
        px = theme().px
        self.name.setFont(theme().font(LARGE, bold=True))
        self._layout.setContentsMargins(px(12), px(8), px(16), px(8))
        self._layout.setSpacing(px(24))
        self._chips.setSpacing(px(8))
        self._chips.setContentsMargins(px(4), 0, 0, 0)
        self._middle.setSpacing(px(4))
        self.progress.setMinimumWidth(px(80))
        self.button.setFont(theme().font(bold=True))
        self.button.setIconSize(QSize(px(16), px(16)))
        self.button.setMinimumWidth(px(120))
        self._show_plan()
