"""Choosing a checkpoint: a folder, a model in the cache or on the hub, with or without an adapter. Described first."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from editview.domain.checkpoint import CheckpointInfo
from editview.domain.plan import Checkpoint
from editview.domain.requests import DescribeCheckpoint, DownloadCheckpoint
from editview.ui.hub import Hub
from editview.ui.look.labels import Sentence, Words
from editview.ui.look.theme import BODY, LARGE, SMALL, theme
from editview.ui.opening.recognise import cached_models
from editview.ui.problem import ENGINE, Problem

DESCRIBE_AFTER = 400  # milliseconds without typing

RISKS = {
    "allow_pickle": (
        "allow pickled weights",
        "Read its pickled weights, although they can run any code on this machine",
    ),
    "allow_code": ("allow its code", "Run the Python code that it brings along: I have read it and trust it"),
}
"""What can be allowed for one checkpoint: the words of the refusal that offers it, and what is agreed to."""


class CheckpointDialog(QDialog):
    """After `exec`, `checkpoint` is what was chosen, and `info` what it is: it can be used once that is known.

    `to_edit`: one that can't be edited is of no use.
    """

    def __init__(
        self,
        hub: Hub,
        start: Checkpoint | None = None,
        parent: QWidget | None = None,
        *,
        question: str = "Which model should the plan start from?",
        to_edit: bool = True,
    ) -> None:
        super().__init__(parent)
        self._hub, self._question, self._to_edit = hub, question, to_edit
        self._start = start or Checkpoint()
        self._asked: Checkpoint | None = None
        self.info: CheckpointInfo | None = None
        self.setWindowTitle("Open a checkpoint")
        self.source = QComboBox(self)
        self.source.setEditable(True)
        self.source.addItems(["demo", *cached_models()])
        self.source.setCurrentText(self._start.source)
        self.source.setAccessibleName("Checkpoint")
        self.adapter = QLineEdit(self._start.adapter or "", self)
        self.adapter.setPlaceholderText("none")
        self.adapter.setAccessibleName("Adapter")
        self.described = Sentence("", BODY, parent=self)
        self.allowed = {name: QCheckBox(risk, self) for name, (_, risk) in RISKS.items()}
        for name, box in self.allowed.items():
            box.setChecked(getattr(self._start, name))
            box.setVisible(box.isChecked())
            box.toggled.connect(self._describe)
        self._job: int | None = None  # what was asked of the jobs last
        self._downloading: str | None = None  # the id that is being brought
        self.download = QPushButton("Download from the hub", self)
        self.download.clicked.connect(self._download)
        self.download.hide()
        self.use = QPushButton("Use this checkpoint", self)
        self.use.setProperty("role", "primary")
        self.buttons = QDialogButtonBox(self)
        self.buttons.addButton(self.use, QDialogButtonBox.ButtonRole.AcceptRole)
        self.buttons.addButton("Cancel", QDialogButtonBox.ButtonRole.RejectRole)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self._wait = QTimer(self, singleShot=True, interval=DESCRIBE_AFTER)
        self._wait.timeout.connect(self._describe)
        self.source.currentTextChanged.connect(self._typed)
        self.adapter.textChanged.connect(self._typed)
        hub.described.connect(self._told)
        hub.problem.connect(self._failed)
        hub.engine_changed.connect(self._progress)
        hub.noted.connect(self._downloaded)
        self._lay_out()
        self._describe()

    @property
    def checkpoint(self) -> Checkpoint:
        source, adapter = self.source.currentText().strip(), self.adapter.text().strip()
        allowed = {name: box.isChecked() for name, box in self.allowed.items()}
        return self._start.model_copy(update={"source": source, "adapter": adapter or None, **allowed})

    def _lay_out(self) -> None:
        px = theme().px
        layout = QVBoxLayout(self)
        layout.setContentsMargins(px(24), px(24), px(24), px(16))
        layout.setSpacing(px(8))
        layout.addWidget(Sentence(self._question, LARGE, parent=self))
        for title, field, help_text in (
            (
                "Checkpoint",
                self.source,
                "A folder, a model in the Hugging Face cache, or an id on the hub (owner/name)",
            ),
            ("Adapter", self.adapter, "A folder or id of a PEFT adapter on top of it, if there is one"),
        ):
            choose = QPushButton("Choose folder…", self)
            choose.setAccessibleName(f"Choose a folder: {title}")
            choose.clicked.connect(lambda _checked=False, field=field: self._choose(field))
            row = QHBoxLayout()
            row.addWidget(field, 1)
            row.addWidget(choose)
            layout.addSpacing(px(8))
            layout.addWidget(Words(title, BODY, bold=True, parent=self))
            layout.addLayout(row)
            layout.addWidget(Words(help_text, SMALL, "muted", parent=self))
        layout.addSpacing(px(16))
        layout.addWidget(self.described)
        for box in self.allowed.values():
            layout.addWidget(box)
        layout.addWidget(self.download)
        layout.addStretch(1)
        layout.addWidget(self.buttons)
        self.resize(px(600), px(400))

    def _choose(self, field: QComboBox | QLineEdit) -> None:
        path = QFileDialog.getExistingDirectory(self, "Choose a folder")
        if not path:
            return
        if isinstance(field, QComboBox):
            field.setCurrentText(path)
        else:
            field.setText(path)

    def _typed(self) -> None:
        self.use.setEnabled(False)
        self.download.hide()
        for box in self.allowed.values():  # what was allowed was allowed for that one
            box.blockSignals(True)
            box.setChecked(False)
            box.blockSignals(False)
            box.hide()
        self._wait.start()

    def _describe(self) -> None:
        self.use.setEnabled(False)
        if not self.checkpoint.source:
            self.described.say("Name a folder or a model.")
            return
        self._asked = self.checkpoint
        self.described.say("Reading what it is…")
        self._job = self._hub.send(DescribeCheckpoint(self._asked))

    def _told(self, info: CheckpointInfo) -> None:
        if info.checkpoint == self._asked:
            self._asked, self.info = None, info
            self.described.say(info.sentence)
            self.use.setEnabled(info.not_editable is None or not self._to_edit)

    def _failed(self, problem: Problem) -> None:
        if problem.job not in (self._job, ENGINE):
            return
        if self._downloading is not None:
            self._stop_downloading(problem.sentence)
        elif self._asked is not None:
            self._asked = None
            self.described.say(problem.sentence)
            source = self.checkpoint.source
            self.download.setVisible(source.count("/") == 1 and not Path(source).expanduser().exists())
        else:
            return
        self._hub.solved.emit(problem)  # it is said here, and no business of the window behind
        for name, (words, _) in RISKS.items():
            if words in problem.sentence:
                self.allowed[name].show()

    # ---- bringing one from the hub ---------------------------------------------------------------------------

    def _download(self) -> None:
        if self._downloading is not None:
            self._hub.stop(self._job)
            self._stop_downloading("The download was stopped.")
            return
        self._downloading = self.checkpoint.source
        self.source.setEnabled(False)
        self.download.setText("Stop the download")
        self.described.say(f"Downloading *{self._downloading}*…")
        self._job = self._hub.send(DownloadCheckpoint(self.checkpoint))

    def _progress(self) -> None:
        if self._downloading is not None and self._hub.loading:
            self.described.say(f"{self._hub.loading}.")

    def _downloaded(self, note: str) -> None:
        if self._downloading is not None and self._downloading in note:
            self._stop_downloading("")
            self.download.hide()
            self._describe()

    def _stop_downloading(self, sentence: str) -> None:
        self._downloading = None
        self.source.setEnabled(True)
        self.download.setText("Download from the hub")
        self.described.say(sentence)

    def reject(self) -> None:
        if self._downloading is not None:
            self._hub.stop(self._job)
        super().reject()
