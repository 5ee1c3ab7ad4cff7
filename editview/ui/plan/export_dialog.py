"""Exporting a stage: which one, where to and in which form; then how far it is, and what reading it back has shown."""

from __future__ import annotations

import re
from pathlib import Path

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from editview.domain.checkpoint import CheckpointInfo
from editview.domain.events import Exported
from editview.domain.export import Form
from editview.domain.export_words import (
    export_obstacle,
    folder_obstacle,
    is_export,
    place,
    rank_at_most,
    read_back,
    weighs,
)
from editview.domain.facts import Group
from editview.domain.requests import ExportStage
from editview.domain.room import free
from editview.domain.sentences import amount, stage_titles
from editview.domain.session import StageState
from editview.ui.hub import Hub
from editview.ui.look.labels import Sentence, Words
from editview.ui.look.theme import BODY, SMALL, theme
from editview.ui.plan.card_states import same_beginning
from editview.ui.plan.inquiry import Inquiry

QUESTION = "Which model should be written?"
HOW = (
    "It becomes a folder of its own that needs nothing of EditView. Before it counts as written it is read back and "
    "asked all facts again."
)
NOTHING = "Nothing is computed yet. Run the plan, then export any of its stages."
NAMES = {
    Form.STORED: "Whole checkpoint",
    Form.COMPUTED: "Whole checkpoint, not rounded",
    Form.ADAPTER: "Adapter on top of the checkpoint",
}
_LONGEST = 60  # signs of a suggested folder's name


