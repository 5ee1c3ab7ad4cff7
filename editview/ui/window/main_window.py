"""The window: lays the panels out, remembers how they stood, takes what is dropped on it. It decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QResizeEvent
from PySide6.QtWidgets import QMainWindow, QScrollArea, QSplitter, QTabWidget, QVBoxLayout, QWidget

from editview.domain.events import FindingsRecalled
from editview.domain.plan import Checkpoint
from editview.ui.hub import Hub
from editview.ui.look.message_bar import MessageBar
from editview.ui.look.theme import theme
from editview.ui.look.word_help import explain
from editview.ui.opening.opening import Opening
from editview.ui.plan.panel import PlanPanel
from editview.ui.problem import Problem
from editview.ui.window import settings
from editview.ui.window.actions import Actions
from editview.ui.window.command_palette import CommandPalette
from editview.ui.window.header import Header
from editview.ui.window.help import Help
from editview.ui.window.kept import Kept
from editview.ui.window.recent import RecentMenu
from editview.ui.window.reports import Reports
from editview.ui.window.status_bar import StatusBar
from editview.ui.window.tour import Tour
from editview.ui.window.tour_stops import stops
from editview.ui.window.window_actions import rows

if TYPE_CHECKING:
    from editview.ui.window.checkpoints_window import CheckpointsWindow

LEAST_FRAME = QSize(8, 40)  # pixels of edges and title bar, which aren't known before the window is shown
CARD_BUTTONS = ("edit-step", "switch-step", "duplicate-step", "remove-step")
SHEET_ACTIONS = ("open-facts", "columns", "left-out")
CARD_MENU = (*CARD_BUTTONS, "export-step", "step-up", "step-down", "edits-last", "explain-losses")


class MainWindow(QMainWindow):
    """`closed` comes once, before the window goes."""

    closed = Signal()
    panel_names = ("Weights", "Survival", "Compare", "Ask")

    def __init__(self, hub: Hub) -> None:
        super().__init__()
        self.hub = hub
        self.opening = Opening(hub, self)
        self.plan = PlanPanel(hub, self)
        self.checkpoints: CheckpointsWindow | None = None
        self._before: dict[int, int] = {}  # how wide plan and pictures were before the window was wide
        self.help = Help(self)
        self.tabs = QTabWidget(self)
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setDrawBase(False)
        self.tabs.setAccessibleName("Pictures")
        explain(self.tabs.tabBar())
        self.message = MessageBar(self)
        self.reports = Reports(hub, self.message, self)
        self.kept = Kept(hub, self.message)
        self.actions_table = Actions(rows(self), self)
        by_id = self.actions_table.by_id
        self.header = Header(
            hub, by_id["run"], by_id["stop"], [by_id["open-checkpoint"]], [by_id[name] for name in SHEET_ACTIONS], self
        )
        self.plan.give_actions([by_id[name] for name in CARD_MENU], [by_id[name] for name in CARD_BUTTONS])
        self.actions_table.fill(self.menuBar(), {"save-plan": RecentMenu(hub, self.opening, self)})
        self.setStatusBar(StatusBar(hub, self))
        self.setAcceptDrops(True)
        self._lay_out()
        self._connect()
        theme().follow(self._dress)
        self._retitle()

    def _lay_out(self) -> None:
        self.splitter = QSplitter(Qt.Orientation.Horizontal, self)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(self.plan)
        content = QWidget(self)
        self._layout = QVBoxLayout(content)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(0)
        self._layout.addWidget(self.header)
        self._message_frame = QVBoxLayout()
        self._message_frame.addWidget(self.message)
        self._layout.addLayout(self._message_frame)
        self._scroll = QScrollArea(self, widgetResizable=True)  # so that type of any size leaves Run in sight
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setWidget(self.splitter)
        self._layout.addWidget(self._scroll, 1)
        self.setCentralWidget(content)

    def _connect(self) -> None:
        hub, refresh = self.hub, self.actions_table.refresh
        hub.problem.connect(self.message.show_problem)
        hub.solved.connect(self.message.withdraw)
        hub.noted.connect(self.message.show_note)
        hub.report_saved.connect(self._report_saved)
        hub.checkpoints_wanted.connect(self.compare_checkpoints)
        hub.replies.findings_recalled.connect(self._show_findings)
        hub.recovered.connect(partial(self.message.show_note, lasting=True))
        self.plan.selection_changed.connect(refresh)
        for signal in (hub.plan_changed, hub.sheet_changed, hub.run_changed, hub.run_started, hub.runs_changed):
            signal.connect(refresh)
        hub.plan_changed.connect(self._retitle)
        for signal in (hub.comparison_wanted, hub.pair_wanted):
            signal.connect(lambda _: self.show_panel("Compare"))
        head = self.header
        order = (head.name, head.checkpoint, head.sheet, head.button, self.plan.view, self.plan.add_button)
        for before, after in pairwise(order):
            self.setTabOrder(before, after)

    def furnish(self, centre: QWidget) -> None:
        """Put the centre in, and everything where it stood the last time."""
        px = theme().px
        self.centre = centre
        self.splitter.addWidget(centre)
        self.splitter.addWidget(self.tabs)
        theme().follow(self._keep_room)
        for column, stretch in enumerate((0, 1, 0)):
            self.splitter.setStretchFactor(column, stretch)
        self.splitter.setSizes([px(304), px(624), px(336)])
        if not settings.restore_layout(self, {"columns": self.splitter}):
            self.resize(QSize(px(1280), px(800)).boundedTo(self._room()))

    def hang_pictures(self, pictures: dict[str, QWidget]) -> None:
        """Put the panels at the right in, by the names in `panel_names`."""
        for name in self.panel_names:
            self.tabs.addTab(pictures[name], name)

    def show_panel(self, name: str) -> None:
        at = self.panel_names.index(name)
        self.tabs.setCurrentIndex(at)
        page = self.tabs.widget(at)
        if page is not None:
            page.setFocus()

    def show_commands(self) -> None:
        CommandPalette(self.actions_table, self).show()

    def welcome(self) -> None:
        """Show somebody around who is here for the first time."""
        if not settings.tour_seen():
            self.show_around()

    def show_around(self) -> None:
        settings.remember_tour()  # at its beginning: skipped or cut off, it doesn't come again by itself
        tour = Tour(stops(self), self)
        tour.destroyed.connect(self.header.button.setFocus)

    def present(self) -> None:
        """Tell the shown run full screen; Run and Stop work there too."""
        from editview.ui.presentation.window import Presentation  # its pictures aren't needed before

        keys = [self.actions_table.by_id[name] for name in ("run", "stop")]
        shown = self.findChild(Presentation) or Presentation(self.hub, keys, self)
        shown.present(self.screen().geometry())

    def show_problem(self, problem: Problem) -> None:
        self.message.show_problem(problem)

    def compare_checkpoints(self, two: Sequence[Checkpoint] = ()) -> None:
        """Open the window for it, or bring it to the front; two checkpoints are compared at once."""
        self._checkpoints_window().head.take(0, two)

    def inspect_checkpoint(self) -> None:
        """Ask for one checkpoint and look in the same window what it was made to change, without its original."""
        self._checkpoints_window().inspect()

    def _show_findings(self, event: FindingsRecalled) -> None:
        self._checkpoints_window().show_findings(event.findings)

    def _checkpoints_window(self) -> CheckpointsWindow:
        from editview.ui.window.checkpoints_window import CheckpointsWindow  # so that this window opens sooner

        if self.checkpoints is None:
            self.checkpoints = CheckpointsWindow(self.hub, self.opening, self.reports, self.help, self)
            self.checkpoints.destroyed.connect(self._checkpoints_closed)
        self.checkpoints.show()
        self.checkpoints.raise_()
        self.checkpoints.activateWindow()
        return self.checkpoints

    def _checkpoints_closed(self) -> None:
        self.checkpoints = None

    def _report_saved(self, path: str) -> None:
        if self.checkpoints is not None and self.checkpoints.pair.saving_to == path:
            return  # it is said there
        then = "Open it", partial(self.reports.open, path)
        self.message.show_note(f"The report is in '{path}'.", lasting=True, then=then)

    # ---- the window itself -----------------------------------------------------------------------------------

    def _retitle(self) -> None:
        self.setWindowTitle(f"{self.hub.plan.name}[*] – EditView")
        self.setWindowModified(not self.hub.saved)

    def _dress(self) -> None:
        px = theme().px
        self.setMinimumSize(QSize(px(1000), px(600)).boundedTo(self._room()))
        self._stay_on_screen()
        self._message_frame.setContentsMargins(px(16), 0, px(16), 0)
        self.splitter.setHandleWidth(px(8))
        self.splitter.setMinimumHeight(px(384))

    def _keep_room(self) -> None:
        roomy = self._room().width() >= theme().px(1000)  # else the facts get what they can't do without
        self.centre.setMinimumWidth(theme().px(360 * roomy))
        self._fit_sides()

    def _fit_sides(self) -> None:
        """What plan and pictures get at least; in a wide window a step's title stands in one line."""
        px, wide = theme().px, self.width() >= theme().px(1600)
        roomy, sizes = self._room().width() >= px(1000), self.splitter.sizes()
        sides = (0, self.plan, px(352 if wide else 304 if roomy else 0)), (2, self.tabs, px(448 if wide else 320))
        for place, panel, least in sides:
            if len(sizes) == 3 and panel.minimumWidth() < least:
                self._before[place] = sizes[place]
            elif len(sizes) == 3 and sizes[place] == panel.minimumWidth() > least:  # it gives back what it was given
                before = max(self._before.get(place, least), least)
                sizes[place], sizes[1] = before, sizes[1] + sizes[place] - before
            panel.setMinimumWidth(least)
        if sizes != self.splitter.sizes():
            self.splitter.setSizes(sizes)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_sides()

    def _room(self) -> QSize:
        """What the window may fill of its screen, inside its frame."""
        frame = (self.frameGeometry().size() - self.size()).expandedTo(LEAST_FRAME)
        return self.screen().availableGeometry().size() - frame

    def _stay_on_screen(self) -> None:
        """Bigger type makes a window grow, perhaps over the edge."""
        if self.isVisible() and not self.isMaximized():
            place, screen = self.frameGeometry(), self.screen().availableGeometry()
            place.moveLeft(max(screen.left(), min(place.left(), screen.right() + 1 - place.width())))
            place.moveTop(max(screen.top(), min(place.top(), screen.bottom() + 1 - place.height())))
            self.move(place.topLeft())

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self.opening.open_paths(Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile())

    def closeEvent(self, event: QCloseEvent) -> None:
        settings.save_layout(self, {"columns": self.splitter})
        settings.save_look()
        self.kept.close()
        self.hide()  # the work behind the window may take a moment to end
        if self.checkpoints is not None:
            self.checkpoints.close()
        self.closed.emit()
        super().closeEvent(event)
