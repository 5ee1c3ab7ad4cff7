"""Opening and saving: by menu, by dropping files on the window, by paths on the command line."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog, QWidget

from editview.domain import places
from editview.domain.checkpoint import fitted
from editview.domain.events import FactsPreviewed
from editview.domain.operations import FineTune, Lora
from editview.domain.plan import Checkpoint
from editview.domain.requests import OpenPlan, PreviewFacts, SavePlan
from editview.ui.hub import Hub
from editview.ui.look.message_bar import Details
from editview.ui.opening.checkpoint_dialog import CheckpointDialog
from editview.ui.opening.csv_dialog import OURS, CsvDialog
from editview.ui.opening.recognise import Kind, is_table, recognise
from editview.ui.problem import Problem

_NOT_IN_NAMES = r'[<>:"/\\|?*\x00-\x1f]+'  # on one system or another


class Opening(QObject):
    """Belongs to the window whose dialogs it shows."""

    def __init__(self, hub: Hub, window: QWidget) -> None:
        super().__init__(window)
        self._hub, self._window = hub, window
        self._expected: str | None = None  # the table whose preview was asked for
        self._in_doubt = False  # and whether its columns are only asked for when they can't be told
        hub.previewed.connect(self._name_columns)
        hub.sheet_changed.connect(self._doubt_columns)

    def open_path(self, path: Path) -> None:
        if not path.exists():
            self._hub.problem.emit(Problem(f"There is no '{path}'. Check the name, or choose from the File menu.", ""))
            return
        hub, kind = self._hub, recognise(path)
        match kind:
            case Kind.CHECKPOINT:
                self.open_checkpoint(Checkpoint(source=str(path if path.is_dir() else path.parent)))
            case Kind.ADAPTER:
                self.open_checkpoint(hub.plan.checkpoint.model_copy(update={"adapter": str(path)}))
            case Kind.SHEET:
                hub.open_facts(str(path))
            case Kind.TABLE:
                self._preview(str(path))
            case Kind.PLAN:
                hub.send(OpenPlan(str(path)))
            case Kind.DATA:
                self._train_on(path)
            case Kind.UNKNOWN:
                hub.problem.emit(
                    Problem(
                        f"'{path.name}' is nothing that can be opened here. Checkpoints are folders, fact sheets .json "
                        "or .csv, training data .jsonl or .txt, plans .toml.",
                        "",
                    )
                )

    def open_paths(self, paths: Iterable[Path]) -> None:
        for path in paths:
            self.open_path(path)

    # ---- from the menu ---------------------------------------------------------------------------------------

    def open_checkpoint(self, start: Checkpoint | None = None) -> None:
        dialog = CheckpointDialog(self._hub, start or self._hub.plan.checkpoint, self._window)
        if dialog.exec() and dialog.info is not None:
            plan, note = fitted(self._hub.plan, dialog.info, self._hub.checkpoint)
            self._hub.change_plan(plan)
            if note:
                self._hub.noted.emit(note)
        dialog.deleteLater()

    def open_facts(self) -> None:
        self._pick("Open a fact sheet", "Fact sheets (*.json *.jsonl *.csv *.tsv)")

    def open_plan(self) -> None:
        self._pick("Open a plan", "Plans (*.toml)")

    def open_demo(self) -> None:
        self._hub.send(OpenPlan(str(places.demo_plan())))

    def open_data(self) -> None:
        path = self._chosen("Open training data", "Training data (*.jsonl *.json *.txt)")
        if path:
            self._train_on(Path(path))

    def show_left_out(self) -> None:
        """The records of the sheet that couldn't be read as facts, each with the reason."""
        count = len(self._hub.sheet_problems)
        told = f"{count:,} record{' was' if count == 1 else 's were'} left out of the sheet; the rest is used."
        details = Details(Problem(told, "\n".join(self._hub.sheet_problems)), self._window)
        details.exec()
        details.deleteLater()

    def save_plan(self) -> None:
        if self._hub.history.path is None:
            self.save_plan_as()
        else:
            self._hub.send(SavePlan(self._hub.plan, self._hub.history.path))

    def save_plan_as(self) -> None:
        start = self._hub.history.path or f"{re.sub(_NOT_IN_NAMES, '', self._hub.plan.name).strip(' .') or 'plan'}.toml"
        path, _ = QFileDialog.getSaveFileName(self._window, "Save the plan", start, "Plans (*.toml)")
        if path:
            self._hub.send(SavePlan(self._hub.plan, path if path.endswith(".toml") else f"{path}.toml"))

    def _pick(self, title: str, kinds: str) -> None:
        path = self._chosen(title, kinds)
        if path:
            self.open_path(Path(path))

    def _chosen(self, title: str, kinds: str) -> str:
        path, _ = QFileDialog.getOpenFileName(self._window, title, "", f"{kinds};;All files (*)")
        return path

    # ---- what needs another word -----------------------------------------------------------------------------

    def _train_on(self, path: Path) -> None:
        """Let the plan's only fine-tune read this file, or add one that does."""
        plan = self._hub.plan
        tunes = [operation for operation in plan.operations if isinstance(operation, FineTune)]
        if len(tunes) == 1:
            self._hub.change_plan(plan.replaced(tunes[0].model_copy(update={"data": str(path)})))
        else:
            self._hub.change_plan(plan.added(Lora(data=str(path))))

    def name_columns(self) -> None:
        """Say again which column of the plan's table is what."""
        self._preview(self._hub.plan.facts)

    def _preview(self, source: str, in_doubt: bool = False) -> None:
        self._expected, self._in_doubt = source, in_doubt
        self._hub.send(PreviewFacts(source))

    def _doubt_columns(self) -> None:
        """The plan's table couldn't be opened: perhaps for its columns, which a person can name."""
        source = self._hub.plan.facts
        if self._hub.sheet_missing and is_table(source) and Path(source).is_file():
            self._preview(source, in_doubt=True)

    def _name_columns(self, preview: FactsPreviewed) -> None:
        if preview.source != self._expected:
            return
        self._expected = None
        plan = self._hub.plan
        named = dict(plan.columns if plan.columns and plan.facts == preview.source else preview.suggested)
        known = {ours: theirs for ours, theirs in named.items() if theirs in preview.columns}
        if self._in_doubt and known == named and all(ours in known for ours, (_, _, needed) in OURS.items() if needed):
            return
        dialog = CsvDialog(replace(preview, suggested=tuple(known.items())), self._window)
        if dialog.exec():
            self._hub.open_facts(preview.source, dialog.columns)
        dialog.deleteLater()