class ExportDialog(Inquiry):
    """Offers the stages of the run that is shown; `operation_id` names the step whose stage is chosen at the start."""

    stopped = "Stopped: nothing was written."

    def __init__(self, hub: Hub, operation_id: str | None = None, parent: QWidget | None = None) -> None:
        super().__init__(hub, "Export a stage", QUESTION, HOW, hub.replies.exported, parent)
        self._run, self._folder = hub.run, ""
        self.form = QWidget(self)
        self.stage = QComboBox(self)
        self.stage.setAccessibleName("Stage")
        self.folder = QLineEdit(self)
        self.folder.setAccessibleName("Folder")
        self.choose = QPushButton("Choose folder…", self)
        self.replace = QCheckBox("Replace the export that lies there, once the new one has proved sound", self)
        self.kind = QComboBox(self)
        self.kind.setAccessibleName("Form")
        self.about = Sentence("", SMALL, "muted", self)
        self.room = Sentence("", BODY, parent=self)
        self.open_folder = QPushButton("Open folder", self)
        self.again.setText("Export")
        self.again.setProperty("role", "primary")
        self._fill(operation_id)
        self.lay_out(self._laid_out(), buttons=(self.open_folder,))
        self.open_folder.hide()
        self.again.setDefault(True)
        self.resize(theme().px(680), theme().px(480))
        self.choose.clicked.connect(self._choose)
        self.open_folder.clicked.connect(lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(self._folder)))
        self.stage.currentIndexChanged.connect(self._suggest)
        self.folder.textChanged.connect(self._check)
        self.replace.toggled.connect(self._check)
        self.kind.currentIndexChanged.connect(self._check)
        self._say(QUESTION, HOW if self.stage.count() else NOTHING)
        self.show_nothing()
        self._suggest()
        if operation_id is not None and self.stage.count() and self._operation != operation_id:
            self.note.say(f"This step isn't computed as it stands now. Run the plan to export it.\n{HOW}")

    def _fill(self, operation_id: str | None) -> None:
        run, info = self._run, self._info
        for stage, title in zip(run.stages, stage_titles(run), strict=True) if run is not None else ():
            whole = run is not None and len(stage.checks) == len(run.sheet)
            if whole and stage.state in (StageState.DONE, StageState.REUSED):
                self.stage.addItem(f"After step {stage.info.index}: {title}" if stage.info.index else title, stage.info)
                current = operation_id is None or self._is_current(stage.info.index)
                if (stage.info.operation_id == operation_id and current) or operation_id is None:
                    self.stage.setCurrentIndex(self.stage.count() - 1)
        for form, name in NAMES.items():
            if form is not Form.COMPUTED or info is None or info.computes_in != info.dtype:
                self.kind.addItem(name, form)

    def _is_current(self, stage: int) -> bool:
        """Whether the plan's cards still make this stage of the run."""
        return stage > 0 and self._run is not None and same_beginning(self._run.plan, self.hub.plan, stage - 1)

    def _laid_out(self) -> QWidget:
        """The form, and room under it that stays when it goes."""
        px = theme().px
        page = QWidget(self)
        outer, layout = QVBoxLayout(page), QVBoxLayout(self.form)
        outer.addWidget(self.form)
        outer.addStretch(1)
        for one in (outer, layout):
            one.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(px(4))
        row = QHBoxLayout()
        row.addWidget(self.folder, 1)
        row.addWidget(self.choose)
        for title, field in (("Stage", self.stage), ("Folder", row), ("Form", self.kind)):
            layout.addSpacing(px(12))
            layout.addWidget(Words(title, BODY, bold=True, parent=self.form))
            layout.addLayout(field) if isinstance(field, QHBoxLayout) else layout.addWidget(field)
            if field is row:
                layout.addWidget(self.replace)
        layout.addWidget(self.about)
        layout.addSpacing(px(8))
        layout.addWidget(self.room)
        return page

    # ---- what was chosen -------------------------------------------------------------------------------------

    @property
    def _operation(self) -> str | None:
        return self.stage.currentData().operation_id if self.stage.count() else None

    @property
    def _info(self) -> CheckpointInfo | None:
        """What the run's checkpoint is; None: the plan has another one by now."""
        info = self.hub.checkpoint
        return info if self._run is not None and info and info.checkpoint == self._run.plan.checkpoint else None

    def _suggest(self) -> None:
        """A folder that is named after the stage, unless the user has named one."""
        if self._run is not None and self.stage.count() and not self.folder.isModified():
            self.folder.setText(str(Path.home() / self._name))
        self._check()

    @property
    def _name(self) -> str:
        assert self._run is not None
        words = f"{self._run.plan.name} {self.stage.currentText()}".lower()
        return re.sub(r"[^\w]+", "-", words).strip("-")[:_LONGEST].strip("-")

    def _choose(self) -> None:
        path = QFileDialog.getExistingDirectory(self, "Choose a folder")
        if path:
            chosen = Path(path)
            self.folder.setText(str(chosen / self._name if folder_obstacle(chosen, True) else chosen))
            self.folder.setModified(True)

    def _check(self) -> None:
        """Say what the form takes, and whether it can be written there."""
        if not self.stage.count():
            return
        asked = self.request()
        self.about.say(self._form_sentence(asked.form))
        self.replace.setVisible(bool(asked.folder) and is_export(place(asked)))
        obstacle = export_obstacle(asked) if asked.folder else "Name a folder to write to."
        takes = ""
        if not obstacle and (size := self._size(asked.form)):
            there, least = free(place(asked)), "at most" if asked.form is Form.ADAPTER else "about"
            takes = f"It takes {least} {amount(size)}, and {amount(there)} are free there."
            obstacle = f"{takes} Choose another place." if size > there else ""
        self.room.say(obstacle or takes)
        self.room.set_role("fails" if obstacle else "")
        self.again.setEnabled(not obstacle)

    def _form_sentence(self, form: Form) -> str:
        info = self._info
        stored, computed = (info.dtype, info.computes_in) if info is not None else ("its number format", "full")
        if form is Form.STORED:
            rounded = f"; what was changed is rounded to that from {computed}" if stored != computed else ""
            return f"In {stored}, as the checkpoint's own files are{rounded}. What wasn't changed keeps every bit."
        if form is Form.COMPUTED:
            return f"In {computed}, as it was computed and asked: every bit is kept."
        return (
            "What differs from the checkpoint alone, as PEFT reads it; the checkpoint is needed beside it. Whether "
            "that is exact is measured: where it isn't, nothing is written and the reason is said."
        )

    def _size(self, form: Form) -> int:
        run, info = self._run, self._info
        if run is None or info is None:
            return 0
        steps, edits = run.plan.active[: self.stage.currentData().index], len(run.sheet.group(Group.EDITED))
        changes = [stage.changes for stage in run.stages[1:]]
        return weighs(form, info, list(zip(rank_at_most(steps, edits), changes, strict=False)))

    # ---- asking ----------------------------------------------------------------------------------------------

    def request(self) -> ExportStage:
        assert self._run is not None
        folder, form = self.folder.text().strip(), Form(self.kind.currentData())
        stage = self.stage.currentData().index
        return ExportStage(self._run.plan, self._run.sheet, stage, folder, form, self.replace.isChecked())

    def show_nothing(self) -> None:
        self.form.setVisible(bool(self.stage.count()))
        self.form.setEnabled(not self.asking)
        self.again.setVisible(bool(self.stage.count()) and not self.asking)

    def show_answer(self, event: Exported) -> None:
        self._folder = event.export.folder
        self.headline.say(f"*{event.export.title}* was written: {amount(event.export.bytes)}.")
        self.note.say(f"{read_back(event.export)}\n{self._folder}")
        self.form.hide()
        self.open_folder.show()
        self.open_folder.setFocus(Qt.FocusReason.OtherFocusReason)
