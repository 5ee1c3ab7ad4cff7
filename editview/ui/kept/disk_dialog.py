"""How much EditView keeps on the disk, kind by kind, what is lost by clearing it, and a button that does."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QGridLayout, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from editview.domain.disk import LOST, Kind, Use
from editview.domain.events import DiskUsed
from editview.domain.requests import ClearDisk, MeasureDisk
from editview.domain.sentences import amount
from editview.ui.hub import Hub
from editview.ui.look.labels import Sentence, Words
from editview.ui.look.panel import scrolling
from editview.ui.look.theme import BODY, LARGE, SMALL, theme
from editview.ui.problem import Problem

_COUNTING = "Counting what EditView keeps on this disk…"
_ELSEWHERE = (
    "Models from the hub lie in Hugging Face's own cache, which other programs use too. They are neither counted "
    "nor cleared here."
)
_RUNNING = "A run is under way and may need it. Stop it, or wait until it has ended."


class _Row:
    """The widgets of one kind. Clearing takes two clicks: the second one is offered with the size on it."""

    def __init__(self, kind: Kind, dialog: DiskDialog) -> None:
        self.title = Words(kind.value, BODY, bold=True, parent=dialog)
        self.size = Words("", BODY, parent=dialog)
        self.size.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.about = Sentence("", SMALL, "muted", dialog)
        self.about.setMinimumWidth(theme().px(480))  # else it asks for the height of a narrow guess
        self.clear = QPushButton("Clear…", dialog)
        self.clear.setAccessibleName(f"Clear: {kind.value}")
        self.keep = QPushButton("Keep", dialog)
        self.keep.hide()


class DiskDialog(QDialog):
    """Counts when it opens, and again after anything was cleared."""

    def __init__(self, hub: Hub, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Disk space")
        self._hub = hub
        self._jobs: set[int] = set()
        self._uses: dict[Kind, Use] = {}
        self._asked: Kind | None = None  # whether this is really to be cleared
        self._clearing: Kind | None = None
        self.headline, self.note = Sentence(_COUNTING, LARGE, parent=self), Sentence(_ELSEWHERE, SMALL, "muted", self)
        self.rows = {kind: _Row(kind, self) for kind in Kind}
        self._lay_out()
        hub.replies.disk_used.connect(self._counted)
        hub.problem.connect(self._failed)
        for signal in (hub.run_changed, hub.runs_changed):
            signal.connect(self._show)
        self._show()
        self._send(MeasureDisk())

    def _lay_out(self) -> None:
        px = theme().px
        inside = QWidget(self)
        grid = QGridLayout(inside)
        grid.setContentsMargins(0, 0, px(8), 0)
        grid.setHorizontalSpacing(px(24))
        grid.setVerticalSpacing(px(4))
        grid.setColumnStretch(0, 1)
        grid.setColumnMinimumWidth(2, px(208))
        for at, (kind, row) in enumerate(self.rows.items()):
            choice = QHBoxLayout()
            choice.setSpacing(px(8))
            choice.addWidget(row.keep)
            choice.addWidget(row.clear)
            grid.addWidget(row.title, 3 * at, 0)
            grid.addWidget(row.size, 3 * at, 1)
            grid.addLayout(choice, 3 * at, 2, 2, 1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)
            grid.addWidget(row.about, 3 * at + 1, 0, 1, 2)
            grid.setRowMinimumHeight(3 * at + 2, px(16))
            row.clear.clicked.connect(partial(self._press, kind))
            row.keep.clicked.connect(partial(self._ask, None))
        grid.setRowStretch(3 * len(self.rows), 1)
        buttons = QDialogButtonBox(self)
        buttons.addButton("Close", QDialogButtonBox.ButtonRole.RejectRole)
        buttons.rejected.connect(self.reject)
        for button in self.findChildren(QPushButton):
            button.setAutoDefault(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(px(24), px(24), px(24), px(16))
        layout.setSpacing(px(16))
        layout.addWidget(self.headline)
        layout.addWidget(
            Sentence("Under each kind stands what clearing it costs, and where it lies.", BODY, parent=self)
        )
        layout.addWidget(scrolling(inside), 1)
        layout.addWidget(self.note)
        layout.addWidget(buttons)
        room = self.screen().availableSize()
        self.resize(min(px(800), room.width()), min(px(720), room.height() - px(48)))  # less the window's frame

    def _send(self, request: MeasureDisk | ClearDisk) -> None:
        job = self._hub.send(request)
        if job is not None:
            self._jobs.add(job)

    # ---- showing ---------------------------------------------------------------------------------------------

    def _counted(self, found: DiskUsed) -> None:
        self._uses = {use.kind: use for use in found.uses}
        if found.cleared is self._clearing:
            self._clearing = None
        total = sum(use.bytes for use in found.uses)
        self.headline.say(f"EditView keeps {amount(total)} on this disk.")
        self._show()

    def _show(self) -> None:
        for kind, row in self.rows.items():
            use, asked = self._uses.get(kind), self._asked is kind
            row.size.setText(amount(use.bytes) if use else "")
            needed = self._needed(kind)
            place = use.place if use else ""
            row.about.say("\n".join(filter(None, (f"{LOST[kind]}{f' {needed}' if needed else ''}", place))))
            row.about.set_role("" if asked else "muted")
            row.clear.setText("Clearing…" if self._clearing is kind else self._words(use) if asked else "Clear…")
            row.clear.setEnabled(bool(use and use.bytes) and not needed and self._clearing is None)
            row.keep.setVisible(asked)

    def _needed(self, kind: Kind) -> str:
        if kind in (Kind.STAGES, Kind.STATISTICS) and self._hub.running:
            return _RUNNING
        return self._uses[kind].needed if kind in self._uses else ""

    def _words(self, use: Use | None) -> str:
        return f"Clear {amount(use.bytes)}" if use else ""

    def _failed(self, problem: Problem) -> None:
        if problem.job in self._jobs:
            self.note.say(problem.sentence)
            self.note.set_role("fails")
            if self._clearing is not None:  # a part may be gone
                self._clearing = None
                self._send(MeasureDisk())
            self._show()
            self._hub.solved.emit(problem)  # it is said here, and no business of the window behind

    # ---- doing -----------------------------------------------------------------------------------------------

    def _press(self, kind: Kind) -> None:
        if self._asked is not kind:
            self._ask(kind)
            return
        self._asked, self._clearing = None, kind
        self.note.say(_ELSEWHERE)
        self.note.set_role("muted")
        self._show()
        self._send(ClearDisk(kind))

    def _ask(self, kind: Kind | None) -> None:
        self._asked = kind
        self._show()
