"""The runs so far, and what was found of checkpoints: found again, opened as it was, compared, noted, deleted."""

from __future__ import annotations

from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from editview.domain.events import RunsListed
from editview.domain.history import EntryKind
from editview.domain.history_words import NO_RUNS, counted
from editview.domain.requests import (
    DeleteRuns,
    HistoryRequest,
    ListRuns,
    NoteRun,
    RecallFindings,
    RecallRuns,
    RestoreRuns,
)
from editview.ui.hub import Hub
from editview.ui.kept.model import RunsModel
from editview.ui.kept.table import RunsTable
from editview.ui.look.icons import icon
from editview.ui.look.labels import Sentence
from editview.ui.look.rows_out import offer_rows
from editview.ui.look.theme import BODY, LARGE, theme
from editview.ui.problem import Problem

_READING = "The list of runs is being read."


class RunsDialog(QDialog):
    """Asks for the list when it opens and whenever it has grown. Closes once what was opened is shown."""

    def __init__(self, hub: Hub, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Runs so far")
        self._hub = hub
        self._jobs: set[int] = set()
        self._listed: RunsListed | None = None
        self._chosen: list[str] = []  # runs that stay chosen while the list is filled anew
        self.headline, self.note = Sentence(_READING, LARGE, parent=self), Sentence("", BODY, "muted", self)
        self.note.hide()
        self.search = QLineEdit(self)
        self.search.setPlaceholderText("Search kinds, plans, checkpoints, outcomes and notes")
        self.search.setAccessibleName("Search the runs")
        self.search.setClearButtonEnabled(True)
        self.search.addAction(icon("search", "muted"), QLineEdit.ActionPosition.LeadingPosition)
        self.model = RunsModel(self)
        self.table = RunsTable(self.model, self)
        offer_rows(self.table, self.model.lines, self._not_saved)
        self.empty = Sentence("", BODY, "muted", self)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.pages = QStackedWidget(self)
        self.pages.addWidget(self.table)
        self.pages.addWidget(self.empty)
        self.open_run = QPushButton("Open", self)
        self.open_run.setProperty("role", "primary")
        self.compare = QPushButton("Compare", self)
        self.edit = QPushButton("Edit note", self)
        self.delete = QPushButton("Delete", self)
        self.undo = QPushButton(icon("undo"), "Bring back", self)
        self.leave = QPushButton("Close", self)
        self._lay_out()
        self._connect()
        self._list()

    def _lay_out(self) -> None:
        px = theme().px
        buttons = QHBoxLayout()
        buttons.addWidget(self.undo)
        buttons.addStretch(1)
        for button in (self.delete, self.edit, self.compare, self.open_run, self.leave):
            buttons.addWidget(button)
        for button in self.findChildren(QPushButton):
            button.setAutoDefault(False)  # Enter is the table's
        layout = QVBoxLayout(self)
        layout.setContentsMargins(px(24), px(24), px(24), px(16))
        layout.setSpacing(px(8))
        layout.addWidget(self.headline)
        layout.addWidget(self.note)
        layout.addWidget(self.search)
        layout.addWidget(self.pages, 1)
        layout.addLayout(buttons)
        room = self.screen().availableSize()
        self.resize(min(px(1040), room.width()), min(px(600), room.height() - px(48)))  # less the window's frame
        self.table.setFocus()

    def _connect(self) -> None:
        hub = self._hub
        hub.replies.runs_listed.connect(self._show)
        hub.problem.connect(self._failed)
        hub.runs_changed.connect(self._list)
        for signal in (hub.replies.checkpoints_compared, hub.replies.inspected):
            signal.connect(self._list)
        self.search.textChanged.connect(self._search)
        self.search.returnPressed.connect(self.table.setFocus)
        self.model.noted.connect(lambda run, note: self._send(NoteRun(run, note)))
        self.model.modelReset.connect(self._choose_again)
        self.table.selectionModel().selectionChanged.connect(self._offer)
        self.table.activated.connect(self._open)
        self.table.deleted.connect(self._delete)
        self.open_run.clicked.connect(self._open)
        self.compare.clicked.connect(self._compare)
        self.edit.clicked.connect(self.table.edit_note)
        self.delete.clicked.connect(self._delete)
        self.undo.clicked.connect(self._restore)
        self.leave.clicked.connect(self.reject)
        QShortcut(QKeySequence.StandardKey.Undo, self, self._restore)
        QShortcut(QKeySequence.StandardKey.Find, self, self.search.setFocus)

    def _list(self) -> None:
        self._send(ListRuns())

    def _send(self, request: HistoryRequest) -> None:
        job = self._hub.send(request)
        if job is not None:
            self._jobs.add(job)

    # ---- showing ---------------------------------------------------------------------------------------------

    def _show(self, listed: RunsListed) -> None:
        self._listed = listed
        self._chosen = [entry.id for entry in self.table.chosen()] or self._chosen
        self.note.say(listed.remark)
        self.model.show_runs(listed.runs)
        self._say()

    def _search(self, typed: str) -> None:
        self._chosen = [entry.id for entry in self.table.chosen()]
        self.model.search(typed)
        self._say()

    def _say(self) -> None:
        count = len(self._listed.runs) if self._listed else 0
        found = len(self.model.rows)
        if self._listed is not None:
            words = counted(self._listed.runs) or "No run"
            self.headline.say(f"{found:,} of {count:,} shown" if found < count else f"{words} so far")
        self.empty.say(f"Nothing matches “{self.search.text().strip()}”." if count else NO_RUNS if self._listed else "")
        self.pages.setCurrentWidget(self.table if found else self.empty)
        self.note.setVisible(bool(self.note.text()))
        self._offer()

    def _choose_again(self) -> None:
        """What was chosen before the rows changed, as far as it is there; else the first."""
        rows = [row for row in map(self.model.row_of, self._chosen) if row is not None] or [0]
        if not self.model.rows:
            return
        self.table.setCurrentIndex(self.model.index(rows[0], 0))
        for row in rows[1:]:
            flags = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
            self.table.selectionModel().select(self.model.index(row, 0), flags)

    def _offer(self) -> None:
        entries, deleted = self.table.chosen(), self._listed.deleted if self._listed else 0
        chosen, two_runs = len(entries), [entry.kind for entry in entries] == [EntryKind.RUN] * 2
        self.open_run.setEnabled(chosen == 1)
        self.edit.setEnabled(chosen == 1)
        self.compare.setEnabled(two_runs)
        self.compare.setToolTip("" if two_runs else "Choose two runs: hold Ctrl and click on the second")
        self.delete.setEnabled(chosen > 0)
        self.undo.setVisible(deleted > 0)
        self.undo.setToolTip("Bring back what was deleted last (Ctrl+Z)")

    def _not_saved(self, sentence: str) -> None:
        self.note.say(sentence)
        self._say()

    def _failed(self, problem: Problem) -> None:
        if problem.job in self._jobs:
            self._not_saved(problem.sentence)
            if self._listed is None:
                self.headline.say("The list of runs can't be shown.")
            self._hub.solved.emit(problem)  # it is said here, and no business of the window behind

    # ---- doing -----------------------------------------------------------------------------------------------

    def _open(self) -> None:
        chosen = self.table.chosen()
        if len(chosen) == 1:
            (entry,) = chosen
            self._recall(RecallRuns((entry.id,)) if entry.kind is EntryKind.RUN else RecallFindings(entry.id))

    def _compare(self) -> None:
        earlier_first = sorted(self.table.chosen(), key=lambda entry: entry.began)
        self._recall(RecallRuns(tuple(entry.id for entry in earlier_first)))

    def _recall(self, request: RecallRuns | RecallFindings) -> None:
        self.note.say("It is being read.")
        self.note.show()
        self._send(request)

    def _delete(self) -> None:
        chosen = self.table.chosen()
        if chosen:
            row = self.model.row_of(chosen[-1].id) or 0
            after = self.model.rows[row + 1 :] or self.model.rows[: self.model.row_of(chosen[0].id)][-1:]
            self.table.clearSelection()
            self._chosen = [entry.id for entry in after[:1]]
            self._send(DeleteRuns(tuple(entry.id for entry in chosen)))

    def _restore(self) -> None:
        if self._listed is not None and self._listed.deleted:
            self._send(RestoreRuns())
