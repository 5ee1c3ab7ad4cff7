"""The window that compares two checkpoints: lays its pages out under the head, with a menu of its own."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QKeyEvent
from PySide6.QtWidgets import QMainWindow, QPushButton, QScrollArea, QTabWidget, QVBoxLayout, QWidget

from editview.domain.files import file_name
from editview.domain.history import EntryKind, Findings
from editview.domain.history_words import opened
from editview.domain.plan import Checkpoint
from editview.domain.two_checkpoints import name_of
from editview.ui.checkpoints import choosing
from editview.ui.checkpoints.facts_page import FactsPage
from editview.ui.checkpoints.head import Head
from editview.ui.checkpoints.pair import Pair
from editview.ui.checkpoints.touched_page import TouchedPage
from editview.ui.checkpoints.weights_page import WeightsPage
from editview.ui.hub import Hub
from editview.ui.look.message_bar import MessageBar
from editview.ui.look.theme import theme
from editview.ui.look.word_help import explain
from editview.ui.opening.opening import Opening
from editview.ui.problem import Problem
from editview.ui.window import settings
from editview.ui.window.actions import Action, Actions
from editview.ui.window.help import Help
from editview.ui.window.reports import Reports, place_of_report
from editview.ui.window.window_actions import help_rows

SAVE = "Save what was found as one file that opens in any browser"
WAITING = "A report can be saved once what is under way here has ended, or was stopped"
_KEPT_AS = "checkpoints"  # the name under which it is remembered how the window stood
BUSY = "What is under way here would be lost. Stop it, or wait until it has ended, then open that from the list again."


class CheckpointsWindow(QMainWindow):
    """One beside the main window; closing it stops what is under way in it."""

    def __init__(self, hub: Hub, opening: Opening, reports: Reports, help: Help, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAcceptDrops(True)
        self._reports, self.help = reports, help
        self.pair = Pair(hub, self)
        self._then = ""  # what is said of findings of another time
        self._reported = ""  # and where the report is
        self.message = MessageBar(self)
        self.head = Head(self.pair)
        self.weights = WeightsPage(self._failed)
        self.facts = FactsPage(self.pair)
        self.touched = TouchedPage(self.pair, self._failed)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setDrawBase(False)
        explain(self.tabs.tabBar())
        self.tabs.setAccessibleName("What was found")
        self.tabs.addTab(self.weights, "Weights")
        self.tabs.addTab(self.facts, "Facts")
        self.tabs.addTab(self.touched, "Inspect")
        self.tabs.setTabToolTip(2, "Which facts the change touched, without being told; the one after alone is enough")
        self.report = QPushButton("Save report…")
        self.report.setProperty("role", "quiet")
        self.report.clicked.connect(self.save_report)
        self.tabs.setCornerWidget(self.report)
        self.actions_table = Actions(self._rows(), self)
        self.actions_table.fill(self.menuBar(), {})
        self._lay_out()
        self.head.alone_wanted.connect(self._inspect_alone)
        self.facts.sheet_wanted.connect(opening.open_facts)
        self.pair.problem.connect(self.message.show_problem)
        self.pair.saved.connect(self._saved)
        for signal in (self.pair.changed, self.pair.progressed, self.pair.asking_changed, self.pair.inspecting_changed):
            signal.connect(self._draw)
        for signal in (self.pair.changed, self.pair.asking_changed, self.pair.inspecting_changed):
            signal.connect(self._found_anew)
        theme().follow(self._dress)
        self._draw()

    def _rows(self) -> list[Action]:
        pair, head = self.pair, self.head
        return [
            Action("compare", "&File", "Compare", pair.compare, "Ctrl+R", "compare", possible=self._can_compare),
            Action("inspect-alone", "&File", "Inspect one alone…", self.inspect, "Ctrl+Shift+I", "look"),
            Action("stop", "&File", "Stop", pair.end, "Ctrl+.", "stop", possible=self._busy),
            Action("choose-first", "&File", "Choose the one before…", partial(head.ask, 0), "Ctrl+1", group=1),
            Action("choose-second", "&File", "Choose the one after…", partial(head.ask, 1), "Ctrl+2", group=1),
            Action("swap", "&File", "Swap the two", head.swapped, "Ctrl+Shift+X", group=1),
            Action(
                "save-report", "&File", "Save report…", self.save_report, "Ctrl+Shift+R", "save",
                possible=lambda: pair.can_save, group=2,
            ),
            Action("close", "&File", "Close", self.close, "Ctrl+W", group=3),
            *help_rows(self),
        ]  # fmt: skip

    def _lay_out(self) -> None:
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        self._message_frame = QVBoxLayout()
        self._message_frame.addWidget(self.message)
        layout.addLayout(self._message_frame)
        layout.addWidget(self.head)
        self._scroll = QScrollArea(widgetResizable=True)  # so that type of any size leaves the head in sight
        self._scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setWidget(self.tabs)
        layout.addWidget(self._scroll, 1)
        self.setCentralWidget(content)
        room = self.screen().availableGeometry().size() - QSize(8, 40)  # less the window's frame
        if not settings.restore_layout(self, self.weights.splitters, _KEPT_AS):
            self.resize(QSize(theme().px(1280), theme().px(800)).boundedTo(room))
        self.weights.show_folds()

    def _dress(self) -> None:
        px = theme().px
        self._message_frame.setContentsMargins(px(16), 0, px(16), 0)
        self.tabs.setMinimumHeight(px(464))
        self.setMinimumSize(QSize(px(1000), px(600)).boundedTo(self.screen().availableGeometry().size()))

    def _can_compare(self) -> bool:
        return self.pair.first is not None and self.pair.second is not None and not self.pair.comparing

    def _busy(self) -> bool:
        return self.pair.busy

    def _draw(self) -> None:
        pair = self.pair
        names = [name_of(one) for one in (pair.first, pair.second) if one is not None]
        what = "inspected" if pair.first is None and pair.second is not None else "compared"
        self.setWindowTitle(f"{' and '.join(names) or 'Two checkpoints'} {what} – EditView")
        self.weights.show_difference(pair.found, pair.whole, pair.comparing)
        if pair.comparing and self.message.problem is not None:
            self.message.withdraw(self.message.problem)  # it was of the time before
        if pair.then is None:
            self.message.withdraw_note(self._then)
        both = pair.first is not None and pair.second is not None
        self.tabs.setVisible(pair.second is not None)
        first_time = both and not self.tabs.isTabEnabled(0)
        for page in (self.weights, self.facts):  # one alone can be looked at for what it was made to say
            self.tabs.setTabEnabled(self.tabs.indexOf(page), both)
        if first_time:
            self.tabs.setCurrentWidget(self.weights)
        self.report.setEnabled(pair.can_save)
        self.report.setToolTip(WAITING if pair.busy else SAVE)
        self.actions_table.refresh()

    def show_findings(self, then: Findings) -> None:
        """Show what was found at another time, unless something else is under way here."""
        if self._busy():
            self._failed(BUSY)
            return
        if self.message.problem is not None:
            self.message.withdraw(self.message.problem)
        self.pair.recall(then)
        self.tabs.setCurrentWidget(self.touched if then.entry.kind is EntryKind.INSPECTION else self.weights)
        self._then = " ".join((opened(then.entry, time.time()), *then.remarks))
        self.message.show_note(self._then, lasting=True)

    def _failed(self, sentence: str) -> None:
        self.message.show_problem(Problem(sentence, ""))

    # ---- one alone -------------------------------------------------------------------------------------------

    def inspect(self, checkpoint: Checkpoint | None = None) -> None:
        """Look what one checkpoint, or one that a person chooses, was made to change, without its original."""
        start = self.pair.second or self.pair.first
        chosen = checkpoint or choosing.by_dialog(self.pair.hub, start, self, to_be="inspected")
        if chosen is not None:
            choosing.remember(chosen)
            self.pair.choose(None, chosen)
            self.tabs.setCurrentWidget(self.touched)
            self.touched.look()

    def _inspect_alone(self) -> None:
        self.inspect(self.pair.first)

    # ---- the report ------------------------------------------------------------------------------------------

    def save_report(self) -> None:
        names = " and ".join(name_of(one) for one in (self.pair.first, self.pair.second) if one is not None)
        name = file_name(f"{names} {'compared' if self.pair.found else 'inspected'}", "report")
        if path := place_of_report(self, name):
            self.pair.save(path)

    def _saved(self, path: str) -> None:
        self._reported = f"The report is in '{path}'."
        self.message.show_note(self._reported, lasting=True, then=("Open it", partial(self._reports.open, path)))

    def _found_anew(self) -> None:
        """What is shown isn't what the report tells any more."""
        self.message.withdraw_note(self._reported)

    # ---- the window itself -----------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc stops what is under way."""
        if event.key() == Qt.Key.Key_Escape:
            self.pair.end()
        else:
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self.head.drop([Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()])

    def closeEvent(self, event: QCloseEvent) -> None:
        self.pair.end()
        settings.save_layout(self, self.weights.splitters, _KEPT_AS)
        super().closeEvent(event)
